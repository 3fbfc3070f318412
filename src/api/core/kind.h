/* Inside api/: describes a kind of setting as a resource. */
#pragma once
#include "api/core/record.h"

struct resource {
    enum setting_kind kind;
    const char *prefix;        /* of its ids; NULL: the id is its key */
    const char *collection;    /* "/v1/endpoints" */
    const char *const *hidden; /* members of the document that are never shown; NULL-terminated */
    const char *const *own;    /* members that no request may give; NULL-terminated, may be NULL */
    const char *shown_once;    /* the name of record.secret in the answer; NULL: "secret" */
    bool operator_only;
    bool nudges; /* deliver is told of a change, and of its end */
    /* Members that only the operator may change, NULL-terminated; NULL: none (rights.h). */
    const char *const *reserved;
    /* Validates a document (without `account`) and prints it into the record; on ERR_INVALID
     * r->fault says why. `given`: the members that the request gives. `is_new`: it may fill in
     * members that are made at the start; otherwise the record has the row as it stands. */
    enum err (*check)(struct request *r, struct record *rec, const struct json *doc,
                      const struct json *given, bool is_new);
    /* May r's asker change or delete the record's setting, as it stands? ERR_DENIED, or another
     * with r->fault set; may be NULL. In the transaction of the change. */
    enum err (*allow)(struct request *r, struct record *rec, struct db *db, bool deletes);
    /* Is there room for the setting, as it is about to be stored? ERR_INVALID with r->fault set;
     * may be NULL. In the transaction of the change. */
    enum err (*fits)(struct request *r, struct record *rec, struct db *db);
    /* Gives the document, of a setting that goes to another account, without the members that its
     * account set; NULL: all of it goes along. */
    enum err (*leave)(struct request *r, const struct json *doc, struct json **ret);
    /* Deletes the rows that go with a deleted setting; may be NULL. In the transaction of the
     * change. */
    enum err (*removed)(struct request *r, struct record *rec, struct db *db);
    /* Called after the commit, when the book has the change; may be NULL. */
    void (*committed)(struct request *r, const struct record *rec);
    /* Prints further members of a setting with that document, from elsewhere in the store; may be
     * NULL. */
    enum err (*more)(struct request *r, const struct setting *s, const struct json *doc,
                     struct json_writer *w);
};
