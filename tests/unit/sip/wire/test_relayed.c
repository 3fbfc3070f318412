/* What passes to the other leg: of everybody, and of one who withholds who he is. */
#include "check.h"
#include "sip/wire/relayed.h"

static char message[65536], written[65536];
static const struct secrets hidden = {.n = 1, .digits = {"58675309"}};

static const char *relayed_of(const char *start, const char *headers, const char *body,
                              const struct secrets *h)
{
    struct sip_msg m;
    struct buf b;
    int n = snprintf(message, sizeof message,
                     "%s\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKa\r\n"
                     "From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
                     "Contact: <sip:a@x>\r\n%sContent-Length: %zu\r\n\r\n%s",
                     start, headers, strlen(body), body);
    assert_ok(sip_parse(message, (size_t)n, &m));
    buf_wrap(&b, written, sizeof written - 1);
    relayed_put(&b, &m, h);
    assert_ok(b.err);
    written[b.n] = '\0';
    return written;
}

static const char *relayed(const char *headers, const char *body, const struct secrets *h)
{
    return relayed_of("INVITE sip:+447911123456@x SIP/2.0", headers, body, h);
}

static void all_but_what_belongs_to_the_hop_passes(void **state)
{
    assert_string_equal(
        relayed("X-A: 1\r\nP-Asserted-Identity: <sip:+15558675309@x>\r\n"
                "X-Hookswitch-Simulated: 1\r\nRoute: <sip:y;lr>\r\nPrivacy: none\r\n",
                "", NULL),
        "X-A: 1\r\nP-Asserted-Identity: <sip:+15558675309@x>\r\nPrivacy: none\r\n"
        "Content-Length: 0\r\n\r\n");
}

/* Of what one side can do, or wants, the other hears what comes across. */
static void nothing_is_promised_that_does_not_come_across(void **state)
{
    assert_string_equal(relayed("Allow: INVITE, SUBSCRIBE, BYE\r\nk: replaces, timer\r\n"
                                "Require: 100rel, gruu\r\nAllow: PUBLISH\r\n",
                                "", NULL),
                        "Allow: INVITE, BYE\r\nSupported: timer\r\nRequire: 100rel\r\n"
                        "Content-Length: 0\r\n\r\n");
    assert_string_equal(
        relayed_of("SIP/2.0 200 OK", "Require: timer, gruu\r\nUnsupported: gruu\r\n", "", NULL),
        "Require: timer\r\nUnsupported: gruu\r\nContent-Length: 0\r\n\r\n");
    assert_string_equal(relayed_of("SIP/2.0 421 Extension Required", "Require: gruu\r\n", "", NULL),
                        "Require: gruu\r\nContent-Length: 0\r\n\r\n"); /* why it refuses */
}

static void who_withholds_is_named_nowhere(void **state)
{
    assert_string_equal(
        relayed(
            "P-Asserted-Identity: \"S\" <sip:+15558675309@x>\r\nRemote-Party-ID: "
            "<sip:+15558675309@x>\r\n"
            "P-Preferred-Identity: <sip:+15558675309@x>\r\nDiversion: <sip:+15558675309@x>\r\n"
            "History-Info: <sip:+15558675309@x>;index=1\r\nIdentity: abc\r\ny: abc\r\nCall-Info: "
            "<http://x>\r\n"
            "Referred-By: <sip:+15558675309@x>\r\nb: <sip:+15558675309@x>\r\nSubject: me\r\ns: "
            "me\r\n"
            "User-Agent: his\r\nReply-To: <sip:+15558675309@x>\r\nOrganization: his\r\n"
            "P-Charge-Info: <sip:+15558675309@x>\r\nX-Billing: 15558675309\r\nX-Customer: 42\r\n"
            "Privacy: id\r\nSupported: timer\r\nAllow: INVITE\r\nSession-Expires: 90\r\n",
            "", &hidden),
        "X-Customer: 42\r\nPrivacy: id\r\nSupported: timer\r\nAllow: INVITE\r\nSession-Expires: "
        "90\r\n"
        "Content-Length: 0\r\n\r\n");
}

static bool has_sdp(const char *type, const char *body)
{
    struct sip_msg m;
    int n = snprintf(message, sizeof message,
                     "INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKa\r\n"
                     "From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
                     "%sContent-Length: %zu\r\n\r\n%s",
                     type, strlen(body), body);
    assert_ok(sip_parse(message, (size_t)n, &m));
    return relayed_sdp(&m, NULL, NULL).n > 0;
}

