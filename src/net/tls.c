/* tls: holds certificates and rules (struct tls), and runs one connection's TLS between two memory
 * BIOs (tls_link).
 *
 * TLS 1.2 and up; a client always verifies the chain and the host name, and offers SNI for names.
 * tls_pem.c reads PEM, tls_session.c keeps sessions to resume. One loop; struct tls is counted, and
 * threads may share it. */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/tls_openssl.h"

struct tls {
    _Atomic int refs;
    SSL_CTX *ctx;
    bool server;
};

struct tls_link {
    struct tls *tls;
    SSL *ssl;
    BIO *in, *out; /* owned by ssl */
    bool open;
    struct tls_sessions *sessions; /* NULL: nothing is resumed */
    char *session_key;
    int64_t verified_ms; /* when the session that is offered saw the certificate */
    char error[120];
};

/* Keeps a session. It arrives at the end of the handshake (TLS 1.2), or later as a ticket (1.3). */
static int tls_on_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_link *k = SSL_get_app_data(ssl);
    if (!k->sessions)
        return 0;
    int64_t verified_ms = SSL_session_reused(ssl) ? k->verified_ms : clock_mono_ms();
    return tls_sessions_put(k->sessions, str_of(k->session_key), session, verified_ms);
}

static enum err tls_trust_set(SSL_CTX *ctx, const struct tls_config *c)
{
    if (c->ca_pem.n)
        return pem_trust(ctx, c->ca_pem, NULL, NULL);
    SSL_CTX_set_default_verify_paths(ctx);
    if (c->ca_file && SSL_CTX_load_verify_locations(ctx, c->ca_file, NULL) != 1)
        return ERR_INVALID;
    return OK;
}

enum err tls_new(const struct tls_config *c, struct tls **ret)
{
    enum err err = ERR_NOMEM;
    struct tls *t = calloc(1, sizeof *t);
    if (!t || !(t->ctx = SSL_CTX_new(c->server ? TLS_server_method() : TLS_client_method())))
        goto out;
    t->refs = 1;
    t->server = c->server;
    SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(t->ctx, SSL_MODE_RELEASE_BUFFERS);
    if (!c->server) {
        SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(t->ctx, tls_on_session);
        if ((err = tls_trust_set(t->ctx, c)) != OK)
            goto out;
    }
    if (c->cert_pem.n && (err = pem_identity(t->ctx, c, NULL, NULL)) != OK)
        goto out;
    *ret = t;
    return OK;
out:
    if (t)
        SSL_CTX_free(t->ctx);
    free(t);
    ERR_clear_error();
    return err;
}

struct tls *tls_hold(struct tls *t)
{
    atomic_fetch_add(&t->refs, 1);
    return t;
}

void tls_free(struct tls *t)
{
    if (!t || atomic_fetch_sub(&t->refs, 1) != 1)
        return;
    SSL_CTX_free(t->ctx);
    free(t);
}

/* Sends SNI for a name, and requires the name or address in the certificate's subjectAltName. A
 * name in the subject's CN alone does not count (RFC 9110 §4.3.4, RFC 5922 §7.1 for SIP). The final
 * dot of a rooted name is left out (RFC 6066 §3). */
static bool tls_host_expect(SSL *ssl, struct str host)
{
    char z[256];
    struct addr literal;
    X509_VERIFY_PARAM *p = SSL_get0_param(ssl);
    if (host.n > 1 && host.p[host.n - 1] == '.')
        host.n--;
    if (host.n == 0 || str_copy(host, z, sizeof z) != OK)
        return false;
    if (addr_parse(host, 0, &literal) == OK)
        return X509_VERIFY_PARAM_set1_ip(p, literal.ip, literal.family == 4 ? 4 : 16) == 1;
    X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                           X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return SSL_set_tlsext_host_name(ssl, z) == 1 && X509_VERIFY_PARAM_set1_host(p, z, 0) == 1;
}

