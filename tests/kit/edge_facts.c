/* edge_facts: reads the store by one job, and checks what must be true of it and of an edge whose
 * time limits have all passed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge_kit_own.h"
#include "sip/net/transport_conn.h"
#include "sip/txn/txn_table.h"
#include "store/engine.h"

enum { CALLS_MAX = 64, ENDPOINTS_MAX = 8, EVENTS_MAX = 64, TOLD_MAX = 4096 };

/* ---- what deliver heard ---- */

static int64_t told[TOLD_MAX], before_n; /* rows of events; those before the last start: up to */
static size_t n_told;

void kit_on_stored(void *arg, const struct stored *s)
{
    kit_must(n_told < TOLD_MAX, "more events than there is room for");
    told[n_told++] = s->event_n;
}

static unsigned times_told(int64_t event_n)
{
    unsigned n = 0;
    for (size_t i = 0; i < n_told; i++)
        n += told[i] == event_n;
    return n;
}

size_t edge_kit_told(void)
{
    return n_told;
}

static bool on_newest(void *arg, int64_t n, const struct event *e)
{
    before_n = n;
    return false;
}

static enum err newest_run(struct store_job *job, struct db *db)
{
    static const struct event_filter all = {.kind = -1, .state = -1};
    struct list_stop stop;
    return event_list(db, &all, on_newest, NULL, &stop);
}

void kit_told_reset(void)
{
    n_told = 0;
    before_n = 0;
}

void kit_told_restart(void)
{
    struct store_job newest = {.run = newest_run};
    kit_told_reset();
    kit_must(store_read_now(edge_kit.store, &newest) == OK, "the store cannot be read");
}

/* ---- reading ---- */

struct read_job {
    struct store_job job;
    struct stored_call *call;
    size_t n, max;
    struct db *db;
    const char *fault;
    char call_id[ID_SIZE]; /* of the event at hand */
    enum event_kind kind;

    struct {
        uint64_t lane;
        unsigned last;
    } lane[CALLS_MAX * ENDPOINTS_MAX];
    size_t n_lanes;
};

static struct stored_call *call_of(struct read_job *j, struct str call_id)
{
    for (size_t i = 0; i < j->n; i++)
        if (str_eq(call_id, str_of(j->call[i].call_id)))
            return &j->call[i];
    kit_must(j->n < j->max, "more calls than there is room for");
    struct stored_call *c = &j->call[j->n++];
    *c = (struct stored_call){.phase = -1};
    kit_must(str_copy(call_id, c->call_id, sizeof c->call_id) == OK, "a long call id");
    return c;
}

static const char *gap_of(const struct read_job *j, const struct delivery *d, unsigned last)
{
    static char text[200];
    snprintf(text, sizeof text, "%s: endpoint %u got sequence %u after %u, with %s", j->call_id,
             (unsigned)d->endpoint, d->sequence, last, event_kind_name(j->kind));
    return text;
}

static bool on_delivery(void *arg, const struct delivery *d)
{
    struct read_job *j = arg;
    size_t i = 0;
    if (!d->sequence)
        return true; /* no call's */
    while (i < j->n_lanes && j->lane[i].lane != d->lane)
        i++;
    if (i == j->n_lanes) {
        kit_must(i < CALLS_MAX * ENDPOINTS_MAX, "more lanes than there is room for");
        j->lane[j->n_lanes].lane = d->lane;
        j->lane[j->n_lanes++].last = 0;
    }
    if (d->sequence != j->lane[i].last + 1)
        j->fault = gap_of(j, d, j->lane[i].last);
    j->lane[i].last = d->sequence;
    return true;
}

static const char *untold(const struct event *e, unsigned times)
{
    static char text[160];
    snprintf(text, sizeof text, "%s of %.*s is stored, and deliver heard of it %u times",
             event_kind_name(e->kind), STR_FMT(str_slice(e->call_id, 0, 40)), times);
    return text;
}

static bool on_event(void *arg, int64_t n, const struct event *e)
{
    struct read_job *j = arg;
    if (!str_is_utf8(e->payload))
        j->fault = "a payload is not UTF-8";
    /* A text whose commit has no known end is refused, and delivered from the next start on. */
    if (n > before_n && times_told(n) != 1 && (e->call_id.n || times_told(n)))
        j->fault = untold(e, times_told(n));
    if (event_kind_is_call(e->kind) && e->call_id.n) {
        struct stored_call *c = call_of(j, e->call_id);
        if (c->n == EVENTS_MAX)
            j->fault = "more events of a call than 64";
        else
            c->kind[c->n++] = e->kind;
    }
    j->kind = e->kind;
    (void)!str_copy(e->call_id, j->call_id, sizeof j->call_id);
    enum err err = delivery_list_of_event(j->db, n, on_delivery, j);
    kit_must(err == OK, "deliveries cannot be read");
    return true;
}

