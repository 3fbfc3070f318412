/* control: a call whose way a webhook's answer may decide (CONTRACT §4). Asked are, at once
 * and while incoming_call is on its way to the disk: the control endpoints that get it, the
 * endpoints that are a target of the number by their URL (their delivery is the question), and a
 * webhook that is the first target; other webhooks when their turn comes. Nothing is done with an
 * answer before the commit, and nothing after the asked one's own time. Edge's thread.
 *
 *     ask ahead ─┬─ commit ◆ ─→ decide: the first control endpoint that says forward or reject
 * wins; └─ answers       all said something else, or are late: the number's own targets */
#include <stdlib.h>
#include <string.h>

#include "model/control.h"
#include "sip/call/route.h"

enum {
    ASK_TIMEOUT_MS = 3000, /* of a URL that is no endpoint */
    ANSWER_BYTES_MAX = 8192,
    AHEAD_MAX = 8, /* endpoints of one call; further ones get their deliveries, and are not asked */
    ASKED_IN_ALL = AHEAD_MAX + 1 + ASKED_MAX,
};
#define BY_TARGET (1ull << 63) /* in a mark: a question, not an endpoint's number */

struct asked {
    uint64_t mark;
    struct str url;   /* in the call's book; empty: of a question that is not used twice */
    int64_t until_ms; /* mono */
    bool control, answered;
    struct control answer;
};

struct decision {
    struct asked *turn;  /* the target that the call waits for */
    struct asked *first; /* the first control endpoint that said where to */
    size_t n;
    struct asked at[ASKED_IN_ALL];
};

static int64_t left_ms(const struct call *c, const struct asked *a)
{
    return a->answered ? 0 : a->until_ms - loop_now_ms(c->edge->c.loop);
}

static struct asked *asked_add(struct call *c, uint64_t mark, struct str url, int64_t timeout_ms)
{
    struct decision *d = c->decision;
    if (!d && !(d = c->decision = calloc(1, sizeof *d)))
        return NULL;
    if (d->n == ASKED_IN_ALL)
        return NULL;
    struct asked *a = &d->at[d->n++];
    *a = (struct asked){
        .mark = mark, .url = url, .until_ms = loop_now_ms(c->edge->c.loop) + timeout_ms};
    return a;
}

static struct asked *asked_of_url(const struct call *c, struct str url)
{
    for (size_t i = 0; c->decision && i < c->decision->n; i++)
        if (c->decision->at[i].url.n && str_eq(c->decision->at[i].url, url))
            return &c->decision->at[i];
    return NULL;
}

void call_control_leave(struct call *c)
{
    if (!c->decision || !c->decision->turn)
        return;
    c->decision->turn->answered = true; /* what still comes counts no longer */
    c->decision->turn = NULL;
}

void call_control_drop(struct call *c)
{
    for (size_t i = 0; c->decision && i < c->decision->n; i++)
        forward_free(c->decision->at[i].answer.targets);
    free(c->decision);
    c->decision = NULL;
}

/* ---- the questions ---- */

static bool is_target(const struct forward *f, struct str url)
{
    for (size_t i = 0; f && i < f->n; i++)
        if (f->target[i].type == TARGET_WEBHOOK && str_eq(f->target[i].destination, url))
            return true;
    return false;
}

static void ask_endpoint(struct call *c, const struct event *event, const struct book_endpoint *ep,
                         unsigned sequence)
{
    struct sip_edge *e = c->edge;
    if (e->c.early(e->c.ask_arg, event, ep->n, sequence) != OK)
        return;
    struct asked *a = asked_add(c, ep->n, str_of(ep->set->url), ep->set->control_timeout_ms);
    if (a)
        a->control = ep->set->control;
}

static struct asked *ask_url(struct call *c, const struct event *event, struct str url, bool keep)
{
    struct sip_edge *e = c->edge;
    uint64_t mark = BY_TARGET | (c->decision ? c->decision->n : 0);
    if (!e->c.ask || e->c.ask(e->c.ask_arg, event, url, ASK_TIMEOUT_MS, mark) != OK)
        return NULL;
    return asked_add(c, mark, keep ? url : (struct str){0}, ASK_TIMEOUT_MS);
}

void call_ask_ahead(struct call *c, const struct event *event, const struct taking *t)
{
    size_t n;
    const struct delivery *d = taking_deliveries(t, &n);
    const struct book_number *number = book_number(c->book, str_of(c->number));
    const struct forward *f = number ? number->set->forward : NULL;
    for (size_t i = 0; c->edge->c.early && i < n; i++) {
        const struct book_endpoint *ep = book_endpoint(c->book, d[i].endpoint);
        struct str url = str_of(ep ? ep->set->url : NULL);
        bool by_target = ep && is_target(f, url) && !asked_of_url(c, url);
        if (ep && (ep->set->control || by_target) && (!c->decision || c->decision->n < AHEAD_MAX))
            ask_endpoint(c, event, ep, d[i].sequence);
    }
    const struct target *first = f && f->n ? &f->target[0] : NULL;
    if (first && first->type == TARGET_WEBHOOK && !asked_of_url(c, first->destination))
        (void)!ask_url(c, event, first->destination, true);
}

