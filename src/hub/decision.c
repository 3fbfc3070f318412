/* decision: chooses the webhooks to ask, the answer that counts and the next target. Called by
 * sip/call on the edge's thread, and by hub/simulate for simulated calls. It costs one block of
 * memory, and a second one for calls with questions. */
#include "hub/decision.h"

#include <stdlib.h>

enum { ASKED_IN_ALL = ASKED_AHEAD_MAX + 1 + ASKED_TARGETS_MAX };
#define BY_TARGET (1ull << 63) /* in a mark: a question, not an endpoint's number */

struct question {
    uint64_t mark;
    struct str url;   /* in the book; empty: of a question that is not used twice */
    int64_t until_ms; /* mono */
    bool control, answered;
    struct control answer;
};

struct decision {
    const struct book *book;
    const struct book_number *number; /* NULL: it has gone since */
    uint64_t account;
    struct target_walk walk; /* in the book, and `own` */
    struct forward *own;     /* a webhook's answer */
    bool walking;            /* the time for answers to the questions asked ahead is over */
    int last_status;         /* of the target before; 0: none yet */
    enum control_action action;
    unsigned webhooks;      /* webhook targets whose turn came */
    struct question *turn;  /* of the target that the call waits for */
    struct question *first; /* of the first control endpoint that gave a decision */
    size_t n;
    struct question *at; /* ASKED_IN_ALL; NULL: nobody was asked */
};

const struct book_number *decision_called(const struct book *book, struct str e164)
{
    const struct book_number *n = book_number(book, e164);
    return n && n->set->voice ? n : NULL;
}

enum err decision_new(const struct book *book, uint64_t account, struct str e164,
                      struct decision **ret)
{
    struct decision *d = calloc(1, sizeof *d);
    if (!d)
        return ERR_NOMEM;
    d->book = book;
    d->account = account;
    d->number = book_number(book, e164);
    *ret = d;
    return OK;
}

void decision_free(struct decision *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n; i++)
        forward_free(d->at[i].answer.targets);
    free(d->at);
    forward_free(d->own);
    free(d);
}

/* ---- the questions ---- */

static const struct forward *number_forward(const struct decision *d)
{
    return d->number ? d->number->set->forward : NULL;
}

static int64_t question_left_ms(const struct question *q, int64_t now_ms)
{
    return q->answered ? 0 : q->until_ms - now_ms;
}

static struct question *question_of_url(const struct decision *d, struct str url)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->at[i].url.n && str_eq(d->at[i].url, url))
            return &d->at[i];
    return NULL;
}

static struct question *question_add(struct decision *d, uint64_t mark, struct str url,
                                     int64_t until_ms)
{
    if (!d->at && !(d->at = calloc(ASKED_IN_ALL, sizeof *d->at)))
        return NULL;
    if (d->n == ASKED_IN_ALL)
        return NULL;
    struct question *q = &d->at[d->n++];
    *q = (struct question){.mark = mark, .url = url, .until_ms = until_ms};
    return q;
}

static bool webhook_is_target(const struct forward *f, struct str url)
{
    for (size_t i = 0; f && i < f->n; i++)
        if (f->target[i].type == TARGET_WEBHOOK && str_eq(f->target[i].destination, url))
            return true;
    return false;
}

static struct question *question_of_mark(const struct decision *d, uint64_t mark)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->at[i].mark == mark)
            return &d->at[i];
    return NULL;
}

/* Is its delivery of incoming_call a question? Two endpoints of one URL are one target. */
static bool endpoint_may_decide(const struct decision *d, const struct book_endpoint *ep)
{
    struct str url = str_of(ep->set->url);
    if (question_of_mark(d, ep->n))
        return false; /* it was asked when incoming_call was handed in before */
    return ep->set->control ||
           (webhook_is_target(number_forward(d), url) && !question_of_url(d, url));
}

/* The first target, when that is a webhook and no endpoint's delivery asks it. */
static const struct target *first_webhook(const struct decision *d)
{
    const struct forward *f = number_forward(d);
    const struct target *t = f && f->n ? &f->target[0] : NULL;
    return t && t->type == TARGET_WEBHOOK && !question_of_url(d, t->destination) ? t : NULL;
}

