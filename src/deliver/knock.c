/* knock: most outages are a receiver's own restart. While an endpoint's connections fail and
 * something waits for it, a TCP connect every two seconds sees when it is back, and the next attempt
 * goes at once; behind ten minutes it is one every 15 s. All endpoints of the courier share the
 * pace: they stand in one line, out of which a knock leaves every 5 ms at the most. Thread of the
 * courier.
 *
 * A knock that opens is not believed for ever: where the attempt behind it fails to connect all the
 * same (TLS that hangs, a proxy), the next knock comes after twice the wait, to 15 minutes. */
#include "deliver/knock.h"

#include "deliver/tenant.h"

enum {
    OFTEN_MS = 2000,
    OFTEN_FOR_MS = 600000,
    SELDOM_MS = 15000,
    VAIN_WAIT_MAX_MS = 900000,
    VAIN_MAX = 9,
    AT_ONCE = 64, /* knocks of a courier under way */
    APART_MS = 5, /* the starts of two of them */
    GIVE_UP_MS = 3000
};

static int64_t wait_ms(const struct knock *k, int64_t now_ms)
{
    int64_t wait = now_ms - k->since_ms < OFTEN_FOR_MS ? OFTEN_MS : SELDOM_MS;
    wait <<= k->vain;
    return wait < VAIN_WAIT_MAX_MS ? wait : VAIN_WAIT_MAX_MS;
}

static bool is_wanted(struct queue *t)
{
    return t->pending && !t->disabled && t->shard->state == SHARD_HERE && !t->courier->stopping &&
           book_endpoint(courier_book(t->courier), t->endpoint);
}

static void line_leave(struct queue *t)
{
    struct courier *c = t->courier;
    struct queue **at = &c->knock_line;
    if (!t->knock.in_line)
        return;
    while (*at != t)
        at = &(*at)->knock.next;
    *at = t->knock.next;
    if (!*at)
        c->knock_tail = at;
    t->knock.in_line = false;
}

static void line_go(struct courier *c);

static void line_enter(struct queue *t)
{
    struct courier *c = t->courier;
    t->knock.in_line = true;
    t->knock.next = NULL;
    *c->knock_tail = t;
    c->knock_tail = &t->knock.next;
    line_go(c);
}

static void on_knock_due(struct timer *timer)
{
    struct queue *t = timer->arg;
    if (is_wanted(t))
        line_enter(t);
    else
        knock_stop(t);
}

static void knock_later(struct queue *t)
{
    struct loop *loop = t->courier->loop;
    loop_timer(loop, &t->knock.timer, wait_ms(&t->knock, loop_now_ms(loop)), on_knock_due, t);
}

/* Lets one waiting delivery go: its attempt will tell. */
static void knock_opened(struct queue *t)
{
    t->knock.opened = true;
    health_probe_now(&t->health, loop_now_ms(t->courier->loop));
    timer_stop(&t->wake);
    t->woken = true;
    queue_turn(t);
    queue_touch(t);
}

static bool is_shut(enum err err)
{
    return err == ERR_UNREACHABLE || err == ERR_DNS || err == ERR_TIMEOUT;
}

static bool has_second(struct queue *t)
{
    const struct book_endpoint *ep = book_endpoint(courier_book(t->courier), t->endpoint);
    return ep && *ep->set->fallback_url;
}

static void on_knocked(void *arg, const struct http_result *r)
{
    struct queue *t = arg;
    struct knock *k = &t->knock;
    struct courier *c = t->courier;
    bool second = k->second;
    k->exchange = NULL;
    c->knocks--;
    k->second = is_shut(r->err) && !second && has_second(t);
    if (k->second) {
        line_enter(t);
    } else if (is_shut(r->err)) {
        k->shut = true;
        knock_later(t);
    } else if (r->err == ERR_BLOCKED || r->err == ERR_FULL || r->err == ERR_NOMEM) {
        knock_later(t); /* we did not ask it */
    } else {
        knock_opened(t);
    }
    line_go(c);
}

static void knock_now(struct queue *t)
{
    struct courier *c = t->courier;
    const struct book_endpoint *ep = book_endpoint(courier_book(c), t->endpoint);
    struct url url;
    enum err err = ep ? OK : ERR_NOT_FOUND;
    if (err == OK)
        err = url_parse(str_of(t->knock.second ? ep->set->fallback_url : ep->set->url), &url, NULL);
    if (err == OK)
        err = http_client_knock(c->http, &url, GIVE_UP_MS, on_knocked, t, &t->knock.exchange);
    if (err == OK)
        c->knocks++;
    else
        knock_later(t);
}

static void on_pace(struct timer *timer)
{
    line_go(timer->arg);
}

static void line_go(struct courier *c)
{
    int64_t now = loop_now_ms(c->loop);
    while (c->knock_line && c->knocks < AT_ONCE && now >= c->knock_next_ms) {
        struct queue *t = c->knock_line;
        line_leave(t);
        c->knock_next_ms = now + APART_MS;
        knock_now(t);
    }
    if (c->knock_line && c->knocks < AT_ONCE && !timer_is_set(&c->knock_pace))
        loop_timer(c->loop, &c->knock_pace, c->knock_next_ms - now, on_pace, c);
}

void knock_learn(struct queue *t, bool unreached)
{
    struct knock *k = &t->knock;
    if (!unreached) {
        knock_stop(t);
        return;
    }
    if (!k->on)
        *k = (struct knock){.on = true, .since_ms = loop_now_ms(t->courier->loop)};
    if (k->opened && k->vain < VAIN_MAX)
        k->vain++;
    k->opened = false;
    if (!k->in_line && !k->exchange && !timer_is_set(&k->timer))
        knock_later(t);
}

bool knock_found_shut(const struct queue *t)
{
    return t->knock.on && t->knock.shut;
}

void knock_stop(struct queue *t)
{
    struct knock *k = &t->knock;
    if (!k->on)
        return;
    line_leave(t);
    timer_stop(&k->timer);
    t->courier->knocks -= k->exchange != NULL;
    http_cancel(k->exchange);
    *k = (struct knock){0};
}

void knocks_free(struct courier *c)
{
    struct queue *t;
    for (size_t i = 0; c->queues && (t = map_next(c->queues, &i));)
        knock_stop(t);
    timer_stop(&c->knock_pace);
}