static void an_sdp_is_found_alone_and_among_parts(void **state)
{
    static const char parts[] = "Content-Type: multipart/mixed;boundary=b\r\n";
    assert_true(has_sdp("Content-Type: application/sdp\r\n", "v=0\r\n"));
    assert_true(has_sdp("c: Application/SDP ;charset=utf-8\r\n", "v=0\r\n"));
    assert_true(has_sdp("", "v=0\r\n"));
    assert_true(has_sdp(parts, "--b\r\nContent-Type: application/isup\r\n\r\n1\r\n--b\r\n"
                               "Content-Type: application/sdp\r\n\r\nv=0\r\n--b--\r\n"));
    assert_false(has_sdp(parts, "--b\r\nContent-Type: application/isup\r\n\r\n1\r\n--b--\r\n"));
    assert_false(has_sdp("Content-Type: application/isup\r\n", "1"));
    assert_false(has_sdp("Content-Type: application/sdp\r\n", ""));
    assert_false(has_sdp("", ""));
}

#define SDP                                                                                        \
    "v=0\r\no=+15558675309 1 2 IN IP4 192.0.2.1\r\ns=Secret Person\r\ni=about\r\nu=http://x\r\n"   \
    "e=me@x\r\np=+1 555 867 5309\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"     \
    "a=ssrc:1 cname:15558675309@x\r\na=sendrecv\r\n"
#define SDP_HIDDEN                                                                                 \
    "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"                    \
    "m=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n"

static void check_body(const char *headers, const char *body, const char *want)
{
    char all[8192];
    snprintf(all, sizeof all, "%sContent-Length: %zu\r\n\r\n%s",
             *want ? "Content-Type: application/sdp\r\n" : "", strlen(want), want);
    assert_string_equal(relayed(headers, body, &hidden), all);
}

static void an_sdp_keeps_what_media_need(void **state)
{
    check_body("Content-Type: application/sdp\r\n", SDP, SDP_HIDDEN);
    check_body("c: Application/SDP ;charset=utf-8\r\n", SDP, SDP_HIDDEN);
    check_body("", SDP, SDP_HIDDEN);
    assert_non_null(strstr(relayed("Content-Type: application/sdp\r\n", SDP, NULL), SDP));
}

static void of_a_body_in_parts_the_sdp_passes_alone(void **state)
{
    static const char parts[] =
        "--b\r\nContent-Type: application/isup\r\n\r\n15558675309\r\n"
        "--b\r\nContent-Type: application/sdp\r\nX: y\r\n\r\n" SDP "--b--\r\n";
    check_body("Content-Type: multipart/mixed;boundary=b\r\nMIME-Version: 1.0\r\n", parts,
               SDP_HIDDEN);
    check_body("Content-Type: multipart/mixed;boundary=\"b\"\r\n", parts, SDP_HIDDEN);
    check_body("Content-Type: multipart/mixed\r\n", parts, "");
    check_body("Content-Type: multipart/mixed;boundary=b\r\n",
               "--b\r\nContent-Type: application/isup\r\n\r\n15558675309\r\n--b--\r\n", "");
    check_body("Content-Type: application/isup\r\n", "15558675309", "");
    check_body("Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n", "zipped", "");
}

static void a_dialled_digit_passes_a_number_does_not(void **state)
{
    assert_string_equal(
        relayed("Content-Type: application/dtmf-relay\r\n", "Signal=5\r\n", &hidden),
        "Content-Type: application/dtmf-relay\r\nContent-Length: 10\r\n\r\nSignal=5\r\n");
    check_body("Content-Type: text/plain\r\n", "call me: 555-867-5309", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_but_what_belongs_to_the_hop_passes),
        cmocka_unit_test(an_sdp_is_found_alone_and_among_parts),
        cmocka_unit_test(nothing_is_promised_that_does_not_come_across),
        cmocka_unit_test(who_withholds_is_named_nowhere),
        cmocka_unit_test(an_sdp_keeps_what_media_need),
        cmocka_unit_test(of_a_body_in_parts_the_sdp_passes_alone),
        cmocka_unit_test(a_dialled_digit_passes_a_number_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
