/* Lists whose pages may be shorter than asked for, read on until they are not. */
#pragma once
#include "cli/client/client.h"

/* *a is the answer to `path`, a list's: while it has fewer rows than its `limit` (of the path; 50)
 * and says that there are more, they are asked for and put behind. An answer that is no list stays
 * as it is; one to a later page that failed takes its place. */
MUST_USE enum err pages_complete(const struct client *c, const char *path, struct client_answer *a);