static struct question *url_ask(struct decision *d, const struct askers *by,
                                const struct event *incoming, struct str url, bool keep,
                                int64_t now_ms)
{
    uint64_t mark = BY_TARGET | d->n;
    if (!by->ask || by->ask(by->arg, incoming, url, ASKED_URL_TIMEOUT_MS, mark) != OK)
        return NULL;
    return question_add(d, mark, keep ? url : (struct str){0}, now_ms + ASKED_URL_TIMEOUT_MS);
}

void decision_ask_ahead(struct decision *d, const struct askers *by, const struct event *incoming,
                        const struct delivery *to, size_t n, int64_t now_ms)
{
    for (size_t i = 0; by->early && i < n && d->n < ASKED_AHEAD_MAX; i++) {
        const struct book_endpoint *ep = book_endpoint(d->book, to[i].endpoint);
        if (!ep || !endpoint_may_decide(d, ep) ||
            by->early(by->arg, incoming, ep->n, to[i].sequence) != OK)
            continue;
        struct question *q =
            question_add(d, ep->n, str_of(ep->set->url), now_ms + ep->set->control_timeout_ms);
        if (q)
            q->control = ep->set->control;
    }
    const struct target *first = first_webhook(d);
    if (first)
        (void)!url_ask(d, by, incoming, first->destination, true, now_ms);
}

void decision_ask(struct decision *d, const struct askers *by, const struct event *incoming,
                  struct str url, int64_t now_ms)
{
    d->turn = url_ask(d, by, incoming, url, false, now_ms);
}

/* ---- the answers ---- */

void decision_answer(struct decision *d, uint64_t mark, int status, struct str body, int64_t now_ms)
{
    struct question *q = question_of_mark(d, mark);
    if (!q || question_left_ms(q, now_ms) <= 0)
        return;
    q->answered = true;
    control_parse(status, body, &q->answer);
    if (q->control && q->answer.action != CONTROL_DEFAULT && !d->first)
        d->first = q;
}

enum control_action decision_action(const struct decision *d)
{
    return d->action;
}

struct control decision_outcome(const struct decision *d)
{
    struct control c = {.action = d->action, .field = ""};
    for (size_t i = 0; c.action == CONTROL_DEFAULT && !c.why && i < d->n; i++) {
        const struct question *q = &d->at[i];
        c.why = q->answered ? q->answer.why : control_is_late;
        c.field = q->answered ? q->answer.field : "";
    }
    return c;
}

/* The time until the last control endpoint has answered, or is late. */
static int64_t controls_left_ms(const struct decision *d, int64_t now_ms)
{
    int64_t most = 0;
    for (size_t i = 0; i < d->n; i++)
        if (d->at[i].control && question_left_ms(&d->at[i], now_ms) > most)
            most = question_left_ms(&d->at[i], now_ms);
    return most;
}

/* Follows an answer, once. True: the call is rejected. */
static bool answer_follow(struct decision *d, struct question *q, struct decision_step *ret)
{
    struct control answer = q->answer;
    q->answer.targets = NULL;
    q->answer.action = CONTROL_DEFAULT; /* it is followed once */
    if (!q->answered)
        q->answer = (struct control){.why = control_is_late, .field = ""};
    q->answered = true; /* or late: a later answer no longer counts */
    if (answer.action == CONTROL_DEFAULT)
        return false;
    d->action = answer.action;
    if (answer.action == CONTROL_REJECT) {
        ret->reason = end_reason_of_status(answer.sip_status);
        ret->by = ENDED_BY_CALLEE;
        ret->sip_status = answer.sip_status;
        return true;
    }
    target_walk_answer(&d->walk, d->book, d->account, answer.targets);
    forward_free(d->own);
    d->own = answer.targets;
    d->last_status = 0;
    return false;
}

/* ---- the targets ---- */

void decision_failed(struct decision *d, int status)
{
    d->last_status = status;
}

int decision_last_status(const struct decision *d)
{
    return d->last_status;
}

