/* simulate_api: a call or a message that no carrier brought, to see one's webhooks at work. It
 * takes the road of real ones from the point where a carrier's would be known: intake, store,
 * lanes, signatures. 202 when it is on disk. */
#include <stdlib.h>

#include "api/idempotency.h"
#include "api/resource.h"
#include "hub/simulate.h"

struct simulated { /* a call's events on their way; freed by the last */
    struct request *r;
    size_t n, left;
    enum err err;
    char call_id[ID_SIZE], event[SIMULATED_EVENTS_MAX][ID_SIZE];
};

static void put_answer(const struct simulated *s)
{
    struct request *r = s->r;
    struct json_writer w = {&r->out, false};
    buf_reset(&r->out);
    r->status = 202;
    json_obj(&w, NULL);
    json_put_str(&w, "call_id", str_of(s->call_id));
    json_arr(&w, "events");
    for (size_t i = 0; i < s->n; i++)
        json_put_str(&w, NULL, str_of(s->event[i]));
    json_end_arr(&w);
    json_end_obj(&w);
}

static void finish(struct simulated *s)
{
    struct request *r = s->r;
    if (s->err != OK)
        problem_of_err(r, s->err);
    else if (!r->replayed)
        put_answer(s);
    free(s);
    request_done(r);
}

/* With an Idempotency-Key the answer is part of the transaction. */
static enum err keep_before(void *arg, struct db *db, bool *ret_skip)
{
    return keyed_before(((struct simulated *)arg)->r, db, ret_skip);
}

static enum err keep_after(void *arg, struct db *db, const struct taking *const *t, size_t n)
{
    struct simulated *s = arg;
    if (!s->r->keyed)
        return OK;
    put_answer(s);
    return keyed_keep(s->r, db);
}

/* On the answers' thread, which alone counts down. */
static void on_taken(void *arg, uint64_t token, struct taking **t, enum err err, bool duplicate)
{
    struct simulated *s = arg;
    if (err != OK)
        s->err = err;
    if (--s->left == 0)
        finish(s);
}

static enum err simulate_a_call(struct request *r, uint64_t account, const struct simulation *sim)
{
    struct taking *t[SIMULATED_EVENTS_MAX] = {NULL};
    struct simulated *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    struct intake *in = r->api->c.intake;
    const struct intake_companion keep = {.before = keep_before, .after = keep_after, .arg = s};
    s->r = r;
    enum err err = simulate_call(in, r->book, account, sim, clock_wall_ms(), s->call_id, t, &s->n);
    s->left = s->n;
    for (size_t i = 0; err == OK && i < s->n; i++)
        err = str_copy(taking_event(t[i])->id, s->event[i], ID_SIZE);
    if (err == OK)
        err = intake_submit_all_with(in, t, s->n, &keep, r->api->home, on_taken, s);
    if (err == OK)
        return OK; /* s and r may be gone now */
    for (size_t i = 0; i < SIMULATED_EVENTS_MAX; i++)
        taking_free(t[i]);
    free(s);
    return err;
}

static void on_message_taken(void *arg, uint64_t token, enum err err, bool duplicate,
                             struct str message_id)
{
    struct request *r = arg;
    struct json_writer w = {&r->out, false};
    if (err != OK) {
        problem_of_err(r, err);
    } else {
        r->status = 202;
        json_obj(&w, NULL);
        json_put_str(&w, "message_id", message_id);
        json_end_obj(&w);
    }
    request_done(r);
}

/* By the door that carriers' messages come through. */
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
    return messages_take(r->api->c.messages, r->book, &in, r->api->home, on_message_taken, r, 0);
}

/* The number must be the asker's, and take what is simulated. */
static enum err find_number(struct request *r, const struct simulation *s, uint64_t *ret_account)
{
    const struct book_number *n = book_number(r->book, str_of(s->number));
    if (!n || !(r->is_operator || n->account == r->account))
        return ERR_NOT_FOUND;
    *ret_account = n->account;
    if (!(s->sms ? n->set->sms : n->set->voice))
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
        err = find_number(r, s, &account);
    if (err == OK)
        err = s->sms ? simulate_message(r, account, s) : simulate_a_call(r, account, s);
    simulation_free(s);
    if (err == OK)
        return;
    problem_of_err(r, err);
    request_done(r);
}
