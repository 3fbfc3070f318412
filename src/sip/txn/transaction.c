/* transaction: keeps the table of transactions, and runs those of servers (RFC 3261 §17.2). A
 * server transaction is found by a keyed hash of the fields that are the same in a repeated
 * request; its last answer is kept as bytes and sent again as it was. Edge's thread. */
#include "sip/txn/transaction.h"

#include <string.h>

#include "sip/txn/txn_table.h"

enum err transactions_new(struct loop *l, struct transport *tp, struct blocks *blocks, size_t max,
                          int64_t t1_ms, const struct transaction_user *u,
                          struct transactions **ret)
{
    struct transactions *ts = calloc(1, sizeof *ts);
    enum err err = ts ? pool_new(&ts->pool, sizeof(struct txn), max) : ERR_NOMEM;
    if (err == OK && (!(ts->servers = map_new()) || !(ts->adopted = map_new()) ||
                      !(ts->text = malloc(TXN_TEXT_MAX))))
        err = ERR_NOMEM;
    if (err == OK)
        err = shares_new(&ts->shares);
    if (err != OK) {
        transactions_free(ts);
        return err;
    }
    ts->max = max;
    ts->loop = l;
    ts->transport = tp;
    ts->blocks = blocks;
    ts->t1_ms = t1_ms;
    ts->user = *u;
    crypto_random(ts->hash_key, sizeof ts->hash_key);
    *ret = ts;
    return OK;
}

static void txn_drop(struct transactions *ts, struct txn *t)
{
    timer_stop(&t->repeat);
    timer_stop(&t->timeout);
    block_give(ts->blocks, &t->parting);
    block_give(ts->blocks, &t->message);
    block_give(ts->blocks, &t->request);
    free(t->host);
    free(t->why);
    t->host = t->why = NULL;
    if (t->account)
        shares_give(ts->shares, t->account);
    t->account = 0;
    metric_add(METRIC_SIP_TRANSACTIONS, -1);
}

void transactions_free(struct transactions *ts)
{
    if (!ts)
        return;
    handle h;
    struct txn *t;
    for (size_t i = 0; ts->pool && (t = pool_next(ts->pool, &i, &h));)
        txn_drop(ts, t);
    map_free(ts->servers);
    map_free(ts->adopted);
    shares_free(ts->shares);
    pool_free(ts->pool);
    free(ts->text);
    free(ts);
}

struct txn *txn_at(struct transactions *ts, handle h)
{
    return h ? pool_at(ts->pool, h) : NULL;
}

size_t transactions_count(const struct transactions *ts)
{
    return pool_count(ts->pool);
}

bool transactions_admit(const struct transactions *ts, uint64_t account)
{
    return pool_count(ts->pool) < ts->max / 4 || shares_of(ts->shares, account) < ts->max / 8;
}

void txn_charge(struct transactions *ts, struct txn *t, uint64_t account)
{
    if (t->account)
        shares_give(ts->shares, t->account);
    t->account = account && shares_take(ts->shares, account) ? account : 0;
}

void transactions_check(struct transactions *ts)
{
    handle h;
    struct txn *t;
    for (size_t i = 0; (t = pool_next(ts->pool, &i, &h));)
        ASSERT(timer_is_set(&t->timeout));
}

bool strays_add(struct strays *s, struct str tag)
{
    uint32_t hash = (uint32_t)hash64(tag) | 1;
    size_t n = sizeof s->tag / sizeof *s->tag;
    for (size_t i = 0; i < n; i++)
        if (s->tag[i] == hash)
            return false;
    s->tag[s->next++ % n] = hash;
    return true;
}

struct txn *txn_new(struct transactions *ts, const struct path *path, bool invite, int64_t ms,
                    timer_fire *fire)
{
    handle h;
    struct txn *t = pool_take(ts->pool, &h);
    if (!t)
        return NULL;
    t->self = h;
    t->table = ts;
    t->invite = invite;
    t->path = *path;
    t->patience_ms = TIMER_C_MS;
    metric_add(METRIC_SIP_TRANSACTIONS, 1);
    txn_enter(ts, t, TXN_TRYING, ms, fire);
    return t;
}

