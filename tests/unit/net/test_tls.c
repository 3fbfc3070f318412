/* TLS between two streams on a real loop: what passes, and who is not believed. */
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "stream_kit.h"

enum { MUCH = 600000 };

static struct tls *server_tls, *client_tls;
static struct side server;

static struct str pem_of(BIO *b)
{
    char *p;
    long n = BIO_get_mem_data(b, &p);
    return str_of_bytes(p, (size_t)n);
}

/* Of the subject "agent.example", signed by itself. */
static void certificates_make(const char *alt_names)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509V3_CTX ctx;
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"agent.example", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_set_pubkey(x, key);
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, alt_names);
    X509_add_ext(x, san, -1);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    BIO *cert = BIO_new(BIO_s_mem()), *private = BIO_new(BIO_s_mem());
    assert_true(PEM_write_bio_X509(cert, x) &&
                PEM_write_bio_PrivateKey(private, key, NULL, NULL, 0, NULL, NULL));
    const struct tls_config sc = {
        .server = true, .cert_pem = pem_of(cert), .key_pem = pem_of(private)};
    const struct tls_config cc = {.ca_pem = pem_of(cert)};
    assert_ok(tls_new(&sc, &server_tls));
    assert_ok(tls_new(&cc, &client_tls));
    X509_EXTENSION_free(san);
    X509_free(x);
    EVP_PKEY_free(key);
    BIO_free(cert);
    BIO_free(private);
}

static void on_accept(void *arg, struct stream *s)
{
    server.s = s;
    stream_take(s, &side_events, &server);
}

/* Both sides are streams of ours. */
static struct listener *tls_connect(struct side *x, const char *host, struct tls *tls)
{
    struct listener *li;
    struct addr own;
    assert_ok(addr_parse(STR("127.0.0.1:0"), 0, &own));
    assert_ok(listener_open(loop, &own, server_tls, on_accept, NULL, &li));
    own = listener_local(li);
    *x = side_new();
    server = side_new();
    assert_ok(stream_connect(loop, &own, tls, str_of(host), 5000, &side_events, x, &x->s));
    return li;
}

static void tls_end(struct side *x, struct listener *li)
{
    side_end(x);
    side_end(&server);
    listener_close(li);
}

