/* access_api: API keys and accounts as resources. */
#include <stdio.h>
#include <string.h>

#include "api/access.h"
#include "api/key_uses.h"
#include "api/resource.h"
#include "store/tokens.h"

/* ---- keys ---- */

/* A key gives what it has: one that may only write cannot make one that reads. */
static bool is_within(const struct request *r, const struct api_key *k)
{
    return (!k->operator_ || r->is_operator) && (!k->read || r->can_read) &&
           (!k->write || r->can_write) && (!k->ingest || r->can_ingest);
}

static enum err key_check(struct request *r, const struct json *doc, bool is_new)
{
    struct api_key *k;
    enum err err = api_key_parse(doc, &k, &r->fault);
    if (err != OK)
        return err;
    if (err == OK && (is_new || json_get(r->json, "scopes")))
        err = is_within(r, k) ? OK : request_refuse(r, "scopes", "what the asking key has itself");
    const struct json *at = json_get(r->json, "expires_at");
    if (!is_new && at && json_kind(at) == JSON_IS_NULL)
        k->expires_at_ms = 0;
    if (err == OK && is_new && !r->secret[0])
        credential_new("hsk_", r->secret, k->hash);
    else if (err == OK && is_new) /* the job runs again: the same key */
        credential_hash(str_of(r->secret), k->hash);
    if (err == OK)
        err = document_begin(r, k->hash);
    if (err == OK) {
        api_key_print(k, &r->doc);
        err = document_end(r, strlen(k->hash));
    }
    api_key_free(k);
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

/* Who has the operator's scope is changed by who has it too. */
static enum err key_allow(struct request *r, struct db *db, bool deletes)
{
    struct json *doc = NULL;
    struct api_key *k = NULL;
    enum err err = json_parse(r->setting.doc, &doc, NULL, 0);
    if (err == OK)
        err = api_key_parse(doc, &k, &r->fault);
    if (err == OK && k->operator_ && !r->is_operator)
        err = ERR_DENIED;
    api_key_free(k);
    json_free(doc);
    return err;
}

static const char *const key_hidden[] = {"hash", NULL};
const struct resource keys = {.kind = SETTING_KEY,
                              .prefix = "key",
                              .collection = "/v1/keys",
                              .hidden = key_hidden,
                              .own = key_hidden,
                              .shown_once = "key",
                              .check = key_check,
                              .allow = key_allow,
                              .more = key_more};
RESOURCE_HANDLERS(keys, keys)

void keys_patch(struct request *r)
{
    resource_patch(r, &keys);
}

void keys_delete(struct request *r)
{
    resource_delete(r, &keys);
}

/* ---- accounts ---- */

/* The daemon's own two are found by their names. */
static bool is_own_account(struct str name)
{
    return str_eq(name, STR("default")) || str_eq(name, STR("pool"));
}

static enum err account_check(struct request *r, const struct json *doc, bool is_new)
{
    struct account *a;
    enum err err = account_parse(doc, &a, &r->fault);
    if (err != OK)
        return err;
    if (!is_new && is_own_account(r->setting.key) && !str_eq(r->setting.key, str_of(a->name)))
        err = request_refuse(r, "name", "what it is: this account is found by its name");
    if (err == OK)
        err = document_begin(r, a->name);
    if (err == OK) {
        account_print(a, &r->doc);
        err = document_end(r, strlen(a->name));
    }
    account_free(a);
    return err;
}

/* Only an empty account can go: what is in it would be nobody's. Its events end by retention. */
static enum err account_allow(struct request *r, struct db *db, bool deletes)
{
    bool empty = true;
    enum err err = deletes ? setting_account_is_empty(db, r->setting.n, &empty) : OK;
    if (err != OK || !deletes)
        return err;
    r->fault_code = "not_empty";
    if (is_own_account(r->setting.key))
        snprintf(r->fault.why, sizeof r->fault.why, "The daemon's own accounts stay.");
    else if (!empty)
        snprintf(r->fault.why, sizeof r->fault.why,
                 "It still has numbers, endpoints, keys, users or extensions; delete or move them "
                 "first.");
    else
        return OK;
    return ERR_EXISTS;
}

const struct resource accounts = {.kind = SETTING_ACCOUNT,
                                  .prefix = "acc",
                                  .collection = "/v1/accounts",
                                  .operator_only = true,
                                  .check = account_check,
                                  .allow = account_allow};
RESOURCE_HANDLERS(accounts, accounts)

void accounts_patch(struct request *r)
{
    resource_patch(r, &accounts);
}

void accounts_delete(struct request *r)
{
    resource_delete(r, &accounts);
}
