/* outbox: the events of a call that wait for the store, one after another: the next is handed in
 * only when the one before is durable, so that a store in trouble can make no gaps in `sequence`.
 * Each event names what waits for it (`then`). A call that has nothing to say has no outbox.
 * Edge's thread. */
#include <stdlib.h>

#include "base/log.h"
#include "base/metrics.h"
#include "sip/call/session.h"

/* Of the events that a call has at the most: call_answered and call_ended. */
enum { EVENTS_KEPT_FREE = 2 };

struct waiting { /* for its turn to be stored */
    struct waiting *next;
    const struct event *event;
    call_then *then; /* NULL: nothing waits for it */
};

enum outbox_state {
    OUTBOX_IDLE,      /* nothing is on its way */
    OUTBOX_HANDED_IN, /* the first is on its way to the store */
    OUTBOX_LATER,     /* the first is handed in again later */
};

struct outbox {
    struct waiting *first, *last;
    enum outbox_state state;
    unsigned inside;         /* functions of this file that are under way: it is not freed */
    bool unsure;             /* the first may be stored: nobody knows */
    struct admission *again; /* then what is handed in again; NULL while it is handed in */
    int64_t since_ms;        /* when the first was the next to be stored, mono */
    struct timer timer;      /* LATER */
};

static void submit(struct call *c);

static bool has(const struct call *c, enum event_kind kind)
{
    return c->outbox->first->event->kind == kind;
}

static struct outbox *enter(struct call *c)
{
    if (!c->outbox && !(c->outbox = calloc(1, sizeof *c->outbox)))
        return NULL;
    c->outbox->inside++;
    return c->outbox;
}

static void pop(struct outbox *o)
{
    struct waiting *w = o->first;
    o->first = w->next;
    if (!o->first)
        o->last = NULL;
    event_drop(&w->event);
    free(w);
}

void outbox_free(struct call *c)
{
    struct outbox *o = c->outbox;
    c->outbox = NULL;
    if (!o)
        return;
    timer_stop(&o->timer);
    admission_free(o->again);
    while (o->first)
        pop(o);
    free(o);
}

bool outbox_is_handed_in(const struct call *c)
{
    return c->outbox && c->outbox->state == OUTBOX_HANDED_IN;
}

bool outbox_is_empty(const struct call *c)
{
    return !c->outbox || !c->outbox->first;
}

static void leave(struct call *c)
{
    if (--c->outbox->inside == 0 && outbox_is_empty(c) && c->outbox->state == OUTBOX_IDLE)
        outbox_free(c);
}

static void tell(struct call *c, call_then *then, enum err err)
{
    if (then)
        then(c, err);
}

static void on_retry(struct timer *timer)
{
    struct call *c = timer->arg;
    enter(c)->state = OUTBOX_IDLE;
    submit(c);
    leave(c);
}

/* Not now: tried again. The people on the line wait no longer than a while; the events are tried
 * on. */
static void store_later(struct call *c, enum err err)
{
    struct outbox *o = c->outbox;
    struct loop *loop = c->core->c.loop;
    log_sparse(LOG_WARN, 5000, "sip", "%s: %s is not stored yet: %s", c->call_id,
               event_kind_name(o->first->event->kind), err_text(err));
    o->state = OUTBOX_LATER;
    loop_timer(loop, &o->timer, STORE_RETRY_MS, on_retry, c);
    if (loop_now_ms(loop) - o->since_ms >= STORE_PATIENCE_MS)
        for (const struct waiting *w = o->first; w; w = w->next)
            tell(c, w->then, OK);
}

/* It is stored, or never will be: the next one's time begins. */
static call_then *first_is_through(struct call *c)
{
    struct outbox *o = c->outbox;
    call_then *then = o->first->then;
    pop(o);
    o->since_ms = loop_now_ms(c->core->c.loop);
    return then;
}

/* Never: the call goes on without it. */
static void store_never(struct call *c, enum err err)
{
    log_error("sip", "%s: %s is lost: %s", c->call_id,
              event_kind_name(c->outbox->first->event->kind), err_text(err));
    metric_add(METRIC_EVENTS_LOST, 1);
    tell(c, first_is_through(c), OK);
}

static void on_store_failed(struct call *c, enum err err)
{
    const struct outbox *o = c->outbox;
    bool incoming = has(c, EVENT_INCOMING_CALL);
    if (o->unsure) {
        if (incoming)
            tell(c, o->first->then, ERR_STORE_UNSURE);
        store_later(c, err);
        return;
    }
    if (incoming) /* mostly the call was never accepted, and leaves no trace */
        tell(c, o->first->then, err);
    if (c->state == CALL_OVER)
        return;
    if (err_is_final(err))
        store_never(c, err);
    else
        store_later(c, err);
}

