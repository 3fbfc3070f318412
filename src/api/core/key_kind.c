/* key_kind: checks an API key beyond the model's parser: an asker gives no right that it lacks. It
 * also ends keys with their user. On the HTTP server's threads and the store's. */
#include "api/core/key_kind.h"

#include <stdio.h>
#include <string.h>

#include "api/core/access.h"
#include "api/core/audit.h"
#include "api/core/key_uses.h"
#include "api/core/rights.h"
#include "store/rows/tokens.h"

/* Sets the maker of a new key and of one that goes to another account, and the user with whom it
 * ends; the latter also of a key that becomes an operator's. */
static void key_set_maker(const struct request *r, const struct record *rec,
                          const struct api_key *old, struct api_key *k)
{
    uint64_t account = record_owner(rec);
    if (!old || account != rec->setting.account)
        rights_put_maker(r, account, k->created_by);
    if (!old || account != rec->setting.account || (k->operator_ && !old->operator_ && !k->user))
        k->user = rights_user_of_key(r, account, k);
}

static bool is_given(const struct json *doc, const char *name)
{
    const struct json *v = json_get(doc, name);
    return v && json_kind(v) != JSON_IS_NULL;
}

static enum err key_check(struct request *r, struct record *rec, const struct json *doc,
                          const struct json *given, bool is_new)
{
    struct api_key *k = NULL, *old = NULL;
    enum err err = api_key_parse(doc, &k, &r->fault);
    if (err == OK && !is_new)
        err = api_key_parse(rec->was, &old, &r->fault);
    const struct json *at = json_get(given, "expires_at");
    if (err == OK && !is_new && at && json_kind(at) == JSON_IS_NULL)
        k->expires_at_ms = 0;
    if (err == OK)
        err = rights_check_key(r, old, k,
                               is_given(given, "expires_at") || is_given(given, "expires_at_ms"));
    if (err == OK && is_new && !rec->secret[0])
        credential_new("hsk_", rec->secret, k->hash);
    else if (err == OK && is_new) /* the job runs again, with the same key */
        credential_hash(str_of(rec->secret), k->hash);
    if (err == OK) {
        key_set_maker(r, rec, old, k);
        err = record_print_key(rec, k->hash);
    }
    if (err == OK) {
        api_key_print(k, &rec->text);
        err = record_printed(rec, strlen(k->hash));
    }
    api_key_free(k);
    api_key_free(old);
    return err;
}

static enum err key_more(struct request *r, const struct setting *s, const struct json *doc,
                         struct json_writer *w)
{
    int64_t expires_ms = 0, stored_ms = 0, used_ms = key_uses_get(r->api->key_uses, s->n);
    json_int(json_get(doc, "expires_at_ms"), &expires_ms);
    enum err err = key_use_get(r->db, s->n, &stored_ms);
    put_time(w, "expires_at", expires_ms);
    put_time(w, "last_used_at", used_ms > stored_ms ? used_ms : stored_ms);
    return err;
}

/* Lets an asker change and delete a key when it has all the key's rights. */
static enum err key_allow(struct request *r, struct record *rec, struct db *db, bool deletes)
{
    struct api_key *k = NULL;
    enum err err = api_key_parse(rec->was, &k, &r->fault);
    if (err == OK && !rights_cover(r, api_key_rights(k)))
        err = ERR_DENIED;
    api_key_free(k);
    return err;
}

static enum err key_removed(struct request *r, struct record *rec, struct db *db)
{
    return key_use_delete(db, rec->setting.n);
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

struct key_ends { /* in record.with */
    size_t n;
    bool more;
    struct {
        uint64_t n, account;
        char id[ID_SIZE];
    } key[ENDED_MAX];
};

static bool key_ends_on_key(void *arg, const struct setting *s)
{
    struct key_ends *e = arg;
    e->more = e->n == ENDED_MAX;
    if (e->more || str_copy(s->id, e->key[e->n].id, ID_SIZE) != OK)
        return !e->more;
    e->key[e->n].account = s->account;
    e->key[e->n++].n = s->n;
    return true;
}

static enum err key_end(struct request *r, struct record *key, struct db *db)
{
    enum err err = setting_delete(db, SETTING_KEY, key->setting.n);
    if (err == OK)
        err = key_use_delete(db, key->setting.n);
    return err == OK ? request_audit(r, db, key, &key->setting, NULL, "deleted") : err;
}

static enum err key_ends_all(struct request *r, const struct key_ends *e, struct db *db)
{
    struct record *key = record_new(r, &keys);
    enum err err = key ? OK : ERR_NOMEM;
    for (size_t i = 0; err == OK && i < e->n; i++) {
        err = record_get_n(key, db, e->key[i].account, e->key[i].n);
        if (err == OK)
            err = key_end(r, key, db);
    }
    return err;
}

enum err keys_end_with_user(struct request *r, struct record *user, struct db *db)
{
    if (!user->with && !(user->with = request_take(r, sizeof(struct key_ends))))
        return ERR_NOMEM;
    struct key_ends *e = user->with;
    char mark[MARK_SIZE]; /* of its keys */
    e->n = 0;
    e->more = false;
    snprintf(mark, sizeof mark, "%llu", (unsigned long long)user->setting.n);
    enum err err = setting_list_marked(db, SETTING_KEY, str_of(mark), 0, 0, 0, key_ends_on_key, e);
    if (err == OK && e->more) {
        r->fault_code = "too_many_keys";
        snprintf(r->fault.why, sizeof r->fault.why,
                 "More than %d keys end with it; delete some of them first.", ENDED_MAX);
        return ERR_EXISTS;
    }
    return err == OK ? key_ends_all(r, e, db) : err;
}

void keys_ended(struct request *r, const struct record *user)
{
    const struct key_ends *e = user->with;
    for (size_t i = 0; i < e->n; i++) {
        const struct setting gone = {
            .kind = SETTING_KEY, .n = e->key[i].n, .id = str_of(e->key[i].id)};
        books_changed(r->api->c.books, &gone, true);
    }
}
