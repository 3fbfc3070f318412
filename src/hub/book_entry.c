/* book_table: settings as entries, entries in tables. A table is filled by one thread and shared
 * only when it is complete; from then on nobody writes to it. */
#include "hub/book_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

static void set_free(struct entry *e)
{
    /* The book's view is const; here is where it ends. */
    switch (e->kind) {
    case SETTING_ACCOUNT: account_free((struct account *)(uintptr_t)e->as_account.set); break;
    case SETTING_NUMBER: did_free((struct did *)(uintptr_t)e->as_number.set); break;
    case SETTING_ENDPOINT: endpoint_free((struct endpoint *)(uintptr_t)e->as_endpoint.set); break;
    case SETTING_TRUNK: trunk_free((struct trunk *)(uintptr_t)e->as_trunk.set); break;
    case SETTING_KEY: api_key_free((struct api_key *)(uintptr_t)e->as_key.set); break;
    case SETTING_USER: user_free((struct user *)(uintptr_t)e->as_user.set); break;
    case SETTING_SMPP_LINK:
        smpp_link_free((struct smpp_link *)(uintptr_t)e->as_smpp_link.set);
        break;
    default: break;
    }
}

struct entry *entry_hold(struct entry *e)
{
    atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
    return e;
}

void entry_drop(struct entry *e)
{
    if (!e || atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) != 1)
        return;
    set_free(e);
    free(e->id);
    free(e->key);
    free(e);
}

static enum err account_fill(struct entry *e, const struct json *doc, struct field_error *f)
{
    struct account *a;
    enum err err = account_parse(doc, &a, f);
    if (err == OK)
        e->as_account = (struct book_account){.n = e->n, .set = a};
    return err != OK ? err : str_copy(str_of(e->id), e->as_account.id, ID_SIZE);
}

static enum err number_fill(struct entry *e, const struct json *doc, struct field_error *f)
{
    struct did *d;
    enum err err = did_parse(doc, &d, f);
    if (err == OK)
        e->as_number = (struct book_number){.n = e->n, .account = e->account, .set = d};
    return err;
}

static enum err url_fill(const char *text, struct url *ret, struct field_error *f)
{
    const char *why = "";
    enum err err = url_parse(str_of(text), ret, &why);
    if (err != OK)
        *f = (struct field_error){.field = "url"};
    if (err != OK && str_copy(str_of(why), f->why, sizeof f->why) != OK)
        f->why[0] = 0;
    return err;
}

static enum err endpoint_fill(struct entry *e, const struct json *doc, struct field_error *f)
{
    struct endpoint *ep;
    struct book_endpoint *b = &e->as_endpoint;
    enum err err = endpoint_parse(doc, &ep, f);
    if (err != OK)
        return err;
    *b = (struct book_endpoint){.n = e->n, .account = e->account, .set = ep};
    if ((err = str_copy(str_of(e->id), b->id, ID_SIZE)) != OK ||
        (err = url_fill(ep->url, &b->url, f)) != OK)
        return err;
    if (ep->fallback_url[0] && (err = url_fill(ep->fallback_url, &b->fallback, f)) != OK)
        return err;
    for (size_t i = 0; i < 2; i++) {
        bool lapsed = i == 1 && ep->secret_old_until_ms <= clock_wall_ms();
        if (!ep->secret[i][0] || lapsed)
            continue;
        if ((err = secret_parse(str_of(ep->secret[i]), &b->secret[b->n_secrets])) != OK)
            return err;
        b->n_secrets++;
    }
    return OK;
}

static enum err trunk_fill(struct entry *e, const struct json *doc, struct field_error *f)
{
    struct trunk *t;
    enum err err = trunk_parse(doc, &t, f);
    if (err != OK)
        return err;
    e->as_trunk = (struct book_trunk){.n = e->n, .set = t};
    err = str_copy(str_of(e->id), e->as_trunk.id, ID_SIZE);
    for (size_t i = 0; err == OK && i < t->n_sources; i++)
        err = cidr_parse(str_of(t->sources[i]), &e->as_trunk.source[i]);
    return err;
}

static enum err key_fill(struct entry *e, const struct json *doc, struct field_error *f)
{
    struct api_key *k;
    enum err err = api_key_parse(doc, &k, f);
    if (err == OK)
        e->as_key = (struct book_key){.n = e->n, .account = e->account, .set = k};
    return err != OK ? err : str_copy(str_of(e->id), e->as_key.id, ID_SIZE);
}

static enum err user_fill(struct entry *e, const struct json *doc, struct field_error *f)
{
    struct user *u;
    enum err err = user_parse(doc, &u, f);
    if (err == OK)
        e->as_user = (struct book_user){.n = e->n, .account = e->account, .set = u};
    return err != OK ? err : str_copy(str_of(e->id), e->as_user.id, ID_SIZE);
}

