/* edge: the door. Every message passes here: from whom is it, does it answer something of ours, is
 * it asked again, does it belong to a call, may it begin one. Nobody's message gets silence. Edge's
 * thread, but for the functions that mail to it. */
#include "sip/edge.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/metrics.h"
#include "sip/core/party.h"
#include "sip/core/refuse.h"
#include "sip/core/reply.h"
#include "sip/edge_own.h"

enum { QUEUE_AGE_MAX_MS = 2000 }; /* an INVITE that lay in the socket for longer is not answered */

/* A request outside of any dialog, from somebody. */
typedef void new_request(struct sip_edge *e, const struct sip_msg *m, const struct path *from,
                         struct str raw, const struct party *party, int64_t waited_ms);

static void on_invite(struct sip_edge *e, const struct sip_msg *m, const struct path *from,
                      struct str raw, const struct party *party, int64_t waited_ms)
{
    if (waited_ms > QUEUE_AGE_MAX_MS)
        metric_add(METRIC_SIP_REJECTED_LIMIT, 1); /* overload: its caller repeats it, or left */
    else
        call_on_invite(&e->calls, m, from, raw, party);
}

static void on_text(struct sip_edge *e, const struct sip_msg *m, const struct path *from,
                    struct str raw, const struct party *party, int64_t waited_ms)
{
    text_on_message(&e->texts, m, from, raw, party);
}

static void on_options(struct sip_edge *e, const struct sip_msg *m, const struct path *from,
                       struct str raw, const struct party *party, int64_t waited_ms)
{
    if (!core_refuse_message(&e->core, m, from))
        core_reply(&e->core, m, from, 200, NULL,
                   "Accept: application/sdp, text/plain, message/cpim\r\n"
                   "Supported: 100rel, timer\r\n");
}

/* One method a line: what takes it outside of dialogs, or the status that refuses it there. */
static const struct {
    new_request *take;
    int status;
} outside[] = {
    [SIP_INVITE] = {on_invite, 0}, [SIP_MESSAGE] = {on_text, 0}, [SIP_OPTIONS] = {on_options, 0},
    [SIP_BYE] = {NULL, 481},       [SIP_PRACK] = {NULL, 481},    [SIP_UPDATE] = {NULL, 481},
    [SIP_INFO] = {NULL, 481},      [SIP_NOTIFY] = {NULL, 481},   [SIP_ACK] = {NULL, 481},
    [SIP_CANCEL] = {NULL, 481},    [SIP_REGISTER] = {NULL, 405}, [SIP_REFER] = {NULL, 405},
    [SIP_SUBSCRIBE] = {NULL, 405}, [SIP_PUBLISH] = {NULL, 405},  [SIP_METHOD_OTHER] = {NULL, 501},
};

static void on_new_request(struct sip_edge *e, const struct sip_msg *m, const struct path *from,
                           struct str raw, const struct party *party, int64_t waited_ms)
{
    if (outside[m->method].take)
        outside[m->method].take(e, m, from, raw, party, waited_ms);
    else
        core_reply(&e->core, m, from, outside[m->method].status, NULL, NULL);
}

static void on_request(struct sip_edge *e, const struct sip_msg *m, const struct path *from,
                       struct str raw, const struct party *party, int64_t waited_ms)
{
    struct sip_core *core = &e->core;
    struct call_place at;
    bool somebody = party->kind != PARTY_NOBODY;
    /* Our tag in another's mouth, or in a dialog that is no more, is known and yet no call's. */
    bool known = calls_at(&e->calls, m->to.tag, m->call_id, m->from.tag, &at) != NULL;
    struct txn *t = txn_server_of(core->txns, m);
    if (!somebody && !known && !t) {
        metric_add(METRIC_SIP_UNKNOWN_SOURCE, 1);
        return;
    }
    if (t && trace_id_is_set(&t->trace))
        core_trace(core, &t->trace, (char)t->leg, from, raw);
    else if (at.leg)
        calls_packet_at_hand(&e->calls, at.leg, from, raw);
    if (m->method == SIP_ACK) {
        if (!(t && txn_server_ack(core->txns, t)))
            calls_on_ack(&e->calls, &at, t, m);
    } else if (m->method == SIP_CANCEL) { /* `t` is its INVITE's */
        calls_on_cancel(&e->calls, m, from);
    } else if (t && !(somebody && calls_want_again(&e->calls, t, m))) {
        txn_server_repeat(core->txns, t);
    } else if (at.leg) {
        calls_on_request(&at, m, from, raw);
    } else if (m->to.tag.p) {
        core_reply(core, m, from, 481, NULL, NULL);
    } else {
        on_new_request(e, m, from, raw, party, waited_ms);
    }
}

