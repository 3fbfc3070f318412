/* loop: runs libuv's loop with a mailbox, a timer wheel and turn-end hooks.
 *
 * A turn runs the wheel's timers, the mails and the sockets, and then the hooks, once, before the
 * loop sleeps. The hooks run in uv_prepare (right before poll) and again in uv_check (right after),
 * so that the output of a turn leaves before the loop waits. Owner: the thread that runs it;
 * loop_post* and loop_stop from any. */
#include "net/loop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/loop_uv.h"

enum { HOOKS_MAX = 64 };

struct loop {
    uv_loop_t uv;
    uv_async_t wake;
    uv_timer_t tick;
    uv_prepare_t prepare;
    uv_check_t check;
    struct mailbox *mailbox;
    struct wheel *wheel;
    struct {
        void (*turn_end)(void *);
        void *arg;
    } hook[HOOKS_MAX];
    size_t n_hooks;
    char name[16];
    pthread_t thread;
    bool started;
    atomic_bool stopping;
    int64_t tick_at; /* mono time the uv timer is set for; -1: not set */
    char read[LOOP_READ_MAX];
};

static void loop_wake(void *arg)
{
    struct loop *l = arg;
    uv_async_send(&l->wake);
}

static void loop_on_wake(uv_async_t *a)
{
    struct loop *l = a->data;
    mail_open_all(mailbox_take(l->mailbox));
    if (l->stopping)
        uv_stop(&l->uv);
}

static void loop_on_tick(uv_timer_t *t)
{
    struct loop *l = t->data;
    l->tick_at = -1;
    wheel_advance(l->wheel, clock_mono_ms());
}

static void loop_hooks_run(struct loop *l)
{
    for (size_t i = 0; i < l->n_hooks; i++)
        l->hook[i].turn_end(l->hook[i].arg);
}

/* Runs before the loop sleeps: the hooks, then the one uv timer is set for the wheel's next timer.
 */
static void loop_on_prepare(uv_prepare_t *p)
{
    struct loop *l = p->data;
    int64_t now = clock_mono_ms();
    wheel_advance(l->wheel, now);
    loop_hooks_run(l);
    int64_t wait = wheel_next_ms(l->wheel, now);
    int64_t at = wait < 0 ? -1 : now + wait;
    if (at == l->tick_at)
        return;
    l->tick_at = at;
    if (at < 0)
        uv_timer_stop(&l->tick);
    else {
        uv_update_time(&l->uv);
        uv_timer_start(&l->tick, loop_on_tick, (uint64_t)wait, 0);
    }
}

static void loop_on_check(uv_check_t *c)
{
    struct loop *l = c->data;
    wheel_advance(l->wheel, clock_mono_ms());
    loop_hooks_run(l);
}

enum err loop_new(struct loop **ret, const char *name, size_t mailbox_max)
{
    enum err err = ERR_NOMEM;
    struct loop *l = calloc(1, sizeof *l);
    if (!l || uv_loop_init(&l->uv) != 0) {
        free(l);
        return err;
    }
    strncpy(l->name, name, sizeof l->name - 1);
    l->tick_at = -1;
    uv_async_init(&l->uv, &l->wake, loop_on_wake);
    uv_timer_init(&l->uv, &l->tick);
    uv_prepare_init(&l->uv, &l->prepare);
    uv_check_init(&l->uv, &l->check);
    l->wake.data = l->tick.data = l->prepare.data = l->check.data = l;
    uv_prepare_start(&l->prepare, loop_on_prepare);
    uv_check_start(&l->check, loop_on_check);
    l->wheel = wheel_new(clock_mono_ms());
    if (!l->wheel || (err = mailbox_new(&l->mailbox, mailbox_max, loop_wake, l)) != OK) {
        loop_free(l);
        return err;
    }
    *ret = l;
    return OK;
}

static void *loop_run(void *arg)
{
    struct loop *l = arg;
    pthread_setname_np(pthread_self(), l->name);
    while (!l->stopping)
        uv_run(&l->uv, UV_RUN_DEFAULT);
    mail_open_all(mailbox_take(l->mailbox));
    loop_hooks_run(l);
    return NULL;
}

enum err loop_start(struct loop *l)
{
    if (pthread_create(&l->thread, NULL, loop_run, l) != 0)
        return ERR_NOMEM;
    l->started = true;
    return OK;
}

void loop_stop(struct loop *l)
{
    if (!l || !l->started)
        return;
    l->stopping = true;
    uv_async_send(&l->wake);
    pthread_join(l->thread, NULL);
    l->started = false;
}

static void loop_handle_close(uv_handle_t *h, void *arg)
{
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

void loop_drop_mail(struct loop *l)
{
    (void)mailbox_take(l->mailbox);
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    if (l->mailbox)
        mail_open_all(mailbox_take(l->mailbox));
    uv_walk(&l->uv, loop_handle_close, NULL);
    uv_run(&l->uv, UV_RUN_NOWAIT); /* runs the close callbacks */
    uv_run(&l->uv, UV_RUN_NOWAIT);
    int busy = uv_loop_close(&l->uv);
    ASSERT(busy == 0);
    mailbox_free(l->mailbox);
    wheel_free(l->wheel);
    free(l);
}

static void on_turn_wait(struct timer *t)
{
    (void)t; /* it only ends the wait */
}

void loop_turn(struct loop *l, int64_t wait_ms)
{
    struct timer limit = {0};
    if (wait_ms > 0)
        timer_set(l->wheel, &limit, clock_mono_ms() + wait_ms, on_turn_wait, NULL);
    uv_run(&l->uv, wait_ms > 0 ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    timer_stop(&limit);
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
    return clock_mono_ms(); /* the wheel's own time stands still while the loop sleeps */
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

uv_loop_t *loop_uv(struct loop *l)
{
    return &l->uv;
}

char *loop_read_buffer(struct loop *l)
{
    return l->read;
}
