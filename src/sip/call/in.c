/* in: an INVITE that begins a call. Cheap refusals first (limits, drain, a store that cannot
 * write: 503 before anything is kept), then who is called, then incoming_call goes to the store;
 * the call goes on when that is on disk. Edge's thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "hub/decision.h"
#include "sip/call/call.h"
#include "sip/call/x_headers.h"
#include "sip/core/refuse.h"
#include "sip/wire/relayed.h"

static void refuse_busy(struct sip_core *core, const struct sip_msg *m, const struct path *from,
                        enum metric why)
{
    metric_add(why, 1);
    core_reply(core, m, from, 503, NULL, "Retry-After: 5\r\n");
}

static enum err keep_names(struct call *c, const struct party *p, const struct caller *caller)
{
    char name[4 * CALLER_NAME_MAX];
    struct buf b;
    buf_wrap(&b, name, sizeof name);
    display_print(str_slice_utf8(caller->name, CALLER_NAME_MAX), &b);
    const struct call_names names = {party_id(p), party_name(p), str_of(caller->id), buf_str(&b)};
    return call_keep_names(c, &names);
}

static enum err keep_x_headers(struct call *c, const struct sip_msg *m)
{
    struct buf b;
    buf_init(&b, X_HEADERS_MAX * (X_HEADER_NAME_MAX + X_HEADER_VALUE_MAX + 2));
    x_headers_read(m, leg_hidden(&c->a), &b, &c->headers_cut);
    c->headers = b.n && b.err == OK ? str_dup(buf_str(&b)) : NULL;
    enum err err = b.n && !c->headers ? ERR_NOMEM : OK;
    buf_fini(&b);
    return err;
}

/* The same call: party, Call-ID, From tag and CSeq. */
static void derive_call_id(const struct sip_msg *m, const struct party *p, char out[ID_SIZE])
{
    char cseq[16];
    struct buf b;
    buf_wrap(&b, cseq, sizeof cseq);
    buf_put_u64(&b, m->cseq);
    const struct str part[] = {party_id(p), m->call_id, m->from.tag, buf_str(&b)};
    id_derive("call", part, 4, out);
}

/* Within 64 × T1 of its start the daemon cannot tell the INVITE of a call that ended under the one
 * before from a new one. Later each INVITE that it took has a transaction, or is over: another branch
 * is another call (§8.2.2.2), whose call_id has the branch in it. */
bool call_begin_again(struct call *c)
{
    struct calls *calls = c->calls;
    struct sip_core *core = c->core;
    struct txn *t = txn_at(core->txns, c->x.server);
    bool may_be_the_same = loop_now_ms(core->c.loop) - calls->began_ms < 64 * core->c.t1_ms;
    if (c->state !=
        CALL_TAKING) /* its caller has left: it leaves no trace, as if it had not come */
        return false;
    if (may_be_the_same || c->began_again || !t || txn_request(t, &core->again) != OK)
        return false;
    const struct str part[] = {str_of(c->call_id), core->again.via.branch};
    char call_id[ID_SIZE];
    id_derive("call", part, 2, call_id);
    map_remove(calls->by_id, str_of(c->call_id));
    memcpy(c->call_id, call_id, sizeof c->call_id);
    c->began_again = true;
    if (map_put(calls->by_id, str_of(c->call_id), c, NULL) != OK)
        return false;
    (void)!trace_id_parse(str_of(call_id), &c->trace);
    t->trace = c->trace;
    core_trace(core, &c->trace, 'a', &t->path, block_str(&t->request));
    decision_free(c->decision); /* it was asked for the event that was there before */
    c->decision = NULL;
    return true;
}

struct call *call_of_invite(struct calls *calls, const struct sip_msg *m, const struct party *party)
{
    char call_id[ID_SIZE];
    if (party->kind == PARTY_NOBODY)
        return NULL;
    derive_call_id(m, party, call_id);
    return map_get(calls->by_id, str_of(call_id));
}

