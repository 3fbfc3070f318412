/* Messages as we write them. */
#include "check.h"
#include "sip/wire/print.h"

static char text[4096], out[8192];
static struct sip_msg m;

static enum err parse(const char *message)
{
    assert_ok(str_copy(str_of(message), text, sizeof text));
    return sip_parse(text, strlen(text), &m);
}

static void a_reply_says_where_from(void **state)
{
    struct buf b;
    struct addr from;
    assert_ok(parse(
        "INVITE sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP h:5060;branch=z9hG4bKx;rport;received=9.9.9.9, "
        "SIP/2.0/TCP second\r\nf: <sip:a@b>;tag=1\r\nt: <sip:c@d>\r\ni: id1\r\nCSeq: 7 "
        "INVITE\r\n\r\n"));
    assert_ok(addr_parse(STR("192.0.2.7:6000"), 0, &from));
    buf_wrap(&b, out, sizeof out);
    sip_put_reply(&b, &m, &from, 404, (struct str){0}, STR("ours"), false);
    assert_true(str_starts(
        buf_str(&b), STR("SIP/2.0 404 Not Found\r\n"
                         "Via: SIP/2.0/UDP h:5060;branch=z9hG4bKx;rport=6000;received=192.0.2.7\r\n"
                         "Via: SIP/2.0/TCP second\r\nFrom: <sip:a@b>;tag=1\r\n"
                         "To: <sip:c@d>;tag=ours\r\n")));
}

static void nothing_is_smuggled_into_headers(void **state)
{
    struct buf b;
    buf_wrap(&b, out, sizeof out);
    sip_put_named(&b, STR("X-A"), str_of_bytes("a\r\nEvil: b\0c", 12));
    assert_str(buf_str(&b), "X-A: aEvil: bc\r\n");
}

static const char *reply(const char *via, const char *peer, int status, const char *tag,
                         bool routes)
{
    static char message[2048];
    struct addr from;
    struct buf b;
    snprintf(message, sizeof message,
             "INVITE sip:c@d SIP/2.0\r\n%sFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: i\r\n"
             "CSeq: 7 INVITE\r\nRecord-Route: <sip:r1;lr>\r\nRecord-Route: <sip:r2;lr>\r\n"
             "Timestamp: 54.21\r\n\r\n",
             via);
    assert_ok(parse(message));
    assert_ok(addr_parse(str_of(peer), 5060, &from));
    buf_wrap(&b, out, sizeof out - 1);
    sip_put_reply(&b, &m, &from, status, (struct str){0}, str_of(tag), routes);
    assert_ok(b.err);
    out[b.n] = '\0';
    return out;
}

