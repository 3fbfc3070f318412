/* Inside net/tls*.c: declares the functions that the TLS files share, in OpenSSL's types. */
#pragma once
#include <openssl/ssl.h>

#include "net/stream_tls.h"

/* tls_pem.c. ERR_INVALID, with *ret_field and *ret_why for people (both may be NULL). */
MUST_USE enum err pem_identity(SSL_CTX *ctx, const struct tls_config *c, const char **ret_field,
                               const char **ret_why);
MUST_USE enum err pem_trust(SSL_CTX *ctx, struct str ca_pem, const char **ret_field,
                            const char **ret_why);

/* tls_session.c. Gives the session of a key, or NULL; borrowed until the next call. */
SSL_SESSION *tls_sessions_get(struct tls_sessions *s, struct str key, int64_t *ret_verified_ms);
/* Takes the caller's reference when it returns true. */
bool tls_sessions_put(struct tls_sessions *s, struct str key, SSL_SESSION *session,
                      int64_t verified_ms);
void tls_sessions_drop(struct tls_sessions *s, struct str key);
