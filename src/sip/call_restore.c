/* call_restore: the calls that were open when the daemon ended. Answered ones are up again, found
 * by the tags they had, and are probed soon; unanswered ones wait a while for their caller to
 * repeat the INVITE, then end as lost. Either way each gets its call_ended. Before the edge's loop
 * starts. */
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "sip/call.h"

enum { PROBE_SPREAD_MS = 2000, CSEQ_GAP = 1000 };

struct restore_job {
    struct store_job job;
    struct sip_edge *edge;
    size_t n, broken;
};

static void on_grace_over(struct timer *timer)
{
    call_end(timer->arg, END_LOST, ENDED_BY_SYSTEM, 408);
}

static enum err names_read(struct call *c, const struct call_row *r)
{
    struct json *doc = NULL;
    struct str name = STR(""), trunk = STR(""), verified = STR("n"), headers = {0};
    enum err err = json_parse(r->facts, &doc, NULL, 0);
    if (err != OK)
        return err;
    json_str(json_get(doc, "caller_name"), &name);
    json_str(json_get(doc, "trunk_name"), &trunk);
    json_str(json_get(doc, "verified"), &verified);
    json_str(json_get(doc, "headers"), &headers);
    char *mem = calloc(1, r->trunk.n + trunk.n + name.n + 3);
    if (mem) {
        c->trunk_id = mem;
        c->trunk_name = mem + r->trunk.n + 1;
        c->caller_name = c->trunk_name + trunk.n + 1;
        memcpy(c->trunk_id, r->trunk.p, r->trunk.n);
        memcpy(c->trunk_name, trunk.p, trunk.n);
        memcpy(c->caller_name, name.p, name.n);
        c->verified = verified.n ? verified.p[0] : 'n';
        c->headers = headers.n ? str_dup(headers) : NULL;
    }
    json_free(doc);
    return mem ? OK : ERR_NOMEM;
}

/* Requests we send must count on from the last one, which the row may not know. */
static enum err legs_read(struct call *c, struct str legs)
{
    struct str token;
    if (!legs.n)
        return OK; /* a simulated one: nobody is on it, and nobody will repeat its INVITE */
    str_cut(legs, '\n', &token, &legs);
    enum err err =
        token.n == TOKEN_SIZE - 1 ? str_copy(token, c->token, sizeof c->token) : ERR_SYNTAX;
    if (err == OK)
        err = dialog_parse(&legs, &c->a);
    if (err == OK && legs.n)
        err = dialog_parse(&legs, &c->b);
    c->a.local_cseq += CSEQ_GAP;
    c->b.local_cseq += CSEQ_GAP;
    return err;
}

static enum err facts_read(struct call *c, const struct call_row *r)
{
    enum err err;
    if ((err = str_copy(r->call_id, c->call_id, sizeof c->call_id)) != OK ||
        (err = str_copy(r->number, c->number, sizeof c->number)) != OK ||
        (err = str_copy(r->peer, c->caller, sizeof c->caller)) != OK ||
        (err = names_read(c, r)) != OK || (err = legs_read(c, r->legs)) != OK)
        return err;
    (void)!trace_id_parse(r->call_id, &c->trace);
    c->account = r->account;
    c->simulated = r->simulated;
    c->started_at_ms = r->started_at_ms;
    c->answered_at_ms = r->answered_at_ms;
    c->destination = r->destination.n ? str_dup(r->destination) : NULL;
    const struct book_trunk *t = book_trunk(c->edge->book, r->trunk);
    c->trunk = t ? t->n : 0;
    if (t)
        trunk_take(c->edge, t->n);
    return OK;
}

static bool on_row(void *arg, const struct call_row *r)
{
    struct restore_job *j = arg;
    struct sip_edge *e = j->edge;
    struct call *c = call_new(e);
    if (!c)
        return false;
    c->state = CALL_RESTORED;
    enum err err = facts_read(c, r);
    if (err == OK && r->phase == CALL_PHASE_ANSWERED && !c->b.mem)
        err = ERR_SYNTAX;
    if (err == OK)
        err = map_put(e->by_call_id, str_of(c->call_id), c, NULL);
    if (err == OK)
        err = map_put(e->restored, str_of(c->token), c, NULL);
    if (err != OK) {
        log_error("sip", "%.*s cannot be restored: %s", STR_FMT(r->call_id), err_text(err));
        j->broken++;
        c->state = CALL_OVER;
        call_free(c);
        return true;
    }
    j->n++;
    if (r->phase == CALL_PHASE_ANSWERED) {
        call_set_state(c, CALL_UP);
        c->sip_status = 200;
        c->x.acked = true;
        c->heard_at_ms = 0; /* never, since the restart: the first probe does not wait */
        call_probe_later(c, (int64_t)(crypto_random_u64() % PROBE_SPREAD_MS));
    } else {
        loop_timer(e->c.loop, &c->invite_timer, e->c.restore_grace_ms, on_grace_over, c);
    }
    return true;
}

static enum err restore_run(struct store_job *job, struct db *db)
{
    struct restore_job *j = (struct restore_job *)job;
    return call_list_open(db, 0, UINT32_MAX, on_row, j);
}

enum err calls_restore(struct sip_edge *e)
{
    struct restore_job j = {.job.run = restore_run, .edge = e};
    enum err err = store_read_now(e->c.store, &j.job);
    if (j.n)
        log_info("sip", "%zu calls from before the restart are open again", j.n);
    metric_set(METRIC_CALLS_ACTIVE, (int64_t)pool_count(e->calls));
    return err;
}
