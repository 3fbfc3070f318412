/* deliver: starts the couriers with the pending deliveries of the store, tells them of each event
 * that is stored, and stops them. An endpoint belongs to one courier, so that its order, its health
 * and its connections are in one place. */
#include "deliver/deliver.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "deliver/age.h"
#include "deliver/ask.h"
#include "deliver/attempt.h"
#include "deliver/dispatch.h"
#include "deliver/early.h"
#include "deliver/knock.h"
#include "deliver/load.h"
#include "deliver/outage.h"
#include "deliver/plan.h"
#include "deliver/shard.h"
#include "deliver/tenant.h"

enum { MAILS_MAX = 1 << 20 };

static void may_stop(struct courier *c);

/* Does the work that the turn's events left. An attempt that ends at once may leave more. */
static void on_turn_end(void *arg)
{
    struct courier *c = arg;
    do {
        plan(c);
        dispatch(c);
    } while (c->touched);
    shards_leave(c);
    may_stop(c);
    book_drop(&c->book_before);
}

/* ---- events come in ---- */

struct stored_mail {
    struct mail mail;
    struct courier *courier;
    const struct event *event;
    size_t n;
    struct delivery delivery[];
};

static void on_stored(struct mail *m)
{
    struct stored_mail *s = (struct stored_mail *)m;
    struct courier *c = s->courier;
    for (size_t i = 0; i < s->n; i++) {
        const struct delivery *d = &s->delivery[i];
        if (!shard_takes(c, d->endpoint))
            continue; /* left meanwhile: whoever takes the shard finds it in the store */
        struct item *it = item_new(c->deliver, d);
        if (!it)
            memory_gone("deliver"); /* the lane's next would overtake it */
        it->event = c->events_held < EVENTS_HELD_MAX ? event_hold(s->event) : NULL;
        lane_push(c, d->lane, d->endpoint, it);
        struct lane *l;
        struct post *p = early_claim(c, d, s->event, &l);
        if (p)
            attempt_adopt(l, &p);
    }
    event_drop(&s->event);
    free(s);
}

void deliver_on_stored(void *deliver, const struct stored *s)
{
    struct deliver *d = deliver;
    for (unsigned k = 0; k < d->n; k++) {
        struct courier *c = &d->courier[k];
        size_t n = 0;
        for (size_t i = 0; i < s->n_deliveries; i++)
            n += courier_of(d, s->deliveries[i].endpoint) == c;
        if (n == 0)
            continue;
        struct stored_mail *m = malloc(sizeof *m + n * sizeof m->delivery[0]);
        if (!m)
            memory_gone("deliver"); /* their lanes' next would overtake them */
        *m = (struct stored_mail){
            .mail.open = on_stored, .courier = c, .event = event_hold(s->event)};
        for (size_t i = 0; i < s->n_deliveries; i++)
            if (courier_of(d, s->deliveries[i].endpoint) == c)
                m->delivery[m->n++] = s->deliveries[i];
        loop_post_answer(c->loop, &m->mail);
    }
}

enum err deliver_early(struct deliver *d, const struct event *e, uint64_t endpoint,
                       unsigned sequence)
{
    return early_announce(d, e, endpoint, sequence);
}

enum err deliver_ask(struct deliver *d, const struct event *e, struct str url, int64_t timeout_ms,
                     uint64_t asked)
{
    return question_ask(d, e, url, timeout_ms, asked);
}

struct shard_mail {
    struct mail mail;
    struct courier *courier;
    unsigned shard;
    void (*on_left)(void *arg, unsigned shard);
    void *arg;
};

static void on_shard_take(struct mail *m)
{
    struct shard_mail *s = (struct shard_mail *)m;
    shard_begin_take(s->courier, s->shard);
    free(s);
}

static void on_shard_leave(struct mail *m)
{
    struct shard_mail *s = (struct shard_mail *)m;
    shard_begin_leave(s->courier, s->shard, s->on_left, s->arg);
    free(s);
}

