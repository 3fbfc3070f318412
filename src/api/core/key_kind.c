/* key_kind: what is checked of an API key beyond the model's parser: that nobody gives more than he
 * has; and the end of keys with their user. On the HTTP server's threads and the store's. */
#include "api/core/key_kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/core/access.h"
#include "api/core/audit.h"
#include "api/core/key_uses.h"
#include "api/core/rights.h"
#include "store/rows/tokens.h"

/* A new key and one that changes hands remember who made it, and the user with whom it ends; so
 * does one that becomes an operator's. */
static void set_maker(const struct request *r, const struct api_key *old, struct api_key *k)
{
    uint64_t account = r->move_to ? r->move_to : r->setting.account;
    if (!old || account != r->setting.account)
        rights_put_maker(r, account, k->created_by);
    if (!old || account != r->setting.account || (k->operator_ && !old->operator_ && !k->user))
        k->user = rights_user_of_key(r, account, k);
}

static enum err key_read(struct request *r, struct str text, struct api_key **ret)
{
    struct json *doc = NULL;
    enum err err = json_parse(text, &doc, NULL, 0);
    if (err == OK)
        err = api_key_parse(doc, ret, &r->fault);
    json_free(doc);
    return err;
}

static bool is_said(const struct json *doc, const char *name)
{
    const struct json *v = json_get(doc, name);
    return v && json_kind(v) != JSON_IS_NULL;
}

static enum err key_check(struct request *r, const struct json *doc, const struct json *given,
                          bool is_new)
{
    struct api_key *k = NULL, *old = NULL;
    enum err err = api_key_parse(doc, &k, &r->fault);
    if (err == OK && !is_new)
        err = key_read(r, r->setting.doc, &old);
    const struct json *at = json_get(given, "expires_at");
    if (err == OK && !is_new && at && json_kind(at) == JSON_IS_NULL)
        k->expires_at_ms = 0;
    if (err == OK)
        err = rights_check_key(r, old, k,
                               is_said(given, "expires_at") || is_said(given, "expires_at_ms"));
    if (err == OK && is_new && !r->secret[0])
        credential_new("hsk_", r->secret, k->hash);
    else if (err == OK && is_new) /* the job runs again: the same key */
        credential_hash(str_of(r->secret), k->hash);
    if (err == OK) {
        set_maker(r, old, k);
        err = document_begin(r, k->hash);
    }
    if (err == OK) {
        api_key_print(k, &r->doc);
        err = document_end(r, strlen(k->hash));
    }
    api_key_free(k);
    api_key_free(old);
    return err;
}

static enum err key_more(struct request *r, const struct setting *s, struct json_writer *w)
{
    struct json *doc = NULL;
    int64_t expires_ms = 0, stored_ms = 0, used_ms = key_uses_get(r->api->key_uses, s->n);
    enum err err = json_parse(s->doc, &doc, NULL, 0);
    if (err == OK)
        json_int(json_get(doc, "expires_at_ms"), &expires_ms);
    json_free(doc);
    if (err == OK)
        err = key_use_get(r->db, s->n, &stored_ms);
    put_time(w, "expires_at", expires_ms);
    put_time(w, "last_used_at", used_ms > stored_ms ? used_ms : stored_ms);
    return err;
}

/* A key is changed and deleted by who may do all that it may. */
static enum err key_allow(struct request *r, struct db *db, bool deletes)
{
    struct api_key *k = NULL;
    enum err err = key_read(r, r->setting.doc, &k);
    if (err == OK && !rights_cover(r, api_key_rights(k)))
        err = ERR_DENIED;
    api_key_free(k);
    return err;
}

static enum err key_removed(struct request *r, struct db *db)
{
    return key_use_delete(db, r->setting.n);
}

static const char *const key_hidden[] = {"hash", "user", NULL};
static const char *const key_own[] = {"hash", "user", "created_by", NULL};
const struct resource keys = {.kind = SETTING_KEY,
                              .prefix = "key",
                              .collection = "/v1/keys",
                              .hidden = key_hidden,
                              .own = key_own,
                              .shown_once = "key",
                              .check = key_check,
                              .allow = key_allow,
                              .removed = key_removed,
                              .more = key_more};
/* ---- keys that end with their user ---- */

enum { ENDED_MAX = 1000 }; /* keys of one user; with more of them it stays until some are deleted */

struct ended { /* in r->room */
    size_t n;
    bool more;
    struct {
        uint64_t n, account;
        char id[ID_SIZE];
    } key[ENDED_MAX];
};

static bool on_key(void *arg, const struct setting *s)
{
    struct ended *e = arg;
    e->more = e->n == ENDED_MAX;
    if (e->more || str_copy(s->id, e->key[e->n].id, ID_SIZE) != OK)
        return !e->more;
    e->key[e->n].account = s->account;
    e->key[e->n++].n = s->n;
    return true;
}

static enum err end_key(struct request *r, struct db *db, uint64_t account, uint64_t n)
{
    struct setting key;
    struct buf mem;
    buf_init(&mem, 1 << 20);
    enum err err = setting_get_n(db, SETTING_KEY, account, n, &key, &mem);
    if (err == OK)
        err = setting_delete(db, SETTING_KEY, n);
    if (err == OK)
        err = key_use_delete(db, n);
    if (err == OK)
        err = request_audit(r, db, &keys, &key, NULL, "deleted");
    buf_fini(&mem);
    return err;
}

enum err keys_end_with_user(struct request *r, struct db *db)
{
    if (!r->room && !(r->room = calloc(1, sizeof(struct ended))))
        return ERR_NOMEM;
    struct ended *e = r->room;
    char user[MARK_SIZE]; /* the mark of its keys */
    e->n = 0;
    e->more = false;
    snprintf(user, sizeof user, "%llu", (unsigned long long)r->setting.n);
    enum err err = setting_list_marked(db, SETTING_KEY, str_of(user), 0, 0, 0, on_key, e);
    if (err == OK && e->more) {
        r->fault_code = "too_many_keys";
        snprintf(r->fault.why, sizeof r->fault.why,
                 "More than %d keys end with it; delete some of them first.", ENDED_MAX);
        return ERR_EXISTS;
    }
    for (size_t i = 0; err == OK && i < e->n; i++)
        err = end_key(r, db, e->key[i].account, e->key[i].n);
    return err;
}

void keys_ended(struct request *r)
{
    const struct ended *e = r->room;
    for (size_t i = 0; i < e->n; i++) {
        const struct setting gone = {
            .kind = SETTING_KEY, .n = e->key[i].n, .id = str_of(e->key[i].id)};
        books_changed(r->api->c.books, &gone, true);
    }
}
