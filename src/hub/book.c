/* book: keeps all settings as one snapshot. Edges, couriers and web threads take the present one
 * for each piece of work; the writer's thread makes the next after each committed change. */
#include "hub/book.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "hub/book_load.h"
#include "hub/book_watch.h"

struct books {
    pthread_mutex_t lock; /* around the pointer alone: the one thing that changes */
    struct book *now;
    _Atomic uint64_t generation;
};

static void sources_drop(struct sources *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < s->n; i++)
        entry_drop(s->at[i].trunk);
    free(s);
}

void book_drop(const struct book **book)
{
    struct book *b = (struct book *)(uintptr_t)*book;
    *book = NULL;
    if (!b || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < SETTING_KIND_COUNT; i++) {
        trie_drop(&b->by_id[i], &entries_by_id);
        trie_drop(&b->by_n[i], &entries_by_n);
        trie_drop(&b->by_key[i], &entries_by_key);
    }
    trie_drop(&b->watches, &watches);
    sources_drop(b->sources);
    free(b);
}

static struct book *book_copy(const struct book *from)
{
    struct book *b = malloc(sizeof *b);
    if (!b)
        return NULL;
    b->refs = 1;
    for (size_t i = 0; i < SETTING_KIND_COUNT; i++) {
        b->by_id[i] = trie_copy(&from->by_id[i]);
        b->by_n[i] = trie_copy(&from->by_n[i]);
        b->by_key[i] = trie_copy(&from->by_key[i]);
    }
    b->watches = trie_copy(&from->watches);
    if ((b->sources = from->sources))
        atomic_fetch_add_explicit(&b->sources->refs, 1, memory_order_relaxed);
    return b;
}

/* ---- entries come and go ---- */

static void book_remove_entry(struct book *b, enum setting_kind kind, struct str id)
{
    struct entry *e = trie_get(&b->by_id[kind], &entries_by_id, id);
    enum err err[4] = {0};
    if (!e)
        return;
    (void)!entry_hold(e);
    if (kind == SETTING_ENDPOINT)
        err[0] = watch_remove(&b->watches, e);
    if (book_has_n(kind))
        err[1] = trie_remove(&b->by_n[kind], &entries_by_n, str_of_u64(&e->as_any.n));
    if (book_has_key(kind) && trie_get(&b->by_key[kind], &entries_by_key, str_of(e->key)) == e)
        err[2] = trie_remove(&b->by_key[kind], &entries_by_key, str_of(e->key));
    err[3] = trie_remove(&b->by_id[kind], &entries_by_id, id);
    for (int i = 0; i < 4; i++)
        if (err[i] == ERR_NOMEM)
            log_error("book", "%.*s keeps its place until the next start: out of memory",
                      STR_FMT(id));
    entry_drop(e);
}

/* Takes the entry. */
static void book_put_entry(struct book *b, struct entry *e)
{
    enum setting_kind kind = (enum setting_kind)e->kind;
    enum err err = trie_put(&b->by_id[kind], &entries_by_id, entry_hold(e));
    if (err == OK && book_has_n(kind))
        err = trie_put(&b->by_n[kind], &entries_by_n, entry_hold(e));
    if (err == OK && book_has_key(kind))
        err = trie_put(&b->by_key[kind], &entries_by_key, entry_hold(e));
    if (err == OK && kind == SETTING_ENDPOINT)
        err = watch_add(&b->watches, e);
    if (err != OK) {
        log_error("book", "%s is left out: out of memory", e->as_any.id);
        book_remove_entry(b, kind, str_of(e->as_any.id));
    }
    entry_drop(e);
}

/* Removes the entry under the new entry's id, except from the places that the new one takes itself,
 * so that each trie is changed once. */
static void book_make_way(struct book *b, const struct entry *e)
{
    enum setting_kind kind = (enum setting_kind)e->kind;
    struct entry *old = trie_get(&b->by_id[kind], &entries_by_id, str_of(e->as_any.id));
    if (!old)
        return;
    if (old->as_any.n != e->as_any.n || !str_eq(str_of(old->key), str_of(e->key)))
        book_remove_entry(b, kind, str_of(e->as_any.id));
    else if (kind == SETTING_ENDPOINT && watch_remove(&b->watches, old) == ERR_NOMEM)
        log_error("book", "%s keeps its place until the next start: out of memory", e->as_any.id);
}

