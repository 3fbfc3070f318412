/* A bounded queue between threads that is emptied by turns: a mail waits for one mail of each other
 * owner at most, not for all that came before. The daemon's own mail, owner 0, has
 * every second turn. Any thread puts; one or several take. */
#pragma once
#include "base/mailbox.h"
#include "base/share.h"

struct turns;

/* `share`: of the mails that owners may have waiting (share.h); `own_max`: of the daemon's own. */
MUST_USE enum err turns_new(struct turns **ret, const struct share *share, size_t own_max);
void turns_free(struct turns *t); /* must be empty; NULL-safe */
/* ERR_AGAIN: this owner has its share waiting. ERR_FULL: all is taken. ERR_CLOSED. Not taken, then.
 */
MUST_USE enum err turns_put(struct turns *t, uint64_t owner, struct mail *m);
/* The one whose turn it is; NULL: there is none. */
struct mail *turns_take(struct turns *t);
struct mail *turns_wait(struct turns *t); /* NULL only when closed and empty */
void turns_close(struct turns *t);