enum err tls_link_new(struct tls *t, struct str host, struct tls_link **ret)
{
    struct tls_link *k = calloc(1, sizeof *k);
    if (!k)
        return ERR_NOMEM;
    k->tls = tls_hold(t);
    k->ssl = SSL_new(t->ctx);
    k->in = BIO_new(BIO_s_mem());
    k->out = BIO_new(BIO_s_mem());
    if (!k->ssl || !k->in || !k->out) {
        BIO_free(k->in);
        BIO_free(k->out);
        tls_link_free(k);
        return ERR_NOMEM;
    }
    BIO_set_mem_eof_return(k->in, -1);
    SSL_set_bio(k->ssl, k->in, k->out);
    SSL_set_app_data(k->ssl, k);
    if (t->server)
        SSL_set_accept_state(k->ssl);
    else {
        SSL_set_connect_state(k->ssl);
        if (!tls_host_expect(k->ssl, host)) {
            tls_link_free(k);
            return ERR_INVALID;
        }
    }
    *ret = k;
    return OK;
}

void tls_link_free(struct tls_link *k)
{
    if (!k)
        return;
    SSL_free(k->ssl);
    tls_free(k->tls);
    free(k->session_key);
    free(k);
}

void tls_link_resume(struct tls_link *k, struct tls_sessions *sessions, struct str key)
{
    if (!(k->session_key = str_dup(key)))
        return;
    k->sessions = sessions;
    SSL_SESSION *kept = tls_sessions_get(sessions, key, &k->verified_ms);
    if (kept)
        SSL_set_session(k->ssl, kept);
}

enum err tls_link_incoming(struct tls_link *k, struct str bytes)
{
    if (bytes.n && BIO_write(k->in, bytes.p, (int)bytes.n) != (int)bytes.n)
        return ERR_NOMEM;
    return OK;
}

static enum err tls_link_fault(struct tls_link *k, int result)
{
    int e = SSL_get_error(k->ssl, result);
    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE)
        return OK;
    if (e == SSL_ERROR_ZERO_RETURN)
        return ERR_CLOSED;
    long verify = SSL_get_verify_result(k->ssl);
    const char *why = verify != X509_V_OK ? X509_verify_cert_error_string(verify)
                                          : ERR_reason_error_string(ERR_peek_last_error());
    strncpy(k->error, why ? why : "TLS failed", sizeof k->error - 1);
    if (k->sessions) /* the resumed session may be the cause */
        tls_sessions_drop(k->sessions, str_of(k->session_key));
    ERR_clear_error();
    return ERR_TLS;
}

enum err tls_link_step(struct tls_link *k, char *text, size_t cap, size_t *ret_n)
{
    *ret_n = 0;
    ERR_clear_error();
    if (!k->open) {
        int r = SSL_do_handshake(k->ssl);
        if (r != 1)
            return tls_link_fault(k, r);
        k->open = true;
        return OK;
    }
    int n = SSL_read(k->ssl, text, (int)cap);
    if (n <= 0)
        return tls_link_fault(k, n);
    *ret_n = (size_t)n;
    return OK;
}

enum err tls_link_write(struct tls_link *k, struct str text)
{
    if (!k->open)
        return ERR_AGAIN;
    while (text.n) {
        ERR_clear_error();
        int n = SSL_write(k->ssl, text.p, (int)(text.n < (1 << 20) ? text.n : 1 << 20));
        if (n <= 0)
            return ERR_TLS;
        text = str_from(text, (size_t)n);
    }
    return OK;
}

struct str tls_link_outgoing(struct tls_link *k)
{
    char *p;
    long n = BIO_get_mem_data(k->out, &p);
    return n > 0 ? (struct str){p, (size_t)n} : (struct str){0};
}

void tls_link_sent(struct tls_link *k, size_t n)
{
    char drop[4096];
    while (n) {
        int got = BIO_read(k->out, drop, (int)(n < sizeof drop ? n : sizeof drop));
        ASSERT(got > 0);
        n -= (size_t)got;
    }
}

bool tls_link_is_open(const struct tls_link *k)
{
    return k->open;
}

void tls_link_shutdown(struct tls_link *k)
{
    ERR_clear_error();
    SSL_shutdown(k->ssl);
}

const char *tls_link_error(const struct tls_link *k)
{
    return k->error;
}
