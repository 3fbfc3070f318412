/* Replies that no transaction repeats: they have all that their request must hear again, however
 * much that is (RFC 3261 §8.2.6.2), and are the same for the same request (§8.2.7). */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "line.h"

enum { VIAS = 110, LAST_MAX = 2 * SIP_MESSAGE_MAX };

static char request[SIP_MESSAGE_MAX + 1], last_reply[LAST_MAX];
static size_t last_n, n_replies;

static void on_sent(void *arg, uint32_t stream, const struct addr *from, const struct addr *to,
                    struct str bytes)
{
    assert_true(bytes.n < LAST_MAX);
    if (!stream)
        return; /* to the agent */
    memcpy(last_reply, bytes.p, bytes.n);
    last_reply[bytes.n] = '\0';
    last_n = bytes.n;
    n_replies++;
}

/* A request of just that size, most of which are Vias in their compact form. */
static struct str of_size(const char *method, const char *number, const char *branch, size_t size)
{
    struct buf b;
    buf_wrap(&b, request, sizeof request);
    buf_printf(&b,
               "%s sip:%s@" EDGE " SIP/2.0\r\nv: SIP/2.0/TCP " CARRIER ";branch=z9hG4bK%s;rport\r\n"
               "f: <sip:+19175550100@" CARRIER ">;tag=1\r\nt: <sip:%s@" EDGE ">\r\ni: many\r\n"
               "CSeq: 7 %s\r\nMax-Forwards: 70\r\nm: <sip:" CARRIER ">\r\nl: 0\r\n",
               method, number, branch, number, method);
    size_t left = size - b.n - 2;
    for (size_t i = 0; i < VIAS; i++) {
        size_t n = left / (VIAS - i);
        left -= n;
        buf_printf(&b, "v: SIP/2.0/UDP p%03zu.example;x=", i);
        for (n -= strlen("v: SIP/2.0/UDP p000.example;x=\r\n"); n; n--)
            buf_putc(&b, 'x');
        buf_puts(&b, "\r\n");
    }
    buf_puts(&b, "\r\n");
    assert_ok(b.err);
    assert_int_equal(b.n, size);
    return buf_str(&b);
}

static void hears(const char *status_line)
{
    char via[40];
    if (strncmp(last_reply, status_line, strlen(status_line)))
        fail_msg("not %s but %.60s", status_line, last_reply);
    for (size_t i = 0; i < VIAS; i++) {
        snprintf(via, sizeof via, "Via: SIP/2.0/UDP p%03zu.example;x=xx", i);
        assert_non_null(strstr(last_reply, via));
    }
    assert_string_equal(last_reply + last_n - 4, "\r\n\r\n");
}

static uint32_t carrier_connects(void)
{
    struct addr from, to;
    edge_kit_begin(1);
    last_n = n_replies = 0;
    still_sent_to(on_sent, NULL);
    assert_ok(addr_parse(STR(CARRIER), 0, &from));
    assert_ok(addr_parse(STR(EDGE), 0, &to));
    uint32_t stream = still_accept(&to, &from);
    edge_kit_turn();
    assert_true(stream > 0);
    return stream;
}

static void ask(uint32_t stream, struct str bytes)
{
    assert_true(still_stream_bytes(stream, bytes));
    edge_kit_turn();
}

/* The largest request that there is: its reply is larger. */
static void a_reply_has_each_via_of_the_largest_request(void **state)
{
    uint32_t stream = carrier_connects();
    ask(stream, of_size("OPTIONS", "+447911120001", "a", SIP_MESSAGE_MAX));
    hears("SIP/2.0 200 OK\r\n");
    assert_non_null(strstr(last_reply, "Allow: INVITE, ACK, "));
    assert_true(last_n > SIP_MESSAGE_MAX);
    ask(stream, of_size("INVITE", "+447911129999", "b", SIP_MESSAGE_MAX));
    hears("SIP/2.0 404 Not Found\r\n");
    assert_int_equal(n_replies, 2);
    still_stream_end(stream, OK);
    edge_kit_end();
}

/* Replies that are kept have them, too; nobody is left without a final answer. */
static void a_kept_reply_has_each_via(void **state)
{
    uint32_t stream = carrier_connects();
    ask(stream, of_size("INVITE", "+447911120001", "a", SIP_MESSAGE_MAX));
    hears("SIP/2.0 100 Trying\r\n");
    ask(stream, of_size("CANCEL", "+447911120001", "a", 8192));
    hears("SIP/2.0 487 Request Terminated\r\n");
    assert_true(last_n > SIP_MESSAGE_MAX);
    ask(stream, of_size("ACK", "+447911120001", "a", 8192));
    still_stream_end(stream, OK);
    edge_kit_end();
}

static void the_same_request_gets_the_same_reply(void **state)
{
    char *first;
    uint32_t stream = carrier_connects();
    ask(stream, of_size("INVITE", "+447911129999", "a", 8192));
    first = strdup(last_reply);
    ask(stream, of_size("INVITE", "+447911129999", "b", 8192));
    assert_string_not_equal(last_reply, first);
    ask(stream, of_size("INVITE", "+447911129999", "a", 8192));
    assert_int_equal(n_replies, 3);
    assert_string_equal(last_reply, first);
    free(first);
    still_stream_end(stream, OK);
    edge_kit_end();
}