static void tls_carries_both_ways(void **state)
{
    struct side x;
    static char bytes[MUCH];
    struct str much = str_of_bytes(bytes, MUCH);
    for (size_t i = 0; i < MUCH; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    struct listener *li = tls_connect(&x, "agent.example", client_tls);
    assert_err(stream_write(x.s, STR("too early")), ERR_AGAIN);
    UNTIL(x.opened && server.opened);
    side_write(&server, much);
    side_write(&x, much);
    UNTIL(x.got.n == MUCH && server.got.n == MUCH);
    assert_memory_equal(x.got.p, much.p, MUCH);
    assert_memory_equal(server.got.p, much.p, MUCH);
    assert_int_equal(x.opened, 1);
    stream_close(x.s); /* says close_notify */
    x.s = NULL;
    UNTIL(server.ends);
    assert_int_equal(server.why, ERR_CLOSED);
    tls_end(&x, li);
}

static void tls_shut_is_a_clean_end(void **state)
{
    struct side x;
    struct listener *li = tls_connect(&x, "127.0.0.1", client_tls);
    UNTIL(x.opened && server.opened);
    side_write(&server, STR("bye"));
    stream_shut(server.s);
    UNTIL(x.ends);
    side_assert_got(&x, "bye");
    assert_int_equal(x.why, ERR_CLOSED);
    tls_end(&x, li);
}

static void the_name_must_be_in_the_certificate(void **state)
{
    static const char *const wrong[] = {"other.example", "127.0.0.2"};
    for (size_t i = 0; i < 2; i++) {
        struct side x;
        struct listener *li = tls_connect(&x, wrong[i], client_tls);
        UNTIL(x.ends);
        assert_int_equal(x.why, ERR_TLS);
        assert_int_equal(x.opened, 0);
        assert_non_null(strstr(x.reason, "mismatch"));
        tls_end(&x, li);
    }
}

/* OpenSSL would take the subject's CN where the certificate has no DNS name (RFC 9110 §4.3.4). */
static void a_name_in_the_subject_alone_is_refused(void **state)
{
    struct tls *named = server_tls, *trusts_named = client_tls;
    certificates_make("IP:127.0.0.1");
    for (size_t i = 0; i < 2; i++) {
        static const char *const host[] = {"agent.example", "127.0.0.1"};
        struct side x;
        struct listener *li = tls_connect(&x, host[i], client_tls);
        UNTIL(x.ends || (x.opened && server.opened));
        assert_int_equal(x.opened, i);
        assert_true(i || strstr(x.reason, "mismatch"));
        tls_end(&x, li);
    }
    tls_free(server_tls);
    tls_free(client_tls);
    server_tls = named;
    client_tls = trusts_named;
}

static void a_certificate_of_nobody_s_is_refused(void **state)
{
    struct side x;
    struct tls *strict;
    const struct tls_config c = {0};
    assert_ok(tls_new(&c, &strict));
    struct listener *li = tls_connect(&x, "agent.example", strict);
    UNTIL(x.ends);
    assert_int_equal(x.why, ERR_TLS);
    assert_int_equal(x.opened, 0);
    tls_free(strict);
    tls_end(&x, li);
}

static void what_is_no_tls_is_refused(void **state)
{
    struct side x = side_new();
    assert_ok(
        stream_connect(loop, &at, client_tls, STR("agent.example"), 5000, &side_events, &x, &x.s));
    int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    assert_true(fd >= 0);
    assert_int_equal(send(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, 0), 28);
    UNTIL(x.ends);
    assert_int_equal(x.why, ERR_TLS);
    assert_int_equal(x.opened, 0);
    assert_true(x.reason[0]);
    close(fd);
    side_end(&x);
}

/* The limit is one of text; the handshake has room of its own. */
static void tls_reads_no_more_text_than_is_allowed(void **state)
{
    struct side x;
    struct listener *li = tls_connect(&x, "agent.example", client_tls);
    stream_read_at_most(x.s, 10);
    UNTIL(x.opened && server.opened);
    side_write(&server, STR("0123456789"));
    UNTIL(x.got.n == 10);
    idle();
    assert_int_equal(x.ends, 0); /* that much is allowed */
    side_write(&server, STR("a"));
    UNTIL(x.ends);
    assert_int_equal(x.why, ERR_TOO_BIG);
    side_assert_got(&x, "0123456789");
    tls_end(&x, li);
}

/* A handshake that never goes on has the time of the connect. */
static void a_handshake_has_its_time(void **state)
{
    struct side x = side_new();
    assert_ok(
        stream_connect(loop, &at, client_tls, STR("agent.example"), 50, &side_events, &x, &x.s));
    int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    UNTIL(x.ends);
    assert_int_equal(x.why, ERR_TIMEOUT);
    close(fd);
    side_end(&x);
}

int main(void)
{
    certificates_make("DNS:agent.example,IP:127.0.0.1");
#define TEST(f) cmocka_unit_test_setup_teardown(f, stream_kit_begin, stream_kit_end)
    const struct CMUnitTest tests[] = {
        TEST(tls_carries_both_ways),
        TEST(tls_shut_is_a_clean_end),
        TEST(the_name_must_be_in_the_certificate),
        TEST(a_name_in_the_subject_alone_is_refused),
        TEST(a_certificate_of_nobody_s_is_refused),
        TEST(what_is_no_tls_is_refused),
        TEST(tls_reads_no_more_text_than_is_allowed),
        TEST(a_handshake_has_its_time),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tls_free(server_tls);
    tls_free(client_tls);
    return failed;
}
