#include "txn_kit.h"

#include "base/clock.h"
#include "base/metrics.h"

struct txn_kit kit;
static int64_t began_ms;

static void on_sent(void *arg, uint32_t stream, const struct addr *from, const struct addr *to,
                    struct str bytes)
{
    assert_true(kit.n_sent < SENT_MAX);
    kit.sent[kit.n_sent++] =
        (struct kit_sent){.at_ms = kit_now_ms(), .stream = stream, .text = str_dup(bytes)};
}

static void on_message(void *arg, const struct path *from, char *bytes, size_t n, int64_t waited_ms)
{
    kit.from = *from;
}

static bool may_connect(void *arg, const struct addr *from)
{
    return true;
}

static void on_gone(void *arg, handle conn, const char *why)
{
    kit.gone++;
    if (kit.all)
        transactions_on_gone(kit.all, conn, why);
}

static void on_open(void *arg, handle conn)
{
    transactions_on_open(kit.all, conn);
}

static void on_icmp(void *arg, const struct addr *to, int error, struct str quoted)
{
    transactions_on_icmp(kit.all, to, error, quoted);
}

static void on_response(void *arg, struct txn *t, const struct sip_msg *m)
{
    kit.responses++;
    kit.status = m->status;
}

static void on_failure(void *arg, struct txn *t, enum err err)
{
    kit.failures++;
    kit.failure = err;
    kit.failed_ms = kit_now_ms();
    if (kit.on_failure)
        kit.on_failure(t);
}

static void on_txn_sent(void *arg, const struct txn *t, struct str bytes)
{
    kit.on_sent++;
}

void txn_kit_begin(void)
{
    struct sip_listens c = {0};
    const struct transport_user tu = {.on_message = on_message,
                                      .may_connect = may_connect,
                                      .on_gone = on_gone,
                                      .on_open = on_open,
                                      .on_icmp = on_icmp};
    const struct transaction_user xu = {on_response, on_failure, on_txn_sent, NULL};
    const char *fault;
    char why[128];
    kit = (struct txn_kit){0};
    clock_fake(1000000);
    began_ms = clock_mono_ms();
    still_reset();
    still_sent_to(on_sent, NULL);
    assert_ok(loop_new(&kit.loop, "test", 64));
    assert_ok(sip_listen_parse("udp:5.0.0.1:5060,tcp:5.0.0.1:5060", &c, &fault));
    assert_ok(transport_new(kit.loop, NULL, &c, &tu, &kit.transport, why, sizeof why));
    assert_ok(blocks_new(&kit.blocks));
    assert_ok(transactions_new(kit.loop, kit.transport, kit.blocks, TXNS_MAX, T1, &xu, &kit.all));
    assert_ok(addr_parse(STR("5.0.2.1:5060"), 5060, &kit.peer));
}

void txn_kit_end(void)
{
    kit_forget_sent();
    transactions_free(kit.all);
    kit.all = NULL;
    assert_int_equal(metric_get(METRIC_SIP_TRANSACTIONS), 0);
    assert_int_equal(blocks_held(kit.blocks), 0);
    transport_free(kit.transport);
    blocks_free(kit.blocks);
    loop_turn(kit.loop, 0);
    loop_free(kit.loop);
    assert_true(still_is_quiet());
    clock_real();
}

int64_t kit_now_ms(void)
{
    return clock_mono_ms() - began_ms;
}

/* From timer to timer, none of them late. */
void kit_advance(int64_t ms)
{
    loop_turn(kit.loop, 0);
    while (ms > 0) {
        int64_t next = still_next_ms(kit.loop);
        int64_t step = next <= 0 ? (next < 0 ? ms : 1) : next < ms ? next : ms;
        clock_advance(step);
        ms -= step;
        loop_turn(kit.loop, 0);
        transactions_check(kit.all);
    }
}

void kit_forget_sent(void)
{
    for (size_t i = 0; i < kit.n_sent; i++)
        free(kit.sent[i].text);
    kit.n_sent = 0;
}

void kit_expect_sent(size_t n, const int64_t at_ms[])
{
    for (size_t i = 0; i < n && i < kit.n_sent; i++)
        if (kit.sent[i].at_ms != at_ms[i])
            fail_msg("message %zu left at %lld ms, not at %lld", i, (long long)kit.sent[i].at_ms,
                     (long long)at_ms[i]);
    assert_int_equal(kit.n_sent, n);
    kit_forget_sent();
}

void kit_expect_silence(void)
{
    kit_expect_sent(0, NULL);
}

const char *kit_last(void)
{
    assert_true(kit.n_sent > 0);
    return kit.sent[kit.n_sent - 1].text;
}

