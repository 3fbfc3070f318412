/* Inside api/: what the resource files share: routes, jobs, and the settings behind most resources.
 */
#pragma once
#include <pthread.h>

#include "api/cursor.h"
#include "api/rate.h"
#include "api/problem.h"
#include "base/clock.h"

struct hasher;
struct key_uses;
struct logins;
struct peers;
struct throttle;

struct api {
    struct api_config c;
    struct logins *logins;
    struct key_uses *key_uses;
    struct throttle *throttle;
    struct peers *peers;
    struct hasher *hasher;
    struct server *server;
    struct sms_fields *sms_fields; /* the operator's; immutable */
    char setup_hash[65];           /* of the setup URL's token; "": there is no setup */
    struct rates *rates;
    struct endpoint_room *endpoint_room; /* the writer's */
    uint8_t cursor_key[CURSOR_KEY_SIZE];
    struct mailbox *home; /* answers of the store, opened by one thread */
    pthread_t answers;
};

/* work.c. Runs `work` on the writer or a reader, then answers: OK → r->status and r->out as work
 * left them, else problem_of_err. `work` may run more than once and starts from a clean r->out. */
void request_write(struct request *r, enum err (*work)(struct request *, struct db *),
                   void (*committed)(struct request *));
void request_read(struct request *r, enum err (*work)(struct request *, struct db *));

/* What the key may look at: 0 (all) for the operator, its account otherwise. */
uint64_t request_scope(const struct request *r);
/* The account that something new belongs to: `account` of the body for the operator, else the
 * key's. ERR_INVALID with r->fault set. */
MUST_USE enum err request_account(struct request *r, uint64_t *ret);
/* What a list is of: all that the key may look at, or ?account of it, which the operator alone may
 * say. ERR_INVALID with r->fault set, ERR_NOT_FOUND. */
MUST_USE enum err request_list_scope(struct request *r, uint64_t *ret);
struct str account_id(const struct request *r, uint64_t n);

/* query.c. ERR_INVALID, with r->fault saying which field and what is allowed. */
MUST_USE enum err request_refuse(struct request *r, const char *field, const char *why);
/* What the model takes for text: a webhook's URL must be one that the daemon can and may send to.
 */
MUST_USE enum err request_check_url(struct request *r, const char *field, struct str text);
/* The body must be one object of no other members than `names` ("since, until"). ERR_INVALID. */
MUST_USE enum err request_members(struct request *r, const char *names);
/* ?limit (1 … 500, 50) and ?cursor. ERR_INVALID with r->fault set. */
MUST_USE enum err request_page(struct request *r, enum cursor_of of, unsigned *ret_limit,
                               int64_t *ret_cursor);
/* ?limit alone. */
MUST_USE enum err request_limit(struct request *r, unsigned *ret);
/* So many rows a request looks at, some 5 ms: a page may be short or empty and yet not the last.
 */
enum { LIST_ROWS_MAX = 5000 };
void list_begin(struct request *r, struct json_writer *w);
/* `next` 0: that was all. */
void list_end(struct request *r, struct json_writer *w, enum cursor_of of, int64_t next);
/* A number of the query; its `+` may have come as a blank. */
struct str request_number(struct request *r, const char *name, char out[NUMBER_SIZE]);
/* ?number, which is one of ours: its `+` may be missing too. */
struct str request_did(struct request *r, char out[NUMBER_SIZE]);
/* What the deliveries of an event amount to: "pending", "delivered" … (events_api.c). */
MUST_USE enum err event_state(struct db *db, int64_t n, const char **ret);
/* RFC 3339 in UTC, or milliseconds; ERR_INVALID with r->fault set. */
MUST_USE enum err request_time(struct request *r, const char *name, int64_t *ret_ms);
/* The same of a member of the body; 0 when it is not there. */
MUST_USE enum err request_body_time(struct request *r, const char *name, int64_t *ret_ms);
void put_time(struct json_writer *w, const char *key, int64_t ms); /* 0: null */

/* A kind of setting as a resource. */
struct resource {
    enum setting_kind kind;
    const char *prefix;        /* of its ids; NULL: the id is its key */
    const char *collection;    /* "/v1/endpoints" */
    const char *const *hidden; /* members of the document that are never shown; NULL-terminated */
    const char *const *own;    /* … that no request may give; NULL-terminated, may be NULL */
    const char *shown_once;    /* what r->secret is called in the answer; NULL: "secret" */
    bool operator_only;
    /* Members that only the operator may change, NULL-terminated; NULL: none (rights.h). */
    const char *const *reserved;
    /* Validates a document (without `account`) into r->doc and r->setting.key; on ERR_INVALID
     * r->fault says why. `given`: what of it the request says. `is_new`: may fill in what is made
     * at the start; else r->setting is the row as it stands. */
    enum err (*check)(struct request *r, const struct json *doc, const struct json *given,
                      bool is_new);
    /* May r's asker change or delete r->setting, as it stands? ERR_DENIED, or another with r->fault
     * set; may be NULL. In the transaction of the change. */
    enum err (*allow)(struct request *r, struct db *db, bool deletes);
    /* Is there room for r->setting, as it is about to be stored? ERR_INVALID with r->fault set; may
     * be NULL. In the transaction of the change. */
    enum err (*fits)(struct request *r, struct db *db);
    /* The setting goes to another account: takes what its account set out of the document; NULL:
     * all of it goes along. */
    enum err (*leave)(struct request *r, struct json **doc);
    /* Further members to show, from elsewhere in the store; may be NULL. */
    enum err (*more)(struct request *r, const struct setting *s, struct json_writer *w);
};
void resource_list(struct request *r, const struct resource *res);
void resource_create(struct request *r, const struct resource *res);
void resource_get(struct request *r, const struct resource *res);
void resource_patch(struct request *r, const struct resource *res);
void resource_delete(struct request *r, const struct resource *res);
/* Within a write job, each with its row in the audit log: */
/* Finds what r->arg names, and changes it. */
MUST_USE enum err resource_merge(struct request *r, struct db *db, const struct resource *res,
                                 const struct json *patch);
