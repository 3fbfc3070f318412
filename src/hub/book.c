/* book: all settings as one snapshot. Edges, couriers and web threads take the present one for each
 * piece of work; the writer's thread makes the next after each committed change. */
#include "hub/book.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "hub/book_table.h"

struct book {
    _Atomic int refs;
    struct table *table[SETTING_KIND_COUNT]; /* all but numbers */
    struct table *numbers[NUMBER_SHARDS];
};

struct books {
    pthread_mutex_t lock; /* around the pointer alone: the one thing that changes */
    struct book *now;
    _Atomic uint64_t generation;
};

static struct table **place_of(struct book *b, enum setting_kind kind, struct str id)
{
    return kind == SETTING_NUMBER ? &b->numbers[hash64(id) % NUMBER_SHARDS] : &b->table[kind];
}

void book_drop(const struct book **book)
{
    struct book *b = (struct book *)(uintptr_t)*book;
    *book = NULL;
    if (!b || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < SETTING_KIND_COUNT; i++)
        table_drop(b->table[i]);
    for (size_t i = 0; i < NUMBER_SHARDS; i++)
        table_drop(b->numbers[i]);
    free(b);
}

static struct book *book_new(void)
{
    struct book *b = calloc(1, sizeof *b);
    bool ok = b != NULL;
    if (!b)
        return NULL;
    b->refs = 1;
    for (size_t i = 0; i < SETTING_KIND_COUNT; i++)
        ok &= (b->table[i] = table_new()) != NULL;
    for (size_t i = 0; i < NUMBER_SHARDS; i++)
        ok &= (b->numbers[i] = table_new()) != NULL;
    if (ok)
        return b;
    const struct book *gone = b;
    book_drop(&gone);
    return NULL;
}

static struct book *book_copy(const struct book *from)
{
    struct book *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->refs = 1;
    for (size_t i = 0; i < SETTING_KIND_COUNT; i++)
        b->table[i] = table_hold(from->table[i]);
    for (size_t i = 0; i < NUMBER_SHARDS; i++)
        b->numbers[i] = table_hold(from->numbers[i]);
    return b;
}

struct load_job {
    struct store_job job;
    struct book *book;
};

static bool on_setting(void *arg, const struct setting *s)
{
    struct book *b = arg;
    struct entry *e = entry_of_setting(s);
    if (e && table_put(*place_of(b, s->kind, s->id), e) != OK)
        log_error("book", "%.*s is left out: out of memory", STR_FMT(s->id));
    return true;
}

static enum err load_run(struct store_job *job, struct db *db)
{
    struct load_job *l = (struct load_job *)job;
    enum err err = OK;
    for (int kind = 0; err == OK && kind < SETTING_KIND_COUNT; kind++)
        err = setting_list(db, (enum setting_kind)kind, 0, 0, 0, on_setting, l->book);
    return err;
}

enum err books_open(struct store *s, struct books **ret)
{
    struct load_job l = {.job.run = load_run, .book = book_new()};
    struct books *b = calloc(1, sizeof *b);
    const struct book *gone = l.book;
    enum err err = b && l.book ? store_read_now(s, &l.job) : ERR_NOMEM;
    if (err != OK) {
        book_drop(&gone);
        free(b);
        return err;
    }
    pthread_mutex_init(&b->lock, NULL);
    b->now = l.book;
    *ret = b;
    return OK;
}

