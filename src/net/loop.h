/* One event loop and its thread: a mailbox for other threads, a timer wheel, sockets (datagram.h,
 * stream.h), and a hook at the end of each turn. libuv lives behind this folder. Any thread may
 * call loop_post, loop_post_answer and loop_stop; all other functions belong to the loop's own
 * thread, or to the time before loop_start. */
#pragma once
#include "base/mailbox.h"
#include "base/wheel.h"

struct loop;

/* `mailbox_max`: mails from other threads at the most. */
MUST_USE enum err loop_new(struct loop **ret, const char *name, size_t mailbox_max);
MUST_USE enum err loop_start(struct loop *l); /* spawns the thread (named `name`) */
/* Ends the loop after the present turn and joins the thread. Owners close their handles before
 * that, by a mail; a handle that is still open is closed hard. */
void loop_stop(struct loop *l);
/* Drops the mail that was never opened. Called at the end of the process, after loop_stop and
 * before the receivers of that mail are freed; the memory of the mail goes with the process. */
void loop_drop_mail(struct loop *l);
void loop_free(struct loop *l);
/* Runs one turn on the caller's thread, for tests and load generators; waits at most `wait_ms` for
 * something to happen. */
void loop_turn(struct loop *l, int64_t wait_ms);

MUST_USE enum err loop_post(struct loop *l, struct mail *m); /* any thread; ERR_FULL at the limit */
void loop_post_answer(struct loop *l, struct mail *m);       /* any thread; never refused */
struct mailbox *loop_mailbox(struct loop *l);

struct wheel *loop_wheel(struct loop *l);
int64_t loop_now_ms(const struct loop *l); /* mono time of this turn */
/* Sets `t` to fire `in_ms` from now on this loop. */
void loop_timer(struct loop *l, struct timer *t, int64_t in_ms, timer_fire *fire, void *arg);

/* `turn_end(arg)` runs once at the end of each turn that did something: the place to flush. At most
 * 64 of them; they run in the order of registration. */
void loop_on_turn_end(struct loop *l, void (*turn_end)(void *), void *arg);
void loop_off_turn_end(struct loop *l, const void *arg); /* the hooks with that arg */