/* Keeps the end of a rotation as it was first read, whatever else of the endpoint changes. No other
 * thread has the new entry yet. */
static void entry_keep_rotation(const struct book *b, struct entry *e)
{
    const struct entry *old =
        trie_get(&b->by_id[SETTING_ENDPOINT], &entries_by_id, str_of(e->as_any.id));
    struct endpoint *set = (struct endpoint *)(uintptr_t)e->as_endpoint.set;
    if (old && old->as_endpoint.set->secret_old_until_ms == set->secret_old_until_ms)
        set->secret_old_until_mono_ms = old->as_endpoint.set->secret_old_until_mono_ms;
}

static int source_compare(const void *a, const void *b)
{
    const struct source *x = a, *y = b;
    if (x->cidr.bits != y->cidr.bits)
        return x->cidr.bits < y->cidr.bits ? 1 : -1;
    uint64_t n = x->trunk->as_any.n, m = y->trunk->as_any.n;
    return (n > m) - (n < m);
}

/* Lists the sources of all trunks; a packet's trunk is found by this list alone. */
static void book_list_sources(struct book *b)
{
    const struct trie *trunks = &b->by_id[SETTING_TRUNK];
    struct entry *e;
    size_t n = 0;
    for (struct trie_walk w = {.trie = trunks}; (e = trie_next(&w));)
        n += e->as_trunk.set->n_sources;
    struct sources *s = n ? malloc(sizeof *s + n * sizeof s->at[0]) : NULL;
    if (n && !s)
        log_error("book", "trunks' sources take effect at the next change: out of memory");
    if (n && !s)
        return;
    if (s) {
        s->refs = 1;
        s->n = 0;
    }
    for (struct trie_walk w = {.trie = trunks}; s && (e = trie_next(&w));)
        for (size_t i = 0; i < e->as_trunk.set->n_sources; i++)
            s->at[s->n++] = (struct source){e->as_trunk.source[i], entry_hold(e)};
    if (s)
        qsort(s->at, s->n, sizeof s->at[0], source_compare);
    sources_drop(b->sources);
    b->sources = s;
}

/* ---- the present book ---- */

enum err books_open(struct store *s, struct books **ret)
{
    struct book *book = calloc(1, sizeof *book);
    struct books *b = calloc(1, sizeof *b);
    const struct book *gone = book;
    if (book)
        book->refs = 1;
    enum err err = b && book ? book_load(book, s) : ERR_NOMEM;
    if (err != OK) {
        book_drop(&gone);
        free(b);
        return err;
    }
    book_list_sources(book);
    pthread_mutex_init(&b->lock, NULL);
    b->now = book;
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
    struct entry *e = deleted ? NULL : entry_of_setting(s, NULL);
    struct book *next = book_copy(b->now); /* only this thread ever sets it */
    if (!next) {
        entry_drop(e);
        log_error("book", "%.*s takes effect at the next start: out of memory", STR_FMT(s->id));
        return;
    }
    if (e && s->kind == SETTING_ENDPOINT)
        entry_keep_rotation(next, e);
    if (e) {
        book_make_way(next, e);
        book_put_entry(next, e);
    } else {
        book_remove_entry(next, s->kind, s->id);
    }
    if (s->kind == SETTING_TRUNK)
        book_list_sources(next);
    pthread_mutex_lock(&b->lock);
    const struct book *before = b->now;
    b->now = next;
    pthread_mutex_unlock(&b->lock);
    atomic_fetch_add_explicit(&b->generation, 1, memory_order_release);
    book_drop(&before);
}

/* ---- look-ups ---- */

static const struct entry *entry_by_id(const struct book *b, enum setting_kind kind, struct str id)
{
    return trie_get(&b->by_id[kind], &entries_by_id, id);
}

static const struct entry *entry_by_n(const struct book *b, enum setting_kind kind, uint64_t n)
{
    return trie_get(&b->by_n[kind], &entries_by_n, str_of_u64(&n));
}

static const struct entry *entry_by_key(const struct book *b, enum setting_kind kind,
                                        struct str key)
{
    return trie_get(&b->by_key[kind], &entries_by_key, key);
}

