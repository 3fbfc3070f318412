#include "check.h"
#include "sip/wire/message.h"
#include "sip/wire/message.h"

static struct sip_msg m;
static char bytes[70000];

static enum err parse(const char *text)
{
    size_t n = strlen(text);
    memcpy(bytes, text, n + 1);
    return sip_parse(bytes, n, &m);
}

#define HEAD                                                                                       \
    "Via: SIP/2.0/UDP h:5060;branch=z9hG4bKx;rport\r\nf: <sip:a@b>;tag=1\r\nt: <sip:c@d>\r\n"      \
    "i: id1\r\nCSeq: 7 INVITE\r\n"

static void compact_forms_and_folding(void **state)
{
    assert_ok(
        parse("INVITE sip:c@d SIP/2.0\r\n" HEAD "Subject: a\r\n  b\r\n\tc\r\nl: 2\r\n\r\nhixx"));
    assert_int_equal(m.method, SIP_INVITE);
    assert_int_equal(m.cseq, 7);
    assert_str(m.call_id, "id1");
    assert_str(m.from.tag, "1");
    assert_null(m.to.tag.p);
    assert_true(m.via.rport);
    assert_str(m.body, "hi");
    assert_true(sip_header(&m, SIP_H_SUBJECT, 0) != NULL);
    assert_int_equal(sip_value(&m, SIP_H_SUBJECT).p[0], 'a');
}

static void lists_over_lines_and_commas(void **state)
{
    size_t line = 0, n = 0;
    struct str rest = {0}, v;
    assert_ok(parse("INVITE sip:c@d SIP/2.0\r\n" HEAD
                    "Route: <sip:p1;lr>, \"x, y\" <sip:p2,z;lr>\r\nRoute: <sip:p3;lr>\r\n\r\n"));
    while (sip_next(&m, SIP_H_ROUTE, &line, &rest, &v))
        n++;
    assert_int_equal(n, 3);
    assert_str(v, "<sip:p3;lr>");
}

static void lengths_that_lie(void **state)
{
    assert_err(parse("INVITE sip:c@d SIP/2.0\r\n" HEAD "Content-Length: 5\r\n\r\nhi"), ERR_SYNTAX);
    assert_int_equal(m.fault_status, 400);
    assert_true(m.answerable);
    assert_err(parse("INVITE sip:c@d SIP/2.0\r\n" HEAD "Content-Length: -1\r\n\r\nhi"), ERR_SYNTAX);
    assert_err(parse("INVITE sip:c@d SIP/2.0\r\n" HEAD "l: 99999999999999999999\r\n\r\n"),
               ERR_SYNTAX);
    assert_err(parse("INVITE sip:c@d SIP/2.0\r\n" HEAD "l: 0\r\nContent-Length: 2\r\n\r\nhi"),
               ERR_SYNTAX);
}

static void line_ends_are_crlf(void **state)
{
    assert_err(parse("INVITE sip:c@d SIP/2.0\n" HEAD "\r\n"), ERR_SYNTAX);
    assert_err(parse("INVITE sip:c@d SIP/2.0\r\n" HEAD "X: a\rb\r\n\r\n"), ERR_SYNTAX);
    assert_err(parse("INVITE sip:c@d SIP/2.0\r\n" HEAD "X: a\nEvil: b\r\n\r\n"), ERR_SYNTAX);
}

static void too_many_headers(void **state)
{
    struct buf b;
    buf_init(&b, 60000);
    buf_puts(&b, "INVITE sip:c@d SIP/2.0\r\n" HEAD);
    for (int i = 0; i < 200; i++)
        buf_puts(&b, "X-A: b\r\n");
    buf_puts(&b, "\r\n");
    buf_putc(&b, 0);
    assert_err(parse(b.p), ERR_SYNTAX);
    assert_string_equal(m.fault, "too many headers");
    buf_fini(&b);
}

static void every_cut_is_survived(void **state)
{
    static const char text[] =
        "INVITE sip:c@d SIP/2.0\r\n" HEAD "Contact: \"a\\\"b\" <sip:x@y;p=1>;q=2\r\n\r\nbody";
    for (size_t n = 0; n < sizeof text; n++) {
        char *exact = malloc(n ? n : 1); /* ASan sees a byte too far */
        memcpy(exact, text, n);
        (void)!sip_parse(exact, n, &m);
        free(exact);
    }
}

static void which_bodies_are_offers_and_which_may_be_left(void **state)
{
    static const struct {
        const char *about, *body;
        bool offer, optional;
    } t[] = {
        {"", "v=0", true, false},
        {"", "", false, false},
        {"Content-Type: application/sdp\r\n", "v=0", true, false},
        {"Content-Type: multipart/mixed;boundary=x\r\n", "--x", true, false},
        {"Content-Type: application/isup\r\n", "x", false, false},
        {"Content-Type: application/isup\r\nContent-Disposition: signal;handling=optional\r\n", "x",
         false, true},
        {"Content-Disposition: signal; Handling = OPTIONAL\r\n", "x", true, true},
        {"Content-Disposition: signal;handling=required\r\n", "x", true, false},
        {"Content-Disposition: handling\r\n", "x", true, false},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char text[600];
        int n = snprintf(text, sizeof text,
                         "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\n"
                         "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: i\r\n"
                         "CSeq: 1 INVITE\r\n%s\r\n%s",
                         t[i].about, t[i].body);
        assert_ok(sip_parse(text, (size_t)n, &m));
        assert_int_equal(sip_has_offer(&m), t[i].offer);
        assert_int_equal(sip_body_is_optional(&m), t[i].optional);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_bodies_are_offers_and_which_may_be_left),
        cmocka_unit_test(compact_forms_and_folding),
        cmocka_unit_test(lists_over_lines_and_commas),
        cmocka_unit_test(lengths_that_lie),
        cmocka_unit_test(line_ends_are_crlf),
        cmocka_unit_test(too_many_headers),
        cmocka_unit_test(every_cut_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
