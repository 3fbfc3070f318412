/* simulations: lets simulated calls wait for the webhooks that may decide about them
 * (hub/decision.h). On the loop's thread, but for simulations_run and simulations_control. */
#include "hub/simulations.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"

enum { ANSWER_BYTES_MAX = 8192, WAITING_MAX = 4096 };

struct simulations {
    struct simulations_config c;
    struct map *waiting; /* by call_id */
};

struct simulation_wait {
    struct mail mail;
    struct simulations *all;
    struct simulated_call *call;
    struct admission *incoming;
    const struct event *event; /* the same: questions that come later carry it */
    simulation_done *done;
    void *arg;
    struct timer late;
    bool stored;
};

enum err simulations_new(const struct simulations_config *c, struct simulations **ret)
{
    struct simulations *s = calloc(1, sizeof *s);
    if (!s || !(s->waiting = map_new())) {
        free(s);
        return ERR_NOMEM;
    }
    s->c = *c;
    *ret = s;
    return OK;
}

void simulations_free(struct simulations *s)
{
    if (!s)
        return;
    map_free(s->waiting);
    free(s);
}

bool simulation_asks(struct simulated_call *call, const struct admission *incoming)
{
    size_t n;
    const struct delivery *to = admission_deliveries(incoming, &n);
    return decision_asks(simulated_decision(call), to, n);
}

/* ---- the decision ---- */

static void wait_end(struct simulation_wait *w, enum err err)
{
    map_remove(w->all->waiting, simulated_id(w->call));
    timer_stop(&w->late);
    const struct control outcome = decision_outcome(simulated_decision(w->call));
    w->done(w->arg, err, &outcome);
    event_drop(&w->event);
    admission_free(w->incoming);
    free(w);
}

static void wait_on_late(struct timer *t);

static void wait_decide(struct simulation_wait *w)
{
    const struct simulations_config *c = &w->all->c;
    int64_t wait_ms = simulated_decide(w->call, &c->askers, w->event, loop_now_ms(c->loop));
    if (wait_ms > 0)
        loop_timer(c->loop, &w->late, wait_ms, wait_on_late, w);
    else
        wait_end(w, OK);
}

static void wait_on_late(struct timer *t)
{
    wait_decide(t->arg);
}

static void wait_on_stored(void *arg, uint64_t token, struct admission **t, enum err err,
                           bool duplicate)
{
    struct simulation_wait *w = arg;
    w->stored = true;
    if (err != OK)
        wait_end(w, err);
    else
        wait_decide(w);
}

static void wait_on_run(struct mail *m)
{
    struct simulation_wait *w = (struct simulation_wait *)m;
    struct simulations *s = w->all;
    size_t n;
    const struct delivery *to = admission_deliveries(w->incoming, &n);
    enum err err = map_count(s->waiting) < WAITING_MAX
                       ? map_put(s->waiting, simulated_id(w->call), w, NULL)
                       : ERR_FULL;
    if (err == OK) {
        decision_ask_ahead(simulated_decision(w->call), &s->c.askers, w->event, to, n,
                           loop_now_ms(s->c.loop));
        err = intake_one(s->c.intake, &w->incoming, loop_mailbox(s->c.loop), wait_on_stored, w, 0);
    }
    if (err != OK)
        wait_end(w, err);
}

enum err simulations_run(struct simulations *s, struct simulated_call *call,
                         struct admission **incoming, simulation_done *done, void *arg)
{
    struct simulation_wait *w = calloc(1, sizeof *w);
    if (!w)
        return ERR_NOMEM;
    *w = (struct simulation_wait){.mail.open = wait_on_run,
                                  .all = s,
                                  .call = call,
                                  .incoming = *incoming,
                                  .event = event_hold(admission_event(*incoming)),
                                  .done = done,
                                  .arg = arg};
    enum err err = loop_post(s->c.loop, &w->mail);
    if (err == OK) {
        *incoming = NULL;
    } else {
        event_drop(&w->event);
        free(w);
    }
    return err;
}

/* ---- the answers ---- */

struct control_mail {
    struct mail mail;
    struct simulations *all;
    uint64_t asked;
    int status;
    char call_id[ID_SIZE];
    size_t n;
    char body[];
};

static void control_on_mail(struct mail *m)
{
    struct control_mail *k = (struct control_mail *)m;
    struct simulation_wait *w = map_get(k->all->waiting, str_of(k->call_id));
    if (w) {
        decision_answer(simulated_decision(w->call), k->asked, k->status,
                        str_of_bytes(k->body, k->n), loop_now_ms(k->all->c.loop));
        if (w->stored)
            wait_decide(w);
    }
    free(k);
}

void simulations_control(struct simulations *s, struct str call_id, uint64_t asked, int status,
                         struct str body)
{
    body = str_slice(body, 0, ANSWER_BYTES_MAX);
    struct control_mail *k = malloc(sizeof *k + body.n);
    if (!k)
        return; /* the call's own time limit decides */
    k->mail.open = control_on_mail;
    k->all = s;
    k->asked = asked;
    k->status = status;
    k->n = body.n;
    if (body.n)
        memcpy(k->body, body.p, body.n);
    if (str_copy(call_id, k->call_id, sizeof k->call_id) == OK)
        loop_post_answer(s->c.loop, &k->mail);
    else
        free(k);
}
