/* tls_pem: loads certificates and keys from PEM text into an SSL_CTX, and checks them before they
 * are stored, so that a person who configures them learns at once which field is wrong and why.
 * Strict: text besides certificates is an error, and so is an encrypted key, since nobody can type
 * its password. Pure; any thread. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "net/tls_openssl.h"

enum { CHAIN_MAX = 16, TRUSTED_MAX = 256 };

static enum err pem_refuse(const char **ret_field, const char *field, const char **ret_why,
                           const char *why)
{
    ERR_clear_error();
    if (ret_field)
        *ret_field = field;
    if (ret_why)
        *ret_why = why;
    return ERR_INVALID;
}

/* Refuses to give a password; OpenSSL's own function would ask for it on the terminal. */
static int pem_on_password(char *out, int cap, int writing, void *arg)
{
    return -1;
}

/* Reads the next certificate; NULL at the end, or with *ret_bad when the text holds something else.
 */
static X509 *pem_certificate_next(BIO *b, bool *ret_bad)
{
    X509 *cert = PEM_read_bio_X509(b, NULL, pem_on_password, NULL);
    unsigned long e = ERR_peek_last_error();
    *ret_bad = !cert && ERR_GET_REASON(e) != PEM_R_NO_START_LINE;
    ERR_clear_error();
    return cert;
}

static bool pem_chain_use(SSL_CTX *ctx, struct str pem, const char **ret_why)
{
    BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
    bool bad = true;
    int n = 0;
    X509 *cert;
    while (b && n < CHAIN_MAX && (cert = pem_certificate_next(b, &bad))) {
        /* the first is ours, the rest lead from it to a root */
        bad = n++ == 0 ? SSL_CTX_use_certificate(ctx, cert) != 1
                       : SSL_CTX_add1_chain_cert(ctx, cert) != 1;
        X509_free(cert);
        if (bad) {
            const char *why = ERR_reason_error_string(ERR_peek_last_error());
            *ret_why = why ? why : "a certificate that can be used";
            break;
        }
    }
    BIO_free(b);
    return n > 0 && n < CHAIN_MAX && !bad;
}

enum err pem_identity(SSL_CTX *ctx, const struct tls_config *c, const char **ret_field,
                      const char **ret_why)
{
    const char *why = "a PEM certificate, and those that lead from it to a root behind it";
    if (!pem_chain_use(ctx, c->cert_pem, &why))
        return pem_refuse(ret_field, "cert_pem", ret_why, why);
    if (c->key_pem.n == 0)
        return pem_refuse(ret_field, "key_pem", ret_why, "the private key of cert_pem is needed");
    BIO *b = BIO_new_mem_buf(c->key_pem.p, (int)c->key_pem.n);
    EVP_PKEY *key = b ? PEM_read_bio_PrivateKey(b, NULL, pem_on_password, NULL) : NULL;
    bool fits = key && SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
    bool is_key = key != NULL;
    EVP_PKEY_free(key);
    BIO_free(b);
    if (!is_key)
        return pem_refuse(ret_field, "key_pem", ret_why, "a PEM private key without a password");
    if (!fits)
        return pem_refuse(ret_field, "key_pem", ret_why, "the private key of cert_pem");
    return OK;
}

enum err pem_trust(SSL_CTX *ctx, struct str pem, const char **ret_field, const char **ret_why)
{
    BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    X509 *cert;
    bool bad = true;
    int n = 0;
    while (b && n < TRUSTED_MAX && (cert = pem_certificate_next(b, &bad))) {
        n += X509_STORE_add_cert(store, cert);
        X509_free(cert);
    }
    BIO_free(b);
    if (n == 0 || n == TRUSTED_MAX || bad)
        return pem_refuse(ret_field, "ca_pem", ret_why, "PEM certificates, at most 255");
    /* Trust each certificate named here: a root, an intermediate one, or the receiver's own. */
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
    return OK;
}

enum err tls_check(const struct tls_config *c, const char **ret_field, const char **ret_why)
{
    enum err err = OK;
    SSL_CTX *ctx = SSL_CTX_new(c->server ? TLS_server_method() : TLS_client_method());
    if (!ctx)
        return ERR_NOMEM;
    if (c->ca_pem.n)
        err = pem_trust(ctx, c->ca_pem, ret_field, ret_why);
    if (err == OK && c->key_pem.n && !c->cert_pem.n)
        err = pem_refuse(ret_field, "cert_pem", ret_why, "the certificate of key_pem is needed");
    if (err == OK && c->cert_pem.n)
        err = pem_identity(ctx, c, ret_field, ret_why);
    SSL_CTX_free(ctx);
    return err;
}