/* ---- the answers ---- */

enum followed {
    FOLLOWED_NOTHING, /* it says nothing that leads anywhere */
    FOLLOWED_TARGETS, /* they are the call's now: the next target is due */
    FOLLOWED_END,     /* the call ended */
};

/* Does what it says, once. */
static enum followed follow(struct call *c, struct asked *a)
{
    struct control answer = a->answer;
    a->answer = (struct control){.action = CONTROL_DEFAULT};
    a->answered = true; /* or late: what still comes counts no longer */
    timer_stop(&c->invite_timer);
    if (answer.action == CONTROL_FORWARD)
        return call_route_to(c, &answer.targets) ? FOLLOWED_TARGETS : FOLLOWED_END;
    if (answer.action == CONTROL_DEFAULT)
        return FOLLOWED_NOTHING;
    call_reject(c, answer.sip_status);
    return FOLLOWED_END;
}

static void on_too_late(struct timer *t);

static void wait(struct call *c, int64_t in_ms)
{
    if (c->state != CALL_DECIDING)
        call_set_state(c, CALL_DECIDING);
    loop_timer(c->edge->c.loop, &c->invite_timer, in_ms, on_too_late, c);
}

void call_decide(struct call *c)
{
    struct decision *d = c->decision;
    int64_t most = 0;
    for (size_t i = 0; d && i < d->n; i++)
        if (d->at[i].control && left_ms(c, &d->at[i]) > most)
            most = left_ms(c, &d->at[i]);
    if (d && d->first) {
        if (follow(c, d->first) == FOLLOWED_TARGETS)
            call_next_target(c);
    } else if (most > 0) {
        wait(c, most);
    } else {
        timer_stop(&c->invite_timer);
        call_route(c);
    }
}

static void turn_over(struct call *c)
{
    struct asked *a = c->decision->turn;
    c->decision->turn = NULL;
    if (follow(c, a) == FOLLOWED_END)
        return;
    if (c->state != CALL_ROUTING)
        call_set_state(c, CALL_ROUTING);
    call_next_target(c);
}

static void on_too_late(struct timer *t)
{
    struct call *c = t->arg;
    if (c->decision->turn)
        turn_over(c);
    else
        call_decide(c);
}

bool call_ask(struct call *c, struct str url)
{
    struct asked *a = asked_of_url(c, url);
    struct event *made = NULL;
    if (!a) {
        if (call_event(c, EVENT_INCOMING_CALL, &made) != OK)
            return false;
        const struct event *event = made;
        a = ask_url(c, event, url, false);
        event_drop(&event);
    }
    if (!a)
        return false;
    if (left_ms(c, a) <= 0)
        return follow(c, a) == FOLLOWED_END;
    c->decision->turn = a;
    wait(c, left_ms(c, a));
    return true;
}

static void on_answer(struct call *c, uint64_t mark, int status, struct str body)
{
    struct decision *d = c->decision;
    struct asked *a = NULL;
    for (size_t i = 0; d && i < d->n; i++)
        if (d->at[i].mark == mark)
            a = &d->at[i];
    if (!a || left_ms(c, a) <= 0)
        return;
    a->answered = true;
    control_parse(status, body, &a->answer);
    if (a->control && a->answer.action != CONTROL_DEFAULT && !d->first)
        d->first = a;
    if (c->state != CALL_DECIDING)
        return; /* kept until it is asked for */
    if (d->turn == a)
        turn_over(c);
    else if (!d->turn)
        call_decide(c);
}

struct control_mail {
    struct mail mail;
    struct sip_edge *edge;
    uint64_t asked;
    int status;
    char call_id[ID_SIZE];
    size_t n;
    char body[];
};

static void on_control(struct mail *m)
{
    struct control_mail *k = (struct control_mail *)m;
    struct call *c = map_get(k->edge->by_call_id, str_of(k->call_id));
    if (c)
        on_answer(c, k->asked, k->status, str_of_bytes(k->body, k->n));
    free(k);
}

void call_post_control(struct sip_edge *e, struct str call_id, uint64_t asked, int status,
                       struct str body)
{
    body = str_slice(body, 0, ANSWER_BYTES_MAX);
    struct control_mail *k = malloc(sizeof *k + body.n);
    if (!k)
        return; /* the call's own time limit decides */
    k->mail.open = on_control;
    k->edge = e;
    k->asked = asked;
    k->status = status;
    k->n = body.n;
    if (body.n)
        memcpy(k->body, body.p, body.n);
    if (str_copy(call_id, k->call_id, sizeof k->call_id) == OK)
        loop_post_answer(e->c.loop, &k->mail);
    else
        free(k);
}
