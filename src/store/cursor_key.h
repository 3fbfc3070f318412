/* The key that cursors are sealed under (api/cursor). It goes with the store, so that what clients
 * hold is good after a restart, on another machine, and after a restore. */
#pragma once
#include "store/store.h"

enum { CURSOR_KEY_BYTES = 16 };
/* Made once, with the tables. */
MUST_USE enum err cursor_key_make(struct db *db);
MUST_USE enum err cursor_key_get(struct db *db, uint8_t ret[CURSOR_KEY_BYTES]); /* in a reader's */
