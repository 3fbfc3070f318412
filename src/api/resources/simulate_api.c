/* simulate_api: simulates a call or a message, so that webhooks can be tried without a carrier. It
 * takes the path of real ones from intake on: store, lanes, signatures. The answer is 202 when it
 * is on disk. */
#include <stdlib.h>

#include "api/core/idempotency.h"
#include "api/resources/handlers.h"
#include "api/core/query.h"
#include "hub/simulations.h"

struct simulation_run { /* a call on its way */
    struct request *r;
    struct simulation *sim;
    struct simulated_call *call;
    size_t n;               /* events */
    bool decided;           /* there was a question */
    struct control outcome; /* of the answers to incoming_call */
    char event[SIMULATED_EVENTS_MAX][ID_SIZE];
};

static void simulation_over(struct simulation_run *s)
{
    simulated_free(s->call);
    simulation_free(s->sim);
    free(s);
}

static void simulation_put_answer(const struct simulation_run *s)
{
    struct request *r = s->r;
    struct json_writer w = {&r->http.out, false};
    buf_reset(&r->http.out);
    r->http.status = 202;
    json_obj(&w, NULL);
    json_put_str(&w, "call_id", simulated_id(s->call));
    json_arr(&w, "events");
    for (size_t i = 0; i < s->n; i++)
        json_put_str(&w, NULL, str_of(s->event[i]));
    json_end_arr(&w);
    if (s->decided)
        control_print(&s->outcome, &w);
    json_end_obj(&w);
}

static void simulation_finish(struct simulation_run *s, enum err err)
{
    struct request *r = s->r;
    if (err != OK)
        problem_of_err(r, err);
    else if (!r->replayed)
        simulation_put_answer(s);
    simulation_over(s);
    request_done(r);
}

/* With an Idempotency-Key the answer is part of the transaction. */
static enum err simulation_before(void *arg, struct db *db, bool *ret_skip)
{
    return idempotency_before(((struct simulation_run *)arg)->r, db, ret_skip);
}

static enum err simulation_after(void *arg, struct db *db, const struct admission *const *t,
                                 size_t n)
{
    struct simulation_run *s = arg;
    if (!s->r->idempotency)
        return OK;
    simulation_put_answer(s);
    return idempotency_keep(s->r, db);
}

/* On the answers' thread. */
static void simulation_on_stored(void *arg, enum err err, const bool *duplicate, size_t n)
{
    simulation_finish(arg, err);
}

static void simulation_note(struct simulation_run *s, const struct admission *t)
{
    enum err err = str_copy(admission_event(t)->id, s->event[s->n++], ID_SIZE);
    ASSERT(err == OK); /* ours */
}

/* `n` events are there already, in t, and the call's others go with them. When it fails, s is as it
 * was, and t the caller's. */
static enum err simulation_store_rest(struct simulation_run *s,
                                      struct admission *t[SIMULATED_EVENTS_MAX], size_t n)
{
    const struct intake_companion keep = {
        .before = simulation_before, .after = simulation_after, .arg = s};
    struct api *a = s->r->api;
    size_t more;
    enum err err = simulated_end(s->call, t + n, &more);
    if (err != OK)
        return err;
    for (size_t i = 0; i < more; i++)
        simulation_note(s, t[n + i]);
    err = intake_batch(a->c.intake, t, n + more, &keep, a->home, simulation_on_stored, s);
    for (size_t i = 0; err != OK && i < more; i++)
        admission_free(t[n + i]);
    return err;
}

/* On the loop that waited for it. */
static void simulation_on_decided(void *arg, enum err err, const struct control *outcome)
{
    struct simulation_run *s = arg;
    struct admission *t[SIMULATED_EVENTS_MAX] = {NULL};
    s->decided = true;
    s->outcome = *outcome;
    if (err == OK)
        err = simulation_store_rest(s, t, 0);
    if (err != OK)
        simulation_finish(s, err);
}

/* Takes *sim, unless it fails. */
static enum err simulate_call(struct request *r, uint64_t account, struct simulation **sim)
{
    struct admission *t[SIMULATED_EVENTS_MAX] = {NULL};
    struct simulations *all = r->api->c.simulations;
    const struct askers nobody = {0};
    struct simulation_run *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->r = r;
    s->sim = *sim;
    *sim = NULL;
    enum err err =
        simulated_new(r->api->c.intake, r->book, account, s->sim, clock_wall_ms(), &s->call);
    if (err == OK)
        err = simulated_begin(s->call, &t[0]);
    if (err == OK)
        simulation_note(s, t[0]);
    if (err == OK && simulation_asks(s->call, t[0])) {
        err = simulations_run(all, s->call, &t[0], simulation_on_decided, s);
    } else if (err == OK) {
        (void)simulated_decide(s->call, &nobody, NULL, clock_mono_ms()); /* which waits for none */
        err = simulation_store_rest(s, t, 1);
    }
    if (err == OK)
        return OK; /* s and r may be gone now */
    admission_free(t[0]);
    simulation_over(s);
    return err;
}

static void message_on_stored(void *arg, uint64_t token, enum err err, bool duplicate,
                              struct str message_id)
{
    struct request *r = arg;
    struct json_writer w = {&r->http.out, false};
    if (err != OK) {
        problem_of_err(r, err);
    } else {
        r->http.status = 202;
        json_obj(&w, NULL);
        json_put_str(&w, "message_id", message_id);
        json_end_obj(&w);
    }
    request_done(r);
}

/* Sends a message through the door for carriers' messages. */
static enum err simulate_message(struct request *r, uint64_t account, const struct simulation *s)
{
    const struct message_in in = {
        .account = account,
        .link = STR("simulated"),
        .from = str_of(s->from),
        .to = str_of(s->number),
        .message_id = request_header(r, "Idempotency-Key"), /* "": each is another */
        .part = {.coding = {.alphabet = SMS_UTF8},
                 .data_coding = 8,
                 .data = str_of(s->message),
                 .parts = 1,
                 .number = 1},
        .simulated = true,
    };
    return messages_take(r->api->c.messages, r->book, &in, r->api->home, message_on_stored, r, 0);
}

/* Finds the number, which must be the asker's and take what is simulated. */
static enum err request_find_number(struct request *r, const struct simulation *s,
                                    uint64_t *ret_account)
{
    const struct book_number *n = book_number(r->book, str_of(s->number));
    if (!n || !(r->is_operator || n->account == r->account))
        return ERR_NOT_FOUND;
    *ret_account = n->account;
    if (!(s->sms ? n->set->sms : decision_called(r->book, str_of(s->number)) != NULL))
        return request_refuse(r, "number",
                              s->sms ? "a number with sms on" : "a number with voice on");
    return OK;
}

void simulate_create(struct request *r)
{
    struct simulation *s = NULL;
    uint64_t account;
    enum err err = simulation_parse(r->json, &s, &r->fault);
    if (err == OK)
        err = request_find_number(r, s, &account);
    if (err == OK)
        err = s->sms ? simulate_message(r, account, s) : simulate_call(r, account, &s);
    simulation_free(s);
    if (err == OK)
        return;
    problem_of_err(r, err);
    request_done(r);
}
