/* Keeps the key that seals cursors (api/cursor). It moves with the store, so that clients' cursors
 * stay valid after a restart, on another machine, and after a restore. */
#pragma once
#include "store/store.h"

enum { CURSOR_KEY_BYTES = 16 };
/* Makes the key, once, with the tables. */
MUST_USE enum err cursor_key_make(struct db *db);
MUST_USE enum err cursor_key_get(struct db *db, uint8_t ret[CURSOR_KEY_BYTES]); /* in a reader's */
