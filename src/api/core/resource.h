/* Inside api/: the settings behind most resources: listed, made, read, changed and deleted in one
 * way, by what their kind says. */
#pragma once
#include "api/core/etag.h"
#include "api/core/kind.h"
#include "api/core/query.h"
#include "api/core/work.h"

/* Handlers, of r->record, which they make. */
void resource_list(struct request *r, const struct resource *res);
void resource_create(struct request *r, const struct resource *res);
void resource_get(struct request *r, const struct resource *res);
void resource_patch(struct request *r, const struct resource *res);
void resource_delete(struct request *r, const struct resource *res);

/* Within a write job, each with its row in the audit log: */
/* Finds what r->arg names, and changes it. */
MUST_USE enum err resource_merge(struct request *r, struct record *rec, struct db *db,
                                 const struct json *patch);
/* Changes a setting that was got: merges `patch` into it (NULL members removed), and moves it to
 * rec->move_to. */
MUST_USE enum err resource_change(struct request *r, struct record *rec, struct db *db,
                                  const struct json *patch);
/* Makes a setting of rec->setting.account from `doc`; its id is the same in each run. */
MUST_USE enum err resource_make(struct request *r, struct record *rec, struct db *db,
                                const struct json *doc);
/* Deletes a setting that was got, and ends what went on for it. */
MUST_USE enum err resource_remove(struct request *r, struct record *rec, struct db *db);

/* The setting as it is shown: as it was got, or as it was changed. */
MUST_USE enum err resource_put(struct request *r, const struct record *rec, struct json_writer *w);
void record_committed(struct request *r, const struct record *rec); /* the book learns of it */
void record_nudge(struct request *r, const struct record *rec); /* … and deliver, of an endpoint */
/* The same for r->record, for request_write. */
void setting_committed(struct request *r);
void setting_committed_nudge(struct request *r);

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
