/* datagram: receives and sends on a UDP socket in batches. recvmmsg fills a ring of full-size
 * buffers, at most ROUNDS times a turn, so that a flood does not starve the timers; packets sent
 * during a turn leave in one sendmmsg at its end. A packet that cannot be sent is dropped, since
 * the protocol above repeats it. Owner: the loop. */
#include "net/datagram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/loop_uv.h"

enum {
    BATCH = 32,
    ROUNDS = 8,
    PACKET_MAX = 65536,
    OUT_MAX = 4096,
    OUT_BYTES_MAX = 8 << 20,
    SEND_BATCH = 64,
    SOCKET_BYTES = 4 << 20,
    CONTROL_MAX = 64,
};

struct out_packet {
    struct sockaddr_storage to;
    socklen_t to_n;
    size_t at, n; /* in out_bytes */
};

struct datagram {
    struct loop *loop;
    uv_poll_t poll;
    int fd;
    bool closed;
    struct addr local;
    int64_t drained_ms; /* mono: when the socket was last seen empty */
    datagram_on_batch *on_batch;
    icmp_told *on_icmp; /* NULL: nobody asked */
    void *arg;
    /* in */
    char *memory; /* BATCH buffers */
    struct mmsghdr in[BATCH];
    struct iovec in_iov[BATCH];
    struct sockaddr_storage from[BATCH];
    char control[BATCH][CONTROL_MAX] __attribute__((aligned(8)));
    /* out */
    size_t n_out;
    struct out_packet out[OUT_MAX];
    struct buf out_bytes;
};

/* Tells how long a packet lay in the socket. The kernel stamps it with wall time. When that clock
 * was set since, the packet still counts as no older than the time since the socket was empty. */
static int64_t waited_ms(const struct datagram *d, struct msghdr *h)
{
    int64_t most_ms = clock_mono_ms() - d->drained_ms;
    struct timespec then, now;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS) {
            memcpy(&then, CMSG_DATA(c), sizeof then);
            clock_gettime(CLOCK_REALTIME, &now);
            int64_t ms =
                (int64_t)(now.tv_sec - then.tv_sec) * 1000 + (now.tv_nsec - then.tv_nsec) / 1000000;
            return ms < 0 ? 0 : ms < most_ms ? ms : most_ms;
        }
    return 0;
}

static int datagram_receive(struct datagram *d, struct packet *packet)
{
    for (int i = 0; i < BATCH; i++) {
        d->in_iov[i] = (struct iovec){d->memory + (size_t)i * PACKET_MAX, PACKET_MAX - 1};
        d->in[i].msg_hdr = (struct msghdr){.msg_name = &d->from[i],
                                           .msg_namelen = sizeof d->from[i],
                                           .msg_iov = &d->in_iov[i],
                                           .msg_iovlen = 1,
                                           .msg_control = d->control[i],
                                           .msg_controllen = CONTROL_MAX};
    }
    int n = recvmmsg(d->fd, d->in, BATCH, MSG_DONTWAIT, NULL), good = 0;
    for (int i = 0; i < n; i++) {
        struct packet *p = &packet[good];
        char *bytes = d->memory + (size_t)i * PACKET_MAX;
        if (!addr_from_sockaddr((const struct sockaddr *)&d->from[i], &p->from))
            continue;
        bytes[d->in[i].msg_len] = '\0';
        p->bytes = (struct str){bytes, d->in[i].msg_len};
        p->waited_ms = waited_ms(d, &d->in[i].msg_hdr);
        good++;
    }
    return n < BATCH ? -good - 1 : good; /* negative: the socket is empty now */
}

static void datagram_watch(struct datagram *d, bool writable);

static void datagram_on_poll(uv_poll_t *poll, int status, int events)
{
    struct datagram *d = poll->data;
    struct packet packet[BATCH];
    if (status < 0) { /* libuv stops at POLLERR, which is how the kernel says that ICMP was heard */
        icmp_take(d->fd, d->on_icmp, d->arg);
        if (!d->closed)
            datagram_watch(d, d->n_out > 0);
        return;
    }
    if (events & UV_WRITABLE)
        datagram_watch(d, false); /* the turn's end sends what waits */
    for (int round = 0; round < ROUNDS && !d->closed; round++) {
        int n = datagram_receive(d, packet);
        size_t good = (size_t)(n < 0 ? -n - 1 : n);
        if (good)
            d->on_batch(d->arg, packet, good);
        if (n < 0) {
            d->drained_ms = clock_mono_ms();
            break;
        }
    }
}

static void datagram_watch(struct datagram *d, bool writable)
{
    uv_poll_start(&d->poll, UV_READABLE | (writable ? UV_WRITABLE : 0), datagram_on_poll);
}

/* Sends the batch. A packet that the kernel refuses (no route) is skipped, so that it does not hold
 * up the others. An error may also be what was heard of an earlier packet; then the same one is
 * tried again. */
