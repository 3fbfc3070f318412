/* Inside net/: declares TLS as a layer that turns bytes into bytes, and the stream functions that
 * listeners need. Only net/ includes this. */
#pragma once
#include "net/stream.h"

struct tls_link; /* one connection's TLS */

/* Counts `tls`. Client side: `host` is SNI and the name to verify; server side: empty. */
MUST_USE enum err tls_link_new(struct tls *t, struct str host, struct tls_link **ret);
void tls_link_free(struct tls_link *k);
void tls_link_resume(struct tls_link *k, struct tls_sessions *sessions, struct str key);
MUST_USE enum err tls_link_incoming(struct tls_link *k, struct str bytes);
/* Runs the handshake or decrypts the bytes that came in: *ret_n bytes of text (0: nothing yet).
 * ERR_CLOSED after a clean end, ERR_TLS otherwise. */
MUST_USE enum err tls_link_step(struct tls_link *k, char *text, size_t cap, size_t *ret_n);
MUST_USE enum err tls_link_write(struct tls_link *k, struct str text); /* ERR_AGAIN before open */
struct str tls_link_outgoing(struct tls_link *k); /* bytes for the wire; then tls_link_sent */
void tls_link_sent(struct tls_link *k, size_t n);
bool tls_link_is_open(const struct tls_link *k);
void tls_link_shutdown(struct tls_link *k);
const char *tls_link_error(const struct tls_link *k);

/* Makes an accepted socket a stream; on error the caller closes fd. */
MUST_USE enum err stream_of_socket(struct loop *l, int fd, const struct addr *peer, struct tls *tls,
                                   struct stream **ret);
bool stream_is_taken(const struct stream *s);
