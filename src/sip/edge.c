/* edge: the door. Every message passes here: from whom is it, does it answer something of ours, is
 * it asked again, does it belong to a call, may it begin one. Who is nobody's gets silence. Edge's
 * thread, but for the functions that mail to it. */
#include "sip/edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metrics.h"
#include "sip/call/call.h"

enum { TXNS_PER_CALL = 6, TXNS_LEAST = 65536 };

static const char allow[] = "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, "
                            "NOTIFY, MESSAGE\r\n";

void edge_trace(struct sip_edge *e, const struct trace_id *call, char leg, const struct path *from,
                struct str raw)
{
    e->at_hand = (struct traced){*call, leg};
    trace_put(e->trace, &e->at_hand, false, from, raw);
}

void edge_send(struct sip_edge *e, const struct trace_id *call, char leg, struct path *path,
               struct str host, struct str bytes)
{
    const struct traced whose = {*call, leg};
    if (transport_send(e->transport, path, host, bytes) == OK)
        trace_put(e->trace, &whose, true, path, bytes);
}

void edge_reply(struct sip_edge *e, const struct sip_msg *m, const struct path *to, int status,
                const char *reason, const char *more)
{
    char tag[TOKEN_SIZE];
    struct buf b = call_scratch(e); /* as large as a message: a reply repeats what came */
    struct path path = *to;
    if (m->method == SIP_ACK || !m->answerable)
        return;
    /* Stateless: the same request must get the same tag (RFC 3261 §8.2.7). */
    uint64_t hash = hash64(m->via.branch.n ? m->via.branch : m->call_id);
    token_print(hash, hash64(m->call_id), tag);
    sip_put_reply(&b, m, &to->peer, status, str_of(reason), str_of(tag), false);
    if (status == 405 || status == 501 || (status == 200 && m->method == SIP_OPTIONS))
        buf_puts(&b, allow);
    buf_puts(&b, more ? more : "");
    sip_put_body(&b, (struct str){0});
    if (b.err == OK)
        edge_send(e, &e->at_hand.call, e->at_hand.leg, &path, (struct str){0}, buf_str(&b));
}

void edge_reply_kept(struct sip_edge *e, struct txn *t, const struct sip_msg *m, int status,
                     const char *reason, const char *more)
{
    struct buf b = call_scratch(e);
    char tag[TOKEN_SIZE];
    token_print(t->self, hash64(m->call_id), tag);
    sip_put_reply(&b, m, &t->path.peer, status, str_of(reason),
                  status > 100 ? str_of(tag) : STR(""), false);
    buf_puts(&b, more ? more : "");
    sip_put_body(&b, (struct str){0});
    txn_answer(e->txns, t, status, buf_str(&b));
}

static void on_options(struct sip_edge *e, const struct sip_msg *m, const struct path *from)
{
    edge_reply(e, m, from, 200, NULL,
               "Accept: application/sdp, text/plain, message/cpim\r\nSupported: 100rel, timer\r\n");
}

static void on_cancel(struct sip_edge *e, const struct sip_msg *m, const struct path *from)
{
    struct txn *invite = txn_server_of(e->txns, m);
    struct call *c = invite && invite->call ? pool_at(e->calls, invite->call) : NULL;
    const struct dialog *d = c ? call_leg(c, (char)invite->leg) : NULL;
    if (d && !dialog_is(d, m->call_id, m->from.tag))
        invite = NULL; /* a stranger's, with the branch of another's INVITE */
    edge_reply(e, m, from, invite ? 200 : 481, NULL, NULL);
    if (!c || !invite || c->x.server != invite->self)
        return;
    struct txn *client = txn_at(e->txns, c->x.client);
    if (c->x.first)
        call_on_cancel(c);
    else if (client)
        txn_cancel(e->txns, client);
}

/* Outside of any dialog. */
static void on_new_request(struct sip_edge *e, const struct sip_msg *m, const struct path *from,
                           struct str raw, const struct book_trunk *trunk, int64_t waited_ms)
{
    switch (m->method) {
    case SIP_INVITE:
        if (waited_ms > QUEUE_AGE_MAX_MS)
            metric_add(METRIC_SIP_REJECTED_LIMIT, 1); /* overload: its caller repeats it, or left */
        else
            call_on_invite(e, m, from, raw, trunk);
        break;
    case SIP_MESSAGE: text_on_message(e, m, from, raw, trunk); break;
    case SIP_OPTIONS:
        if (!call_refuse_message(e, m, from))
            on_options(e, m, from);
        break;
    case SIP_BYE:
    case SIP_PRACK:
    case SIP_UPDATE:
    case SIP_INFO:
    case SIP_NOTIFY: edge_reply(e, m, from, 481, NULL, NULL); break;
    case SIP_METHOD_OTHER: edge_reply(e, m, from, 501, NULL, NULL); break;
    default: edge_reply(e, m, from, 405, NULL, NULL);
    }
}