void books_close(struct books *b)
{
    if (!b)
        return;
    const struct book *now = b->now;
    book_drop(&now);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

const struct book *book_take(struct books *b)
{
    pthread_mutex_lock(&b->lock);
    struct book *now = b->now;
    atomic_fetch_add_explicit(&now->refs, 1, memory_order_relaxed);
    pthread_mutex_unlock(&b->lock);
    return now;
}

uint64_t books_generation(const struct books *b)
{
    return atomic_load_explicit(&b->generation, memory_order_acquire);
}

void books_changed(struct books *b, const struct setting *s, bool deleted)
{
    struct entry *e = deleted ? NULL : entry_of_setting(s);
    struct book *next = book_copy(b->now); /* only this thread ever sets it */
    if (!next) {
        entry_drop(e);
        log_error("book", "%.*s takes effect at the next start: out of memory", STR_FMT(s->id));
        return;
    }
    struct table **place = place_of(next, s->kind, s->id), *old = *place;
    struct table *copy = table_copy(old);
    if (copy) {
        *place = copy;
        table_drop(old);
        table_remove(copy, s->n);
        if (e && table_put(copy, e) != OK)
            log_error("book", "%.*s is left out: out of memory", STR_FMT(s->id));
    } else {
        entry_drop(e);
    }
    pthread_mutex_lock(&b->lock);
    const struct book *before = b->now;
    b->now = next;
    pthread_mutex_unlock(&b->lock);
    atomic_fetch_add_explicit(&b->generation, 1, memory_order_release);
    book_drop(&before);
}

static struct entry *find(const struct book *b, enum setting_kind kind, struct str id_or_key)
{
    struct entry *e = map_get(b->table[kind]->by_id, id_or_key);
    return e ? e : map_get(b->table[kind]->by_key, id_or_key);
}

const struct book_number *book_number(const struct book *b, struct str e164)
{
    const struct entry *e = map_get(b->numbers[hash64(e164) % NUMBER_SHARDS]->by_id, e164);
    return e ? &e->as_number : NULL;
}

const struct book_endpoint *book_endpoint(const struct book *b, uint64_t n)
{
    const struct entry *e = map_get(b->table[SETTING_ENDPOINT]->by_n, str_of_u64(&n));
    return e ? &e->as_endpoint : NULL;
}

const struct book_endpoint *book_endpoint_by_id(const struct book *b, struct str id)
{
    const struct entry *e = map_get(b->table[SETTING_ENDPOINT]->by_id, id);
    return e ? &e->as_endpoint : NULL;
}

const struct book_endpoint *const *book_endpoints(const struct book *b, uint64_t account,
                                                  size_t *ret_n)
{
    const struct account_list *l =
        map_get(b->table[SETTING_ENDPOINT]->by_account, str_of_u64(&account));
    *ret_n = l ? l->n : 0;
    return l ? l->at : NULL;
}

const struct book_trunk *book_trunk_from(const struct book *b, const struct addr *source)
{
    const struct book_trunk *best = NULL;
    unsigned best_bits = 0;
    const struct entry *e;
    for (size_t i = 0; (e = map_next(b->table[SETTING_TRUNK]->by_n, &i));)
        for (size_t k = 0; k < e->as_trunk.set->n_sources; k++) {
            const struct cidr *c = &e->as_trunk.source[k];
            if (cidr_has(c, source) && (!best || c->bits > best_bits)) {
                best = &e->as_trunk;
                best_bits = c->bits;
            }
        }
    return best;
}

const struct book_trunk *book_trunk(const struct book *b, struct str id_or_name)
{
    const struct entry *e = find(b, SETTING_TRUNK, id_or_name);
    return e ? &e->as_trunk : NULL;
}

const struct book_smpp_link *book_smpp_link(const struct book *b, uint64_t n)
{
    const struct entry *e = map_get(b->table[SETTING_SMPP_LINK]->by_n, str_of_u64(&n));
    return e ? &e->as_smpp_link : NULL;
}

const struct book_smpp_link *book_smpp_link_next(const struct book *b, size_t *at)
{
    const struct entry *e = map_next(b->table[SETTING_SMPP_LINK]->by_n, at);
    return e ? &e->as_smpp_link : NULL;
}

const struct book_key *book_key(const struct book *b, struct str hash_hex)
{
    const struct entry *e = map_get(b->table[SETTING_KEY]->by_key, hash_hex);
    return e ? &e->as_key : NULL;
}

const struct book_user *book_user(const struct book *b, uint64_t n)
{
    const struct entry *e = map_get(b->table[SETTING_USER]->by_n, str_of_u64(&n));
    return e ? &e->as_user : NULL;
}

const struct book_user *book_user_named(const struct book *b, struct str key)
{
    const struct entry *e = map_get(b->table[SETTING_USER]->by_key, key);
    return e ? &e->as_user : NULL;
}

const struct book_account *book_account(const struct book *b, uint64_t n)
{
    const struct entry *e = map_get(b->table[SETTING_ACCOUNT]->by_n, str_of_u64(&n));
    return e ? &e->as_account : NULL;
}

const struct book_account *book_account_named(const struct book *b, struct str id_or_name)
{
    const struct entry *e = find(b, SETTING_ACCOUNT, id_or_name);
    return e ? &e->as_account : NULL;
}

size_t book_count(const struct book *b, enum setting_kind kind)
{
    size_t n = 0;
    if (kind != SETTING_NUMBER)
        return map_count(b->table[kind]->by_n);
    for (size_t i = 0; i < NUMBER_SHARDS; i++)
        n += map_count(b->numbers[i]->by_n);
    return n;
}