static void first_exchange(struct call *c, const struct txn *t, const struct sip_msg *m)
{
    c->invite_key = t->key;
    exchange_begin(
        c, &(struct exchange){.from = &c->a,
                              .ack = relayed_sdp(m, NULL, NULL).n ? ACK_AT_ONCE : ACK_OF_ASKER,
                              .first = true,
                              .server = t->self,
                              .cseq_in = m->cseq});
}

/* An INVITE with a new branch of a call that is there: merged on its way (§8.2.2.2), or repeated by
 * a caller whose first one we took before a restart. */
static void on_known(struct call *c, const struct sip_msg *m, const struct path *from,
                     struct str raw)
{
    struct sip_core *core = c->core;
    core_trace(core, &c->trace, 'a', from, raw);
    if (c->invite_key && c->invite_key == txn_server_key(core->txns, m))
        return; /* the same, late: its transaction was over with the ACK */
    if (!call_takes(c, INPUT_INVITE_AGAIN)) {
        core_reply(core, m, from, 482, NULL, NULL);
        return;
    }
    struct txn *before = txn_at(core->txns, c->x.server); /* made from the row: it has no offer */
    if (before)
        txn_end(core->txns, before);
    struct txn *t = txn_server_new(core->txns, m, from, raw, true);
    if (!t)
        return;
    t->call = c->self;
    leg_trace(&c->a, t);
    first_exchange(c, t, m);
    if (dialog_of_invite(&c->a.dialog, m, from, core->transport) != OK)
        return;
    if (leg_hidden(&c->a))
        leg_withhold(&c->a, m); /* its numbers are at hand again */
    call_wait_no_more(c);
    leg_forget_tags(&c->a);
    call_answer_invite(c, 100, (struct str){0}, NULL, &c->a.dialog);
    log_info("sip", "%s goes on: its INVITE came again", c->call_id);
    call_next_target(c);
}

static enum err begin(struct call *c, const struct sip_msg *m, const struct path *from,
                      struct str raw, const struct party *party, const struct book_number *number,
                      const char *e164)
{
    struct sip_core *core = c->core;
    struct caller caller;
    enum err err;
    identity_caller(m, party, &caller);
    c->account = number->account;
    c->verified = caller.verified;
    if (!strcmp(caller.id, "anonymous"))
        leg_withhold(&c->a, m);
    c->started_at_ms = clock_wall_ms();
    c->started_ms = clock_mono_of(c->started_at_ms);
    if ((err = str_copy(str_of(e164), c->number, sizeof c->number)) != OK ||
        (err = keep_names(c, party, &caller)) != OK || (err = keep_x_headers(c, m)) != OK ||
        (err = dialog_of_invite(&c->a.dialog, m, from, core->transport)) != OK ||
        (err = map_put(c->calls->by_id, str_of(c->call_id), c, NULL)) != OK)
        return err;
    c->party = party_number(party);
    party_take(core, c->party);
    struct txn *t = txn_server_new(core->txns, m, from, raw, true);
    if (!t)
        return ERR_FULL;
    t->call = c->self;
    leg_trace(&c->a, t);
    first_exchange(c, t, m);
    return OK;
}

/* Did we send it, and others brought it back? Proxies leave our Via and our From tag in it. */
static bool is_from_us(struct calls *calls, const struct sip_msg *m)
{
    uint16_t fork;
    struct str rest = {0}, v;
    struct via via;
    if (m->from.tag.p && leg_of_tag(calls, m->from.tag, &fork))
        return true;
    for (size_t line = 0; sip_next(m, SIP_H_VIA, &line, &rest, &v);)
        if (via_parse(v, &via) == OK && via.branch.p &&
            txn_is_own_branch(calls->core->txns, via.branch))
            return true;
    return false;
}

static int refusal_of(const struct call *c, enum err err)
{
    return c->state != CALL_TAKING ? 487 : err == ERR_EXISTS ? 482 : err_is_final(err) ? 500 : 503;
}

