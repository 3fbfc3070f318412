/* Copies a whole store while the daemon runs, and restores it while the daemon does not. For the
 * commands, on their one thread. */
#pragma once
#include "store/store.h"

struct backup_facts { /* what a copy holds; counted in it, after its integrity was checked */
    int64_t schema, bytes, settings, events, pending, calls;
};

/* Makes a consistent copy of the store at `url` in the new file `to` (0600): it is written beside
 * `to`, checked, synced, then renamed. ERR_EXISTS: there is such a file; ERR_NOT_FOUND: no such
 * store; ERR_STORE, ERR_STORE_FULL, ERR_IO; ret_why for people. */
MUST_USE enum err store_backup(const char *url, const char *to, struct backup_facts *ret,
                               char *ret_why, size_t why_cap);
/* Reads and checks a whole copy. ERR_NOT_FOUND, ERR_INVALID (not a store, damaged), ERR_UNSUPPORTED
 * (of a newer version). */
MUST_USE enum err store_check(const char *file, struct backup_facts *ret, char *ret_why,
                              size_t why_cap);
/* Checks the copy and puts it in the place of the store at `url`. The old store is kept beside it
 * under the name ret_kept, "" when there was none. ERR_EXISTS: the daemon runs on it. A failure
 * changes nothing. */
MUST_USE enum err store_restore(const char *url, const char *from, struct backup_facts *ret,
                                char *ret_kept, size_t kept_cap, char *ret_why, size_t why_cap);
