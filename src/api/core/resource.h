/* Inside api/: lists, makes, reads, changes and deletes the settings behind most resources in one
 * way, by the description of their kind. */
#pragma once
#include "api/core/etag.h"
#include "api/core/kind.h"
#include "api/core/query.h"
#include "api/core/work.h"

/* Handlers; they make r->record. */
void resource_list(struct request *r, const struct resource *res);
void resource_create(struct request *r, const struct resource *res);
void resource_get(struct request *r, const struct resource *res);
void resource_patch(struct request *r, const struct resource *res);
void resource_delete(struct request *r, const struct resource *res);

/* These run within a write job, and write a row of the audit log: */
/* Finds the setting that r->arg names, and changes it. */
MUST_USE enum err resource_merge(struct request *r, struct record *rec, struct db *db,
                                 const struct json *patch);
/* Changes a setting that was read: merges `patch` into it (NULL members removed), and moves it to
 * rec->move_to. */
MUST_USE enum err resource_change(struct request *r, struct record *rec, struct db *db,
                                  const struct json *patch);
/* Makes a setting of rec->setting.account from `doc`; its id is the same in each run. */
MUST_USE enum err resource_make(struct request *r, struct record *rec, struct db *db,
                                const struct json *doc);
/* Deletes a setting that was read, and the rows that go with it. */
MUST_USE enum err resource_remove(struct request *r, struct record *rec, struct db *db);

/* Prints the setting as it is shown: as it was read, or as it was changed. */
MUST_USE enum err resource_put(struct request *r, const struct record *rec, struct json_writer *w);
void record_committed(struct request *r, const struct record *rec); /* the book learns of it */
void record_nudge(struct request *r, const struct record *rec); /* the book does, and deliver, of
                                                                   an endpoint */
/* Do the same for r->record; for request_write. */
void setting_committed(struct request *r);
void setting_committed_nudge(struct request *r);

/* Defines the handlers that each kind of setting has. */
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
