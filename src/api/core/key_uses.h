/* Remembers when each key was last used: in memory at once, in the store at most once a minute for
 * each key. */
#pragma once
#include "store/store.h"

struct key_uses;

enum { KEY_USE_STORED_MS = 60000 };

MUST_USE enum err key_uses_new(struct store *s, struct mailbox *home, struct key_uses **ret);
/* Stores the uses that are newer than the stored ones, and waits until its jobs came home (the
 * mailbox must still be read); key_uses_free follows. Both are NULL-safe. */
void key_uses_flush(struct key_uses *u);
void key_uses_free(struct key_uses *u);
/* Any thread. */
void key_uses_touch(struct key_uses *u, uint64_t key, int64_t now_ms);
int64_t key_uses_get(struct key_uses *u, uint64_t key); /* since the start; 0: not yet */
void key_uses_forget(struct key_uses *u, uint64_t key); /* it is deleted */
