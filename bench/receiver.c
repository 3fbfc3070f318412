/* receiver: a webhook receiver as cheap as the kernel allows, so that the sender is measured.
 * Requests are read whole into the buffer of their connection; answers are one constant. Its own
 * thread owns all of it; the delay, the counters and the stop flag are atomic. */
#include "receiver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "figures.h"

enum {
    HOSTS_MAX = 250,
    REQUEST_MAX = 16384,
    EVENTS = 256,
    CONNECTIONS_MAX = 65536,
    TURN_MS = 20,
    TURN_DELAYED_MS = 1
};

struct peer { /* one connection */
    int fd;
    unsigned life; /* shows a late answer that its connection is another one now */
    SSL *ssl;
    size_t n;
    char *mem; /* REQUEST_MAX */
};

struct delayed_answer { /* an answer that waits */
    int64_t at_us;
    struct peer *peer;
    unsigned life;
    int status;
};

struct receiver {
    struct receiver_config c;
    SSL_CTX *tls;
    int ep, listener[HOSTS_MAX + 1];
    size_t n_listeners;
    pthread_t thread;
    struct peer *peers[CONNECTIONS_MAX]; /* by descriptor */
    struct delayed_answer *late;         /* a ring: the delay is the same for all */
    size_t late_cap, late_from;
    _Atomic size_t late_n;
    _Atomic int64_t delay_us;
    _Atomic double cpu_us;
    atomic_bool stop;
};

static void receiver_die(const char *what)
{
    perror(what);
    exit(1);
}

static void peer_close(struct receiver *r, struct peer *p)
{
    SSL_free(p->ssl);
    p->ssl = NULL;
    close(p->fd);
    p->fd = -1;
    p->n = 0;
    p->life++; /* stays allocated: late answers point to it */
}

static void peer_write(struct receiver *r, struct peer *p, int status)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    char mem[96];
    const char *text = ok;
    int n = sizeof ok - 1;
    if (status != 200) {
        n = snprintf(mem, sizeof mem, "HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n", status);
        text = mem;
    }
    if (p->ssl ? SSL_write(p->ssl, text, n) != n : send(p->fd, text, (size_t)n, MSG_NOSIGNAL) != n)
        peer_close(r, p);
}

static void answer_delay(struct receiver *r, struct peer *p, int status, int64_t at_us)
{
    if (r->late_n == r->late_cap) {
        size_t cap = r->late_cap ? 2 * r->late_cap : 1024;
        struct delayed_answer *bigger = calloc(cap, sizeof *bigger);
        if (!bigger)
            receiver_die("late answers");
        for (size_t i = 0; i < r->late_n; i++)
            bigger[i] = r->late[(r->late_from + i) % r->late_cap];
        free(r->late);
        r->late = bigger;
        r->late_cap = cap;
        r->late_from = 0;
    }
    r->late[(r->late_from + r->late_n) % r->late_cap] =
        (struct delayed_answer){at_us, p, p->life, status};
    atomic_fetch_add(&r->late_n, 1);
}

static void answers_send_due(struct receiver *r, int64_t now_us)
{
    while (r->late_n && r->late[r->late_from].at_us <= now_us) {
        struct delayed_answer *a = &r->late[r->late_from];
        r->late_from = (r->late_from + 1) % r->late_cap;
        atomic_fetch_sub(&r->late_n, 1);
        if (a->peer->life == a->life)
            peer_write(r, a->peer, a->status);
    }
}

/* Returns the value of a header line, when it is that one. */
static bool request_header_is(struct str line, const char *name, size_t n, struct str *ret)
{
    if (line.n <= n || line.p[n] != ':' || strncasecmp(line.p, name, n) != 0)
        return false;
    *ret = str_trim(str_from(line, n + 1));
    return true;
}

/* Parses one request at the front of the buffer. Returns its length, 0 while it is not whole. */
static size_t request_parse(struct str in, unsigned *ret_endpoint, struct str *ret_id)
{
    const char *end = memmem(in.p, in.n, "\r\n\r\n", 4);
    size_t body = 0;
    if (!end)
        return 0;
    struct str head = str_slice(in, 0, (size_t)(end - in.p)), line, value;
    *ret_endpoint = 0;
    *ret_id = (struct str){0};
    str_cut(head, '\n', &line, &head);
    if (line.n > 8 && !memcmp(line.p, "POST /h/", 8))
        *ret_endpoint = (unsigned)strtoul(line.p + 8, NULL, 10);
    while (head.n) {
        str_cut(head, '\n', &line, &head);
        if (request_header_is(line, "content-length", 14, &value))
            body = strtoul(value.p, NULL, 10);
        else if (request_header_is(line, "webhook-id", 10, &value))
            *ret_id = value;
    }
    size_t whole = (size_t)(end - in.p) + 4 + body;
    return in.n >= whole ? whole : 0;
}