static enum err smpp_link_fill(struct entry *e, const struct json *doc, struct field_error *f)
{
    struct smpp_link *l;
    struct book_smpp_link *b = &e->as_smpp_link;
    enum err err = smpp_link_parse(doc, &l, f);
    if (err != OK)
        return err;
    *b = (struct book_smpp_link){.n = e->n, .set = l};
    err = str_copy(str_of(e->id), b->id, ID_SIZE);
    for (size_t i = 0; err == OK && i < l->n_sources; i++)
        err = cidr_parse(str_of(l->sources[i]), &b->source[i]);
    return err;
}

struct entry *entry_of_setting(const struct setting *s)
{
    static enum err (*const fill[SETTING_KIND_COUNT])(struct entry *, const struct json *,
                                                      struct field_error *) = {
        [SETTING_ACCOUNT] = account_fill,   [SETTING_NUMBER] = number_fill,
        [SETTING_ENDPOINT] = endpoint_fill, [SETTING_TRUNK] = trunk_fill,
        [SETTING_KEY] = key_fill,           [SETTING_SMPP_LINK] = smpp_link_fill,
        [SETTING_USER] = user_fill,
    };
    struct field_error fault = {0};
    struct json *doc = NULL;
    if ((unsigned)s->kind >= SETTING_KIND_COUNT || !fill[s->kind])
        return NULL; /* not one that calls and deliveries look at */
    struct entry *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->refs = 1;
    e->kind = s->kind;
    e->n = s->n;
    e->account = s->account;
    e->id = str_dup(s->id);
    e->key = str_dup(s->key);
    enum err err =
        e->id && e->key ? json_parse(s->doc, &doc, fault.why, sizeof fault.why) : ERR_NOMEM;
    if (err == OK)
        err = fill[s->kind](e, doc, &fault);
    json_free(doc);
    if (err == OK)
        return e;
    log_error("book", "%.*s is left out: %s %s", STR_FMT(s->id), fault.field,
              fault.why[0] ? fault.why : err_text(err));
    entry_drop(e);
    return NULL;
}

struct table *table_new(void)
{
    struct table *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->refs = 1;
    t->by_n = map_new();
    t->by_id = map_new();
    t->by_key = map_new();
    t->by_account = map_new();
    if (t->by_n && t->by_id && t->by_key && t->by_account)
        return t;
    table_drop(t);
    return NULL;
}

struct table *table_hold(struct table *t)
{
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void table_drop(struct table *t)
{
    struct entry *e;
    struct account_list *l;
    if (!t || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; t->by_n && (e = map_next(t->by_n, &i));)
        entry_drop(e);
    for (size_t i = 0; t->by_account && (l = map_next(t->by_account, &i));) {
        free(l->at);
        free(l);
    }
    map_free(t->by_n);
    map_free(t->by_id);
    map_free(t->by_key);
    map_free(t->by_account);
    free(t);
}

static enum err list_put(struct table *t, struct entry *e)
{
    struct account_list *l = map_get(t->by_account, str_of_u64(&e->account));
    if (!l) {
        if (!(l = calloc(1, sizeof *l)))
            return ERR_NOMEM;
        l->account = e->account;
        enum err err = map_put(t->by_account, str_of_u64(&l->account), l, NULL);
        if (err != OK) {
            free(l);
            return err;
        }
    }
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 4;
        const struct book_endpoint **at = realloc(l->at, cap * sizeof *at);
        if (!at)
            return ERR_NOMEM;
        l->at = at;
        l->cap = cap;
    }
    l->at[l->n++] = &e->as_endpoint;
    return OK;
}

static void list_remove(struct table *t, const struct entry *e)
{
    struct account_list *l = map_get(t->by_account, str_of_u64(&e->account));
    for (size_t i = 0; l && i < l->n; i++)
        if (l->at[i] == &e->as_endpoint) {
            memmove(&l->at[i], &l->at[i + 1], (l->n - i - 1) * sizeof *l->at);
            l->n--;
            return;
        }
}

enum err table_put(struct table *t, struct entry *e)
{
    table_remove(t, e->n);
    enum err err = map_put(t->by_n, str_of_u64(&e->n), e, NULL);
    if (err == OK)
        err = map_put(t->by_id, str_of(e->id), e, NULL);
    if (err == OK)
        err = map_put(t->by_key, str_of(e->key), e, NULL);
    if (err == OK && e->kind == SETTING_ENDPOINT)
        err = list_put(t, e);
    if (err != OK) {
        map_remove(t->by_n, str_of_u64(&e->n));
        map_remove(t->by_id, str_of(e->id));
        map_remove(t->by_key, str_of(e->key));
        entry_drop(e);
    }
    return err;
}

void table_remove(struct table *t, uint64_t n)
{
    struct entry *e = map_remove(t->by_n, str_of_u64(&n));
    if (!e)
        return;
    map_remove(t->by_id, str_of(e->id));
    map_remove(t->by_key, str_of(e->key));
    if (e->kind == SETTING_ENDPOINT)
        list_remove(t, e);
    entry_drop(e);
}

struct table *table_copy(const struct table *t)
{
    struct table *c = table_new();
    struct entry *e;
    for (size_t i = 0; c && (e = map_next(t->by_n, &i));)
        if (table_put(c, entry_hold(e)) != OK) {
            table_drop(c);
            return NULL;
        }
    return c;
}