/* True when it is nobody's any more: *a is kept, and handed in again as it is. What is there already
 * is told then, once. */
static bool keep_unsure(struct outbox *o, struct admission **a, enum err err)
{
    o->unsure = err == ERR_STORE_UNSURE || (err != OK && !err_is_final(err) && o->unsure);
    if (!o->unsure)
        return false;
    o->again = *a;
    *a = NULL;
    return true;
}

static enum err push(struct call *c, const struct call_news *n);

/* Its incoming_call was there before. True: it is another call all the same, and says so anew. */
static bool say_anew(struct call *c, struct admission *a)
{
    call_then *then = c->outbox->first->then;
    if (!c->calls->begin_again(c))
        return false;
    admission_withdraw(a, call_sequences(c));
    pop(c->outbox);
    enum err err = push(c, &(struct call_news){.kind = EVENT_INCOMING_CALL, .then = then});
    if (err != OK)
        tell(c, then, err);
    return true;
}

static void take_answer(struct call *c, struct admission **a, enum err err, bool duplicate)
{
    bool incoming = has(c, EVENT_INCOMING_CALL);
    c->outbox->state = OUTBOX_IDLE;
    if (keep_unsure(c->outbox, a, err)) {
        on_store_failed(c, err);
        return;
    }
    if (err == OK && duplicate && incoming) {
        if (say_anew(c, *a))
            return;
        err = ERR_EXISTS; /* a repeat of a call that has ended since */
    }
    if (err != OK) {
        session_not_stored(c, c->outbox->first->event);
        admission_withdraw(*a, call_sequences(c));
        on_store_failed(c, err);
        if (!incoming && err_is_final(err))
            submit(c);
        return;
    }
    session_stored(c, c->outbox->first->event);
    call_then *then = first_is_through(c);
    submit(c);
    tell(c, then, OK);
}

static void on_taken(void *arg, uint64_t token, struct admission **a, enum err err, bool duplicate)
{
    struct calls *calls = arg;
    struct call *c = pool_at(calls->pool, token);
    ASSERT(c && outbox_is_handed_in(c) && !outbox_is_empty(c));
    enter(c);
    take_answer(c, a, err, duplicate);
    leave(c);
}

/* Hands in the first that waits. */
static enum err hand_in(struct call *c)
{
    struct sip_core *core = c->core;
    struct outbox *o = c->outbox;
    struct admission *a = o->again;
    enum err err = a ? OK : call_admission(c, o->first->event, &a);
    if (err == OK && !o->again && has(c, EVENT_INCOMING_CALL))
        c->calls->announce(c, o->first->event, a);
    if (err == OK)
        err =
            intake_one(core->c.intake, &a, loop_mailbox(core->c.loop), on_taken, c->calls, c->self);
    if (err == OK)
        o->state = OUTBOX_HANDED_IN;
    if (o->again) {
        o->again = a;
        return err;
    }
    admission_withdraw(a, call_sequences(c));
    admission_free(a);
    return err;
}

static void submit(struct call *c)
{
    enum err err = ERR_BUG;
    const struct outbox *o = c->outbox;
    while (err_is_final(err) && c->state != CALL_OVER && o->state == OUTBOX_IDLE && o->first)
        if ((err = hand_in(c)) != OK)
            on_store_failed(c, err);
}

/* Is there room for an event that need not be told? */
static bool has_room(const struct call *c, enum event_kind kind)
{
    return kind == EVENT_INCOMING_CALL || kind == EVENT_CALL_ANSWERED || kind == EVENT_CALL_ENDED ||
           c->n_events < CALL_EVENTS_MAX - EVENTS_KEPT_FREE;
}

static enum err push(struct call *c, const struct call_news *n)
{
    struct event *event = NULL;
    struct waiting *w = calloc(1, sizeof *w);
    struct outbox *o = w ? enter(c) : NULL;
    enum err err = o ? call_event(c, n, &event) : ERR_NOMEM;
    if (err != OK) {
        free(w);
        if (o)
            leave(c);
        return err;
    }
    w->event = event;
    w->then = n->then;
    if (!o->first)
        o->since_ms = loop_now_ms(c->core->c.loop);
    *(o->first ? &o->last->next : &o->first) = w;
    o->last = w;
    submit(c);
    leave(c);
    return OK;
}

bool call_store(struct call *c, const struct call_news *n)
{
    if (!has_room(c, n->kind))
        return false;
    c->n_events++;
    enum err err = push(c, n);
    if (err != OK && n->kind == EVENT_INCOMING_CALL)
        tell(c, n->then, err);
    else if (err != OK)
        memory_gone("sip"); /* an event fits always; without memory there is no call_ended */
    return true;
}