static void on_request(struct sip_edge *e, const struct sip_msg *m, const struct path *from,
                       struct str raw, const struct book_trunk *trunk, int64_t waited_ms)
{
    char leg, fork;
    struct call *c = m->to.tag.p ? call_of_tag(e, m->to.tag, &leg, &fork) : NULL;
    struct dialog *d = c ? call_dialog_of(c, leg, fork, m->call_id, m->from.tag) : NULL;
    struct txn *t = txn_server_of(e->txns, m);
    bool known = c != NULL;
    if (!d)
        c = NULL; /* our tag, in the mouth of another, or in a dialog that is no more: 481 */
    if (!trunk && !known && !t) {
        metric_add(METRIC_SIP_UNKNOWN_SOURCE, 1);
        return;
    }
    if (t && trace_id_is_set(&t->trace))
        edge_trace(e, &t->trace, (char)t->leg, from, raw);
    else if (c)
        edge_trace(e, &c->trace, leg, from, raw);
    if (m->method == SIP_CANCEL)
        t = NULL; /* that was its INVITE's */
    if (m->method == SIP_ACK) {
        if (!(t && txn_server_ack(e->txns, t)) && c)
            call_on_ack(c, leg, m);
        return;
    }
    if (t) {
        txn_server_repeat(e->txns, t);
        return;
    }
    if (m->method == SIP_CANCEL)
        on_cancel(e, m, from);
    else if (c)
        call_on_request(c, leg, d, fork, m, from, raw);
    else if (m->to.tag.p)
        edge_reply(e, m, from, 481, NULL, NULL);
    else
        on_new_request(e, m, from, raw, trunk, waited_ms);
}

/* A response has the Call-ID and the From of what it answers (§8.2.6.2): what it says would make or
 * change a dialog otherwise. */
static bool answers(struct sip_edge *e, const struct txn *t, const struct sip_msg *m)
{
    char leg, fork;
    struct call *c = t->call ? pool_at(e->calls, t->call) : NULL;
    if (!c)
        return true; /* it changes nothing any more */
    const struct dialog *d = call_leg(c, (char)t->leg);
    bool ours = m->from.tag.p && call_of_tag(e, m->from.tag, &leg, &fork) == c && leg == t->leg;
    return ours && (d->mem ? str_eq(m->call_id, dialog_get(d, DIALOG_CALL_ID))
                           : str_starts(m->call_id, str_of(c->token)));
}

static void on_response_message(struct sip_edge *e, const struct sip_msg *m,
                                const struct path *from, struct str raw)
{
    char leg, fork;
    struct txn *t = txn_client_of(e->txns, m);
    struct call *c = !t && m->from.tag.p ? call_of_tag(e, m->from.tag, &leg, &fork) : NULL;
    if (t && !answers(e, t, m))
        return;
    if (t)
        edge_trace(e, &t->trace, (char)t->leg, from, raw);
    else if (c)
        edge_trace(e, &c->trace, leg, from, raw);
    if (t)
        txn_on_response(e->txns, t, m);
    else if (m->cseq_method == SIP_INVITE && m->status >= 200 && m->status < 300)
        call_on_late_answer(e, m, from);
}

static void book_renew(struct sip_edge *e)
{
    uint64_t now = books_generation(e->c.books);
    if (e->book && now == e->generation)
        return;
    book_drop(&e->book);
    e->generation = now;
    e->book = book_take(e->c.books);
    const struct book_account *own = book_account_named(e->book, STR("default"));
    e->operators = own ? own->n : 0;
}

