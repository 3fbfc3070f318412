/* book_entry: makes an entry of a setting's row: parses its document, and compiles its URLs and
 * CIDRs. On the thread that reads or writes the store. */
#include "hub/book_entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"

static void set_free(struct entry *e)
{
    /* The book's view of it is const; this is its end. */
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
    free(e);
}

static struct str entry_id_key(const void *e)
{
    return str_of(((const struct entry *)e)->as_any.id);
}

static struct str entry_n_key(const void *e)
{
    return str_of_u64(&((const struct entry *)e)->as_any.n);
}

static struct str entry_key_key(const void *e)
{
    return str_of(((const struct entry *)e)->key);
}

static void entry_hold_any(void *e)
{
    (void)!entry_hold(e);
}

static void entry_drop_any(void *e)
{
    entry_drop(e);
}

const struct trie_type entries_by_id = {entry_id_key, entry_hold_any, entry_drop_any};
const struct trie_type entries_by_n = {entry_n_key, entry_hold_any, entry_drop_any};
const struct trie_type entries_by_key = {entry_key_key, entry_hold_any, entry_drop_any};

static enum err account_fill(struct entry *e, const struct json *doc, struct field_error *f)
{
    struct account *a;
    enum err err = account_parse(doc, &a, f);
    if (err == OK)
        e->as_account.set = a;
    return err;
}

static enum err number_fill(struct entry *e, const struct json *doc, struct field_error *f)
{
    struct did *d;
    enum err err = did_parse(doc, &d, f);
    if (err == OK)
        e->as_number.set = d;
    return err;
}

static enum err url_judge(const char *text, struct field_error *f)
{
    struct url url;
    const char *why = "";
    enum err err = url_parse(str_of(text), &url, &why);
    if (err != OK)
        *f = (struct field_error){.field = "url"};
    if (err != OK && str_copy(str_of(why), f->why, sizeof f->why) != OK)
        f->why[0] = 0;
    return err;
}

static enum err endpoint_fill(struct entry *e, const struct json *doc, struct field_error *f)
{
    struct endpoint *ep;
    enum err err = endpoint_parse(doc, &ep, f);
    if (err != OK)
        return err;
    e->as_endpoint.set = ep;
    ep->secret_old_until_mono_ms = clock_mono_of(ep->secret_old_until_ms);
    err = url_judge(ep->url, f);
    if (err == OK && *ep->fallback_url)
        err = url_judge(ep->fallback_url, f);
    return err;
}

static enum err sources_fill(const char (*text)[SOURCE_SIZE], size_t n, struct cidr *source)
{
    enum err err = OK;
    for (size_t i = 0; err == OK && i < n; i++)
        err = cidr_parse(str_of(text[i]), &source[i]);
    return err;
}

static enum err trunk_fill(struct entry *e, const struct json *doc, struct field_error *f)
{
    struct trunk *t;
    enum err err = trunk_parse(doc, &t, f);
    if (err != OK)
        return err;
    e->as_trunk.set = t;
    return sources_fill(t->sources, t->n_sources, e->as_trunk.source);
}

static enum err key_fill(struct entry *e, const struct json *doc, struct field_error *f)
{
    struct api_key *k;
    enum err err = api_key_parse(doc, &k, f);
    if (err == OK)
        e->as_key.set = k;
    return err;
}

static enum err user_fill(struct entry *e, const struct json *doc, struct field_error *f)
{
    struct user *u;
    enum err err = user_parse(doc, &u, f);
    if (err == OK)
        e->as_user.set = u;
    return err;
}

static enum err smpp_link_fill(struct entry *e, const struct json *doc, struct field_error *f)
{
    struct smpp_link *l;
    enum err err = smpp_link_parse(doc, &l, f);
    if (err != OK)
        return err;
    e->as_smpp_link.set = l;
    return sources_fill(l->sources, l->n_sources, e->as_smpp_link.source);
}

static const struct kind {
    enum err (*fill)(struct entry *, const struct json *, struct field_error *);
    size_t size; /* of its struct */
} kinds[SETTING_KIND_COUNT] = {
    [SETTING_ACCOUNT] = {account_fill, sizeof(struct book_account)},
    [SETTING_NUMBER] = {number_fill, sizeof(struct book_number)},
    [SETTING_ENDPOINT] = {endpoint_fill, sizeof(struct book_endpoint)},
    [SETTING_TRUNK] = {trunk_fill, sizeof(struct book_trunk)},
    [SETTING_KEY] = {key_fill, sizeof(struct book_key)},
    [SETTING_SMPP_LINK] = {smpp_link_fill, sizeof(struct book_smpp_link)},
    [SETTING_USER] = {user_fill, sizeof(struct book_user)},
};

static struct entry *entry_new(const struct setting *s, size_t size)
{
    bool has_key = !str_eq(s->id, s->key); /* a number's key is its id */
    size_t head = offsetof(struct entry, as_any) + size;
    struct entry *e = calloc(1, head + s->id.n + 1 + (has_key ? s->key.n + 1 : 0));
    if (!e)
        return NULL;
    char *id = (char *)e + head, *key = has_key ? id + s->id.n + 1 : id;
    memcpy(id, s->id.p, s->id.n);
    if (has_key && s->key.n)
        memcpy(key, s->key.p, s->key.n);
    e->refs = 1;
    e->kind = (uint8_t)s->kind;
    e->key = key;
    e->as_any = (struct book_any){s->n, s->account, id};
    return e;
}

struct entry *entry_of_setting(const struct setting *s, struct json_reader *reader)
{
    struct field_error fault = {0};
    struct json *own = NULL;
    const struct json *doc = NULL;
    if ((unsigned)s->kind >= SETTING_KIND_COUNT || !kinds[s->kind].fill)
        return NULL; /* calls and deliveries do not look at this kind */
    struct entry *e = entry_new(s, kinds[s->kind].size);
    enum err err = !e       ? ERR_NOMEM
                   : reader ? json_read(reader, s->doc, &doc, fault.why, sizeof fault.why)
                            : json_parse(s->doc, &own, fault.why, sizeof fault.why);
    if (own)
        doc = own;
    if (err == OK)
        err = kinds[s->kind].fill(e, doc, &fault);
    json_free(own);
    if (err == OK)
        return e;
    log_error("book", "%.*s is left out: %s %s", STR_FMT(s->id), fault.field,
              fault.why[0] ? fault.why : err_text(err));
    entry_drop(e);
    return NULL;
}
