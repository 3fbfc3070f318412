/* txn_client: runs the transactions of clients (RFC 3261 §17.1, RFC 6026 §7.2, RFC 4320). A
 * response finds its transaction by our own branch. Edge's thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip/txn/txn_table.h"

enum { CANCEL_END_MAX = 32 }; /* Content-Length and the blank line */

static const struct str cookie = STR("z9hG4bK");

static void on_timeout(struct timer *timer);

struct txn *txn_client_new(struct transactions *ts, bool invite, struct path *to, struct str host,
                           char ret_branch[TOKEN_SIZE + 8])
{
    struct txn *t = txn_new(ts, to, invite, 64 * ts->t1_ms, on_timeout);
    if (!t)
        return NULL;
    transport_reach(ts->transport, to, host);
    t->path.conn = to->conn;
    t->random = crypto_random_u64();
    if (to->transport == SIP_TLS && !(t->host = str_dup(host))) {
        txn_end(ts, t);
        return NULL;
    }
    memcpy(ret_branch, cookie.p, cookie.n);
    token_print(t->self, t->random, ret_branch + cookie.n);
    return t;
}

/* Sends the request again (timers A and E), over a stream only after an error. */
static void on_repeat(struct timer *timer)
{
    struct txn *t = timer->arg;
    struct transactions *ts = txn_table(timer);
    bool stream = txn_is_reliable(t);
    int64_t next = 2 * t->interval_ms;
    metric_add(METRIC_SIP_RETRANSMITS_OUT, 1);
    if ((!t->invite || stream) && next > 8 * ts->t1_ms)
        next = 8 * ts->t1_ms;
    t->interval_ms = (int32_t)next;
    if (!stream)
        loop_timer(ts->loop, &t->repeat, t->interval_ms, on_repeat, t);
    txn_transmit(ts, t);
}

/* Timers B and F, and a connection that could not be made; timer C, which takes the INVITE back
 * first (§16.8); what absorbs repeats after the final answer. */
static void on_timeout(struct timer *timer)
{
    struct txn *t = timer->arg;
    struct transactions *ts = txn_table(timer);
    handle self = t->self;
    bool unsent = t->unreachable || t->waits;
    enum err err = t->state > TXN_PROCEEDING ? OK : unsent ? ERR_UNREACHABLE : ERR_TIMEOUT;
    if (err == ERR_TIMEOUT && t->invite && t->state == TXN_PROCEEDING && !t->unwanted) {
        txn_cancel(ts, t, (struct str){0});
        return;
    }
    if (err != OK)
        ts->user.on_failure(ts->user.arg, t, err);
    if ((t = txn_at(ts, self)))
        txn_end(ts, t);
}

void txn_send(struct transactions *ts, struct txn *t, struct str bytes)
{
    t->interval_ms = (int32_t)ts->t1_ms;
    txn_enter(ts, t, TXN_TRYING, 64 * ts->t1_ms, on_timeout);
    if (block_set(ts->blocks, &t->message, bytes) != OK) {
        loop_timer(ts->loop, &t->timeout, 0, on_timeout, t);
        return;
    }
    if (!txn_is_reliable(t))
        loop_timer(ts->loop, &t->repeat, t->interval_ms, on_repeat, t);
    txn_transmit(ts, t);
}

static struct txn *adopted_of_branch(struct transactions *ts, struct str branch)
{
    uint64_t hash = hash64(branch);
    return map_count(ts->adopted) ? map_get(ts->adopted, str_of_u64(&hash)) : NULL;
}

struct txn *txn_client_adopt(struct transactions *ts, const struct path *to, struct str host,
                             struct str branch, struct str invite)
{
    struct txn *t =
        adopted_of_branch(ts, branch) ? NULL : txn_new(ts, to, true, 64 * ts->t1_ms, on_timeout);
    if (!t)
        return NULL;
    t->random = hash64(branch);
    if (block_set(ts->blocks, &t->message, invite) != OK ||
        (to->transport == SIP_TLS && !(t->host = str_dup(host))) ||
        map_put(ts->adopted, str_of_u64(&t->random), t, NULL) != OK) {
        txn_end(ts, t);
        return NULL;
    }
    txn_enter(ts, t, TXN_PROCEEDING, 0, on_timeout); /* cancels it */
    return t;
}

enum err txn_sent(struct txn *t, struct sip_msg *m)
{
    return t->message.p ? sip_parse(t->message.p, t->message.n, m) : ERR_NOT_FOUND;
}

static struct txn *of_branch(struct transactions *ts, struct str branch)
{
    handle h;
    uint64_t random;
    if (!str_starts(branch, cookie) || branch.n != cookie.n + TOKEN_SIZE - 1 ||
        !token_parse(str_from(branch, cookie.n), &h, &random))
        return NULL;
    struct txn *t = txn_at(ts, h);
    return t && !t->server && t->random == random ? t : adopted_of_branch(ts, branch);
}

