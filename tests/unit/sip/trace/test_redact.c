/* What of a message a trace keeps. */
#include "check.h"
#include "sip/trace/redact.h"

#define HEAD                                                                                       \
    "INVITE sip:+447911123456@example.com SIP/2.0\r\n"                                             \
    "From: <sip:+19175550100@example.com>;tag=1\r\n"
#define DOTS "\xe2\x80\xa6"

static void check(const char *in, const char *out)
{
    struct buf b;
    buf_init(&b, 1 << 16);
    trace_redact(str_of(in), &b);
    assert_ok(b.err);
    assert_str(buf_str(&b), out);
    buf_fini(&b);
}

static void header(const char *in, const char *out)
{
    char from[1024], to[1024];
    snprintf(from, sizeof from, HEAD "%s\r\nContent-Length: 0\r\n\r\n", in);
    snprintf(to, sizeof to, HEAD "%s\r\nContent-Length: 0\r\n\r\n", out);
    check(from, to);
}

static void credentials(void **state)
{
    static const char digest[] =
        "Authorization: Digest username=\"ann\", realm=\"a, b\", nonce=\"n=1\", uri=\"sip:x\", "
        "response=\"" DOTS "\", qop=auth, nc=00000001";
    header("Authorization: Digest username=\"ann\", realm=\"a, b\", nonce=\"n=1\", uri=\"sip:x\", "
           "response=\"6629fae49393a05397450978507c4ef1\", qop=auth, nc=00000001",
           digest);
    header("Authorization: Digest username=\"ann\",realm=\"a, b\",nonce=\"n=1\",uri=\"sip:x\",\r\n"
           "  response=\"6629fae49393a05397450978507c4ef1\",\r\n\tqop=auth,nc=00000001",
           digest);
    header("proxy-AUTHORIZATION : digest RESPONSE = \"a\\\", nonce=\\\"b\" , auts=c",
           "proxy-AUTHORIZATION: digest RESPONSE=\"" DOTS "\", auts=\"" DOTS "\"");
    header("Authorization: Digest response=\"never ends, nonce=1", /* to its end */
           "Authorization: Digest response=\"" DOTS "\"");
    header("Authorization: Basic YW5uOnNlY3JldA==", "Authorization: Basic " DOTS);
    header("Authorization: Bearer a.b.c", "Authorization: Bearer " DOTS);
    header("Authorization: secret", "Authorization: " DOTS);
    header("Authorization: Digest secret, what", "Authorization: Digest " DOTS ", " DOTS);
    header("WWW-Authenticate: Digest realm=\"a\", nonce=\"b\"",
           "WWW-Authenticate: Digest realm=\"a\", nonce=\"b\"");
    header("X-Authorization: kept", "X-Authorization: kept");
    /* cut off in the middle of it */
    check(HEAD "Authorization: Digest response=\"6629fae4",
          HEAD "Authorization: Digest response=\"" DOTS "\"\r\n");
}

#define SDP_HEAD HEAD "c: Application/SDP;charset=utf-8\r\n\r\n"

static void keys(void **state)
{
    check(SDP_HEAD "v=0\r\nk=clear:secret\r\nm=audio 1 RTP/SAVP 0\r\n"
                   "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0|2^20|1:4\r\n"
                   "A=CRYPTO:2 AES_CM_128_HMAC_SHA1_32 inline:c2VjcmV0 FEC_ORDER=FEC_SRTP\n"
                   "a=crypto:secret\r\na=ice-ufrag:ab\r\na=ice-pwd:secret\r\n"
                   "a=key-mgmt:mikey c2VjcmV0\r\na=rtpmap:0 PCMU/8000",
          SDP_HEAD "v=0\r\nk=" DOTS "\r\nm=audio 1 RTP/SAVP 0\r\n"
                   "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " DOTS "\r\n"
                   "A=CRYPTO:2 AES_CM_128_HMAC_SHA1_32 " DOTS "\r\n"
                   "a=crypto:" DOTS "\r\na=ice-ufrag:ab\r\na=ice-pwd:" DOTS "\r\n"
                   "a=key-mgmt:mikey " DOTS "\r\na=rtpmap:0 PCMU/8000");
}

static void other_bodies(void **state)
{
    check(HEAD "Content-Type: application/dtmf-relay\r\n\r\nSignal=5\r\nDuration=160\r\n",
          HEAD "Content-Type: application/dtmf-relay\r\n\r\n"
               "(24 bytes of application/dtmf-relay)\r\n");
    check(HEAD "Content-Type: text/plain\r\n\r\n my secret", /* a body that begins with a blank */
          HEAD "Content-Type: text/plain\r\n\r\n(10 bytes of text/plain)\r\n");
    check(HEAD "\r\nsecret", HEAD "\r\n(6 bytes of unknown type)\r\n");
    check(HEAD "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n\r\nsecret",
          HEAD "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n\r\n"
               "(6 bytes of application/sdp)\r\n");
    check(HEAD "Content-Type: multipart/mixed;boundary=x\r\n\r\nsecret",
          HEAD "Content-Type: multipart/mixed;boundary=x\r\n\r\n"
               "(6 bytes of multipart/mixed;boundary=x)\r\n");
    check(HEAD "Content-Length: 0\r\n\r\n", HEAD "Content-Length: 0\r\n\r\n");
    check("", "");
    check("no message", "no message");
}

/* Wherever a message is cut, no secret comes out of it. */
static void cut_anywhere(void **state)
{
    static const char all[] =
        HEAD "Authorization: Digest username=\"ann\",\r\n response=\"s3cr3t\"\r\n"
             "Content-Type: application/sdp\r\n\r\nv=0\r\nk=clear:s3cr3t\r\n"
             "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:s3cr3t\r\na=ice-pwd:s3cr3t\r\n";
    for (size_t n = 0; n < sizeof all; n++) {
        struct buf b;
        buf_init(&b, 1 << 16);
        trace_redact((struct str){all, n}, &b);
        assert_ok(b.err);
        assert_null(b.n ? memmem(b.p, b.n, "s3", 2) : NULL);
        buf_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(credentials), cmocka_unit_test(keys),
                                       cmocka_unit_test(other_bodies),
                                       cmocka_unit_test(cut_anywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
