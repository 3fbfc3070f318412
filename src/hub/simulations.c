/* simulations: the waiting of simulated calls for those who may decide about them. The endpoints
 * with `control` that get incoming_call and those that are a target of the number by their URL are
 * asked by their delivery, a webhook that is the first target by a question. The first that says
 * forward or reject decides; when all said something else, or are late, the call is what the
 * request says. Loop's thread, but for simulations_run and simulations_control. */
#include "hub/simulations.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"

enum { ASK_TIMEOUT_MS = 3000, ANSWER_BYTES_MAX = 8192, WAITING_MAX = 4096 };
#define BY_TARGET (1ull << 63) /* a question's mark: no endpoint has such a number */

struct simulations {
    struct simulations_config c;
    struct map *waiting; /* by call_id */
};

struct waiting {
    struct mail mail;
    struct simulations *all;
    struct simulated_call *call;
    const struct book *book;
    struct taking *incoming;
    simulation_done *done;
    void *arg;
    struct timer late;
    unsigned asked, answered;
    bool stored, is_late;
    struct control said;
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

/* ---- who is asked ---- */

static const struct forward *forward_of(const struct book *book, const struct event *e)
{
    const struct book_number *n = book_number(book, e->number);
    return n ? n->set->forward : NULL;
}

static bool may_decide(const struct book_endpoint *ep, const struct forward *f)
{
    for (size_t i = 0; ep && f && i < f->n; i++)
        if (f->target[i].type == TARGET_WEBHOOK &&
            str_eq(f->target[i].destination, str_of(ep->set->url)))
            return true;
    return ep && ep->set->control;
}

bool simulation_asks(const struct book *book, const struct taking *incoming)
{
    size_t n;
    const struct forward *f = forward_of(book, taking_event(incoming));
    const struct delivery *d = taking_deliveries(incoming, &n);
    for (size_t i = 0; i < n; i++)
        if (may_decide(book_endpoint(book, d[i].endpoint), f))
            return true;
    return f && f->n && f->target[0].type == TARGET_WEBHOOK;
}

/* How long to wait for them, at the most. */
static int64_t ask_all(struct waiting *w)
{
    size_t n;
    int64_t most_ms = 0;
    const struct simulations_config *c = &w->all->c;
    const struct event *e = taking_event(w->incoming);
    const struct forward *f = forward_of(w->book, e);
    const struct delivery *d = taking_deliveries(w->incoming, &n);
    struct str first = f && f->n && f->target[0].type == TARGET_WEBHOOK ? f->target[0].destination
                                                                        : (struct str){0};
    for (size_t i = 0; i < n; i++) {
        const struct book_endpoint *ep = book_endpoint(w->book, d[i].endpoint);
        if (!may_decide(ep, f) || c->early(c->arg, e, ep->n, d[i].sequence) != OK)
            continue;
        w->asked++;
        if (ep->set->control_timeout_ms > most_ms)
            most_ms = ep->set->control_timeout_ms;
        if (str_eq(first, str_of(ep->set->url)))
            first = (struct str){0}; /* its delivery is the question */
    }
    if (first.n && c->ask(c->arg, e, first, ASK_TIMEOUT_MS, BY_TARGET) == OK) {
        w->asked++;
        most_ms = most_ms > ASK_TIMEOUT_MS ? most_ms : ASK_TIMEOUT_MS;
    }
    return most_ms;
}

/* ---- what becomes of it ---- */

static void end(struct waiting *w, enum err err)
{
    enum control_action action = w->said.action;
    map_remove(w->all->waiting, simulated_id(w->call));
    timer_stop(&w->late);
    if (action == CONTROL_REJECT)
        simulated_reject(w->call, w->said.sip_status);
    else if (action == CONTROL_FORWARD && err == OK)
        err = simulated_follow(w->call, w->said.targets);
    w->done(w->arg, err, action);
    forward_free(w->said.targets);
    taking_free(w->incoming);
    free(w);
}

static void decide(struct waiting *w)
{
    if (w->stored && (w->is_late || w->answered == w->asked || w->said.action != CONTROL_DEFAULT))
        end(w, OK);
}

static void on_late(struct timer *t)
{
    struct waiting *w = t->arg;
    w->is_late = true;
    decide(w);
}

static void on_stored(void *arg, uint64_t token, struct taking **t, enum err err, bool duplicate)
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
    enum err err = map_count(s->waiting) < WAITING_MAX
                       ? map_put(s->waiting, simulated_id(w->call), w, NULL)
                       : ERR_FULL;
    if (err == OK) {
        loop_timer(s->c.loop, &w->late, ask_all(w), on_late, w);
        err = intake_submit(s->c.intake, &w->incoming, loop_mailbox(s->c.loop), on_stored, w, 0);
    }
    if (err != OK)
        end(w, err);
}

enum err simulations_run(struct simulations *s, struct simulated_call *call,
                         const struct book *book, struct taking **incoming, simulation_done *done,
                         void *arg)
{
    struct waiting *w = calloc(1, sizeof *w);
    if (!w)
        return ERR_NOMEM;
    *w = (struct waiting){.mail.open = on_run,
                          .all = s,
                          .call = call,
                          .book = book,
                          .incoming = *incoming,
                          .done = done,
                          .arg = arg};
    enum err err = loop_post(s->c.loop, &w->mail);
    if (err == OK)
        *incoming = NULL;
    else
        free(w);
    return err;
}

/* ---- what is answered ---- */

struct control_mail {
    struct mail mail;
    struct simulations *all;
    int status;
    char call_id[ID_SIZE];
    size_t n;
    char body[];
};

static void on_control(struct mail *m)
{
    struct control_mail *k = (struct control_mail *)m;
    struct waiting *w = map_get(k->all->waiting, str_of(k->call_id));
    if (w && !w->is_late) {
        struct control said;
        control_parse(k->status, str_of_bytes(k->body, k->n), &said);
        w->answered++;
        if (w->said.action == CONTROL_DEFAULT)
            w->said = said;
        else
            forward_free(said.targets);
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
    k->status = status;
    k->n = body.n;
    if (body.n)
        memcpy(k->body, body.p, body.n);
    if (str_copy(call_id, k->call_id, sizeof k->call_id) == OK)
        loop_post_answer(s->c.loop, &k->mail);
    else
        free(k);
}