enum err deliver_take_shard(struct deliver *d, unsigned shard, unsigned courier)
{
    struct shard_mail *m = malloc(sizeof *m);
    if (!m)
        return ERR_NOMEM;
    *m = (struct shard_mail){{NULL, on_shard_take}, &d->courier[courier], shard, NULL, NULL};
    loop_post_answer(m->courier->loop, &m->mail);
    return OK;
}

enum err deliver_leave_shard(struct deliver *d, unsigned shard,
                             void (*on_left)(void *arg, unsigned shard), void *arg)
{
    unsigned char home = d->home[shard];
    struct shard_mail *m = home ? malloc(sizeof *m) : NULL;
    if (!m)
        return home ? ERR_NOMEM : ERR_NOT_FOUND;
    *m = (struct shard_mail){{NULL, on_shard_leave}, &d->courier[home - 1], shard, on_left, arg};
    loop_post_answer(m->courier->loop, &m->mail);
    return OK;
}

struct nudge_mail {
    struct mail mail;
    struct courier *courier;
    uint64_t endpoint;
};

static void on_nudge(struct mail *m)
{
    struct nudge_mail *n = (struct nudge_mail *)m;
    book_drop(&n->courier->book_before); /* nobody further up: the newest, certainly */
    const struct book *book = courier_book(n->courier);
    struct queue *t = map_get(n->courier->queues, str_of_u64(&n->endpoint));
    if (t && !book_endpoint(book, n->endpoint)) {
        lanes_drop(n->courier, t); /* deleted: the store has ended them */
    } else if (t && queue_look_up(t)) {
        if (t->health.state != HEALTH_HEALTHY)
            t->back_ms = loop_now_ms(n->courier->loop);
        health_reset(&t->health);
        outage_save(t, NULL, 0, 0);
        lanes_all_due(t);
    }
    free(n);
}

void deliver_nudge(struct deliver *d, uint64_t endpoint)
{
    struct courier *c = courier_of(d, endpoint);
    struct nudge_mail *n = c ? malloc(sizeof *n) : NULL;
    if (!n)
        return; /* its timers run on */
    *n = (struct nudge_mail){{NULL, on_nudge}, c, endpoint};
    loop_post_answer(n->courier->loop, &n->mail);
}

struct forget_mail {
    struct mail mail;
    struct courier *courier;
    uint64_t account;
    char number[NUMBER_SIZE];
};

/* Drops held events, but not that of an attempt under way, which is sent. */
static void on_forget(struct mail *m)
{
    struct forget_mail *f = (struct forget_mail *)m;
    struct courier *c = f->courier;
    struct lane *l;
    c->forgotten++;
    for (size_t i = 0; (l = map_next(c->lanes, &i));) {
        struct item *it = l->state == LANE_BUSY ? l->head->next : l->head;
        for (; it; it = it->next)
            if (it->event && it->event->account == f->account &&
                str_eq(it->event->number, str_of(f->number)))
                item_drop_event(c, it);
    }
    free(f);
}

void deliver_forget(struct deliver *d, uint64_t account, struct str number)
{
    for (unsigned k = 0; k < d->n; k++) {
        struct forget_mail *f = malloc(sizeof *f);
        if (!f || str_copy(number, f->number, sizeof f->number) != OK) {
            free(f);
            log_error("deliver", "out of memory: an event of an erased number may still go out");
            continue;
        }
        f->mail.open = on_forget;
        f->courier = &d->courier[k];
        f->account = account;
        loop_post_answer(f->courier->loop, &f->mail);
    }
}

/* ---- couriers ---- */

