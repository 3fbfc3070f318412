/* Runs TCP and TLS byte streams on a loop: connect, listen, write, read, close. Callbacks run on
 * the loop's thread, never before the call that caused them returns, and never after stream_close.
 */
#pragma once
#include "net/addr.h"
#include "net/loop.h"

struct stream;
struct tls; /* certificates and rules, shared by streams */

struct tls_config {
    const char *ca_file; /* trusted besides the system's; NULL: none */
    struct str ca_pem;   /* trusted instead of the system's; empty: the system's */
    struct str cert_pem; /* ours (client certificate, or the server's own); empty: none */
    struct str key_pem;
    bool server;
};
MUST_USE enum err tls_new(const struct tls_config *c, struct tls **ret); /* TLS 1.2 and up */
struct tls *tls_hold(struct tls *t);
void tls_free(struct tls *t); /* counted: streams that use it keep it */
/* Checks certificates and keys before somebody stores them. ERR_INVALID: *ret_field names the bad
 * one ("ca_pem", "cert_pem", "key_pem"), *ret_why says what is needed there. */
MUST_USE enum err tls_check(const struct tls_config *c, const char **ret_field,
                            const char **ret_why);

struct tls_sessions; /* sessions that may be resumed, of one loop */
MUST_USE enum err tls_sessions_new(struct tls_sessions **ret);
void tls_sessions_free(struct tls_sessions *s); /* after its streams were closed; NULL-safe */

struct stream_events {
    /* Connected (TLS: handshake and host name verified). */
    void (*on_open)(struct stream *s, void *arg);
    /* Bytes arrived; valid during the call. */
    void (*on_bytes)(struct stream *s, void *arg, struct str bytes);
    /* It is over: ERR_CLOSED (clean end from the other side), ERR_RESET, ERR_UNREACHABLE,
     * ERR_TIMEOUT, ERR_TLS, ERR_TOO_BIG, ERR_IO. Called once, the last; then stream_close is due.
     */
    void (*on_end)(struct stream *s, void *arg, enum err why);
    /* Optional. All bytes that stream_write had to keep have left. */
    void (*on_sent)(struct stream *s, void *arg);
    /* Optional: the other side sends no more but may still read, so this is not the end (TLS has no
     * half-close). Without this callback: on_end with ERR_CLOSED. */
    void (*on_eof)(struct stream *s, void *arg);
};

/* `tls` NULL: plain. `host`: SNI and the name that must stand in the certificate (TLS only; an
 * address literal is verified as an address). The caller must have judged the address already. */
MUST_USE enum err stream_connect(struct loop *l, const struct addr *to, struct tls *tls,
                                 struct str host, int64_t connect_timeout_ms,
                                 const struct stream_events *ev, void *arg, struct stream **ret);
/* Takes the bytes (copied when the socket does not take them at once). ERR_FULL past
 * STREAM_MAX_UNSENT: the other side does not read. ERR_AGAIN: TLS that is not open yet. */
enum { STREAM_MAX_UNSENT = 1 << 20 };
MUST_USE enum err stream_write(struct stream *s, struct str bytes);
size_t stream_unsent(const struct stream *s); /* bytes that the socket did not take yet */
/* Tells the other side, behind all unsent bytes, that nothing follows; it may go on sending. */
void stream_shut(struct stream *s);
void stream_close(struct stream *s); /* NULL-safe; allowed inside its callbacks; freed afterwards */
/* Called right after stream_connect with TLS: resumes the session kept under `key` (which names
 * owner and peer), and keeps the new session there. */
void stream_resume(struct stream *s, struct tls_sessions *sessions, struct str key);
/* Limits how many more bytes on_bytes gets; bytes beyond end the stream with ERR_TOO_BIG. TLS may
 * take STREAM_TLS_EXTRA more from the wire, for its handshake and its records. */
enum { STREAM_TLS_EXTRA = 128 * 1024 };
void stream_read_at_most(struct stream *s, size_t n);
void stream_read_pause(struct stream *s, bool pause);
struct addr stream_peer(const struct stream *s);
/* Counts the bytes written that the peer's system has not acknowledged (TLS: bytes on the wire). */
size_t stream_unacked(const struct stream *s);
struct addr stream_local(const struct stream *s);
/* Gives the reason why TLS failed ("certificate has expired"), or "". Valid until close. */
const char *stream_tls_error(const struct stream *s);
/* Gives the reason of the end, for people: the text of TLS, of the system ("Connection refused"),
 * or of the error. Valid until this thread calls it again. */
const char *stream_reason(const struct stream *s);

struct listener;
/* Owns the new stream, and sets its events with stream_take before it returns; a stream that is not
 * taken is closed. */
typedef void listener_on_accept(void *arg, struct stream *s);
MUST_USE enum err listener_open(struct loop *l, const struct addr *at, struct tls *tls,
                                listener_on_accept *on_accept, void *arg, struct listener **ret);
void stream_take(struct stream *s, const struct stream_events *ev, void *arg);
/* Gets sockets instead, for streams on any loop (stream_adopt); it owns `fd`. */
typedef void listener_on_socket(void *arg, int fd, const struct addr *peer);
MUST_USE enum err listener_open_sockets(struct loop *l, const struct addr *at,
                                        listener_on_socket *on_socket, void *arg,
                                        struct listener **ret);
/* Makes an accepted socket a stream of this loop; on error the caller closes it. */
MUST_USE enum err stream_adopt(struct loop *l, int fd, const struct addr *peer, struct tls *tls,
                               const struct stream_events *ev, void *arg, struct stream **ret);
struct addr listener_local(const struct listener *li);
void listener_close(struct listener *li);
