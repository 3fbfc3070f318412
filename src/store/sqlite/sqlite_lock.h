/* Lets one process write the embedded store, by a lock on a file beside it. */
#pragma once
#include "base/err.h"

#include <stddef.h>

/* Makes the folder (0700). The descriptor holds the lock until it is closed. ERR_EXISTS: another
 * process has it. */
MUST_USE enum err sqlite_lock(const char *path, int *ret_fd, char *ret_why, size_t why_cap);