static void on_message(void *arg, const struct path *from, char *bytes, size_t n, int64_t waited_ms)
{
    struct sip_edge *e = arg;
    struct sip_msg *m = &e->msg;
    book_renew(e);
    const struct book_trunk *trunk = book_trunk_from(e->book, &from->peer);
    if (n < 16) /* keep-alives (RFC 5626 §4.4) */
        return;
    enum err err = sip_parse(bytes, n, m);
    struct str raw = str_of_bytes(bytes, n);
    if (err == OK && m->is_request) {
        raw.n = m->size;
        on_request(e, m, from, raw, trunk, waited_ms);
    } else if (err == OK) {
        raw.n = m->size;
        on_response_message(e, m, from, raw);
    } else if (trunk) {
        metric_add(METRIC_SIP_MALFORMED, 1);
        if (m->is_request)
            edge_reply(e, m, from, m->fault_status, m->fault, NULL);
    } else {
        metric_add(METRIC_SIP_UNKNOWN_SOURCE, 1);
    }
    e->at_hand = (struct traced){0};
}

static bool may_connect(void *arg, const struct addr *from)
{
    struct sip_edge *e = arg;
    book_renew(e);
    bool known = book_trunk_from(e->book, from) != NULL;
    metric_add(METRIC_SIP_UNKNOWN_SOURCE, !known);
    return known;
}

static void on_gone(void *arg, handle conn)
{
    struct sip_edge *e = arg;
    if (e->txns)
        transactions_on_gone(e->txns, conn);
}

static void on_response(void *arg, struct txn *t, const struct sip_msg *m)
{
    struct sip_edge *e = arg;
    struct call *c = t->call ? pool_at(e->calls, t->call) : NULL;
    if (!c) { /* abandoned: what rings is told to stop, what answers is hung up */
        if (t->invite && m->status < 200)
            txn_cancel(e->txns, t);
        else if (t->invite && m->status < 300)
            call_hang_up_stray(e, t, &t->strays, m);
        return;
    }
    call_heard(c);
    if (t->purpose == FOR_ROUTE)
        call_on_route_response(c, t, m);
    else if (t->purpose == FOR_PROBE && m->status >= 200)
        call_on_probe_answer(c, t, m->status);
    else if (t->purpose == FOR_RELAY || t->purpose == FOR_REINVITE)
        call_on_relay_response(c, t, m);
}

static void on_sent(void *arg, const struct txn *t, struct str bytes)
{
    struct sip_edge *e = arg;
    const struct traced whose = {t->trace, (char)t->leg};
    trace_put(e->trace, &whose, true, &t->path, bytes);
}

/* A request that nobody answered in its time gets a final answer all the same. */
static void on_unanswered(struct sip_edge *e, struct call *c, struct txn *t)
{
    if (c && c->x.first && c->x.server == t->self && c->state <= CALL_RINGING)
        call_end(c, END_NO_ANSWER, ENDED_BY_SYSTEM, 480);
    else if (txn_request(t, &e->again) == OK)
        edge_reply_kept(e, t, &e->again, t->invite ? 480 : 504, NULL, NULL);
}

static void on_failure(void *arg, struct txn *t, enum err err)
{
    struct sip_edge *e = arg;
    struct call *c = t->call ? pool_at(e->calls, t->call) : NULL;
    int status = err == ERR_UNREACHABLE ? 503 : 408;
    if (t->server) {
        on_unanswered(e, c, t);
        return;
    }
    if (!c)
        return;
    t->call = 0;
    if (t->purpose == FOR_ROUTE && c->state == CALL_RINGING)
        call_address_failed(c, status);
    else if (t->purpose == FOR_PROBE && err == ERR_UNREACHABLE)
        call_on_probe_unsent(c, t);
    else if (t->purpose == FOR_PROBE)
        call_on_probe_answer(c, t, 408);
    else if (t->purpose == FOR_RELAY || t->purpose == FOR_REINVITE)
        call_on_relay_failure(c, t, err);
}