static void an_ack_is_not_answered(void **state)
{
    uint32_t stream = carrier_connects();
    ask(stream, of_size("ACK", "+447911129999", "a", 8192));
    assert_int_equal(n_replies, 0);
    still_stream_end(stream, OK);
    edge_kit_end();
}

#define HEAD(method, first)                                                                        \
    method " sip:+447911120001@" EDGE " SIP/2.0\r\nVia: SIP/2.0/TCP " CARRIER                      \
           ";branch=z9hG4bK1\r\n" first "From: <sip:a@" CARRIER ">;tag=1\r\nTo: <sip:b@" EDGE      \
           ">\r\nCall-ID: large\r\nCSeq: 7 " method "\r\n"
#define TOO_LARGE "Content-Length: 16777217\r\n\r\n"

static void hears_513(const char *method)
{
    char cseq[40];
    static const char *const parts[] = {
        "SIP/2.0 513 Message Too Large\r\nVia: SIP/2.0/TCP " CARRIER,
        "\r\nFrom: <sip:a@" CARRIER ">;tag=1\r\n",
        "\r\nTo: <sip:b@" EDGE ">;tag=", "\r\nCall-ID: large\r\n", "\r\nContent-Length: 0\r\n\r\n"};
    assert_int_equal(n_replies, 1);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(last_reply, parts[i]))
            fail_msg("no %s in %s", parts[i], last_reply);
    snprintf(cseq, sizeof cseq, "\r\nCSeq: 7 %s\r\n", method);
    assert_non_null(strstr(last_reply, cseq));
}

/* §21.5.7: the head is enough. A head without an end is answered as far as it came, when that says
 * who asked for what. */
static void a_request_that_is_too_large_hears_513(void **state)
{
    static char endless[SIP_MESSAGE_MAX + 2], nameless[SIP_MESSAGE_MAX + 2];
    const struct {
        const char *bytes, *method; /* NULL: no answer */
    } t[] = {{HEAD("INVITE", "") TOO_LARGE, "INVITE"},
             {HEAD("MESSAGE", "") TOO_LARGE, "MESSAGE"},
             {endless, "INVITE"},
             {nameless, NULL},
             {HEAD("ACK", "") TOO_LARGE, NULL},
             {"SIP/2.0 200 OK\r\n" TOO_LARGE, NULL}};
    memset(endless, 'x', sizeof endless - 1);
    memcpy(endless, HEAD("INVITE", "") "X: ", strlen(HEAD("INVITE", "") "X: "));
    memset(nameless, 'x', sizeof nameless - 1);
    memcpy(nameless, HEAD("INVITE", "X: "), strlen(HEAD("INVITE", "X: ")) / 2);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        uint32_t stream = carrier_connects();
        ask(stream, str_of(t[i].bytes));
        if (t[i].method)
            hears_513(t[i].method);
        else
            assert_int_equal(n_replies, 0);
        edge_kit_end();
    }
}

/* §18.2.2: without rport over UDP the Via says the port, whether the reply is kept or not. */
static void over_udp_a_reply_goes_to_the_port_of_the_via(void **state)
{
    static const struct {
        const char *method, *number, *via, *reply, *to;
    } t[] = {
        {"OPTIONS", "+447911120001", "5.0.1.1:5090", "200", "5.0.1.1:5090"},
        {"OPTIONS", "+447911120001", "5.0.1.1:5090;rport", "200", "5.0.1.1:33000"},
        {"OPTIONS", "+447911120001", "192.168.0.7:5090", "200", "5.0.1.1:33000"}, /* NAT */
        {"INVITE", "+447911129999", "5.0.1.1:5090", "404", "5.0.1.1:5090"},
        {"INVITE", "+447911120001", "5.0.1.1", "100", "5.0.1.1:5060"},
        {"INVITE", "+447911120001", "5.0.1.1:5090;rport", "100", "5.0.1.1:33000"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct addr from;
        char text[1000];
        edge_kit_begin(1);
        assert_ok(addr_parse(STR("5.0.1.1:33000"), 0, &from));
        snprintf(text, sizeof text,
                 "%s sip:%s@" EDGE " SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK1\r\n"
                 "From: <sip:a@5.0.1.1>;tag=1\r\nTo: <sip:b@" EDGE ">\r\nCall-ID: port\r\n"
                 "CSeq: 7 %s\r\nContact: <sip:5.0.1.1>\r\nContent-Length: 0\r\n\r\n",
                 t[i].method, t[i].number, t[i].via, t[i].method);
        edge_kit_send(&from, 0, str_of(text));
        edge_kit_turn();
        if (!edge_kit_last(t[i].to, t[i].reply))
            fail_msg("%s with %s: no %s to %s", t[i].method, t[i].via, t[i].reply, t[i].to);
        edge_kit_stop();
        edge_kit_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_has_each_via_of_the_largest_request),
        cmocka_unit_test(a_kept_reply_has_each_via),
        cmocka_unit_test(the_same_request_gets_the_same_reply),
        cmocka_unit_test(an_ack_is_not_answered),
        cmocka_unit_test(a_request_that_is_too_large_hears_513),
        cmocka_unit_test(over_udp_a_reply_goes_to_the_port_of_the_via),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
