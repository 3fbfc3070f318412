/* Inside api/: writes a request's change into the audit log, in the transaction of the change. */
#pragma once
#include "api/core/kind.h"

enum { AUDIT_CHANGED_MAX = 512 };

/* Writes the row of a change. `before` NULL: it is new; `after` NULL: it is gone; their documents
 * are rec->was and rec->now. A setting that went to another account leaves a row in both. Secrets
 * (res->hidden) are left out of the documents, but are named among the changed members. */
MUST_USE enum err request_audit(struct request *r, struct db *db, const struct record *rec,
                                const struct setting *before, const struct setting *after,
                                const char *action);