/* Changes r->setting: merges `patch` into it (NULL members removed), and moves it to r->move_to. */
MUST_USE enum err resource_change(struct request *r, struct db *db, const struct resource *res,
                                  const struct json *patch);
/* Makes r->setting, of r->setting.account, from `doc`; its id is the same in each run. */
MUST_USE enum err resource_make(struct request *r, struct db *db, const struct resource *res,
                                const struct json *doc);
/* Deletes r->setting, and ends what went on for it. */
MUST_USE enum err resource_remove(struct request *r, struct db *db, const struct resource *res);
/* access_api.c: keys that end with the user r->setting, within the job that deletes it and after
 * its commit. */
MUST_USE enum err keys_end_with_user(struct request *r, struct db *db);
void keys_ended(struct request *r);
MUST_USE enum err resource_put(struct request *r, const struct resource *res,
                               const struct setting *s, struct json_writer *w);
/* For `check`: the key goes into r->doc, then the model prints its document behind it, then both
 * are r->setting's. */
MUST_USE enum err document_begin(struct request *r, const char *key);
MUST_USE enum err document_end(struct request *r, size_t key_n);
/* setup_api.c. Is there a key or a user who may do everything? */
MUST_USE enum err operator_exists(struct db *db, bool *ret);
/* Makes a 200 of r->setting a 304 where the client has it already. */
void request_if_none_match(struct request *r);
void setting_committed(struct request *r);       /* the book learns of r->setting */
void setting_committed_nudge(struct request *r); /* … and deliver of its endpoint */

extern const struct resource numbers, endpoints, trunks, keys, accounts, smpp_links, users,
    extensions;

/* The handlers that a kind of setting has anyway. */
#define RESOURCE_HANDLERS(noun, res)                                                               \
    void noun##_list(struct request *r)                                                            \
    {                                                                                              \
        resource_list(r, &res);                                                                    \
    }                                                                                              \
    void noun##_create(struct request *r)                                                          \
    {                                                                                              \
        resource_create(r, &res);                                                                  \
    }                                                                                              \
    void noun##_get(struct request *r)                                                             \
    {                                                                                              \
        resource_get(r, &res);                                                                     \
    }

/* routes.c */
void api_handle(struct http_request *r);
struct route_facts {
    const char *method, *path; /* with {} in it */
    const char *scope;         /* that its key needs; "": none */
    const char *query;         /* the parameters that it knows, by blanks */
    bool reserved;             /* only who may make numbers may ask */
};
bool api_route(size_t i, struct route_facts *ret); /* false: there are no more */
/* Whether the key that the request came with is still good for what it was, by the present book,
 * which r->book becomes. On the thread that may read r's headers. */
bool request_is_still_allowed(struct request *r);
/* handlers by resource */
/* clang-format off */
#define HANDLERS(X) \
    X(numbers_list) X(numbers_create) X(numbers_get) X(numbers_patch) X(numbers_delete) \
    X(forward_get) X(forward_put) X(endpoints_list) X(endpoints_create) X(endpoints_get) \
    X(endpoints_patch) X(endpoints_delete) X(endpoints_rotate) X(endpoints_enable) X(endpoints_test) \
    X(trunks_list) X(trunks_create) X(trunks_get) X(trunks_patch) X(trunks_delete) \
    X(keys_list) X(keys_create) X(keys_get) X(keys_delete) X(accounts_list) \
    X(accounts_create) X(accounts_get) X(accounts_patch) X(endpoints_recover) X(recoveries_list) \
    X(recoveries_get) X(recoveries_cancel) X(numbers_erase) X(erasures_get) X(events_list) X(events_get) X(events_resend) \
    X(events_ingest) X(events_stream) X(calls_list) X(calls_get) X(calls_trace) X(calls_hangup) X(health_get) \
    X(ready_get) X(metrics_get) X(home_get) \
    X(openapi_get) X(smpp_links_list) X(smpp_links_create) X(smpp_links_get) X(smpp_links_patch) X(smpp_links_delete) \
    X(simulate_create) X(messages_list) X(threads_list) X(ingest_sms) \
    X(extensions_list) X(extensions_create) X(extensions_get) X(extensions_patch) X(extensions_delete) \
    X(users_list) X(users_create) X(users_get) X(users_patch) X(users_delete) X(keys_patch) \
    X(accounts_delete) X(audits_list) X(did_login) X(did_logout) X(did_balance) X(did_types) \
    X(did_available) X(did_list) X(did_assign) X(did_forward) X(did_release) \
    X(setup_page) X(setup_create)
/* clang-format on */
#define X(name) void name(struct request *r);
HANDLERS(X)
#undef X
