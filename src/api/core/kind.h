/* Inside api/: a kind of setting as a resource. */
#pragma once
#include "api/core/request.h"

struct resource {
    enum setting_kind kind;
    const char *prefix;        /* of its ids; NULL: the id is its key */
    const char *collection;    /* "/v1/endpoints" */
    const char *const *hidden; /* members of the document that are never shown; NULL-terminated */
    const char *const *own;    /* … that no request may give; NULL-terminated, may be NULL */
    const char *shown_once;    /* what r->secret is called in the answer; NULL: "secret" */
    bool operator_only;
    bool nudges; /* deliver is told of a change, and of its end */
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
    /* It is deleted, and all that goes with it; may be NULL. In the transaction of the change. */
    enum err (*removed)(struct request *r, struct db *db);
    /* After the commit, when the book knows; may be NULL. */
    void (*committed)(struct request *r);
    /* Further members to show, from elsewhere in the store; may be NULL. */
    enum err (*more)(struct request *r, const struct setting *s, struct json_writer *w);
};
