/* Inside api/: the settings behind most resources: listed, made, read, changed and deleted in one
 * way, by what their kind says. */
#pragma once
#include "api/core/kind.h"
#include "api/core/query.h"

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
MUST_USE enum err resource_put(struct request *r, const struct resource *res,
                               const struct setting *s, struct json_writer *w);
/* For `check`: the key goes into r->doc, then the model prints its document behind it, then both
 * are r->setting's. */
MUST_USE enum err document_begin(struct request *r, const char *key);
MUST_USE enum err document_end(struct request *r, size_t key_n);
/* Makes a 200 of r->setting a 304 where the client has it already. */
void request_if_none_match(struct request *r);
void setting_committed(struct request *r);       /* the book learns of r->setting */
void setting_committed_nudge(struct request *r); /* … and deliver of its endpoint */

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
