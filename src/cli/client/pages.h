/* Reads the pages of a list until it has as many rows as asked for. */
#pragma once
#include "cli/client/client.h"

/* *a is the answer to `path`, a list. While it has fewer rows than its `limit` (of the path; 50)
 * and says that there are more, the next page is read and appended. An answer that is no list
 * stays as it is. A failed answer to a later page takes its place. */
MUST_USE enum err pages_complete(const struct client *c, const char *path, struct client_answer *a);
