/* Makes the accounts `default` and `pool` and the first operator key, and tells whether there is an
 * operator. */
#pragma once
#include "hub/book.h"
#include "store/rows/settings.h"

/* Makes the account `default` and `pool` and the operator key `admin_key` ("" : none) when they are
 * not there; *ret_has_operator: is there now a key or a user that may do everything? Before
 * api_start; waits on the store. */
MUST_USE enum err api_bootstrap(struct store *s, struct books *b, const char *admin_key,
                                bool *ret_has_operator);
/* Is there a key or a user that may do everything? */
MUST_USE enum err operator_exists(struct db *db, bool *ret);