static void on_response_message(struct sip_edge *e, const struct sip_msg *m,
                                const struct path *from, struct str raw)
{
    struct sip_core *core = &e->core;
    struct call_place at = {0};
    struct txn *t = txn_client_of(core->txns, m);
    struct leg *leg = t ? NULL : calls_at(&e->calls, m->from.tag, m->call_id, m->to.tag, &at);
    if (t && !calls_answer_fits(&e->calls, t, m))
        return;
    if (t)
        core_trace(core, &t->trace, (char)t->leg, from, raw);
    else if (leg)
        calls_packet_at_hand(&e->calls, leg, from, raw);
    if (t)
        txn_on_response(core->txns, t, m);
    else if (m->cseq_method == SIP_INVITE && m->status >= 200 && m->status < 300)
        call_on_late_answer(&e->calls, m, from);
    else if (leg && m->cseq_method == SIP_INVITE && m->status < 200)
        call_on_late_ringing(leg, m, from);
}

static void on_message(void *arg, const struct path *from, char *bytes, size_t n, int64_t waited_ms)
{
    struct sip_edge *e = arg;
    struct sip_core *core = &e->core;
    struct sip_msg *m = &core->msg;
    core_book_renew(core);
    const struct party party = party_from(core->book, &from->peer);
    if (n < 16) /* keep-alives (RFC 5626 §4.4) */
        return;
    enum err err = sip_parse(bytes, n, m);
    struct str raw = str_of_bytes(bytes, n);
    if (err == OK && m->is_request) {
        raw.n = m->size;
        on_request(e, m, from, raw, &party, waited_ms);
    } else if (err == OK) {
        raw.n = m->size;
        on_response_message(e, m, from, raw);
    } else if (party.kind != PARTY_NOBODY) {
        metric_add(METRIC_SIP_MALFORMED, 1);
        if (m->is_request)
            core_reply(core, m, from, m->fault_status, m->fault, NULL);
    } else {
        metric_add(METRIC_SIP_UNKNOWN_SOURCE, 1);
    }
    core->at_hand = (struct trace_label){0};
}

/* A request that is too large to be taken whole (§21.5.7). */
static void on_large(void *arg, const struct path *from, char *bytes, size_t n)
{
    struct sip_edge *e = arg;
    struct sip_msg *m = &e->core.msg;
    (void)!sip_parse(bytes, n, m); /* its body is not there: what matters is who asked what */
    if (m->is_request && m->answerable)
        core_reply(&e->core, m, from, 513, NULL, NULL);
}

static bool may_connect(void *arg, const struct addr *from)
{
    struct sip_edge *e = arg;
    core_book_renew(&e->core);
    bool known = party_from(e->core.book, from).kind != PARTY_NOBODY;
    metric_add(METRIC_SIP_UNKNOWN_SOURCE, !known);
    return known;
}

static void on_gone(void *arg, handle conn, const char *why)
{
    struct sip_edge *e = arg;
    if (e->core.txns)
        transactions_on_gone(e->core.txns, conn, why);
}

static void on_broken(void *arg, const struct path *path)
{
    struct sip_edge *e = arg;
    calls_on_broken(&e->calls, path);
}

static void on_open(void *arg, handle conn)
{
    struct sip_edge *e = arg;
    transactions_on_open(e->core.txns, conn);
}

static void on_icmp(void *arg, const struct addr *to, int error, struct str quoted)
{
    struct sip_edge *e = arg;
    if (e->core.txns)
        transactions_on_icmp(e->core.txns, to, error, quoted);
}

static void on_response(void *arg, struct txn *t, const struct sip_msg *m)
{
    calls_on_response(&((struct sip_edge *)arg)->calls, t, m);
}

