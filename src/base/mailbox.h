/* How threads talk: a bounded queue that any thread may put into and one thread empties in batches.
 *
 * A mail is embedded in the thing that travels and says what the receiver does with it. What is put
 * belongs to the receiver until it runs `open`. The mutex inside is the only lock between loops. */
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

/* `max`: mails it holds at the most. `wake(arg)` is called, from the putting thread, when the box
 * goes from empty to not empty; NULL for a receiver that waits in mailbox_wait. */
MUST_USE enum err mailbox_new(struct mailbox **ret, size_t max, void (*wake)(void *), void *arg);
void mailbox_free(struct mailbox *mb); /* must be empty */
/* ERR_FULL (not taken, the caller keeps the mail) at the limit, ERR_CLOSED after close. */
MUST_USE enum err mailbox_put(struct mailbox *mb, struct mail *m);
/* Never refuses: for answers to what was let in under a limit already. */
void mailbox_put_answer(struct mailbox *mb, struct mail *m);
/* The same for `n` of them, from `first` to `last` by `next`: one lock, one wake. */
void mailbox_put_answers(struct mailbox *mb, struct mail *first, struct mail *last, size_t n);
/* Takes all that is there, oldest first, linked by `next`; NULL when empty. */
struct mail *mailbox_take(struct mailbox *mb);
/* The same, but waits for something; NULL only when closed and empty. */
struct mail *mailbox_wait(struct mailbox *mb);
/* The same, for `ms` at the most: NULL too when nothing came; *ret_closed tells which. */
struct mail *mailbox_wait_for(struct mailbox *mb, int64_t ms, bool *ret_closed);
/* Opens every mail in the batch, in order. */
void mail_open_all(struct mail *batch);
void mailbox_close(struct mailbox *mb);
size_t mailbox_count(struct mailbox *mb);
