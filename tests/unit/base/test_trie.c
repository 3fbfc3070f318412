/* The trie against a plain array, through many versions that are held at once; with hashes that are
 * often equal, with memory that runs out at each place, and with readers on other threads. The
 * trie's own source is included, so that its hash and its memory can be the test's. */
#include <pthread.h>
#include <stdatomic.h>

#include "check.h"
#include "base/crypto.h"
#include "base/id.h"

uint64_t hash_of_test(struct str key, const uint8_t seed[16]);
static void *scarce_malloc(size_t n);
static bool hashes_are_poor;
static unsigned mallocs_left = UINT32_MAX;

#define hash_keyed hash_of_test
#define malloc     scarce_malloc
#include "base/trie.c"
#undef hash_keyed
#undef malloc

static void *scarce_malloc(size_t n)
{
    return mallocs_left && mallocs_left-- ? malloc(n) : NULL;
}

uint64_t hash_of_test(struct str key, const uint8_t key_of_hash[16])
{
    uint64_t h = hash_keyed(key, key_of_hash);
    return hashes_are_poor ? (h & 3) << 62 | (h & 1) : h;
}

struct thing {
    uint64_t key;
    _Atomic int refs;
    int version;
};
static _Atomic int things;

static struct str thing_key(const void *v)
{
    return str_of_bytes((const char *)&((const struct thing *)v)->key, sizeof(uint64_t));
}

static void thing_hold(void *v)
{
    atomic_fetch_add(&((struct thing *)v)->refs, 1);
}

static void thing_drop(void *v)
{
    struct thing *t = v;
    assert_true(t->refs > 0);
    if (atomic_fetch_sub(&t->refs, 1) == 1) {
        atomic_fetch_sub(&things, 1);
        free(t);
    }
}

static const struct trie_type type = {thing_key, thing_hold, thing_drop};

static struct thing *thing_new(uint64_t key, int version)
{
    struct thing *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->key = key;
    t->refs = 1;
    t->version = version;
    atomic_fetch_add(&things, 1);
    return t;
}

enum { KEYS = 300, VERSIONS = 24, ROUNDS = 3000 };

struct version { /* a snapshot, and what it must hold: 0 stands for nothing */
    struct trie trie;
    int holds[KEYS];
};

static void compare(const struct version *v)
{
    size_t n = 0, walked = 0;
    const struct thing *t;
    struct trie_walk w = {.trie = &v->trie};
    for (uint64_t k = 0; k < KEYS; k++) {
        t = trie_get(&v->trie, &type, str_of_bytes((const char *)&k, sizeof k));
        assert_int_equal(t ? t->version : 0, v->holds[k]);
        n += v->holds[k] != 0;
    }
    for (; (t = trie_next(&w)); walked++)
        assert_int_equal(t->version, v->holds[t->key]);
    assert_null(trie_next(&w));
    assert_int_equal(walked, n);
    assert_int_equal(v->trie.n, n);
}

static void change(struct version *v, uint64_t key, int version, bool put)
{
    struct str k = str_of_bytes((const char *)&key, sizeof key);
    if (put) {
        assert_ok(trie_put(&v->trie, &type, thing_new(key, version)));
        v->holds[key] = version;
    } else {
        enum err err = trie_remove(&v->trie, &type, k);
        assert_int_equal(err, v->holds[key] ? OK : ERR_NOT_FOUND);
        v->holds[key] = 0;
    }
}

static void many_versions(bool poor, unsigned seed_of_run)
{
    static struct version all[VERSIONS];
    hashes_are_poor = poor;
    memset(all, 0, sizeof all);
    srand(seed_of_run);
    for (int i = 1; i <= ROUNDS; i++) {
        struct version *v = &all[rand() % VERSIONS], *from = &all[rand() % VERSIONS];
        if (rand() % 4 == 0 && v != from) {
            trie_drop(&v->trie, &type);
            *v = *from;
            v->trie = trie_copy(&from->trie);
        }
        change(v, (uint64_t)(rand() % KEYS), i, rand() % 5 < 3);
        if (i % 50 == 0)
            for (int k = 0; k < VERSIONS; k++)
                compare(&all[k]);
    }
    for (int k = 0; k < VERSIONS; k++)
        trie_drop(&all[k].trie, &type);
    assert_int_equal(things, 0);
    hashes_are_poor = false;
}

static void versions_stay_as_they_were(void **state)
{
    many_versions(false, 1);
}

static void equal_hashes_are_told_apart(void **state)
{
    many_versions(true, 2);
}

/* Each change is tried with the first, the second, the third … allocation failing, on a trie that
 * is shared and on one that is not: it must be as before, and succeed in the end. */
static void out_of_memory_changes_nothing(void **state)
{
    for (int mode = 0; mode < 4; mode++) {
        struct version v = {0};
        hashes_are_poor = mode & 1;
        srand(3);
        for (int i = 1; i <= 800; i++) {
            struct version before = v;
            bool put = rand() % 5 < 3;
            uint64_t key = (uint64_t)(rand() % 100);
            struct str k = str_of_bytes((const char *)&key, sizeof key);
            before.trie = mode & 2 ? trie_copy(&v.trie) : (struct trie){0};
            for (unsigned allowed = 0;; allowed++) {
                mallocs_left = allowed;
                enum err err = put ? trie_put(&v.trie, &type, thing_new(key, i))
                                   : trie_remove(&v.trie, &type, k);
                mallocs_left = UINT32_MAX;
                if (err != ERR_NOMEM) {
                    assert_int_equal(err, put || v.holds[key] ? OK : ERR_NOT_FOUND);
                    break;
                }
                compare(&v);
            }
            v.holds[key] = put ? i : 0;
            compare(&v);
            if (mode & 2)
                compare(&before);
            trie_drop(&before.trie, &type);
        }
        trie_drop(&v.trie, &type);
        assert_int_equal(things, 0);
    }
    hashes_are_poor = false;
}

/* ---- readers hold copies, and let go of them while the next is made ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct trie shared;
static _Atomic bool stop;

static void *read_copies(void *arg)
{
    while (!stop) {
        pthread_mutex_lock(&lock);
        struct trie mine = trie_copy(&shared);
        pthread_mutex_unlock(&lock);
        struct trie_walk w = {.trie = &mine};
        size_t n = 0;
        while (trie_next(&w))
            n++;
        if (n != mine.n)
            abort();
        trie_drop(&mine, &type);
    }
    return NULL;
}

static void readers_on_other_threads(void **state)
{
    pthread_t reader[3];
    stop = false;
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&reader[i], NULL, read_copies, NULL), 0);
    for (int i = 1; i <= 4000; i++) {
        uint64_t key = (uint64_t)(i * 7919 % 500);
        pthread_mutex_lock(&lock);
        struct trie next = trie_copy(&shared);
        pthread_mutex_unlock(&lock);
        if (i % 3)
            assert_ok(trie_put(&next, &type, thing_new(key, i)));
        else
            (void)!trie_remove(&next, &type, str_of_bytes((const char *)&key, sizeof key));
        pthread_mutex_lock(&lock);
        struct trie before = shared;
        shared = next;
        pthread_mutex_unlock(&lock);
        trie_drop(&before, &type);
    }
    stop = true;
    for (int i = 0; i < 3; i++)
        pthread_join(reader[i], NULL);
    trie_drop(&shared, &type);
    assert_int_equal(things, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_stay_as_they_were),
        cmocka_unit_test(equal_hashes_are_told_apart),
        cmocka_unit_test(out_of_memory_changes_nothing),
        cmocka_unit_test(readers_on_other_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