static bool on_call(void *arg, const struct call_row *r)
{
    call_of(arg, r->call_id)->phase = (int)r->phase;
    return true;
}

static enum err read_run(struct store_job *job, struct db *db)
{
    struct read_job *j = (struct read_job *)job;
    const struct event_range all = {.until_n = INT64_MAX, .kind = -1, .limit = 100000};
    const struct call_filter calls = {.phase = -1};
    struct list_stop stop;
    j->db = db;
    enum err err = event_list_after(db, &all, on_event, j);
    return err == OK ? call_list(db, &calls, on_call, j, &stop) : err;
}

static const char *read_calls(struct stored_call *ret, size_t max, size_t *ret_n)
{
    static struct read_job j;
    j = (struct read_job){.job.run = read_run, .call = ret, .max = max};
    kit_must(store_read_now(edge_kit.store, &j.job) == OK, "the store cannot be read");
    *ret_n = j.n;
    return j.fault;
}

size_t edge_kit_calls(struct stored_call *ret, size_t max)
{
    size_t n;
    (void)read_calls(ret, max, &n);
    return n;
}

const char *edge_kit_events(void)
{
    static char text[2048];
    struct stored_call c;
    size_t at = 0;
    text[0] = '\0';
    if (edge_kit_calls(&c, 1) == 0)
        return text;
    for (size_t i = 0; i < c.n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i ? " " : "",
                               event_kind_name(c.kind[i]));
    return text;
}

/* ---- judging ---- */

static const char *fault_of(const struct stored_call *c)
{
    size_t incoming = 0, answered = 0, ended = 0;
    for (size_t i = 0; i < c->n; i++) {
        incoming += c->kind[i] == EVENT_INCOMING_CALL;
        answered += c->kind[i] == EVENT_CALL_ANSWERED;
        if (ended)
            return "an event follows call_ended";
        ended += c->kind[i] == EVENT_CALL_ENDED;
        if (!incoming)
            return "an event precedes incoming_call";
        if (answered &&
            (c->kind[i] == EVENT_CALL_RINGING || c->kind[i] == EVENT_CALL_FORWARD_FAILED))
            return "a target rings or fails after call_answered";
    }
    return incoming != 1                  ? "a call without incoming_call, or with two"
           : answered > 1                 ? "a call with two call_answered"
           : ended != 1                   ? "a call without call_ended"
           : c->phase < 0                 ? "a call without a row"
           : c->phase != CALL_PHASE_ENDED ? "a call that ended and whose row is open"
                                          : NULL;
}

const char *edge_kit_faults(void)
{
    static struct stored_call calls[CALLS_MAX];
    size_t n;
    const char *fault = read_calls(calls, CALLS_MAX, &n);
    for (size_t i = 0; !fault && i < n; i++)
        fault = fault_of(&calls[i]);
    return fault;
}

/* Calls that a party's limit counts. */
static size_t party_calls(const struct sip_core *core)
{
    size_t n = 0;
    const struct party_use *u;
    for (size_t i = 0; (u = map_next(core->parties, &i));)
        n += u->calls;
    return n;
}

const char *edge_kit_leftovers(void)
{
    static char text[400];
    const struct sip_edge *e = edge_kit.edge;
    struct still_lookup lookup[1];
    if (!e)
        return NULL;
    const struct {
        const char *what;
        size_t n;
    } left[] = {{"calls", pool_count(e->calls.pool)},
                {"calls by their id", map_count(e->calls.by_id)},
                {"restored legs", map_count(e->calls.restored)},
                {"calls of trunks", party_calls(&e->core)},
                {"texts", e->texts.n},
                {"dialogs", (size_t)metric_get(METRIC_SIP_DIALOGS)},
                {"transactions", transactions_count(e->core.txns)},
                {"shares of transactions", shares_all(e->core.txns->shares)},
                {"connections", pool_count(e->core.transport->conns)},
                {"shares of connections", shares_all(e->core.transport->shares)},
                {"blocks", blocks_held(e->core.blocks)},
                {"look-ups", still_lookups(lookup, 1)}};
    size_t at = 0, any = 0;
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        any += left[i].n;
        if (left[i].n)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%zu %s",
                                   at ? ", " : "left: ", left[i].n, left[i].what);
    }
    return any ? text : NULL;
}
