/* One attempt to bind, against a carrier of a few lines on the same loop. */
#include <string.h>

#include "check.h"
#include "base/crypto.h"
#include "net/datagram.h"
#include "smpp/dial.h"
#include "smpp/pdu.h"

static struct loop *loop;
static struct resolver *resolver;
static struct listener *listener;
static struct stream *carrier; /* his side */
static struct buf heard;       /* what we said to him */
static void (*on_heard)(struct str bytes);

static struct {
    bool done;
    enum dial_end end;
    bool answered;
    char detail[128], rest[256];
    size_t n_rest;
    struct stream *taken;
} got;

/* What the carrier has still to say, in one piece or a byte a turn. */
static struct buf saying;
static bool byte_by_byte;

/* How he answers the bind. */
static struct {
    enum pdu_command command;
    uint32_t status;
    bool and_more;
} answer;

static void carrier_on_bytes(struct stream *s, void *arg, struct str bytes)
{
    buf_put_str(&heard, bytes);
    if (on_heard)
        on_heard(buf_str(&heard));
}

static void carrier_on_end(struct stream *s, void *arg, enum err why)
{
    stream_close(s);
    carrier = NULL;
}

static const struct stream_events carrier_events = {NULL, carrier_on_bytes, carrier_on_end};

static void on_accept(void *arg, struct stream *s)
{
    stream_take(s, &carrier_events, NULL);
    carrier = s;
}

static void on_done(void *arg, const struct dial_result *r)
{
    static const struct stream_events none;
    got.done = true;
    got.end = r->end;
    got.answered = r->answered;
    assert_ok(str_copy(str_of(r->detail), got.detail, sizeof got.detail));
    got.n_rest = r->rest.n;
    if (r->rest.n)
        memcpy(got.rest, r->rest.p, r->rest.n);
    if (r->end != DIAL_BOUND)
        return;
    got.taken = *r->take;
    *r->take = NULL;
    stream_take(got.taken, &none, NULL);
}

static int setup(void **state)
{
    struct addr at;
    struct resolver_config rc = {0};
    memset(&got, 0, sizeof got);
    on_heard = NULL;
    carrier = NULL;
    answer.and_more = byte_by_byte = false;
    assert_ok(crypto_start());
    buf_init(&heard, 4096);
    buf_init(&saying, 4096);
    assert_ok(loop_new(&loop, "test", 64));
    assert_ok(resolver_new(loop, &rc, &resolver));
    assert_ok(addr_parse(STR("127.0.0.1:0"), 0, &at));
    assert_ok(listener_open(loop, &at, NULL, on_accept, NULL, &listener));
    return 0;
}

static int teardown(void **state)
{
    stream_close(carrier);
    stream_close(got.taken);
    listener_close(listener);
    for (int i = 0; i < 4; i++)
        loop_turn(loop, 1);
    resolver_free(resolver);
    loop_free(loop);
    buf_fini(&heard);
    buf_fini(&saying);
    return 0;
}

static struct dial *dial(bool transceiver, int64_t response_ms)
{
    struct dial *d;
    struct dial_config c = {loop, resolver, NULL, response_ms};
    struct smpp_link set = {.host = "127.0.0.1",
                            .port = listener_local(listener).port,
                            .system_id = "hook",
                            .password = "a longer password than 8",
                            .system_type = "VMA",
                            .transceiver = transceiver};
    assert_ok(dial_start(&c, &set, on_done, NULL, &d));
    return d;
}

static void until_done(void)
{
    for (int i = 0; i < 10000 && !got.done; i++) {
        size_t n = byte_by_byte && saying.n ? 1 : saying.n;
        if (n && carrier) {
            assert_ok(stream_write(carrier, str_slice(buf_str(&saying), 0, n)));
            buf_cut(&saying, n);
        }
        loop_turn(loop, saying.n ? 1 : 10);
    }
    assert_true(got.done);
}

/* ---- what the carrier says ---- */

static void answer_bind(struct str bytes)
{
    struct pdu p = {.command = answer.command,
                    .sequence = 1,
                    .status = answer.status,
                    .system_id = STR("carrier")};
    struct pdu more = {.command = PDU_ENQUIRE_LINK, .sequence = 7};
    on_heard = NULL;
    pdu_print(&p, &saying);
    if (answer.and_more)
        pdu_print(&more, &saying);
}

static void with_answer(enum pdu_command command, uint32_t status, bool transceiver)
{
    answer.command = command;
    answer.status = status;
    on_heard = answer_bind;
    (void)dial(transceiver, 2000);
}

