/* simulations: the waiting of simulated calls for those who may decide about them (hub/decision.h).
 * Loop's thread, but for simulations_run and simulations_control. */
#include "hub/simulations.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"

enum { ANSWER_BYTES_MAX = 8192, WAITING_MAX = 4096 };

struct simulations {
    struct simulations_config c;
    struct map *waiting; /* by call_id */
};

struct waiting {
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

/* ---- what becomes of it ---- */

static void end(struct waiting *w, enum err err)
{
    map_remove(w->all->waiting, simulated_id(w->call));
    timer_stop(&w->late);
    w->done(w->arg, err, decision_action(simulated_decision(w->call)));
    event_drop(&w->event);
    admission_free(w->incoming);
    free(w);
}

static void on_late(struct timer *t);

static void decide(struct waiting *w)
{
    const struct simulations_config *c = &w->all->c;
    int64_t wait_ms = simulated_decide(w->call, &c->askers, w->event, loop_now_ms(c->loop));
    if (wait_ms > 0)
        loop_timer(c->loop, &w->late, wait_ms, on_late, w);
    else
        end(w, OK);
}

static void on_late(struct timer *t)
{
    decide(t->arg);
}

static void on_stored(void *arg, uint64_t token, struct admission **t, enum err err, bool duplicate)
{
    struct waiting *w = arg;
    w->stored = true;
    if (err != OK)
        end(w, err);
    else
        decide(w);
}

static void on_run(struct mail *m)
{
    struct waiting *w = (struct waiting *)m;
    struct simulations *s = w->all;
    size_t n;
    const struct delivery *to = admission_deliveries(w->incoming, &n);
    enum err err = map_count(s->waiting) < WAITING_MAX
                       ? map_put(s->waiting, simulated_id(w->call), w, NULL)
                       : ERR_FULL;
    if (err == OK) {
        decision_ask_ahead(simulated_decision(w->call), &s->c.askers, w->event, to, n,
                           loop_now_ms(s->c.loop));
        err = intake_one(s->c.intake, &w->incoming, loop_mailbox(s->c.loop), on_stored, w, 0);
    }
    if (err != OK)
        end(w, err);
}

enum err simulations_run(struct simulations *s, struct simulated_call *call,
                         struct admission **incoming, simulation_done *done, void *arg)
{
    struct waiting *w = calloc(1, sizeof *w);
    if (!w)
        return ERR_NOMEM;
    *w = (struct waiting){.mail.open = on_run,
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

/* ---- what is answered ---- */

struct control_mail {
    struct mail mail;
    struct simulations *all;
    uint64_t asked;
    int status;
    char call_id[ID_SIZE];
    size_t n;
    char body[];
};

static void on_control(struct mail *m)
{
    struct control_mail *k = (struct control_mail *)m;
    struct waiting *w = map_get(k->all->waiting, str_of(k->call_id));
    if (w) {
        decision_answer(simulated_decision(w->call), k->asked, k->status,
                        str_of_bytes(k->body, k->n), loop_now_ms(k->all->c.loop));
        if (w->stored)
            decide(w);
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
    k->mail.open = on_control;
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
