/* A trie that is built at once is the one that puts would have made: with hashes that are often
 * equal, with several values of one key, and with memory that runs out at each place. The sources
 * are included, so that their hash and their memory can be the test's. */
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
#include "base/trie_build.c"
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
    int refs, count; /* count: how many were joined in it */
};
static int things;

static struct str thing_key(const void *v)
{
    return str_of_bytes((const char *)&((const struct thing *)v)->key, sizeof(uint64_t));
}

static void thing_hold(void *v)
{
    ((struct thing *)v)->refs++;
}

static void thing_drop(void *v)
{
    struct thing *t = v;
    assert_true(t->refs > 0);
    if (--t->refs)
        return;
    things--;
    free(t);
}

static const struct trie_type type = {thing_key, thing_hold, thing_drop};

static struct thing *thing_new(uint64_t key)
{
    struct thing *t = calloc(1, sizeof *t);
    assert_non_null(t);
    *t = (struct thing){key, 1, 1};
    things++;
    return t;
}

/* The first stays, and counts the others. */
static void *things_join(void **values, size_t n)
{
    struct thing *first = values[0];
    for (size_t i = 1; i < n; i++) {
        first->count += ((struct thing *)values[i])->count;
        assert_int_equal(((struct thing *)values[i])->key, first->key);
        thing_drop(values[i]);
    }
    return first;
}

enum { MANY = 20000 };
static struct trie_item items[MANY];

static struct trie_item *items_make(size_t n, size_t keys)
{
    for (size_t i = 0; i < n; i++) {
        items[i].value = thing_new(i % keys);
        items[i].hash = trie_hash(thing_key(items[i].value));
    }
    return items;
}

static const struct thing *thing_get(const struct trie *t, uint64_t key)
{
    return trie_get(t, &type, str_of_bytes((const char *)&key, sizeof key));
}

static void build_and_look(size_t n, size_t keys)
{
    struct trie t;
    size_t walked = 0;
    assert_ok(trie_build(&t, &type, items_make(n, keys), n, things_join));
    assert_int_equal(t.n, n < keys ? n : keys);
    for (uint64_t k = 0; k < t.n; k++) {
        const struct thing *found = thing_get(&t, k);
        assert_non_null(found);
        assert_int_equal(found->count, n / keys + (k < n % keys));
    }
    assert_null(thing_get(&t, keys + n));
    for (struct trie_walk w = {.trie = &t}; trie_next(&w);)
        walked++;
    assert_int_equal(walked, t.n);
    /* It changes as any other, and a copy stays. */
    struct trie copy = trie_copy(&t);
    for (uint64_t k = 0; k < t.n + 40; k += 3)
        assert_ok(trie_put(&t, &type, thing_new(k)));
    for (uint64_t k = 0; k < copy.n; k += 2)
        assert_ok(trie_remove(&t, &type, str_of_bytes((const char *)&k, sizeof k)));
    for (uint64_t k = 0; k < copy.n; k++) {
        assert_non_null(thing_get(&copy, k));
        assert_true((thing_get(&t, k) != NULL) == (k % 2 != 0));
    }
    trie_drop(&t, &type);
    trie_drop(&copy, &type);
    assert_int_equal(things, 0);
}

static void all_sizes(bool poor)
{
    hashes_are_poor = poor;
    for (size_t n = 0; n < 70; n++)
        build_and_look(n, n + 1);
    for (size_t n = 1; n < 70; n++)
        build_and_look(n, (n + 2) / 3);
    build_and_look(poor ? 600 : MANY, poor ? 600 : MANY);
    build_and_look(poor ? 600 : MANY, 7);
    hashes_are_poor = false;
}

static void a_built_trie_has_all_values(void **state)
{
    all_sizes(false);
}

static void equal_hashes_are_told_apart(void **state)
{
    all_sizes(true);
}

static void of_one_key_any_stays(void **state)
{
    struct trie t;
    assert_ok(trie_build(&t, &type, items_make(500, 100), 500, NULL));
    assert_int_equal(t.n, 100);
    assert_int_equal(things, 100);
    trie_drop(&t, &type);
    assert_int_equal(things, 0);
}

static void memory_may_run_out(void **state)
{
    for (int poor = 0; poor < 2; poor++) {
        enum err err = ERR_NOMEM;
        hashes_are_poor = poor;
        for (unsigned left = 0; err != OK; left++) {
            struct trie t;
            (void)items_make(300, 200);
            mallocs_left = left;
            err = trie_build(&t, &type, items, 300, things_join);
            mallocs_left = UINT32_MAX;
            assert_true(err == OK || err == ERR_NOMEM);
            if (err != OK) {
                assert_null(t.root);
                assert_int_equal(t.n, 0);
                assert_int_equal(things, 0);
            }
            trie_drop(&t, &type);
        }
        assert_int_equal(things, 0);
    }
    hashes_are_poor = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_built_trie_has_all_values),
        cmocka_unit_test(equal_hashes_are_told_apart),
        cmocka_unit_test(of_one_key_any_stays),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
