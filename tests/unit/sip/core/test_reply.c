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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_has_each_via_of_the_largest_request),
        cmocka_unit_test(a_kept_reply_has_each_via),
        cmocka_unit_test(the_same_request_gets_the_same_reply),
        cmocka_unit_test(an_ack_is_not_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