struct path kit_path(enum sip_transport how)
{
    struct path path = {.transport = (uint8_t)how, .peer = kit.peer};
    assert_ok(transport_route(kit.transport, &path));
    return path;
}

/* ---- our requests ---- */

struct txn *kit_client(const char *method, enum sip_transport how)
{
    char branch[TOKEN_SIZE + 8], text[1024];
    struct path path = kit_path(how);
    struct txn *t =
        txn_client_new(kit.all, strcmp(method, "INVITE") == 0, &path, STR("5.0.2.1"), branch);
    if (!t)
        return NULL;
    t->fails_at_once = t->invite;
    snprintf(text, sizeof text,
             "%s sip:a@5.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 5.0.0.1:5060;branch=%s\r\n"
             "Route: <sip:r1;lr>, <sip:r2;lr>\r\nRoute: <sip:r3;lr>\r\n"
             "From: <sip:us@5.0.0.1>;tag=1\r\nTo: <sip:a@5.0.2.1>\r\nCall-ID: c\r\nCSeq: 7 %s\r\n"
             "Content-Length: 0\r\n\r\n",
             method, branch, method);
    txn_send(kit.all, t, str_of(text));
    return t;
}

void kit_branch(const struct txn *client, char ret[TOKEN_SIZE + 8])
{
    memcpy(ret, "z9hG4bK", 7);
    token_print(client->self, client->random, ret + 7);
}

void kit_respond_to(const char *branch, const char *method, int status)
{
    static char text[2048];
    static struct sip_msg m;
    snprintf(text, sizeof text,
             "SIP/2.0 %d X\r\nVia: SIP/2.0/UDP 5.0.0.1:5060;branch=%s\r\n"
             "From: <sip:us@5.0.0.1>;tag=1\r\nTo: <sip:a@5.0.2.1>;tag=2\r\nCall-ID: c\r\n"
             "CSeq: 7 %s\r\nContent-Length: 0\r\n\r\n",
             status, branch, method);
    assert_ok(sip_parse(text, strlen(text), &m));
    struct txn *t = txn_client_of(kit.all, &m);
    if (t)
        txn_on_response(kit.all, t, &m);
    transactions_check(kit.all);
}

void kit_respond(const struct txn *client, const char *method, int status)
{
    char branch[TOKEN_SIZE + 8];
    kit_branch(client, branch);
    kit_respond_to(branch, method, status);
}

/* ---- the peer's ---- */

static char request_text[2048];

const struct sip_msg *kit_request(const struct kit_request *r)
{
    static struct sip_msg m;
    static char parsed[sizeof request_text];
    snprintf(request_text, sizeof request_text,
             "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s%s%s\r\n"
             "From: <sip:a@5.0.2.1>;tag=%s\r\nTo: <sip:us@5.0.0.1>\r\nCall-ID: %s\r\n"
             "CSeq: %u %s\r\nContent-Length: 0\r\n\r\n",
             r->method, r->ruri ? r->ruri : "sip:us@5.0.0.1", r->via ? r->via : "5.0.2.1:5060",
             r->branch ? ";branch=" : "", r->branch ? r->branch : "", r->tag ? r->tag : "2",
             r->call_id ? r->call_id : "s", r->cseq ? r->cseq : 1, r->method);
    memcpy(parsed, request_text, sizeof parsed);
    assert_ok(sip_parse(parsed, strlen(parsed), &m));
    return &m;
}

uint32_t kit_connect(void)
{
    struct addr at, from = kit.peer;
    assert_ok(addr_parse(STR("5.0.0.1:5060"), 0, &at));
    from.port = 33000; /* nobody listens there */
    uint32_t id = still_accept(&at, &from);
    assert_true(id);
    return id;
}

struct txn *kit_server_on(uint32_t stream, const struct kit_request *r)
{
    const struct sip_msg *m = kit_request(r);
    assert_true(still_stream_bytes(stream, str_of(request_text)));
    return txn_server_new(kit.all, m, &kit.from, str_of(request_text), true);
}

struct txn *kit_server(const char *method, const char *branch, enum sip_transport how)
{
    struct path path = kit_path(how);
    const struct sip_msg *m =
        kit_request(&(struct kit_request){.method = method, .branch = branch});
    return txn_server_new(kit.all, m, &path, str_of(request_text), true);
}

void kit_answer(struct txn *server, int status)
{
    char text[64];
    snprintf(text, sizeof text, "SIP/2.0 %d X\r\n\r\n", status);
    txn_answer(kit.all, server, status, str_of(text));
}