static enum err courier_open(struct deliver *d, struct courier *c, unsigned i)
{
    char name[24];
    *c = (struct courier){
        .deliver = d, .lanes = map_new(), .queues = map_new(), .tenants = map_new()};
    c->turn_tail = &c->turn;
    c->parked_tail = &c->parked;
    c->load_wait_tail = &c->load_wait;
    c->touched_tail = &c->touched;
    c->knock_tail = &c->knock_line;
    c->early = map_new();
    if (!c->lanes || !c->queues || !c->tenants || !c->early)
        return ERR_NOMEM;
    snprintf(name, sizeof name, "courier%u", i);
    enum err err = loop_new(&c->loop, name, MAILS_MAX);
    if (err != OK)
        return err;
    loop_on_turn_end(c->loop, on_turn_end, c);
    struct http_client_config hc = {.loop = c->loop,
                                    .guard = d->c.guard,
                                    .ca_file = d->c.ca_file,
                                    .dns_servers = d->c.dns_servers};
    return http_client_new(&hc, &c->http);
}

static void couriers_free(struct deliver *d)
{
    for (unsigned i = 0; i < d->n; i++) {
        struct courier *c = &d->courier[i];
        early_free(c);
        attempts_free(c);
        lanes_free(c);
        knocks_free(c);
        queues_free(c);
        tenants_free(c);
        if (c->http)
            questions_free(c);
        http_client_free(c->http);
        loop_free(c->loop);
        book_drop(&c->book_before);
        book_drop(&c->book);
    }
    free(d->courier);
    free(d);
}

enum err deliver_start(const struct deliver_config *c, struct deliver **ret)
{
    struct deliver *d = calloc(1, sizeof *d);
    if (!d || !(d->courier = calloc(c->couriers, sizeof *d->courier))) {
        free(d);
        return ERR_NOMEM;
    }
    d->c = *c;
    d->start_ms = clock_wall_ms() - clock_mono_ms();
    enum err err = OK;
    for (; err == OK && d->n < c->couriers; d->n++)
        err = courier_open(d, &d->courier[d->n], d->n);
    if (err == OK)
        err = shards_take_all(d);
    if (err == OK)
        err = outages_load(d);
    if (err == OK)
        err = load_all(d);
    if (err != OK) {
        couriers_free(d);
        return err;
    }
    age_watch(&d->courier[0]);
    for (unsigned i = 0; err == OK && i < d->n; i++)
        err = loop_start(d->courier[i].loop);
    *ret = d;
    return err;
}

/* ---- stop ---- */

struct stop_wait { /* the main thread waits here for the couriers: the one lock of this file */
    pthread_mutex_t lock;
    pthread_cond_t done;
    unsigned left;
};
struct stop_mail {
    struct mail mail;
    struct courier *courier;
    int64_t wait_ms;
};
static struct stop_wait stop = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static void may_stop(struct courier *c)
{
    if (!c->stopping || c->stopped || c->attempts || c->jobs_out)
        return;
    c->stopped = true;
    timer_stop(&c->give_up);
    pthread_mutex_lock(&stop.lock);
    stop.left--;
    pthread_cond_signal(&stop.done);
    pthread_mutex_unlock(&stop.lock);
}

static void on_give_up(struct timer *t)
{
    attempts_cancel(t->arg);
}

static void on_stop(struct mail *m)
{
    struct stop_mail *s = (struct stop_mail *)m;
    struct courier *c = s->courier;
    c->stopping = true;
    loop_timer(c->loop, &c->give_up, s->wait_ms, on_give_up, c);
    free(s);
}

void deliver_stop(struct deliver *d, int64_t wait_ms)
{
    pthread_mutex_lock(&stop.lock);
    stop.left = d->n;
    pthread_mutex_unlock(&stop.lock);
    for (unsigned i = 0; i < d->n; i++) {
        struct stop_mail *m = malloc(sizeof *m);
        ASSERT(m);
        *m = (struct stop_mail){{NULL, on_stop}, &d->courier[i], wait_ms};
        loop_post_answer(d->courier[i].loop, &m->mail);
    }
    pthread_mutex_lock(&stop.lock);
    while (stop.left)
        pthread_cond_wait(&stop.done, &stop.lock);
    pthread_mutex_unlock(&stop.lock);
    for (unsigned i = 0; i < d->n; i++)
        loop_stop(d->courier[i].loop);
    couriers_free(d);
}