static void peer_take_requests(struct receiver *r, struct peer *p)
{
    size_t at = 0, n;
    unsigned endpoint;
    struct str id;
    int64_t delay_us = r->delay_us;
    while ((n = request_parse(str_of_bytes(p->mem + at, p->n - at), &endpoint, &id))) {
        int64_t now = clock_mono_us();
        int status = r->c.on_whole ? r->c.on_whole(r->c.arg, str_of_bytes(p->mem + at, n), now)
                                   : r->c.on_request(r->c.arg, endpoint, id, now);
        at += n;
        if (status && delay_us)
            answer_delay(r, p, status, now + delay_us);
        else if (status)
            peer_write(r, p, status);
        if (p->fd < 0)
            return;
    }
    memmove(p->mem, p->mem + at, p->n - at);
    p->n -= at;
    if (p->n == REQUEST_MAX)
        peer_close(r, p); /* larger than any of ours */
}

static void peer_on_readable(struct receiver *r, struct peer *p)
{
    for (;;) {
        size_t room = REQUEST_MAX - p->n;
        ssize_t k;
        if (p->ssl) {
            k = SSL_read(p->ssl, p->mem + p->n, (int)room);
            if (k <= 0 && SSL_get_error(p->ssl, (int)k) == SSL_ERROR_WANT_READ)
                return;
        } else {
            k = recv(p->fd, p->mem + p->n, room, 0);
            if (k < 0 && errno == EAGAIN)
                return;
        }
        if (k <= 0) {
            peer_close(r, p);
            return;
        }
        p->n += (size_t)k;
        peer_take_requests(r, p);
        if (p->fd < 0 || (!p->ssl && (size_t)k < room))
            return;
    }
}

static void peers_accept(struct receiver *r, int listener)
{
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct peer *p = fd < CONNECTIONS_MAX ? r->peers[fd] : NULL;
        if (fd >= CONNECTIONS_MAX || (!p && !(p = calloc(1, sizeof *p))) ||
            (!p->mem && !(p->mem = malloc(REQUEST_MAX))))
            receiver_die("a connection");
        r->peers[fd] = p;
        p->fd = fd;
        p->n = 0;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (r->tls) {
            p->ssl = SSL_new(r->tls);
            SSL_set_fd(p->ssl, fd);
            SSL_set_accept_state(p->ssl);
        }
        struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(r->ep, EPOLL_CTL_ADD, fd, &ev);
    }
}

static void *receiver_run(void *arg)
{
    struct receiver *r = arg;
    struct epoll_event got[EVENTS];
    pthread_setname_np(pthread_self(), "receiver");
    while (!r->stop) {
        int n = epoll_wait(r->ep, got, EVENTS, r->late_n ? TURN_DELAYED_MS : TURN_MS);
        for (int i = 0; i < n; i++) {
            int fd = got[i].data.fd;
            struct peer *p = fd < CONNECTIONS_MAX ? r->peers[fd] : NULL;
            if (p && p->fd == fd)
                peer_on_readable(r, p);
            else
                peers_accept(r, fd);
        }
        answers_send_due(r, clock_mono_us());
        r->cpu_us = cpu_of_this_thread_us();
    }
    return NULL;
}

static SSL_CTX *tls_of(const char *pem)
{
    SSL_CTX *t = SSL_CTX_new(TLS_server_method());
    if (!t || SSL_CTX_use_certificate_chain_file(t, pem) != 1 ||
        SSL_CTX_use_PrivateKey_file(t, pem, SSL_FILETYPE_PEM) != 1) {
        fprintf(stderr, "%s: no certificate with its key\n", pem);
        exit(1);
    }
    return t;
}

static void receiver_listen(struct receiver *r, uint32_t ip)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)r->c.port),
                            .sin_addr.s_addr = htonl(ip)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 4096) != 0)
        receiver_die("the receiver's port");
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(r->ep, EPOLL_CTL_ADD, fd, &ev);
    r->listener[r->n_listeners++] = fd;
}

struct receiver *receiver_start(const struct receiver_config *c)
{
    struct receiver *r = calloc(1, sizeof *r);
    if (!r || c->hosts > HOSTS_MAX)
        receiver_die("receiver");
    r->c = *c;
    r->tls = c->cert_file ? tls_of(c->cert_file) : NULL;
    r->ep = epoll_create1(0);
    receiver_listen(r, INADDR_LOOPBACK);
    for (unsigned i = 1; i <= c->hosts; i++)
        receiver_listen(r, INADDR_LOOPBACK + 255 + i);
    if (pthread_create(&r->thread, NULL, receiver_run, r) != 0)
        receiver_die("the receiver's thread");
    return r;
}

void receiver_delay(struct receiver *r, int64_t delay_us)
{
    r->delay_us = delay_us;
}

size_t receiver_unanswered(const struct receiver *r)
{
    return r->late_n;
}

double receiver_cpu_us(const struct receiver *r)
{
    return r->cpu_us;
}

void receiver_stop(struct receiver *r)
{
    r->stop = true;
    pthread_join(r->thread, NULL);
    for (size_t i = 0; i < r->n_listeners; i++)
        close(r->listener[i]);
    close(r->ep);
    for (int fd = 0; fd < CONNECTIONS_MAX; fd++) {
        struct peer *p = r->peers[fd];
        if (p && p->fd >= 0)
            peer_close(r, p);
        if (p)
            free(p->mem);
        free(p);
    }
    SSL_CTX_free(r->tls);
    free(r->late);
    free(r);
}
