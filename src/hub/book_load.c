/* book_load: reads all settings into a book; a million numbers with an endpoint each are ready
 * within seconds. The settings' table is walked once, in the order of its rows, in parts that the
 * store's readers share; each part's rows become entries, with the hashes under which they are
 * found. Then each trie is built at once from the entries of all parts. */
#include "hub/book_load.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "hub/book_watch.h"

enum { PARTS_MAX = 16, PART_ROWS_MIN = 2000, TRIES_MAX = 3 * SETTING_KIND_COUNT + 1 };

/* The numbers of a book's tries. */
enum { WATCHES = 3 * SETTING_KIND_COUNT };
static unsigned trie_by_id(enum setting_kind kind)
{
    return kind;
}
static unsigned trie_by_n(enum setting_kind kind)
{
    return SETTING_KIND_COUNT + kind;
}
static unsigned trie_by_key(enum setting_kind kind)
{
    return 2 * SETTING_KIND_COUNT + kind;
}

struct item_list {
    struct trie_item *at;
    size_t n, cap;
};

struct load_part {
    struct store_job job;
    uint64_t after, last; /* rows */
    struct json_reader *reader;
    struct item_list list[TRIES_MAX]; /* the entries of each trie */
    enum err err;
};

static const struct trie_type *trie_type_of(unsigned trie)
{
    return trie == WATCHES                 ? &watches
           : trie < SETTING_KIND_COUNT     ? &entries_by_id
           : trie < 2 * SETTING_KIND_COUNT ? &entries_by_n
                                           : &entries_by_key;
}

/* Takes the value. */
static void item_add(struct load_part *p, unsigned trie, void *value)
{
    struct item_list *l = &p->list[trie];
    const struct trie_type *type = trie_type_of(trie);
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 64;
        void *more = realloc(l->at, cap * sizeof *l->at);
        if (!more) {
            p->err = ERR_NOMEM;
            type->drop(value);
            return;
        }
        l->at = more;
        l->cap = cap;
    }
    l->at[l->n++] = (struct trie_item){trie_hash(type->key(value)), value};
}

static enum err watch_item_add(void *arg, struct watch *w)
{
    item_add(arg, WATCHES, w);
    return OK;
}

static bool part_on_row(void *arg, const struct setting *s)
{
    struct load_part *p = arg;
    struct entry *e = entry_of_setting(s, p->reader);
    if (!e)
        return true;
    if (book_has_n(s->kind))
        item_add(p, trie_by_n(s->kind), entry_hold(e));
    if (book_has_key(s->kind))
        item_add(p, trie_by_key(s->kind), entry_hold(e));
    if (s->kind == SETTING_ENDPOINT && p->err == OK)
        p->err = watch_each(e, watch_item_add, p);
    item_add(p, trie_by_id(s->kind), e);
    return p->err == OK;
}

static enum err part_run(struct store_job *job, struct db *db)
{
    struct load_part *p = (struct load_part *)job;
    enum err err = json_reader_new(&p->reader);
    if (err == OK)
        err = setting_walk(db, p->after, p->last, part_on_row, p);
    json_reader_free(p->reader);
    return err == OK ? p->err : err;
}

/* ---- the tries ---- */

struct trie_job {
    struct store_job job;
    unsigned trie;
    struct trie *to;
    struct item_list all;
};

/* Builds one trie. It touches no row; it runs on a reader because readers are idle yet. */
static enum err trie_run(struct store_job *job, struct db *db)
{
    struct trie_job *t = (struct trie_job *)job;
    enum err err = trie_build(t->to, trie_type_of(t->trie), t->all.at, t->all.n,
                              t->trie == WATCHES ? watch_join : NULL);
    t->all.n = 0; /* the trie took them */
    return err;
}

static struct trie *trie_of(struct book *b, unsigned trie)
{
    unsigned kind = trie % SETTING_KIND_COUNT;
    return trie == WATCHES                 ? &b->watches
           : trie < SETTING_KIND_COUNT     ? &b->by_id[kind]
           : trie < 2 * SETTING_KIND_COUNT ? &b->by_n[kind]
                                           : &b->by_key[kind];
}

/* Joins the parts' lists of one trie into one, and empties them. */
static enum err lists_join(struct load_part *part, size_t n_parts, unsigned trie,
                           struct item_list *ret)
{
    size_t n = 0;
    *ret = (struct item_list){0};
    for (size_t i = 0; i < n_parts; i++)
        n += part[i].list[trie].n;
    if (n && !(ret->at = malloc(n * sizeof *ret->at)))
        return ERR_NOMEM;
    for (size_t i = 0; i < n_parts; i++) {
        struct item_list *l = &part[i].list[trie];
        if (l->n)
            memcpy(ret->at + ret->n, l->at, l->n * sizeof *l->at);
        ret->n += l->n;
        free(l->at);
        *l = (struct item_list){0};
    }
    return OK;
}

static void list_drop(struct item_list *l, const struct trie_type *type)
{
    for (size_t i = 0; i < l->n; i++)
        type->drop(l->at[i].value);
    free(l->at);
    *l = (struct item_list){0};
}

static enum err tries_build(struct book *b, struct store *s, struct load_part *part, size_t n_parts)
{
    struct trie_job build[TRIES_MAX];
    struct store_job *job[TRIES_MAX];
    size_t n = 0;
    enum err err = OK;
    for (unsigned trie = 0; err == OK && trie < TRIES_MAX; trie++) {
        struct trie_job *t = &build[n];
        *t = (struct trie_job){.job.run = trie_run, .trie = trie, .to = trie_of(b, trie)};
        err = lists_join(part, n_parts, trie, &t->all);
        if (err == OK && t->all.n)
            job[n++] = &t->job;
    }
    if (err == OK)
        err = store_read_all_now(s, job, n);
    for (size_t i = 0; i < n; i++)
        list_drop(&build[i].all, trie_type_of(build[i].trie));
    return err;
}

/* ---- the whole ---- */

struct last_job {
    struct store_job job;
    uint64_t last;
};

static enum err last_run(struct store_job *job, struct db *db)
{
    return setting_last(db, &((struct last_job *)job)->last);
}

enum err book_load(struct book *b, struct store *s)
{
    struct last_job l = {.job.run = last_run};
    struct store_job *job[PARTS_MAX];
    struct load_part *part = calloc(PARTS_MAX, sizeof *part);
    enum err err = part ? store_read_now(s, &l.job) : ERR_NOMEM;
    size_t n = l.last < PARTS_MAX * PART_ROWS_MIN ? l.last / PART_ROWS_MIN + 1 : PARTS_MAX;
    for (size_t i = 0; part && i < n; i++) {
        part[i].job.run = part_run;
        part[i].after = i * (l.last / n);
        part[i].last = i + 1 < n ? (i + 1) * (l.last / n) : l.last;
        job[i] = &part[i].job;
    }
    if (err == OK)
        err = store_read_all_now(s, job, n);
    if (err == OK)
        err = tries_build(b, s, part, n);
    for (size_t i = 0; part && i < n; i++)
        for (unsigned trie = 0; trie < TRIES_MAX; trie++)
            list_drop(&part[i].list[trie], trie_type_of(trie));
    free(part);
    malloc_trim(0); /* memory that only the reading needed */
    return err;
}
