/* restore: the calls that were open when the daemon ended. Answered ones are up again, found
 * by the tags they had, and are probed soon; unanswered ones wait a while for their caller to
 * repeat the INVITE, then end as lost. Before the edge's loop starts.
 *
 * Each row becomes a call, whatever today's configuration is, so that each gets its call_ended:
 * with no listener that reaches a leg, and with a row that cannot be read, it ends as lost at once.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "sip/call/revive.h"
#include "sip/call/session.h"

enum {
    PROBE_SPREAD_MS = 2000,
    CSEQ_GAP = 20000, /* requests on one leg between a row and the next start */
    STARTS_MAX = 100000,
};

struct restore_job {
    struct store_job job;
    struct calls *calls;
    size_t n;
    enum err err;
};

/* Unanswered, and its INVITE was not repeated; or it was up, with a leg that no listener reaches
 * any more, or that the row does not tell. */
void call_on_not_repeated(struct call *c)
{
    static const struct str why = STR("SIP;cause=503;text=\"Lost\"");
    if (!c->detail) {
        c->detail = "the daemon was restarted before the call was answered";
        call_end(c, END_LOST, ENDED_BY_SYSTEM, 503);
        return;
    }
    log_warn("sip", "%s ends as lost: %s", c->call_id, c->detail);
    leg_hang_up(&c->a, why, NULL);
    leg_hang_up(&c->b, why, NULL);
    call_end(c, END_LOST, ENDED_BY_SYSTEM, 503);
}

/* Without its facts a call still has its number, its caller and its times. */
static enum err names_read(struct call *c, const struct call_row *r)
{
    struct json *doc = NULL;
    struct str name = STR(""), trunk = STR(""), verified = STR("n"), headers = {0};
    enum err err = json_parse(r->facts, &doc, NULL, 0);
    if (err == OK) {
        json_str(json_get(doc, "caller_name"), &name);
        json_str(json_get(doc, "trunk_name"), &trunk);
        json_str(json_get(doc, "verified"), &verified);
        json_str(json_get(doc, "headers"), &headers);
        json_bool(json_get(doc, "headers_cut"), &c->headers_cut);
    } else {
        log_warn("sip", "%s: its facts cannot be read: %s", c->call_id, err_text(err));
    }
    c->verified = verified.n ? verified.p[0] : 'n';
    c->headers = headers.n ? str_dup(headers) : NULL;
    err = call_keep_names(c, &(struct call_names){r->trunk, trunk, r->peer, name});
    json_free(doc);
    return err;
}

/* Rows of earlier versions have one token for both legs. */
static void tokens_complete(struct call *c)
{
    if (!c->a.dialog.token[0])
        memcpy(c->a.dialog.token, c->token, sizeof c->token);
    if (!c->b.dialog.token[0])
        memcpy(c->b.dialog.token, c->token, sizeof c->token);
}

/* Requests we send must count on from the last one, which the row does not know: each start since
 * then leaves room for those of the one before. */
static void count_on(struct call *c, struct str row_starts)
{
    uint64_t then = 0, now = c->calls->starts;
    if (str_to_u64(row_starts, UINT32_MAX, &then) != OK || then >= now)
        then = now ? now - 1 : 0;
    uint64_t starts = now - then < STARTS_MAX ? now - then : STARTS_MAX;
    c->a.dialog.local_cseq += (uint32_t)starts * CSEQ_GAP;
    c->b.dialog.local_cseq += (uint32_t)starts * CSEQ_GAP;
}

/* Why the call cannot go on; NULL when it can. */
static const char *legs_read(struct call *c, const struct call_row *r)
{
    struct str token, starts = {0}, legs = r->legs;
    struct session_text session;
    enum err a = OK, b = OK;
    if (legs.n) { /* of a simulated one nobody is on it, and nobody will repeat its INVITE */
        str_cut(legs, '\n', &token, &legs);
        str_cut(token, ' ', &token, &starts);
        if (token.n != TOKEN_SIZE - 1)
            return "the row of the call cannot be read";
        memcpy(c->token, token.p, token.n);
        a = dialog_parse(&legs, c->core->transport, &c->a.dialog);
        if (a != ERR_SYNTAX && r->phase != CALL_PHASE_ANSWERED)
            call_revive(c, legs);
        else if (a != ERR_SYNTAX && legs.n)
            b = dialog_parse(&legs, c->core->transport, &c->b.dialog);
        session_parse(legs, &session);
        c->session_expires_s = session.expires_s;
        tokens_complete(c);
    }
    count_on(c, starts);
    c->b.dialog.path.account = c->account;
    c->b.dialog.path.unguarded = c->account == c->core->operators;
    c->a.dialog.path.unguarded = true;
    if (r->phase != CALL_PHASE_ANSWERED)
        return NULL; /* a repeated INVITE brings what it needs */
    return a == ERR_UNREACHABLE                     ? "no SIP listener reaches the caller any more"
           : b == ERR_UNREACHABLE                   ? "no SIP listener reaches the callee any more"
           : a != OK || b != OK || !c->b.dialog.mem ? "the row of the call cannot be read"
                                                    : NULL;
}

