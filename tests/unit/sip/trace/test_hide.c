/* A trace as it may be read: nothing of a caller who withholds who he is. */
#include "check.h"
#include "sip/trace/hide.h"
#include "trace/record.h"

#define DOTS "\xe2\x80\xa6"
#define REST "CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"

static struct buf records, shown;

static void put(char leg, bool sent, const char *message)
{
    struct trace_record r = {
        .magic = TRACE_MAGIC, .leg = leg, .sent = sent, .n = (uint32_t)strlen(message)};
    r.whole = r.n;
    r.size = trace_record_size(r.n);
    buf_put(&records, &r, sizeof r);
    buf_puts(&records, message);
    while (records.n % 8)
        buf_putc(&records, '\0');
}

static int clear(void **state)
{
    buf_reset(&records);
    buf_reset(&shown);
    return 0;
}

static void check(bool withheld, size_t nth, const char *want)
{
    buf_reset(&shown);
    assert_ok(trace_hide(buf_str(&records), withheld, &shown));
    const struct trace_record *r = (const void *)shown.p;
    while (nth--)
        r = (const void *)((const char *)r + r->size);
    assert_int_equal(r->size, trace_record_size(r->n));
    assert_str(trace_record_bytes(r), want);
}

static void the_callers_own_messages(void **state)
{
    put('a', false,
        "INVITE sip:+447911123456@us SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z\r\n"
        "f: \"Secret Person\" <sip:+15558675309@carrier>;tag=t1\r\nTo: <sip:+447911123456@us>\r\n"
        "Contact: \"S\" <sip:+15558675309@192.0.2.1>;x=1\r\nP-Asserted-Identity: "
        "<tel:+15551234567>\r\n"
        "Diversion: <sip:+1@x>\r\nX-Bill: 15551234567\r\nX-Customer: 42\r\nPrivacy: id\r\n"
        "Content-Type: application/sdp\r\n\r\nv=0\r\no=15558675309 1 1 IN IP4 "
        "192.0.2.1\r\ns=S\r\nt=0 0\r\n");
    check(
        true, 0,
        "INVITE sip:+447911123456@us SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z\r\n"
        "f: <sip:" DOTS ">;tag=t1\r\nTo: <sip:+447911123456@us>\r\n"
        "Contact: <sip:" DOTS ">\r\nP-Asserted-Identity: " DOTS "\r\n"
        "Diversion: " DOTS "\r\nX-Bill: " DOTS "\r\nX-Customer: 42\r\nPrivacy: id\r\n"
        "Content-Type: application/sdp\r\n\r\nv=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n");
    check(false, 0, (const char *)records.p + sizeof(struct trace_record));
}

static void our_messages_to_him(void **state)
{
    put('a', true,
        "SIP/2.0 180 Ringing\r\nFrom: <sip:+15558675309@c>;tag=t1\r\n"
        "To: <sip:+447911123456@us>;tag=t2\r\nContact: <sip:us>\r\nServer: his\r\n" REST);
    put('a', true,
        "BYE sip:+15558675309@192.0.2.1 SIP/2.0\r\nFrom: <sip:+447911123456@us>;tag=t2\r\n"
        "To: <sip:+15558675309@c>;tag=t1\r\n" REST);
    put('a', false,
        "SIP/2.0 200 OK\r\nFrom: <sip:+447911123456@us>;tag=t2\r\n"
        "To: <sip:+15558675309@c>;tag=t1\r\nServer: his\r\n" REST);
    check(true, 0,
          "SIP/2.0 180 Ringing\r\nFrom: <sip:" DOTS ">;tag=t1\r\n"
          "To: <sip:+447911123456@us>;tag=t2\r\nContact: <sip:us>\r\nServer: his\r\n" REST);
    check(true, 1,
          "BYE sip:" DOTS " SIP/2.0\r\nFrom: <sip:+447911123456@us>;tag=t2\r\n"
          "To: <sip:" DOTS ">;tag=t1\r\n" REST);
    check(true, 2,
          "SIP/2.0 200 OK\r\nFrom: <sip:+447911123456@us>;tag=t2\r\n"
          "To: <sip:" DOTS ">;tag=t1\r\nServer: " DOTS "\r\n" REST);
}

static void his_number_is_masked_wherever_it_is(void **state)
{
    put('a', false,
        "INVITE sip:b@us SIP/2.0\r\nFrom: <sip:anonymous@x>;tag=1\r\n"
        "P-Asserted-Identity: <sip:+15558675309@c>\r\n" REST);
    put('b', false,
        "BYE sip:us SIP/2.0\r\nReason: SIP;text=\"from +1 (555) 867-5309 or 0015558675309, "
        "x\"\r\n" REST);
    put('b', false, "SIP/2.0 200 OK\r\nP-Asserted-Identity: <sip:agent@x>\r\n" REST);
    check(true, 1,
          "BYE sip:us SIP/2.0\r\nReason: SIP;text=\"from +1 (" DOTS " or " DOTS ", x\"\r\n" REST);
    check(true, 2, "SIP/2.0 200 OK\r\nP-Asserted-Identity: <sip:agent@x>\r\n" REST); /* its own */
}

static void who_diverts_may_withhold_though_the_caller_does_not(void **state)
{
    put('a', false,
        "INVITE sip:b@us SIP/2.0\r\nFrom: <sip:+15558675309@c>;tag=1\r\n"
        "Diversion: <sip:+15551234567@c>;privacy=full\r\n" REST);
    check(false, 0,
          "INVITE sip:b@us SIP/2.0\r\nFrom: <sip:+15558675309@c>;tag=1\r\n"
          "Diversion: " DOTS "\r\n" REST);
}

static void whatever_was_cut_off_or_is_no_message(void **state)
{
    static const char *const odd[] = {"",
                                      "INVITE",
                                      "\r\n",
                                      "INVITE x SIP/2.0\r\nFrom: <sip:+1555867",
                                      "INVITE x SIP/2.0\r\nno header\r\n",
                                      "a\r\n\r\n"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        put('a', false, odd[i]);
    buf_reset(&shown);
    assert_ok(trace_hide(buf_str(&records), true, &shown));
    check(true, 3, "INVITE x SIP/2.0\r\nFrom: <sip:" DOTS ">\r\n");
}

int main(void)
{
    buf_init(&records, 65536);
    buf_init(&shown, 65536);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_callers_own_messages, clear),
        cmocka_unit_test_setup(our_messages_to_him, clear),
        cmocka_unit_test_setup(his_number_is_masked_wherever_it_is, clear),
        cmocka_unit_test_setup(who_diverts_may_withhold_though_the_caller_does_not, clear),
        cmocka_unit_test_setup(whatever_was_cut_off_or_is_no_message, clear),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_fini(&records);
    buf_fini(&shown);
    return failed;
}