static void on_failure(void *arg, struct txn *t, enum err err)
{
    calls_on_failure(&((struct sip_edge *)arg)->calls, t, err);
}

static void on_sent(void *arg, const struct txn *t, struct str bytes)
{
    struct sip_edge *e = arg;
    const struct trace_label whose = {t->trace, (char)t->leg};
    trace_put(e->core.trace, &whose, true, &t->path, bytes);
}

static void idle(struct sip_edge *e)
{
    void (*on_idle)(void *) = e->on_idle;
    e->on_idle = NULL;
    timer_stop(&e->drain);
    if (on_idle)
        on_idle(e->on_idle_arg);
}

static void idle_perhaps(void *arg)
{
    struct sip_edge *e = arg;
    if (e->on_idle && pool_count(e->calls.pool) == 0 && e->texts.n == 0)
        idle(e);
}

enum err sip_edge_new(const struct sip_config *c, struct sip_edge **ret, char *why, size_t cap)
{
    struct sip_edge *e = calloc(1, sizeof *e);
    snprintf(why, cap, "%s", err_text(ERR_NOMEM));
    if (!e)
        return ERR_NOMEM;
    const struct transport_user tu = {.on_message = on_message,
                                      .on_large = on_large,
                                      .may_connect = may_connect,
                                      .on_gone = on_gone,
                                      .on_broken = on_broken,
                                      .on_open = on_open,
                                      .on_icmp = on_icmp,
                                      .arg = e};
    const struct transaction_user xu = {on_response, on_failure, on_sent, e};
    size_t open = 0;
    enum err err = calls_count(c, &open);
    size_t calls = c->max_calls + open;
    if (err == OK)
        err = core_init(&e->core, c, calls, &tu, &xu, why, cap);
    e->texts = (struct texts){.core = &e->core, .on_none = idle_perhaps, .arg = e};
    e->texts.txns_max = e->core.txns_max / 2;
    if (err == OK)
        err = calls_init(&e->calls, &e->core, calls);
    e->calls.on_none = idle_perhaps;
    e->calls.arg = e;
    if (err == OK)
        err = calls_restore(&e->calls);
    if (err != OK) {
        sip_edge_free(e);
        return err;
    }
    *ret = e;
    return OK;
}

void sip_edge_free(struct sip_edge *e)
{
    if (!e)
        return;
    calls_fini(&e->calls);
    timer_stop(&e->drain);
    core_fini(&e->core);
    free(e);
}

void sip_edge_end_trace(struct sip_edge *e)
{
    trace_flush(e->core.trace);
}

struct addr sip_edge_local(const struct sip_edge *e, size_t listen)
{
    return transport_local(e->core.transport, listen);
}

struct drain_mail {
    struct mail mail;
    struct sip_edge *edge;
    int64_t wait_ms;
    void (*on_idle)(void *arg);
    void *arg;
};

static void on_drain_over(struct timer *timer)
{
    idle(timer->arg);
}

static void on_drain(struct mail *m)
{
    struct drain_mail *d = (struct drain_mail *)m;
    struct sip_edge *e = d->edge;
    e->core.draining = true;
    e->on_idle = d->on_idle;
    e->on_idle_arg = d->arg;
    loop_timer(e->core.c.loop, &e->drain, d->wait_ms, on_drain_over, e);
    idle_perhaps(e);
    free(d);
}

void sip_edge_drain(struct sip_edge *e, int64_t wait_ms, void (*on_idle)(void *), void *arg)
{
    struct drain_mail *d = malloc(sizeof *d);
    if (!d) {
        on_idle(arg);
        return;
    }
    *d = (struct drain_mail){{NULL, on_drain}, e, wait_ms, on_idle, arg};
    loop_post_answer(e->core.c.loop, &d->mail);
}

void sip_edge_control(struct sip_edge *e, struct str call_id, uint64_t asked, int status,
                      struct str body)
{
    call_post_control(&e->calls, call_id, asked, status, body);
}

enum err sip_edge_hangup(struct sip_edge *e, struct str call_id)
{
    return calls_post_hangup(&e->calls, call_id);
}