static void datagram_flush(void *arg)
{
    struct datagram *d = arg;
    struct mmsghdr m[SEND_BATCH];
    struct iovec iov[SEND_BATCH];
    size_t sent = 0;
    bool again = false;
    while (sent < d->n_out) {
        size_t n = d->n_out - sent < SEND_BATCH ? d->n_out - sent : SEND_BATCH;
        for (size_t i = 0; i < n; i++) {
            struct out_packet *o = &d->out[sent + i];
            iov[i] = (struct iovec){d->out_bytes.p + o->at, o->n};
            m[i].msg_hdr = (struct msghdr){
                .msg_name = &o->to, .msg_namelen = o->to_n, .msg_iov = &iov[i], .msg_iovlen = 1};
        }
        int done = sendmmsg(d->fd, m, (unsigned)n, MSG_DONTWAIT);
        int error = done < 0 ? errno : 0;
        if (done > 0) {
            sent += (size_t)done;
            again = false;
        } else if (error == EAGAIN || error == EWOULDBLOCK) {
            datagram_watch(d, true);
            break;
        } else if (error != EINTR) {
            sent += again;
            again = !again;
        }
    }
    if (sent == d->n_out) {
        d->n_out = 0;
        buf_reset(&d->out_bytes);
    } else if (sent) {
        memmove(d->out, d->out + sent, (d->n_out - sent) * sizeof *d->out);
        d->n_out -= sent;
    }
}

enum err datagram_send(struct datagram *d, const struct addr *to, struct str bytes)
{
    if (bytes.n > PACKET_MAX - 29)
        return ERR_TOO_BIG;
    if (d->n_out == OUT_MAX)
        datagram_flush(d);
    if (d->n_out == OUT_MAX)
        return ERR_FULL;
    struct out_packet *o = &d->out[d->n_out];
    o->at = d->out_bytes.n;
    o->n = bytes.n;
    o->to_n = addr_to_sockaddr(to, &o->to);
    buf_put_str(&d->out_bytes, bytes);
    if (d->out_bytes.err != OK) {
        d->out_bytes.err = OK;
        d->out_bytes.n = o->at;
        return ERR_FULL;
    }
    d->n_out++;
    return OK;
}

static enum err datagram_socket_open(struct datagram *d, const struct addr *at)
{
    struct sockaddr_storage sa;
    socklen_t n = addr_to_sockaddr(at, &sa);
    int on = 1, size = SOCKET_BYTES;
    d->fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (d->fd < 0)
        return ERR_IO;
    setsockopt(d->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    /* FORCE needs a privilege; without it the kernel's limit (net.core.rmem_max) holds. */
    if (setsockopt(d->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        setsockopt(d->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (setsockopt(d->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
        setsockopt(d->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    if (bind(d->fd, (struct sockaddr *)&sa, n) != 0)
        return errno == EADDRINUSE ? ERR_EXISTS : ERR_IO;
    n = sizeof sa;
    if (getsockname(d->fd, (struct sockaddr *)&sa, &n) != 0 ||
        !addr_from_sockaddr((struct sockaddr *)&sa, &d->local))
        return ERR_IO;
    return OK;
}

static void datagram_release(struct datagram *d)
{
    if (d->fd >= 0)
        close(d->fd);
    buf_fini(&d->out_bytes);
    free(d->memory);
    free(d);
}

static void datagram_on_closed(uv_handle_t *h)
{
    datagram_release(h->data);
}

enum err datagram_open(struct loop *l, const struct addr *at, datagram_on_batch *on_batch,
                       void *arg, struct datagram **ret)
{
    struct datagram *d = calloc(1, sizeof *d);
    if (!d)
        return ERR_NOMEM;
    d->loop = l;
    d->drained_ms = clock_mono_ms();
    d->on_batch = on_batch;
    d->arg = arg;
    d->memory = malloc((size_t)BATCH * PACKET_MAX);
    buf_init(&d->out_bytes, OUT_BYTES_MAX);
    enum err err = d->memory ? datagram_socket_open(d, at) : ERR_NOMEM;
    if (err == OK && uv_poll_init(loop_uv(l), &d->poll, d->fd) != 0)
        err = ERR_IO;
    if (err != OK) {
        datagram_release(d);
        return err;
    }
    d->poll.data = d;
    datagram_watch(d, false);
    loop_on_turn_end(l, datagram_flush, d);
    *ret = d;
    return OK;
}

void datagram_on_icmp(struct datagram *d, icmp_told *told)
{
    if (icmp_listen(d->fd, d->local.family))
        d->on_icmp = told;
}

void datagram_close(struct datagram *d)
{
    if (!d || d->closed)
        return;
    datagram_flush(d);
    d->n_out = 0;
    d->closed = true;
    loop_off_turn_end(d->loop, d);
    uv_close((uv_handle_t *)&d->poll, datagram_on_closed);
}

struct addr datagram_local(const struct datagram *d)
{
    return d->local;
}
