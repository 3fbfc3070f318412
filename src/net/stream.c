/* stream: runs one TCP or TLS connection on the loop, over its own non-blocking socket.
 *
 * Bytes are written straight to the socket, and kept only when the socket does not take them; all
 * streams of a loop share one read buffer. TLS is a layer between (tls.c) that turns bytes into
 * bytes. The stream reports errors and ends in a turn of their own, never inside a call.
 * stream_close may come inside any callback: the stream is freed when libuv has closed its handle.
 * Owner: the loop. */
#include "net/stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "net/loop_uv.h"
#include "net/stream_tls.h"

enum { ACCEPTS_A_TURN = 64 };

struct stream {
    struct loop *loop;
    uv_poll_t poll;
    int fd;
    bool connecting, closed, paused, taken, ended;
    bool want_write, shut; /* shut: nothing more is to be sent */
    struct addr peer;
    const struct stream_events *ev;
    void *arg;
    struct tls_link *link; /* NULL: plain */
    struct buf unsent;
    size_t unsent_at;
    size_t wire_left, text_left; /* bytes that may still be read */
    struct timer timer;          /* connect timeout; then: the end to tell */
    enum err why;
    int error; /* the errno that ended it; 0: none */
};

static void stream_on_poll(uv_poll_t *p, int status, int events);

static void stream_watch(struct stream *s)
{
    int events = (s->paused || s->connecting ? 0 : UV_READABLE) | (s->want_write ? UV_WRITABLE : 0);
    /* The end of a half-closed peer would wake us in every turn of a pause, in which we do not
     * read. */
    if (!s->paused)
        events |= UV_DISCONNECT;
    if (!s->closed)
        uv_poll_start(&s->poll, events, stream_on_poll);
}

static void stream_on_end_due(struct timer *t)
{
    struct stream *s = t->arg;
    if (s->ev && s->ev->on_end)
        s->ev->on_end(s, s->arg, s->why);
}

/* Ends the stream. on_end comes once, from the wheel, after the present call has returned. */
static void stream_end(struct stream *s, enum err why)
{
    if (s->ended || s->closed)
        return;
    s->ended = true;
    s->why = why;
    uv_poll_stop(&s->poll);
    loop_timer(s->loop, &s->timer, 0, stream_on_end_due, s);
}

static void stream_on_connect_late(struct timer *t)
{
    struct stream *s = t->arg;
    s->ended = true;
    s->why = ERR_TIMEOUT;
    uv_poll_stop(&s->poll);
    stream_on_end_due(t);
}

static enum err err_of_errno(int e)
{
    switch (e) {
    case ECONNRESET:
    case EPIPE: return ERR_RESET;
    case ETIMEDOUT: return ERR_TIMEOUT;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EADDRNOTAVAIL: return ERR_UNREACHABLE;
    default: return ERR_IO;
    }
}

static void stream_end_by_errno(struct stream *s, int e)
{
    if (!s->ended)
        s->error = e;
    stream_end(s, err_of_errno(e));
}

/* Sends raw bytes now or keeps them. */
static enum err stream_send_raw(struct stream *s, struct str bytes)
{
    size_t sent = 0;
    if (s->unsent.n == s->unsent_at)
        while (sent < bytes.n) {
            ssize_t n = send(s->fd, bytes.p + sent, bytes.n - sent, MSG_NOSIGNAL);
            if (n >= 0)
                sent += (size_t)n;
            else if (errno == EAGAIN)
                break;
            else if (errno != EINTR) {
                stream_end_by_errno(s, errno);
                return OK; /* told by on_end */
            }
        }
    if (sent == bytes.n)
        return OK;
    if (s->unsent_at && s->unsent_at == s->unsent.n) {
        buf_reset(&s->unsent);
        s->unsent_at = 0;
    }
    buf_put_str(&s->unsent, str_from(bytes, sent));
    if (s->unsent.err != OK)
        return ERR_FULL;
    if (!s->want_write) {
        s->want_write = true;
        stream_watch(s);
    }
    return OK;
}

static void stream_flush(struct stream *s)
{
    while (s->unsent_at < s->unsent.n) {
        ssize_t n =
            send(s->fd, s->unsent.p + s->unsent_at, s->unsent.n - s->unsent_at, MSG_NOSIGNAL);
        if (n >= 0)
            s->unsent_at += (size_t)n;
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR) {
            stream_end_by_errno(s, errno);
            return;
        }
    }
    buf_reset(&s->unsent);
    s->unsent_at = 0;
    s->want_write = false;
    stream_watch(s);
    if (s->shut)
        shutdown(s->fd, SHUT_WR);
    else if (s->ev && s->ev->on_sent)
        s->ev->on_sent(s, s->arg);
}

/* Sends the bytes that the TLS library has for the wire, after each step. */
static enum err stream_push_tls(struct stream *s)
{
    struct str out;
    while ((out = tls_link_outgoing(s->link)).n) {
        enum err err = stream_send_raw(s, out);
        tls_link_sent(s->link, out.n);
        if (err != OK)
            return err;
    }
    return OK;
}