/* RFC 3581 §4 and RFC 3261 §18.2.1: where the request came from, when it asks, or lies. */
static void the_top_via_gets_received_and_rport(void **state)
{
    static const struct {
        const char *via, *peer, *expected;
    } t[] = {
        {"Via: SIP/2.0/UDP 192.0.2.7:5070;branch=x\r\n", "192.0.2.7:5070",
         "\r\nVia: SIP/2.0/UDP 192.0.2.7:5070;branch=x\r\n"},
        {"Via: SIP/2.0/UDP 192.0.2.7:5070;branch=x\r\n", "192.0.2.7:6000",
         "\r\nVia: SIP/2.0/UDP 192.0.2.7:5070;branch=x\r\n"},
        {"Via: SIP/2.0/UDP 192.0.2.7:5070;branch=x\r\n", "192.0.2.8:5070",
         "\r\nVia: SIP/2.0/UDP 192.0.2.7:5070;branch=x;received=192.0.2.8\r\n"},
        {"Via: SIP/2.0/UDP 192.0.2.7;branch=x;rport\r\n", "192.0.2.7:6000",
         "\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=x;rport=6000;received=192.0.2.7\r\n"},
        {"Via: SIP/2.0/TCP host;rport=1;branch=x;received=1.1.1.1;ttl=3\r\n", "192.0.2.8:9",
         "\r\nVia: SIP/2.0/TCP host;branch=x;ttl=3;received=192.0.2.8\r\n"},
        {"Via: SIP/2.0/UDP [2001:db8::1];branch=x\r\n", "[2001:db8::1]:5060",
         "\r\nVia: SIP/2.0/UDP [2001:db8::1];branch=x\r\n"},
        {"Via: SIP/2.0/UDP [2001:db8::1];branch=x;rport\r\n", "[2001:db8::2]:5060",
         "\r\nVia: SIP/2.0/UDP [2001:db8::1];branch=x;rport=5060;received=2001:db8::2\r\n"},
        {"Via: SIP/2.0/UDP h;branch=x\r\nVia: SIP/2.0/UDP b;branch=y;rport, SIP/2.0/UDP c\r\n",
         "192.0.2.7",
         "\r\nVia: SIP/2.0/UDP h;branch=x;received=192.0.2.7\r\n"
         "Via: SIP/2.0/UDP b;branch=y;rport, SIP/2.0/UDP c\r\nFrom:"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        if (!strstr(reply(t[i].via, t[i].peer, 200, "", false), t[i].expected))
            fail_msg("%zu: %s", i, out);
}

#define VIA "Via: SIP/2.0/UDP h;branch=x\r\n"

static void what_a_reply_repeats(void **state)
{
    assert_non_null(strstr(reply(VIA, "192.0.2.7", 180, "ours", true),
                           "\r\nTo: <sip:c@d>;tag=ours\r\nCall-ID: i\r\nCSeq: 7 INVITE\r\n"
                           "Record-Route: <sip:r1;lr>\r\nRecord-Route: <sip:r2;lr>\r\n"));
    assert_null(strstr(out, "Timestamp"));
    assert_null(strstr(reply(VIA, "192.0.2.7", 180, "ours", false), "Record-Route"));
    assert_non_null(strstr(reply(VIA, "192.0.2.7", 100, "", false), "\r\nTo: <sip:c@d>\r\n"));
    assert_non_null(strstr(out, "\r\nTimestamp: 54.21\r\n"));
}

static void a_to_that_has_a_tag_keeps_it(void **state)
{
    struct addr from;
    struct buf b;
    assert_ok(parse("BYE sip:c@d SIP/2.0\r\n" VIA "f: <sip:a@b>;tag=1\r\nt: <sip:c@d>;tag=2\r\n"
                    "i: i\r\nCSeq: 8 BYE\r\n\r\n"));
    assert_ok(addr_parse(STR("192.0.2.7"), 5060, &from));
    buf_wrap(&b, out, sizeof out);
    sip_put_reply(&b, &m, &from, 481, (struct str){0}, STR("ours"), false);
    out[b.n] = '\0';
    assert_non_null(strstr(out, "\r\nTo: <sip:c@d>;tag=2\r\n"));
}

static void reasons(void **state)
{
    assert_string_equal(sip_reason(100), "Trying");
    assert_string_equal(sip_reason(486), "Busy Here");
    assert_string_equal(sip_reason(606), "Not Acceptable");
    assert_string_equal(sip_reason(199), "Progress");
    assert_string_equal(sip_reason(299), "OK");
    assert_string_equal(sip_reason(399), "Moved");
    assert_string_equal(sip_reason(499), "Refused");
    assert_string_equal(sip_reason(599), "Failed");
    assert_string_equal(sip_reason(699), "Refused Everywhere");
    assert_string_equal(sip_reason(99), "");
    assert_string_equal(sip_reason(700), "");
}

static void lines_headers_and_a_body(void **state)
{
    struct buf b;
    buf_wrap(&b, out, sizeof out);
    sip_put_request_line(&b, STR("BYE"), STR("sip:a@b"));
    sip_put(&b, SIP_H_CALL_ID, STR("x"));
    sip_putf(&b, SIP_H_CSEQ, "%u %s", 7u, "BYE");
    sip_put_body(&b, STR("body"));
    assert_str(buf_str(&b),
               "BYE sip:a@b SIP/2.0\r\nCall-ID: x\r\nCSeq: 7 BYE\r\nContent-Length: 4\r\n\r\nbody");
    buf_reset(&b);
    sip_put_status_line(&b, 486, STR("Gone\r\nX: y"));
    assert_str(buf_str(&b), "SIP/2.0 486 GoneX: y\r\n");
    buf_reset(&b);
    sip_put_body(&b, (struct str){0});
    assert_str(buf_str(&b), "Content-Length: 0\r\n\r\n");
}

static void a_value_that_does_not_fit_is_an_error(void **state)
{
    static char longest[1100];
    struct buf b;
    buf_wrap(&b, out, sizeof out);
    memset(longest, 'x', sizeof longest - 1);
    sip_putf(&b, SIP_H_CSEQ, "%s", longest);
    assert_err(b.err, ERR_TOO_BIG);
    assert_int_equal(b.n, 0);
}

/* Read again, it is the same address: nothing in a name ends its quotes. */
static void a_name_addr_reads_as_it_was(void **state)
{
    static const struct {
        const char *display, *due;
    } t[] = {{"", "<sip:a@b;x=y>"},
             {"Ann Lee", "\"Ann Lee\" <sip:a@b;x=y>"},
             {"a \\\"x\\\" b", "\"a \\\"x\\\" b\" <sip:a@b;x=y>"},
             {"ends in a backslash\\", "\"ends in a backslash\" <sip:a@b;x=y>"},
             {"in an escaped one\\\\", "\"in an escaped one\\\\\" <sip:a@b;x=y>"},
             {"\\", "<sip:a@b;x=y>"}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char mem[200];
        struct buf b;
        struct name_addr na;
        buf_wrap(&b, mem, sizeof mem);
        sip_put_name_addr(&b, str_of(t[i].display), STR("sip:a@b;x=y"));
        assert_true(str_eq(buf_str(&b), str_of(t[i].due)));
        assert_ok(name_addr_parse(buf_str(&b), &na));
        assert_true(str_eq(na.uri_text, STR("sip:a@b;x=y")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_says_where_from),
        cmocka_unit_test(the_top_via_gets_received_and_rport),
        cmocka_unit_test(what_a_reply_repeats),
        cmocka_unit_test(a_to_that_has_a_tag_keeps_it),
        cmocka_unit_test(reasons),
        cmocka_unit_test(lines_headers_and_a_body),
        cmocka_unit_test(a_value_that_does_not_fit_is_an_error),
        cmocka_unit_test(nothing_is_smuggled_into_headers),
        cmocka_unit_test(a_name_addr_reads_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
