/* Copies of a whole store, made while the daemon runs, and put back while it does not. For the
 * commands, on their one thread. */
#pragma once
#include "store/store.h"

struct backup_facts { /* what a copy holds; counted in it, after its integrity was checked */
    int64_t schema, bytes, settings, events, pending, calls;
};

/* A consistent copy of the store at `url` in the new file `to` (0600): written beside it, checked,
 * synced, then renamed. ERR_EXISTS: there is such a file; ERR_NOT_FOUND: no such store; ERR_STORE,
 * ERR_STORE_FULL, ERR_IO; ret_why for people. */
MUST_USE enum err store_backup(const char *url, const char *to, struct backup_facts *ret,
                               char *ret_why, size_t why_cap);
/* Reads all of a copy. ERR_NOT_FOUND, ERR_INVALID (not a store, damaged), ERR_UNSUPPORTED (of a
 * newer version). */
MUST_USE enum err store_check(const char *file, struct backup_facts *ret, char *ret_why,
                              size_t why_cap);
/* Checks the copy and puts it in the place of the store at `url`. What was there is kept beside it:
 * ret_kept, "" when there was nothing. ERR_EXISTS: the daemon runs on it. Nothing is changed when
 * it fails. */
MUST_USE enum err store_restore(const char *url, const char *from, struct backup_facts *ret,
                                char *ret_kept, size_t kept_cap, char *ret_why, size_t why_cap);
