/* still_loop: implements net/loop.h without libuv. A turn fires the timers that are due on the
 * clock, opens the waiting mail, and runs the hooks. */
#include <stdlib.h>

#include "base/clock.h"
#include "still.h"

enum { HOOKS_MAX = 64 };

struct loop {
    struct mailbox *mailbox;
    struct wheel *wheel;
    bool has_mail;
    size_t n_hooks;
    struct {
        void (*turn_end)(void *);
        void *arg;
    } hook[HOOKS_MAX];
};

static void on_mail(void *arg)
{
    ((struct loop *)arg)->has_mail = true;
}

enum err loop_new(struct loop **ret, const char *name, size_t mailbox_max)
{
    struct loop *l = calloc(1, sizeof *l);
    enum err err = l ? mailbox_new(&l->mailbox, mailbox_max, on_mail, l) : ERR_NOMEM;
    if (err == OK && !(l->wheel = wheel_new(clock_mono_ms())))
        err = ERR_NOMEM;
    if (err != OK) {
        loop_free(l);
        return err;
    }
    *ret = l;
    return OK;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    if (l->mailbox)
        mail_open_all(mailbox_take(l->mailbox));
    mailbox_free(l->mailbox);
    wheel_free(l->wheel);
    free(l);
}

void loop_turn(struct loop *l, int64_t wait_ms)
{
    ASSERT(wait_ms == 0); /* the clock stands still: there is nothing to wait for */
    wheel_advance(l->wheel, clock_mono_ms());
    if (l->has_mail) {
        l->has_mail = false;
        mail_open_all(mailbox_take(l->mailbox));
    }
    for (size_t i = 0; i < l->n_hooks; i++)
        l->hook[i].turn_end(l->hook[i].arg);
}

bool still_loop_is_idle(struct loop *l)
{
    return !l->has_mail;
}

int64_t still_next_ms(struct loop *l)
{
    return wheel_next_ms(l->wheel, clock_mono_ms());
}

enum err loop_post(struct loop *l, struct mail *m)
{
    return mailbox_put(l->mailbox, m);
}

void loop_post_answer(struct loop *l, struct mail *m)
{
    mailbox_put_answer(l->mailbox, m);
}

struct mailbox *loop_mailbox(struct loop *l)
{
    return l->mailbox;
}

struct wheel *loop_wheel(struct loop *l)
{
    return l->wheel;
}

int64_t loop_now_ms(const struct loop *l)
{
    return clock_mono_ms();
}

void loop_timer(struct loop *l, struct timer *t, int64_t in_ms, timer_fire *fire, void *arg)
{
    timer_set(l->wheel, t, loop_now_ms(l) + in_ms, fire, arg);
}

void loop_on_turn_end(struct loop *l, void (*turn_end)(void *), void *arg)
{
    ASSERT(l->n_hooks < HOOKS_MAX);
    l->hook[l->n_hooks].turn_end = turn_end;
    l->hook[l->n_hooks++].arg = arg;
}

void loop_off_turn_end(struct loop *l, const void *arg)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->n_hooks; i++)
        if (l->hook[i].arg != arg)
            l->hook[kept++] = l->hook[i];
    l->n_hooks = kept;
}