/* What the columns say is enough for a call_ended. */
static enum err columns_read(struct call *c, const struct call_row *r)
{
    enum err err;
    if ((err = str_copy(r->call_id, c->call_id, sizeof c->call_id)) != OK ||
        (err = str_copy(r->number, c->number, sizeof c->number)) != OK)
        return err;
    (void)!trace_id_parse(r->call_id, &c->trace);
    c->account = r->account;
    c->simulated = r->simulated;
    if (str_eq(r->peer, STR("anonymous")))
        leg_withhold(&c->a, NULL);
    c->started_at_ms = r->started_at_ms;
    c->answered_at_ms = r->answered_at_ms;
    c->started_ms = clock_mono_of(r->started_at_ms);
    c->answered_ms = clock_mono_of(r->answered_at_ms);
    c->destination = r->destination.n ? str_dup(r->destination) : NULL;
    const struct party party = party_named(c->core->book, r->trunk);
    c->party = party.kind != PARTY_NOBODY ? party_number(&party) : 0;
    if (c->party)
        party_take(c->core, c->party);
    return names_read(c, r);
}

static void go_on(struct call *c, enum call_phase phase)
{
    struct sip_core *core = c->core;
    if (c->detail) {
        call_wait(c, 0);
    } else if (phase == CALL_PHASE_ANSWERED) {
        call_set_state(c, CALL_UP);
        c->sip_status = 200;
        call_probe_soon(c, (int64_t)(crypto_random_u64() % PROBE_SPREAD_MS));
    } else {
        int64_t grace_ms = core->c.listens.n ? core->c.restore_grace_ms : 0;
        call_wait(c, grace_ms);
    }
}

static bool on_row(void *arg, const struct call_row *r)
{
    struct restore_job *j = arg;
    struct calls *calls = j->calls;
    struct call *c = call_new(calls);
    j->err = c ? OK : ERR_NOMEM;
    if (!c)
        return false;
    c->state = CALL_RESTORED;
    c->restored = true;
    enum err err = columns_read(c, r);
    c->detail = err == OK ? legs_read(c, r) : NULL;
    if (err == OK)
        err = map_put(calls->by_id, str_of(c->call_id), c, NULL);
    if (err == OK)
        err = map_put(calls->restored, str_of(c->a.dialog.token), &c->a, NULL);
    if (err == OK && strcmp(c->a.dialog.token, c->b.dialog.token) != 0)
        err = map_put(calls->restored, str_of(c->b.dialog.token), &c->b, NULL);
    if (err == OK) {
        j->n++;
        go_on(c, r->phase);
        return true;
    }
    log_error("sip", "%.*s cannot be restored: %s", STR_FMT(r->call_id), err_text(err));
    call_set_state(c, CALL_OVER);
    j->err = err == ERR_NOMEM ? err : OK;
    return j->err == OK;
}

static enum err restore_run(struct store_job *job, struct db *db)
{
    struct restore_job *j = (struct restore_job *)job;
    enum err err = call_list_open(db, 0, UINT32_MAX, on_row, j);
    return err == OK ? j->err : err;
}

struct start_job {
    struct store_job job;
    int64_t starts;
};

static enum err start_run(struct store_job *job, struct db *db)
{
    return call_count_start(db, &((struct start_job *)job)->starts);
}

/* With a disk that is full the calls go on all the same: their rows know the start before. */
static uint32_t start_count(struct store *s)
{
    struct start_job j = {.job.run = start_run};
    enum err err = store_write_now(s, &j.job);
    if (err != OK)
        log_warn("sip", "this start is not counted: %s", err_text(err));
    return (uint32_t)j.starts;
}

struct count_job {
    struct store_job job;
    size_t n;
};

static enum err count_run(struct store_job *job, struct db *db)
{
    return call_count_open(db, &((struct count_job *)job)->n);
}

enum err calls_count(const struct sip_config *c, size_t *ret)
{
    struct count_job j = {.job.run = count_run};
    enum err err = store_read_now(c->store, &j.job);
    *ret = j.n;
    return err;
}

enum err calls_restore(struct calls *calls)
{
    struct restore_job j = {.job.run = restore_run, .calls = calls};
    calls->starts = start_count(calls->core->c.store);
    enum err err = store_read_now(calls->core->c.store, &j.job);
    if (j.n)
        log_info("sip", "%zu calls from before the restart are open again", j.n);
    metric_set(METRIC_CALLS_ACTIVE, (int64_t)pool_count(calls->pool));
    return err;
}