static void it_says_who_it_is_and_is_bound(void **state)
{
    struct pdu p;
    uint32_t status;
    with_answer(PDU_BIND_TRANSCEIVER_RESP, ESME_ROK, true);
    until_done();
    assert_int_equal(got.end, DIAL_BOUND);
    assert_int_equal(got.n_rest, 0);
    assert_ok(pdu_parse(buf_str(&heard), &p, &status));
    assert_int_equal(p.command, PDU_BIND_TRANSCEIVER);
    assert_true(str_eq(p.system_id, STR("hook")));
    assert_true(str_eq(p.password, STR("a longer password than 8")));
    assert_true(str_eq(p.system_type, STR("VMA")));
    assert_int_equal(p.interface_version, 0x34);
}

static void what_comes_behind_the_answer_is_kept(void **state)
{
    struct pdu p;
    uint32_t status;
    answer.and_more = true;
    with_answer(PDU_BIND_RECEIVER_RESP, ESME_ROK, false);
    until_done();
    assert_int_equal(got.end, DIAL_BOUND);
    assert_ok(pdu_parse(str_of_bytes(got.rest, got.n_rest), &p, &status));
    assert_int_equal(p.command, PDU_ENQUIRE_LINK);
    assert_ok(pdu_parse(buf_str(&heard), &p, &status));
    assert_int_equal(p.command, PDU_BIND_RECEIVER);
}

static void an_answer_in_single_bytes_is_an_answer(void **state)
{
    byte_by_byte = true;
    with_answer(PDU_BIND_TRANSCEIVER_RESP, ESME_ROK, true);
    until_done();
    assert_int_equal(got.end, DIAL_BOUND);
}

static void refusals_say_what_and_whether_it_may_pass(void **state)
{
    static const struct {
        uint32_t status;
        enum dial_end end;
        const char *detail;
    } want[] = {{ESME_RINVPASWD, DIAL_REFUSED, "ESME_RINVPASWD"},
                {ESME_RINVSYSID, DIAL_REFUSED, "ESME_RINVSYSID"},
                {ESME_RALYBND, DIAL_FAILED, "ESME_RALYBND"},
                {ESME_RTHROTTLED, DIAL_FAILED, "ESME_RTHROTTLED"},
                {0x53, DIAL_REFUSED, "status 0x00000053"},
                {ESME_RINVCMDID, DIAL_REFUSED,
                 "ESME_RINVCMDID: no bind_transceiver there: set \"bind\" to receiver"}};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        got.done = false;
        buf_reset(&heard);
        with_answer(PDU_BIND_TRANSCEIVER_RESP, want[i].status, true);
        until_done();
        assert_int_equal(got.end, want[i].end);
        assert_string_equal(got.detail, want[i].detail);
        assert_true(got.answered);
        for (int k = 0; k < 1000 && carrier; k++)
            loop_turn(loop, 10);
        assert_null(carrier); /* we closed */
    }
}

static void a_nack_is_a_refusal(void **state)
{
    with_answer(PDU_GENERIC_NACK, ESME_RINVCMDID, false);
    until_done();
    assert_int_equal(got.end, DIAL_REFUSED);
    assert_string_equal(got.detail, "ESME_RINVCMDID");
}