enum err sip_edge_new(const struct sip_config *c, struct sip_edge **ret, char *why, size_t cap)
{
    struct sip_edge *e = calloc(1, sizeof *e);
    snprintf(why, cap, "%s", err_text(ERR_NOMEM));
    if (!e)
        return ERR_NOMEM;
    e->c = *c;
    const struct transport_user tu = {on_message, may_connect, on_gone, e};
    const struct transaction_user xu = {on_response, on_failure, on_sent, e};
    size_t open = 0;
    enum err err = calls_count(c, &open);
    size_t calls = c->max_calls + open, txns = TXNS_LEAST + calls * TXNS_PER_CALL;
    e->texts_txns = txns / 2;
    e->scratch = malloc(SCRATCH_MAX);
    e->by_call_id = map_new();
    e->restored = map_new();
    e->trunks = map_new();
    if (err == OK && (!e->scratch || !e->by_call_id || !e->restored || !e->trunks))
        err = ERR_NOMEM;
    if (err == OK)
        err = blocks_new(&e->blocks);
    if (err == OK)
        err = pool_new(&e->calls, sizeof(struct call), calls);
    if (err == OK)
        err = transport_new(c->loop, c->guard, &c->listens, &tu, &e->transport, why, cap);
    if (err == OK && c->trace_log)
        err = trace_new(c->loop, e->transport, c->trace_log, &e->trace);
    if (err == OK)
        err = transactions_new(c->loop, e->transport, e->blocks, txns, c->t1_ms, &xu, &e->txns);
    if (err == OK) {
        book_renew(e);
        err = calls_restore(e);
    }
    if (err != OK) {
        sip_edge_free(e);
        return err;
    }
    *ret = e;
    return OK;
}

void sip_edge_free(struct sip_edge *e)
{
    handle h;
    struct call *c;
    if (!e)
        return;
    for (size_t i = 0; e->calls && (c = pool_next(e->calls, &i, &h));) {
        c->storing = false; /* its answer will never be opened: the loop has ended */
        call_free(c);
    }
    timer_stop(&e->drain);
    transactions_free(e->txns);
    e->txns = NULL;
    trace_free(e->trace);
    transport_free(e->transport);
    pool_free(e->calls);
    blocks_free(e->blocks);
    map_free(e->by_call_id);
    map_free(e->restored);
    trunks_free(e);
    book_drop(&e->book);
    free(e->scratch);
    free(e);
}

void sip_edge_end_trace(struct sip_edge *e)
{
    trace_flush(e->trace);
}

struct addr sip_edge_local(const struct sip_edge *e, size_t listen)
{
    return transport_local(e->transport, listen);
}

static void idle(struct sip_edge *e)
{
    void (*on_idle)(void *) = e->on_idle;
    e->on_idle = NULL;
    timer_stop(&e->drain);
    if (on_idle)
        on_idle(e->on_idle_arg);
}

static void idle_perhaps(struct sip_edge *e)
{
    if (e->on_idle && pool_count(e->calls) == 0 && e->n_texts == 0)
        idle(e);
}

void edge_call_over(struct sip_edge *e)
{
    metric_set(METRIC_CALLS_ACTIVE, (int64_t)pool_count(e->calls));
    idle_perhaps(e);
}

void edge_text_over(struct sip_edge *e)
{
    e->n_texts--;
    idle_perhaps(e);
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
    e->draining = true;
    e->on_idle = d->on_idle;
    e->on_idle_arg = d->arg;
    loop_timer(e->c.loop, &e->drain, d->wait_ms, on_drain_over, e);
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
    loop_post_answer(e->c.loop, &d->mail);
}

struct hangup_mail {
    struct mail mail;
    struct sip_edge *edge;
    char call_id[ID_SIZE];
};

static void on_hangup(struct mail *m)
{
    struct hangup_mail *h = (struct hangup_mail *)m;
    struct call *c = map_get(h->edge->by_call_id, str_of(h->call_id));
    if (c && (c->state == CALL_UP || c->state == CALL_ANSWERING)) {
        static const struct str why = STR("SIP;cause=200;text=\"Hung up by the operator\"");
        int status = c->state == CALL_UP ? 200 : 480;
        call_hang_up(c, 'a', why);
        call_hang_up(c, 'b', why);
        call_end(c, END_COMPLETED, ENDED_BY_SYSTEM, status);
    } else if (c && c->state < CALL_ANSWERING) {
        call_end(c, END_CANCELED, ENDED_BY_SYSTEM, 480);
    }
    free(h);
}

void sip_edge_control(struct sip_edge *e, struct str call_id, uint64_t asked, int status,
                      struct str body)
{
    call_post_control(e, call_id, asked, status, body);
}

enum err sip_edge_hangup(struct sip_edge *e, struct str call_id)
{
    struct hangup_mail *h = malloc(sizeof *h);
    if (!h)
        return ERR_NOMEM;
    h->mail.open = on_hangup;
    h->edge = e;
    enum err err = str_copy(call_id, h->call_id, sizeof h->call_id);
    if (err == OK)
        err = loop_post(e->c.loop, &h->mail);
    if (err != OK)
        free(h);
    return err;
}
