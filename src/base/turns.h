/* A bounded queue between threads whose owners take turns: a mail waits for at most one mail of
 * each other owner, not for all that came before. The daemon's own mail, owner 0, has every second
 * turn. Any thread puts; one or several take. */
#pragma once
#include "base/mailbox.h"
#include "base/share.h"

struct turns;

/* `share`: how many mails the owners may have waiting (share.h); `own_max`: how many of the
 * daemon's own. */
MUST_USE enum err turns_new(struct turns **ret, const struct share *share, size_t own_max);
void turns_free(struct turns *t); /* must be empty; NULL-safe */
/* Puts a mail. ERR_AGAIN: this owner has its share waiting. ERR_FULL: all places are taken.
 * ERR_CLOSED. On an error the caller keeps the mail. */
MUST_USE enum err turns_put(struct turns *t, uint64_t owner, struct mail *m);
/* Takes the mail whose turn it is; NULL: there is none. */
struct mail *turns_take(struct turns *t);
struct mail *turns_wait(struct turns *t); /* NULL only when closed and empty */
void turns_close(struct turns *t);