/* A target's trouble is not the gateway's: its 5xx, and statuses that the caller can do nothing
 * about, become 500, its "unknown" becomes 480. */
int decision_status_for_caller(int status)
{
    switch (end_reason_of_status(status)) {
    case END_BUSY: return 486;
    case END_NO_ANSWER: return 480;
    case END_REJECTED: return status;
    default: break;
    }
    switch (status) {
    case 413:
    case 415:
    case 420:
    case 421:
    case 422:
    case 428:
    case 436:
    case 437:
    case 438:
    case 484:
    case 488:
    case 580:
    case 606:                /* about what the caller said, offered or asked for */
    case 482: return status; /* a loop through the daemon: each of its turns gets this */
    case 404:
    case 410:
    case 604: return 480;
    default: return status >= 300 && status < 400 ? 480 : 500;
    }
}

void decision_end(const struct decision *d, struct decision_step *ret)
{
    int last = d->last_status;
    bool ours = !last || last == 408 || last == 482 || last == 503 || last == 500;
    ret->reason = last ? end_reason_of_status(last) : END_FAILED;
    ret->by = ours ? ENDED_BY_SYSTEM : ENDED_BY_CALLEE;
    ret->sip_status = last ? decision_status_for_caller(last) : 480;
}

static enum decision_kind decision_no_way(struct decision *d, struct decision_step *ret,
                                          const char *detail)
{
    d->last_status = 500;
    ret->detail = detail;
    return DECISION_NO_WAY;
}

static enum decision_kind decision_next_target(struct decision *d, struct decision_step *ret)
{
    switch (target_walk_next(&d->walk, d->last_status, &ret->target)) {
    case WALK_LIMIT: ret->detail = "a call looks at 64 targets"; break;
    case WALK_EXHAUSTED: break;
    case WALK_NUMBER_FAILED: return decision_no_way(d, ret, "no number of this account, or a loop");
    case WALK_TARGET:
        switch (ret->target->type) {
        case TARGET_SIP:
        case TARGET_DIRECT_IP: return DECISION_TARGET;
        case TARGET_WEBHOOK:
            if (d->webhooks++ < ASKED_TARGETS_MAX) {
                d->turn = question_of_url(d, ret->target->destination);
                ret->must_ask = !d->turn;
            }
            return DECISION_WEBHOOK;
        default: return decision_no_way(d, ret, NULL);
        }
    }
    decision_end(d, ret);
    return DECISION_END;
}

enum decision_kind decision_next(struct decision *d, int64_t now_ms, struct decision_step *ret)
{
    struct question *q = d->turn;
    *ret = (struct decision_step){0};
    if (q) {
        ret->wait_ms = question_left_ms(q, now_ms);
    } else if (!d->walking) {
        q = d->first;
        ret->wait_ms = q ? 0 : controls_left_ms(d, now_ms);
    }
    if (ret->wait_ms > 0)
        return DECISION_WAIT;
    ret->wait_ms = 0;
    d->turn = NULL;
    if (!d->walking && d->number)
        target_walk_start(&d->walk, d->book, d->number);
    d->walking = true;
    if (q && answer_follow(d, q, ret))
        return DECISION_END;
    return decision_next_target(d, ret);
}

bool decision_asks(const struct decision *d, const struct delivery *to, size_t n)
{
    const struct target *t;
    struct target_walk w;
    int last_status = 0;
    for (size_t i = 0; i < n; i++) {
        const struct book_endpoint *ep = book_endpoint(d->book, to[i].endpoint);
        if (ep && endpoint_may_decide(d, ep))
            return true;
    }
    if (!d->number)
        return false;
    target_walk_start(&w, d->book, d->number);
    for (;;)
        switch (target_walk_next(&w, last_status, &t)) {
        case WALK_TARGET:
            if (t->type == TARGET_WEBHOOK)
                return true;
            if (t->type == TARGET_SIP || t->type == TARGET_DIRECT_IP)
                return false;
            last_status = 500;
            break;
        case WALK_NUMBER_FAILED: last_status = 500; break;
        default: return false;
        }
}