static void stream_opened(struct stream *s)
{
    timer_stop(&s->timer);
    if (s->ev && s->ev->on_open)
        s->ev->on_open(s, s->arg);
}

/* Runs the TLS layer on the bytes that arrived; calls on_open once, and on_bytes as often as there
 * is text. */
static void stream_read_tls(struct stream *s, struct str bytes)
{
    char text[16 * 1024];
    enum err err = tls_link_incoming(s->link, bytes);
    while (err == OK && !s->closed && !s->ended) {
        bool was_open = tls_link_is_open(s->link);
        size_t n = 0, most = sizeof text < s->text_left ? sizeof text : s->text_left;
        err = tls_link_step(s->link, text, most ? most : 1, &n); /* is there more? */
        enum err sent = stream_push_tls(s);
        if (sent != OK)
            err = sent;
        if (s->closed || s->ended)
            return;
        if (!was_open && tls_link_is_open(s->link)) {
            stream_opened(s);
            continue;
        }
        if (n == 0)
            break;
        if (n > most) {
            err = ERR_TOO_BIG;
            break;
        }
        s->text_left -= n;
        if (s->ev && s->ev->on_bytes)
            s->ev->on_bytes(s, s->arg, (struct str){text, n});
    }
    if (err != OK)
        stream_end(s, err);
}

/* True when a reset came behind the peer's end: it closed both ways, and we wrote to it. */
static bool stream_was_reset(const struct stream *s)
{
    int e = 0;
    socklen_t n = sizeof e;
    return getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &e, &n) == 0 && e != 0;
}

/* Handles the peer's end of sending. The socket is watched further only when bytes are to be sent.
 */
static void stream_on_half_end(struct stream *s)
{
    bool reset = stream_was_reset(s); /* the socket reports that only once */
    if (reset || s->link || !s->ev || !s->ev->on_eof) {
        stream_end(s, reset ? ERR_RESET : ERR_CLOSED);
        return;
    }
    stream_read_pause(s, true);
    s->ev->on_eof(s, s->arg);
}

/* Reads once. False when there was nothing to read, or the stream is over. */
static bool stream_read_once(struct stream *s)
{
    char *mem = loop_read_buffer(s->loop);
    size_t most = s->wire_left < LOOP_READ_MAX ? s->wire_left : LOOP_READ_MAX;
    ssize_t n = most ? recv(s->fd, mem, most, 0) : recv(s->fd, mem, 1, MSG_PEEK);
    if (n > 0 && most == 0)
        stream_end(s, ERR_TOO_BIG);
    else if (n == 0)
        stream_on_half_end(s);
    else if (n < 0 && errno != EAGAIN && errno != EINTR)
        stream_end_by_errno(s, errno);
    if (n <= 0 || most == 0)
        return false;
    s->wire_left -= (size_t)n;
    if (s->link)
        stream_read_tls(s, (struct str){mem, (size_t)n});
    else if (s->ev && s->ev->on_bytes)
        s->ev->on_bytes(s, s->arg, (struct str){mem, (size_t)n});
    return true;
}

/* Reads all that is left. The socket has an error (mostly a reset) and libuv no longer watches it,
 * perhaps with bytes still to be read, so nothing would wake us again. */
static void stream_read_all(struct stream *s)
{
    while (!s->closed && !s->ended && !s->paused && stream_read_once(s))
        ;
    stream_end(s, ERR_RESET); /* unless it ended by itself */
}

static void stream_finish_connect(struct stream *s)
{
    int e = 0;
    socklen_t n = sizeof e;
    getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &e, &n);
    if (e) {
        enum err why = err_of_errno(e);
        s->error = e;
        stream_end(s, why == ERR_IO ? ERR_UNREACHABLE : why);
        return;
    }
    s->connecting = false;
    s->want_write = s->unsent_at < s->unsent.n;
    stream_watch(s);
    if (s->link)
        stream_read_tls(s, (struct str){0}); /* our side speaks first */
    else
        stream_opened(s);
}

static void stream_on_poll(uv_poll_t *p, int status, int events)
{
    struct stream *s = p->data;
    if (s->connecting) {
        stream_finish_connect(s);
        return;
    }
    if ((events & UV_WRITABLE) && !s->ended)
        stream_flush(s);
    if (status < 0)
        stream_read_all(s);
    else if ((events & (UV_READABLE | UV_DISCONNECT)) && !s->closed && !s->ended && !s->paused)
        stream_read_once(s);
}

static void stream_on_closed(uv_handle_t *h)
{
    struct stream *s = h->data;
    close(s->fd);
    tls_link_free(s->link);
    buf_fini(&s->unsent);
    free(s);
}

static enum err stream_new(struct loop *l, int fd, const struct addr *peer, struct stream **ret)
{
    int on = 1;
    struct stream *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->loop = l;
    s->fd = fd;
    s->peer = *peer;
    s->wire_left = s->text_left = SIZE_MAX;
    buf_init(&s->unsent, STREAM_MAX_UNSENT);
    if (uv_poll_init(loop_uv(l), &s->poll, fd) != 0) {
        free(s);
        return ERR_IO;
    }
    s->poll.data = s;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    *ret = s;
    return OK;
}