void txn_enter(struct transactions *ts, struct txn *t, enum txn_state to, int64_t ms,
               timer_fire *fire)
{
    t->state = (uint8_t)to;
    loop_timer(ts->loop, &t->timeout, ms, fire, t);
}

void txn_end(struct transactions *ts, struct txn *t)
{
    if (t->server && map_get(ts->servers, str_of_u64(&t->key)) == t)
        map_remove(ts->servers, str_of_u64(&t->key));
    if (!t->server && map_get(ts->adopted, str_of_u64(&t->random)) == t)
        map_remove(ts->adopted, str_of_u64(&t->random));
    txn_drop(ts, t);
    pool_give(ts->pool, t->self);
}

static void on_lingered(struct timer *timer)
{
    struct txn *t = timer->arg;
    struct transactions *ts = txn_table(timer);
    txn_end(ts, t);
}

/* Absorbs repeats for `ms` and ends the transaction then; over streams it ends at once. */
static void linger(struct transactions *ts, struct txn *t, enum txn_state to, int64_t ms)
{
    timer_stop(&t->repeat);
    txn_enter(ts, t, to, txn_is_reliable(t) ? 0 : ms, on_lingered);
}

/* Ends a request that its user has forgotten, or cannot answer. */
static void on_unanswered(struct timer *timer)
{
    struct txn *t = timer->arg;
    struct transactions *ts = txn_table(timer);
    handle self = t->self;
    bool last = t->overdue;
    t->overdue = true;
    txn_enter(ts, t, (enum txn_state)t->state, 64 * ts->t1_ms, on_unanswered);
    ts->user.on_failure(ts->user.arg, t, ERR_TIMEOUT);
    t = txn_at(ts, self);
    if (last && t && t->state < TXN_COMPLETED)
        txn_end(ts, t);
}

void txn_transmit(struct transactions *ts, struct txn *t)
{
    if (!t->message.p)
        return; /* there was no memory for it */
    enum err err = transport_send(ts->transport, &t->path, str_of(t->host), block_str(&t->message));
    if (err == ERR_FULL && !txn_is_reliable(t))
        return; /* a lost packet: the timer repeats it; over a stream nothing would */
    t->unreachable = err != OK;
    t->waits = err == OK && !transport_is_open(ts->transport, &t->path);
    if (err == OK && !t->waits)
        ts->user.on_sent(ts->user.arg, t, block_str(&t->message));
    if (err != OK && !t->server && t->state <= TXN_PROCEEDING)
        txn_client_unsent(ts, t, err, err_text(err));
}

void transactions_on_open(struct transactions *ts, handle conn)
{
    handle h;
    struct txn *t;
    for (size_t i = 0; (t = pool_next(ts->pool, &i, &h));)
        if (t->waits && t->path.conn == conn) {
            t->waits = false;
            ts->user.on_sent(ts->user.arg, t, block_str(&t->message));
        }
}

/* Hashes the fields that are the same in a repeated request (§17.2.3). A branch without the cookie
 * is of RFC 2543: then every field counts that must not differ in a retransmission. ACK and CANCEL
 * find their INVITE. */
uint64_t txn_server_key(struct transactions *ts, const struct sip_msg *m)
{
    static const struct str cookie = STR("z9hG4bK");
    char text[2048];
    struct buf b;
    struct str method = m->method_text;
    buf_wrap(&b, text, sizeof text);
    if (m->method == SIP_ACK || m->method == SIP_CANCEL)
        method = STR("INVITE");
    bool ours = str_starts(m->via.branch, cookie) && m->via.branch.n > cookie.n;
    if (ours) {
        buf_put_str(&b, str_slice(m->via.branch, 0, 512));
    } else {
        buf_put_str(&b, m->call_id);
        buf_printf(&b, " %u ", m->cseq);
        buf_put_str(&b, m->from.tag);
        buf_putc(&b, ' ');
        buf_put_str(&b, str_slice(m->ruri_text, 0, 512));
    }
    buf_putc(&b, ' ');
    buf_put_str(&b, m->via.host);
    buf_printf(&b, ":%u ", m->via.port);
    buf_put_str(&b, str_slice(method, 0, 64));
    return hash_keyed(buf_str(&b), ts->hash_key) | 1;
}