static void answer_refusal(struct call *c, enum err err)
{
    char header[40];
    struct sip_core *core = c->core;
    struct txn *t = txn_at(core->txns, c->x.server);
    metric_add(METRIC_SIP_REJECTED_STORE, err != ERR_EXISTS);
    snprintf(header, sizeof header, "Retry-After: %d\r\n", RETRY_AFTER_SEC);
    if (t && txn_request(t, &core->again) == OK) {
        struct buf b = core_scratch_reply(core);
        int status = refusal_of(c, err);
        sip_put_reply(&b, &core->again, &t->path.peer, status, (struct str){0}, str_of(c->token),
                      false);
        if (status == 503)
            buf_puts(&b, header);
        sip_put_body(&b, (struct str){0});
        txn_answer(core->txns, t, status, buf_str(&b));
    }
}

/* The first event could not be stored: the call was never accepted, and leaves no trace. */
static void refuse(struct call *c, enum err err)
{
    answer_refusal(c, err);
    call_set_state(c, CALL_OVER);
}

/* Nobody knows whether the first event is stored: the caller is refused all the same, and both the
 * event and a call_ended are tried until they surely are. */
static void refuse_unsure(struct call *c)
{
    if (!call_takes(c, INPUT_END))
        return;
    answer_refusal(c, ERR_STORE_UNSURE);
    c->detail = "the store could not say whether the call is stored";
    call_end(c, END_FAILED, ENDED_BY_SYSTEM, 503);
}

static void on_incoming_stored(struct call *c, enum err err)
{
    if (err == ERR_STORE_UNSURE)
        refuse_unsure(c);
    else if (err == OK && c->state == CALL_TAKING)
        call_next_target(c);
    else if (err != OK && (c->state == CALL_TAKING || c->state >= CALL_ENDING))
        refuse(c, err); /* otherwise it has gone on since, because the store took long */
}

void call_on_invite(struct calls *calls, const struct sip_msg *m, const struct path *from,
                    struct str raw, const struct party *party)
{
    struct sip_core *core = calls->core;
    char e164[NUMBER_SIZE], call_id[ID_SIZE];
    if (core_refuse_message(core, m, from))
        return;
    if (is_from_us(calls, m)) {
        metric_add(METRIC_SIP_LOOPS, 1);
        core_reply(core, m, from, 482, NULL, NULL);
        return;
    }
    if (sip_header(m, SIP_H_REPLACES, 0)) { /* RFC 3891 §3: it is no call of its own */
        core_reply(core, m, from, 481, "Replaces Is Not Carried Out Here", NULL);
        return;
    }
    derive_call_id(m, party, call_id);
    struct call *c = map_get(calls->by_id, str_of(call_id));
    if (c) {
        on_known(c, m, from, raw);
        return;
    }
    const struct book_number *number = NULL;
    if (identity_called(m, party, e164) == OK)
        number = decision_called(core->book, str_of(e164));
    if (!number) {
        core_reply(core, m, from, 404, NULL, NULL);
        return;
    }
    if (core->draining || !store_is_writable(core->c.store)) {
        refuse_busy(core, m, from, METRIC_SIP_REJECTED_STORE);
        return;
    }
    bool room = !calls_are_full(calls) && transactions_admit(core->txns, number->account);
    if (!room || !party_admits(core, party) || !(c = call_new(calls))) {
        refuse_busy(core, m, from, METRIC_SIP_REJECTED_LIMIT);
        return;
    }
    memcpy(c->call_id, call_id, sizeof c->call_id);
    (void)!trace_id_parse(str_of(call_id), &c->trace);
    enum err err = begin(c, m, from, raw, party, number, e164);
    if (err != OK) {
        if (err_is_final(err))
            core_reply(core, m, from, 513, NULL, NULL); /* it would be too large again */
        else
            refuse_busy(core, m, from, METRIC_SIP_REJECTED_LIMIT);
        call_set_state(c, CALL_OVER); /* nobody heard of it */
        return;
    }
    core_trace(core, &c->trace, 'a', from, raw);
    metric_add(METRIC_CALLS_STARTED, 1);
    metric_set(METRIC_CALLS_ACTIVE, (int64_t)pool_count(calls->pool));
    c->book = book_take(core->c.books);
    call_answer_invite(c, 100, (struct str){0}, NULL, &c->a.dialog);
    call_store(c, &(struct call_news){.kind = EVENT_INCOMING_CALL, .then = on_incoming_stored});
}