enum err stream_connect(struct loop *l, const struct addr *to, struct tls *tls, struct str host,
                        int64_t connect_timeout_ms, const struct stream_events *ev, void *arg,
                        struct stream **ret)
{
    struct sockaddr_storage sa;
    socklen_t n = addr_to_sockaddr(to, &sa);
    struct stream *s;
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno == EMFILE || errno == ENFILE ? ERR_FULL : ERR_IO;
    enum err err = stream_new(l, fd, to, &s);
    if (err != OK) {
        close(fd);
        return err;
    }
    s->ev = ev;
    s->arg = arg;
    s->taken = s->connecting = s->want_write = true;
    if (tls && (err = tls_link_new(tls, host, &s->link)) != OK) {
        stream_close(s);
        return err;
    }
    if (connect(fd, (struct sockaddr *)&sa, n) != 0 && errno != EINPROGRESS)
        stream_end_by_errno(s, errno);
    else {
        stream_watch(s);
        loop_timer(l, &s->timer, connect_timeout_ms, stream_on_connect_late, s);
    }
    *ret = s;
    return OK;
}

enum err stream_write(struct stream *s, struct str bytes)
{
    if (s->ended || s->closed)
        return OK; /* on_end reports the error, if the user wants to know */
    if (!s->link)
        return stream_send_raw(s, bytes);
    enum err err = tls_link_write(s->link, bytes);
    enum err sent = stream_push_tls(s);
    return err != OK ? err : sent;
}

size_t stream_unsent(const struct stream *s)
{
    return s->unsent.n - s->unsent_at;
}

void stream_shut(struct stream *s)
{
    if (s->shut || s->ended || s->closed)
        return;
    if (s->link && tls_link_is_open(s->link)) {
        tls_link_shutdown(s->link);
        (void)!stream_push_tls(s); /* bytes that it could not keep do not matter any more */
    }
    s->shut = true;
    if (!stream_unsent(s))
        shutdown(s->fd, SHUT_WR);
}

void stream_close(struct stream *s)
{
    if (!s || s->closed)
        return;
    s->closed = true;
    timer_stop(&s->timer);
    if (s->link && !s->ended && !s->shut && tls_link_is_open(s->link)) {
        tls_link_shutdown(s->link); /* close_notify, as far as the socket takes it now */
        struct str out = tls_link_outgoing(s->link);
        if (out.n)
            (void)!send(s->fd, out.p, out.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    uv_poll_stop(&s->poll);
    uv_close((uv_handle_t *)&s->poll, stream_on_closed);
}

void stream_resume(struct stream *s, struct tls_sessions *sessions, struct str key)
{
    if (s->link)
        tls_link_resume(s->link, sessions, key);
}

void stream_read_at_most(struct stream *s, size_t n)
{
    s->text_left = n;
    s->wire_left = s->link ? n + STREAM_TLS_EXTRA : n;
}

void stream_read_pause(struct stream *s, bool pause)
{
    s->paused = pause;
    if (!s->ended)
        stream_watch(s);
}

void stream_take(struct stream *s, const struct stream_events *ev, void *arg)
{
    s->ev = ev;
    s->arg = arg;
    s->taken = true;
}

bool stream_is_taken(const struct stream *s)
{
    return s->taken;
}

size_t stream_unacked(const struct stream *s)
{
    int queued = 0;
    if (ioctl(s->fd, SIOCOUTQ, &queued) != 0)
        queued = 0;
    return stream_unsent(s) + (size_t)queued;
}

struct addr stream_peer(const struct stream *s)
{
    return s->peer;
}

struct addr stream_local(const struct stream *s)
{
    struct sockaddr_storage sa;
    socklen_t n = sizeof sa;
    struct addr a = {0};
    if (getsockname(s->fd, (struct sockaddr *)&sa, &n) == 0)
        addr_from_sockaddr((struct sockaddr *)&sa, &a);
    return a;
}

const char *stream_tls_error(const struct stream *s)
{
    return s->link ? tls_link_error(s->link) : "";
}

const char *stream_reason(const struct stream *s)
{
    const char *tls = stream_tls_error(s);
    return *tls ? tls : s->error ? strerror(s->error) : err_text(s->why);
}

enum err stream_of_socket(struct loop *l, int fd, const struct addr *peer, struct tls *tls,
                          struct stream **ret)
{
    enum err err = stream_new(l, fd, peer, ret);
    if (err != OK)
        return err;
    if (tls && (err = tls_link_new(tls, (struct str){0}, &(*ret)->link)) != OK) {
        (*ret)->fd = -1; /* the caller closes it */
        stream_close(*ret);
        return err;
    }
    stream_watch(*ret);
    return OK;
}

enum err stream_adopt(struct loop *l, int fd, const struct addr *peer, struct tls *tls,
                      const struct stream_events *ev, void *arg, struct stream **ret)
{
    enum err err = stream_of_socket(l, fd, peer, tls, ret);
    if (err == OK)
        stream_take(*ret, ev, arg);
    return err;
}
