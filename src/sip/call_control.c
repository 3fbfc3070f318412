/* call_control: a call waits for a webhook's answer, within its time: the answer of a control
 * endpoint to its incoming_call (the delivery itself, which deliver/ tells us of), or of a target
 * of type webhook, which is asked when its turn comes. Edge's thread. */
#include "sip/call_control.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sip/route.h"

enum { ASK_TIMEOUT_MS = 3000, ANSWER_BYTES_MAX = 8192 };

static void apply(struct call *c, int status, struct str body)
{
    struct control answer;
    bool asked_by_target = c->route != NULL;
    timer_stop(&c->invite_timer);
    control_parse(status, body, &answer);
    if (answer.action == CONTROL_FORWARD) {
        call_route_to(c, &answer.targets);
    } else if (answer.action == CONTROL_REJECT) {
        call_reject(c, answer.sip_status);
    } else if (asked_by_target) {
        call_set_state(c, CALL_ROUTING);
        call_next_target(c);
    } else {
        call_route(c);
    }
}

static void on_too_late(struct timer *t)
{
    apply(t->arg, 0, (struct str){0});
}

static void wait(struct call *c, int64_t timeout_ms)
{
    call_set_state(c, CALL_DECIDING);
    loop_timer(c->edge->c.loop, &c->invite_timer, timeout_ms, on_too_late, c);
}

/* The longest time that a control endpoint of this number may take; 0: there is none. */
static int64_t control_timeout_ms(struct call *c)
{
    size_t n;
    int64_t most = 0;
    const struct book_endpoint *const *all = book_endpoints(c->book, c->account, &n);
    for (size_t i = 0; i < n; i++) {
        const struct endpoint *e = all[i]->set;
        bool mine = !e->numbers;
        for (size_t k = 0; k < e->n_numbers; k++)
            mine |= !strcmp(e->numbers[k], c->number);
        if (e->control && mine && !e->disabled && (e->events & EVENT_BIT(EVENT_INCOMING_CALL)) &&
            e->control_timeout_ms > most)
            most = e->control_timeout_ms;
    }
    return most;
}

void call_decide(struct call *c)
{
    if (!c->book)
        c->book = book_take(c->edge->c.books);
    int64_t most = control_timeout_ms(c);
    int64_t left = most - (clock_wall_ms() - c->started_at_ms);
    if (left <= 0) {
        call_route(c);
        return;
    }
    wait(c, left);
    if (c->control) { /* it was faster than our own commit's answer */
        char *text = c->control;
        c->control = NULL;
        apply(c, 200, str_of(text));
        free(text);
    }
}

bool call_ask(struct call *c, struct str url)
{
    struct sip_edge *e = c->edge;
    struct event *made = NULL;
    if (!e->c.ask || call_event(c, EVENT_INCOMING_CALL, &made) != OK)
        return false;
    const struct event *event = made;
    enum err err = e->c.ask(e->c.ask_arg, event, url, ASK_TIMEOUT_MS);
    event_drop(&event);
    if (err == OK)
        wait(c, ASK_TIMEOUT_MS);
    return err == OK;
}

struct control_mail {
    struct mail mail;
    struct sip_edge *edge;
    int status;
    char call_id[ID_SIZE];
    size_t n;
    char body[];
};

static void on_control(struct mail *m)
{
    struct control_mail *k = (struct control_mail *)m;
    struct call *c = map_get(k->edge->by_call_id, str_of(k->call_id));
    struct str body = str_of_bytes(k->body, k->n);
    if (c && c->state == CALL_DECIDING) {
        apply(c, k->status, body);
    } else if (c && c->state == CALL_TAKING && !c->control) {
        c->control = str_dup(k->status >= 200 && k->status < 300 ? body : STR(""));
    }
    free(k);
}

void sip_edge_control(struct sip_edge *e, struct str call_id, int status, struct str body)
{
    body = str_slice(body, 0, ANSWER_BYTES_MAX);
    struct control_mail *k = malloc(sizeof *k + body.n);
    if (!k)
        return; /* the call's own time limit decides */
    k->mail.open = on_control;
    k->edge = e;
    k->status = status;
    k->n = body.n;
    if (body.n)
        memcpy(k->body, body.p, body.n);
    if (str_copy(call_id, k->call_id, sizeof k->call_id) == OK)
        loop_post_answer(e->c.loop, &k->mail);
    else
        free(k);
}