static const struct entry *entry_by_id_or_key(const struct book *b, enum setting_kind kind,
                                              struct str s)
{
    const struct entry *e = entry_by_id(b, kind, s);
    return e ? e : entry_by_key(b, kind, s);
}

const struct book_number *book_number(const struct book *b, struct str e164)
{
    const struct entry *e = entry_by_id(b, SETTING_NUMBER, e164);
    return e ? &e->as_number : NULL;
}

const struct book_endpoint *book_endpoint(const struct book *b, uint64_t n)
{
    const struct entry *e = entry_by_n(b, SETTING_ENDPOINT, n);
    return e ? &e->as_endpoint : NULL;
}

const struct book_endpoint *book_endpoint_by_id(const struct book *b, struct str id)
{
    const struct entry *e = entry_by_id(b, SETTING_ENDPOINT, id);
    return e ? &e->as_endpoint : NULL;
}

struct book_watchers book_watchers(const struct book *b, uint64_t account, struct str number)
{
    return (struct book_watchers){
        .list = {number.n ? watch_get(&b->watches, account, number) : NULL,
                 watch_get(&b->watches, account, STR(""))}};
}

const struct book_endpoint *book_watcher_next(struct book_watchers *w)
{
    const struct entry *head[2];
    for (int i = 0; i < 2; i++)
        head[i] = w->list[i] && w->at[i] < w->list[i]->n ? w->list[i]->endpoint[w->at[i]] : NULL;
    if (!head[0] && !head[1])
        return NULL;
    int i = !head[0] || (head[1] && head[1]->as_any.n < head[0]->as_any.n);
    w->at[i]++;
    return &head[i]->as_endpoint;
}

bool book_watched_next(const struct book *b, struct trie_walk *walk, uint64_t *ret_account,
                       struct str *ret_number)
{
    walk->trie = &b->watches;
    const struct watch *w = trie_next(walk);
    if (!w)
        return false;
    *ret_account = w->key.account;
    *ret_number = str_of(w->key.number);
    return true;
}

const struct book_trunk *book_trunk_from(const struct book *b, const struct addr *source)
{
    const struct sources *s = b->sources;
    for (size_t i = 0; s && i < s->n; i++)
        if (cidr_has(&s->at[i].cidr, source))
            return &s->at[i].trunk->as_trunk;
    return NULL;
}

const struct book_trunk *book_trunk(const struct book *b, struct str id_or_name)
{
    const struct entry *e = entry_by_id_or_key(b, SETTING_TRUNK, id_or_name);
    return e ? &e->as_trunk : NULL;
}

const struct book_smpp_link *book_smpp_link(const struct book *b, uint64_t n)
{
    const struct entry *e = entry_by_n(b, SETTING_SMPP_LINK, n);
    return e ? &e->as_smpp_link : NULL;
}

const struct book_smpp_link *book_smpp_link_next(const struct book *b, struct trie_walk *walk)
{
    walk->trie = &b->by_id[SETTING_SMPP_LINK];
    const struct entry *e = trie_next(walk);
    return e ? &e->as_smpp_link : NULL;
}

const struct book_key *book_key(const struct book *b, struct str hash_hex)
{
    const struct entry *e = entry_by_key(b, SETTING_KEY, hash_hex);
    return e ? &e->as_key : NULL;
}

const struct book_user *book_user(const struct book *b, uint64_t n)
{
    const struct entry *e = entry_by_n(b, SETTING_USER, n);
    return e ? &e->as_user : NULL;
}

const struct book_user *book_user_named(const struct book *b, struct str key)
{
    const struct entry *e = entry_by_key(b, SETTING_USER, key);
    return e ? &e->as_user : NULL;
}

const struct book_account *book_account(const struct book *b, uint64_t n)
{
    const struct entry *e = entry_by_n(b, SETTING_ACCOUNT, n);
    return e ? &e->as_account : NULL;
}

const struct book_account *book_account_named(const struct book *b, struct str id_or_name)
{
    const struct entry *e = entry_by_id_or_key(b, SETTING_ACCOUNT, id_or_name);
    return e ? &e->as_account : NULL;
}

size_t book_count(const struct book *b, enum setting_kind kind)
{
    return b->by_id[kind].n;
}