struct txn *txn_server_of(struct transactions *ts, const struct sip_msg *m)
{
    uint64_t key = txn_server_key(ts, m);
    return map_get(ts->servers, str_of_u64(&key));
}

struct path txn_reply_path(const struct sip_msg *m, const struct path *from)
{
    struct path to = *from;
    struct addr said;
    if (from->transport != SIP_UDP || m->via.rport)
        return to;
    if (addr_parse(m->via.host, 0, &said) == OK && !addr_eq_host(&said, &from->peer))
        return to;
    to.peer.port = m->via.port ? m->via.port : 5060;
    return to;
}

struct txn *txn_server_new(struct transactions *ts, const struct sip_msg *m,
                           const struct path *from, struct str raw, bool keep)
{
    bool invite = m->method == SIP_INVITE;
    /* 4 × T1 before its client's timer F: an answer after that is of no use (RFC 4320). */
    int64_t ms = invite ? UNANSWERED_MAX_MS : 60 * ts->t1_ms;
    struct txn *t = txn_new(ts, from, invite, ms, on_unanswered);
    if (!t)
        return NULL;
    t->server = true;
    t->path = txn_reply_path(m, from);
    t->path.listens = m->via.port ? m->via.port : from->transport == SIP_TLS ? 5061 : 5060;
    t->key = txn_server_key(ts, m);
    if ((keep && block_set(ts->blocks, &t->request, raw) != OK) ||
        map_put(ts->servers, str_of_u64(&t->key), t, NULL) != OK) {
        txn_end(ts, t);
        return NULL;
    }
    return t;
}

enum err txn_request(struct txn *t, struct sip_msg *m)
{
    return t->request.p ? sip_parse(t->request.p, t->request.n, m) : ERR_NOT_FOUND;
}

void txn_server_repeat(struct transactions *ts, struct txn *t)
{
    metric_add(METRIC_SIP_RETRANSMITS_IN, 1);
    if (t->message.p && t->state != TXN_CONFIRMED)
        txn_transmit(ts, t);
}

/* Sends the final failure again, until the ACK comes (timer G). */
static void on_repeat(struct timer *timer)
{
    struct txn *t = timer->arg;
    struct transactions *ts = txn_table(timer);
    metric_add(METRIC_SIP_RETRANSMITS_OUT, 1);
    t->interval_ms =
        (int32_t)(2 * t->interval_ms < 8 * ts->t1_ms ? 2 * t->interval_ms : 8 * ts->t1_ms);
    loop_timer(ts->loop, &t->repeat, t->interval_ms, on_repeat, t);
    txn_transmit(ts, t);
}

void txn_answer(struct transactions *ts, struct txn *t, int status, struct str bytes)
{
    if (t->state >= TXN_COMPLETED)
        return; /* one final answer, whoever asks */
    if (block_set(ts->blocks, &t->message, bytes) != OK)
        return;
    txn_transmit(ts, t);
    if (status < 200) {
        t->state = TXN_PROCEEDING; /* its time goes on */
        return;
    }
    block_give(ts->blocks, &t->request);
    if (!t->invite) {
        linger(ts, t, TXN_COMPLETED, 64 * ts->t1_ms); /* timer J */
    } else if (status < 300) {
        block_give(ts->blocks, &t->message); /* the call repeats it, by its own clock */
        txn_enter(ts, t, TXN_ACCEPTED, 64 * ts->t1_ms, on_lingered); /* timer L */
    } else {
        txn_enter(ts, t, TXN_COMPLETED, 64 * ts->t1_ms, on_lingered); /* timer H */
        t->interval_ms = (int32_t)ts->t1_ms;
        if (!txn_is_reliable(t))
            loop_timer(ts->loop, &t->repeat, t->interval_ms, on_repeat, t);
    }
}

bool txn_server_ack(struct transactions *ts, struct txn *t)
{
    if (t->state == TXN_COMPLETED) {
        block_give(ts->blocks, &t->message);
        linger(ts, t, TXN_CONFIRMED, 10 * ts->t1_ms); /* timer I */
        return true;
    }
    return t->state == TXN_CONFIRMED;
}