bool txn_is_own_branch(struct transactions *ts, struct str branch)
{
    return of_branch(ts, branch) != NULL;
}

struct txn *txn_client_of(struct transactions *ts, const struct sip_msg *m)
{
    struct txn *t = of_branch(ts, m->via.branch);
    if (!t)
        return NULL;
    if (t->invite && m->cseq_method == SIP_CANCEL)
        return txn_at(ts, t->cancel);
    if (t->invite != (m->cseq_method == SIP_INVITE))
        return NULL;
    return t;
}

/* Writes the ACK to a failure (§17.1.1.3), with the request's first Via and Routes and the
 * response's To. */
static void put_ack(struct buf *b, const struct sip_msg *invite, const struct sip_msg *response)
{
    const struct sip_header *h;
    sip_put_request_line(b, STR("ACK"), invite->ruri_text);
    sip_put(b, SIP_H_VIA, sip_value(invite, SIP_H_VIA));
    for (size_t i = 0; (h = sip_header(invite, SIP_H_ROUTE, i)); i++)
        sip_put(b, SIP_H_ROUTE, h->value);
    sip_put(b, SIP_H_MAX_FORWARDS, STR("70"));
    sip_put(b, SIP_H_FROM, sip_value(invite, SIP_H_FROM));
    sip_put(b, SIP_H_TO, sip_value(response, SIP_H_TO));
    sip_put(b, SIP_H_CALL_ID, sip_value(invite, SIP_H_CALL_ID));
    sip_putf(b, SIP_H_CSEQ, "%u ACK", invite->cseq);
    sip_put_body(b, (struct str){0});
}

/* Sends the ACK, and keeps it in the request's place for the failure's repeats. */
static void acknowledge_failure(struct transactions *ts, struct txn *t, const struct sip_msg *m)
{
    struct buf b;
    buf_wrap(&b, ts->text, TXN_TEXT_MAX);
    if (t->message.p && sip_parse(t->message.p, t->message.n, &ts->invite) == OK)
        put_ack(&b, &ts->invite, m);
    if (b.err != OK || b.n == 0 || block_set(ts->blocks, &t->message, buf_str(&b)) != OK)
        block_give(ts->blocks, &t->message);
    txn_transmit(ts, t);
}

/* Cancels the INVITE as it was sent (§9.1). The CANCEL's answer goes to nobody. */
static void send_cancel(struct transactions *ts, struct txn *t)
{
    char branch[TOKEN_SIZE + 8];
    const struct sip_header *h;
    struct sip_msg *invite = &ts->invite;
    struct buf b;
    if (!t->message.p || sip_parse(t->message.p, t->message.n, invite) != OK)
        return;
    struct txn *c = txn_client_new(ts, false, &t->path, str_of(t->host), branch);
    if (!c)
        return;
    c->leg = t->leg;
    c->trace = t->trace;
    t->cancel = c->self;
    buf_wrap(&b, ts->text, TXN_TEXT_MAX);
    sip_put_request_line(&b, STR("CANCEL"), invite->ruri_text);
    sip_put(&b, SIP_H_VIA, sip_value(invite, SIP_H_VIA));
    for (size_t i = 0; (h = sip_header(invite, SIP_H_ROUTE, i)); i++)
        sip_put(&b, SIP_H_ROUTE, h->value);
    sip_put(&b, SIP_H_MAX_FORWARDS, STR("70"));
    sip_put(&b, SIP_H_FROM, sip_value(invite, SIP_H_FROM));
    sip_put(&b, SIP_H_TO, sip_value(invite, SIP_H_TO));
    sip_put(&b, SIP_H_CALL_ID, sip_value(invite, SIP_H_CALL_ID));
    sip_putf(&b, SIP_H_CSEQ, "%u CANCEL", invite->cseq);
    if (b.n + t->parting.n + CANCEL_END_MAX <= b.max)
        buf_put_str(&b, block_str(&t->parting));
    sip_put_body(&b, (struct str){0});
    block_give(ts->blocks, &t->parting);
    if (b.err == OK)
        txn_send(ts, c, buf_str(&b));
    else
        txn_end(ts, c);
}

/* Lets the INVITE ring for as long as it may; one that was taken back rings no longer. */
static void on_ringing(struct transactions *ts, struct txn *t, int status)
{
    bool first = t->state == TXN_TRYING;
    if (t->unwanted && first) {
        txn_enter(ts, t, TXN_PROCEEDING, 64 * ts->t1_ms, on_timeout);
        send_cancel(ts, t);
    } else if (t->unwanted) {
        return; /* its time goes on */
    } else if (first || status > 100) {
        txn_enter(ts, t, TXN_PROCEEDING, t->patience_ms, on_timeout);
    }
}

