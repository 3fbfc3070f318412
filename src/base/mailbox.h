/* Carries mail between threads: a bounded queue that any thread may put into and one thread empties
 * in batches.
 *
 * A mail is embedded in the struct that travels, and its `open` is the receiver's action. A mail
 * that was put belongs to the receiver until it runs `open`. The mutex inside is the only lock
 * between loops. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct mail {
    struct mail *next;
    void (*open)(struct mail *m); /* called on the receiver's thread, exactly once */
};

struct mailbox;

/* `max`: how many mails it holds at most. The putting thread calls `wake(arg)` when the box goes
 * from empty to not empty; NULL for a receiver that waits in mailbox_wait. */
MUST_USE enum err mailbox_new(struct mailbox **ret, size_t max, void (*wake)(void *), void *arg);
void mailbox_free(struct mailbox *mb); /* must be empty */
/* ERR_FULL (not taken, the caller keeps the mail) at the limit, ERR_CLOSED after close. */
MUST_USE enum err mailbox_put(struct mailbox *mb, struct mail *m);
/* Puts a mail and never refuses it: for answers to requests that a limit let in already. */
void mailbox_put_answer(struct mailbox *mb, struct mail *m);
/* Puts `n` answers, from `first` to `last` by `next`, with one lock and one wake. */
void mailbox_put_answers(struct mailbox *mb, struct mail *first, struct mail *last, size_t n);
/* Takes all mails, oldest first, linked by `next`; NULL when empty. */
struct mail *mailbox_take(struct mailbox *mb);
/* Does the same, but waits until there is mail; NULL only when closed and empty. */
struct mail *mailbox_wait(struct mailbox *mb);
/* Does the same, for `ms` at most: also NULL when nothing came; *ret_closed tells which. */
struct mail *mailbox_wait_for(struct mailbox *mb, int64_t ms, bool *ret_closed);
/* Opens every mail in the batch, in order. */
void mail_open_all(struct mail *batch);
void mailbox_close(struct mailbox *mb);
size_t mailbox_count(struct mailbox *mb);