static void say_http(struct str bytes)
{
    on_heard = NULL;
    buf_puts(&saying, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
}

static void what_is_no_smpp_ends_it(void **state)
{
    on_heard = say_http;
    (void)dial(true, 2000);
    until_done();
    assert_int_equal(got.end, DIAL_FAILED);
    assert_false(got.answered);
    assert_string_equal(got.detail, "its answer to the bind is not SMPP");
}

static void say_other_things(struct str bytes)
{
    on_heard = NULL;
    for (uint32_t i = 0; i < 17; i++)
        pdu_print(&(struct pdu){.command = PDU_ENQUIRE_LINK, .sequence = i + 1}, &saying);
}

static void who_speaks_of_other_things_is_left(void **state)
{
    on_heard = say_other_things;
    (void)dial(true, 2000);
    until_done();
    assert_int_equal(got.end, DIAL_FAILED);
    assert_string_equal(got.detail, "it speaks, but does not answer the bind");
}

static void silence_ends_it(void **state)
{
    (void)dial(true, 20);
    until_done();
    assert_int_equal(got.end, DIAL_FAILED);
    assert_string_equal(got.detail, "no answer to the bind in 20 ms");
}

static void hang_up(struct str bytes)
{
    stream_close(carrier);
    carrier = NULL;
}

static void a_close_at_the_bind_is_said(void **state)
{
    on_heard = hang_up;
    (void)dial(true, 2000);
    until_done();
    assert_int_equal(got.end, DIAL_FAILED);
    assert_non_null(strstr(got.detail, "at the bind"));
}

static void nobody_there_is_said(void **state)
{
    struct dial *d = dial(true, 2000);
    assert_true(dial_is_connecting(d));
    dial_cancel(d);
    struct addr was = listener_local(listener), other;
    listener_close(listener);
    for (int i = 0; i < 4; i++)
        loop_turn(loop, 1); /* its socket goes at the end of a turn */
    assert_ok(addr_parse(STR("127.0.0.2:0"), 0, &other));
    assert_ok(listener_open(loop, &other, NULL, on_accept, NULL, &listener));
    struct dial_config c = {loop, resolver, NULL, 2000};
    struct smpp_link set = {.host = "127.0.0.1", .port = was.port};
    assert_ok(dial_start(&c, &set, on_done, NULL, &d));
    until_done();
    assert_int_equal(got.end, DIAL_FAILED);
    assert_non_null(strstr(got.detail, "Connection refused"));
}

/* A name server: every name is at 127.0.0.2, where nobody listens, and at 127.0.0.1. */
static void on_questions(void *arg, const struct packet *p, size_t n)
{
    struct datagram **dns = arg;
    for (size_t i = 0; i < n; i++) {
        char mem[600];
        struct buf out;
        size_t q = 12;
        while (p[i].bytes.p[q])
            q += (size_t)p[i].bytes.p[q] + 1;
        q += 5;
        bool is_a = p[i].bytes.p[q - 3] == 1;
        buf_wrap(&out, mem, sizeof mem);
        buf_put(&out, p[i].bytes.p, 2);
        buf_put(&out, is_a ? "\x81\x80\0\1\0\2\0\0\0\0" : "\x81\x80\0\1\0\0\0\0\0\0", 10);
        buf_put(&out, p[i].bytes.p + 12, q - 12);
        for (char last = 2; is_a && last > 0; last--) {
            buf_put(&out, "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\x7f\0\0", 15);
            buf_putc(&out, last);
        }
        assert_ok(datagram_send(*dns, &p[i].from, buf_str(&out)));
    }
}

static void on_resolved(void *arg, const struct resolved *r)
{
    *(struct resolved *)arg = *r;
}

static void each_address_of_a_name_is_tried(void **state)
{
    struct datagram *dns;
    struct resolver *own;
    struct addr at;
    struct dial *d;
    char servers[ADDR_TEXT_SIZE];
    assert_ok(addr_parse(STR("127.0.0.1:0"), 0, &at));
    assert_ok(datagram_open(loop, &at, on_questions, &dns, &dns));
    at = datagram_local(dns);
    addr_print(&at, servers);
    assert_ok(resolver_new(loop, &(struct resolver_config){.servers = servers}, &own));
    struct resolved order = {0};
    struct lookup *k;
    assert_ok(resolver_host(own, STR("smsc.example.com"), 1, on_resolved, &order, &k));
    for (int i = 0; i < 1000 && order.n == 0; i++)
        loop_turn(loop, 10);
    assert_int_equal(order.n, 2);
    assert_int_equal(order.addr[0].ip[3], 2); /* who refuses comes first */
    answer.command = PDU_BIND_TRANSCEIVER_RESP;
    answer.status = ESME_ROK;
    on_heard = answer_bind;
    struct dial_config c = {loop, own, NULL, 2000};
    struct smpp_link set = {
        .host = "smsc.example.com", .port = listener_local(listener).port, .transceiver = true};
    assert_ok(dial_start(&c, &set, on_done, NULL, &d));
    until_done();
    assert_int_equal(got.end, DIAL_BOUND);
    struct addr peer = stream_peer(got.taken);
    assert_int_equal(peer.ip[3], 1);
    resolver_free(own);
    datagram_close(dns);
}

static void a_canceled_attempt_says_nothing(void **state)
{
    struct dial *d = dial(true, 20);
    for (int i = 0; i < 100 && !heard.n; i++)
        loop_turn(loop, 10);
    assert_false(dial_is_connecting(d));
    dial_cancel(d);
    for (int i = 0; i < 100 && carrier; i++)
        loop_turn(loop, 10);
    assert_false(got.done);
}

#define IT(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT(it_says_who_it_is_and_is_bound),
        IT(what_comes_behind_the_answer_is_kept),
        IT(an_answer_in_single_bytes_is_an_answer),
        IT(refusals_say_what_and_whether_it_may_pass),
        IT(a_nack_is_a_refusal),
        IT(what_is_no_smpp_ends_it),
        IT(who_speaks_of_other_things_is_left),
        IT(silence_ends_it),
        IT(a_close_at_the_bind_is_said),
        IT(nobody_there_is_said),
        IT(each_address_of_a_name_is_tried),
        IT(a_canceled_attempt_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