static void on_invite_response(struct transactions *ts, struct txn *t, const struct sip_msg *m)
{
    bool accepted = m->status >= 200 && m->status < 300;
    if (t->state == TXN_COMPLETED && m->status >= 300) {
        txn_transmit(ts, t); /* the failure again: our ACK was lost */
        return;
    }
    if (t->state >= TXN_COMPLETED) { /* a proxy passes each 2xx, after a failure too (§16.7) */
        if (accepted)
            ts->user.on_response(ts->user.arg, t, m);
        return;
    }
    timer_stop(&t->repeat);
    if (m->status < 200) {
        on_ringing(ts, t, m->status);
    } else if (accepted) {
        block_give(ts->blocks, &t->message);
        txn_enter(ts, t, TXN_ACCEPTED, 64 * ts->t1_ms, on_timeout); /* timer M */
    } else {
        int64_t ms = txn_is_reliable(t) ? 0 : 64 * ts->t1_ms;
        txn_enter(ts, t, TXN_COMPLETED, ms, on_timeout); /* timer D */
        acknowledge_failure(ts, t, m);
    }
    ts->user.on_response(ts->user.arg, t, m);
}

void txn_on_response(struct transactions *ts, struct txn *t, const struct sip_msg *m)
{
    handle self = t->self;
    if (t->invite) {
        on_invite_response(ts, t, m);
        return;
    }
    if (m->status < 200) {
        t->state = TXN_PROCEEDING;                 /* timer F goes on */
        t->interval_ms = (int32_t)(4 * ts->t1_ms); /* the next repeat in T2 */
        return;
    }
    timer_stop(&t->repeat);
    txn_enter(ts, t, TXN_COMPLETED, 0, on_timeout);
    ts->user.on_response(ts->user.arg, t, m);
    if ((t = txn_at(ts, self)))
        txn_end(ts, t); /* timer K: repeats find nothing, and that absorbs them */
}

void txn_cancel(struct transactions *ts, struct txn *t, struct str parting)
{
    if (t->server || !t->invite || t->unwanted || t->state > TXN_PROCEEDING)
        return;
    t->unwanted = true;
    if (parting.n)
        (void)!block_set(ts->blocks, &t->parting, parting); /* without memory it says nothing */
    if (t->state == TXN_TRYING)
        return; /* timer B goes on */
    txn_enter(ts, t, TXN_PROCEEDING, 64 * ts->t1_ms, on_timeout);
    send_cancel(ts, t);
}

/* It fails in a turn of its own. */
static void fail_soon(struct transactions *ts, struct txn *t, const char *why)
{
    t->unreachable = true;
    free(t->why);
    t->why = str_dup(str_of(why));
    loop_timer(ts->loop, &t->timeout, 0, on_timeout, t);
}

/* A transport error is the network's 503 (§8.1.3.1), which ends no dialog (§12.2.1.2). Over UDP it
 * is a lost packet, whose timer runs. */
void txn_client_unsent(struct transactions *ts, struct txn *t, enum err err, const char *why)
{
    if (t->fails_at_once || err_is_final(err)) {
        fail_soon(ts, t, why);
        return;
    }
    t->unreachable = true;
    t->waits = false;
    if (!txn_is_reliable(t) || t->unwanted) /* what was taken back is asked no more */
        return;
    if (t->invite && t->state == TXN_PROCEEDING)
        txn_enter(ts, t, TXN_TRYING, 64 * ts->t1_ms, on_timeout);
    loop_timer(ts->loop, &t->repeat, t->interval_ms, on_repeat, t);
}

void transactions_on_gone(struct transactions *ts, handle conn, const char *why)
{
    handle h;
    struct txn *t;
    for (size_t i = 0; (t = pool_next(ts->pool, &i, &h));)
        if (!t->server && t->path.conn == conn && t->state <= TXN_PROCEEDING)
            txn_client_unsent(ts, t, ERR_RESET, why);
}

/* The branch of the first Via in the first bytes of a message, which may end anywhere. */
static struct str quoted_branch(struct str bytes)
{
    static const struct str name = STR(";branch=");
    for (size_t i = 0; i + name.n + cookie.n + TOKEN_SIZE - 1 <= bytes.n; i++)
        if (str_starts(str_from(bytes, i), name))
            return str_slice(bytes, i + name.n, cookie.n + TOKEN_SIZE - 1);
    return (struct str){0};
}

void transactions_on_icmp(struct transactions *ts, const struct addr *to, int error,
                          struct str quoted)
{
    char peer[ADDR_TEXT_SIZE], why[160];
    struct txn *t = of_branch(ts, quoted_branch(quoted));
    if (!t || !t->fails_at_once || t->state != TXN_TRYING || t->path.transport != SIP_UDP ||
        !addr_eq(&t->path.peer, to))
        return;
    addr_print(to, peer);
    snprintf(why, sizeof why, "nothing was heard from %s but ICMP: %s", peer, strerror(error));
    fail_soon(ts, t, why);
}
