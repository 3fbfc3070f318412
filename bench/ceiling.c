/* ceiling: measures what this machine can do when a delivery is only its request: one thread, one
 * constant request of the size and shape of the daemon's, no queue, no signature, no disk. */
#include "ceiling.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "figures.h"
#include "model/signature.h"

#define ID "evt_00000000000000000000000001"
#define BODY                                                                                       \
    "{\"event\":\"call_answered\",\"did_number\":\"+447910000000\",\"caller_id\":\"+"              \
    "19175550100\","                                                                               \
    "\"destination\":\"sip:agent@pbx.example.com\",\"timestamp\":\"2026-11-24T04:03:02Z\","        \
    "\"id\":\"" ID "\",\"occurred_at\":\"2026-11-24T04:03:02.123Z\",\"api_version\":\"2026-11\","  \
    "\"call_id\":\"call_00000000000000000000000000\",\"caller_name\":\"Ann Lee\","                 \
    "\"caller_verified\":\"A\",\"trunk\":\"carrier\",\"ring_sec\":4,\"sequence\":2}"

static const char head[] =
    "POST /h/0 HTTP/1.1\r\nHost: 127.0.0.1:7190\r\nContent-Type: application/json\r\n"
    "User-Agent: hookswitch/" HOOKSWITCH_VERSION "\r\nAccept: */*\r\nwebhook-id: " ID "\r\n"
    "webhook-timestamp: 1614265330\r\nwebhook-attempt: 1\r\n"
    "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\r\n";

struct line { /* a connection */
    int fd;
    SSL *ssl;
};

static void ceiling_die(const char *what)
{
    perror(what);
    exit(1);
}

static void line_open(struct line *l, int port, SSL_CTX *tls, int ep)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    l->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (l->fd < 0 || connect(l->fd, (struct sockaddr *)&a, sizeof a) != 0)
        ceiling_die("the receiver's port");
    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (tls) {
        l->ssl = SSL_new(tls);
        SSL_set_fd(l->ssl, l->fd);
        if (SSL_connect(l->ssl) != 1)
            ceiling_die("TLS");
    }
    fcntl(l->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = l};
    epoll_ctl(ep, EPOLL_CTL_ADD, l->fd, &ev);
}

static void line_send(struct line *l, struct str request)
{
    ssize_t k = l->ssl ? SSL_write(l->ssl, request.p, (int)request.n)
                       : send(l->fd, request.p, request.n, MSG_NOSIGNAL);
    if (k != (ssize_t)request.n)
        ceiling_die("a request");
}

/* Counts the answers; each of the receiver's comes whole. */
static size_t line_receive(struct line *l)
{
    char mem[4096];
    ssize_t k = l->ssl ? SSL_read(l->ssl, mem, sizeof mem) : recv(l->fd, mem, sizeof mem, 0);
    if (k <= 0 && l->ssl && SSL_get_error(l->ssl, (int)k) == SSL_ERROR_WANT_READ)
        return 0; /* a session ticket */
    if (k <= 0)
        ceiling_die("an answer");
    return 1;
}

void ceiling_run(int port, bool tls, unsigned connections, double seconds, struct ceiling *ret)
{
    char mem[2048];
    struct buf request;
    struct epoll_event got[256];
    struct line *line = calloc(connections, sizeof *line);
    SSL_CTX *context = tls ? SSL_CTX_new(TLS_client_method()) : NULL;
    int ep = epoll_create1(0);
    size_t n = 0;
    buf_wrap(&request, mem, sizeof mem);
    buf_printf(&request, "%sContent-Length: %zu\r\n\r\n%s", head, sizeof BODY - 1, BODY);
    for (unsigned i = 0; i < connections; i++)
        line_open(&line[i], port, context, ep);
    double cpu = cpu_of_this_thread_us();
    int64_t start = clock_mono_us(), now = start, end = start + (int64_t)(seconds * 1e6);
    for (unsigned i = 0; i < connections; i++)
        line_send(&line[i], buf_str(&request));
    while ((now = clock_mono_us()) < end) {
        int k = epoll_wait(ep, got, 256, 100);
        for (int i = 0; i < k; i++)
            if (line_receive(got[i].data.ptr)) {
                n++;
                line_send(got[i].data.ptr, buf_str(&request));
            }
    }
    ret->per_sec = (double)n * 1e6 / (double)(now - start);
    ret->cpu_us_each = n ? (cpu_of_this_thread_us() - cpu) / (double)n : 0;
    for (unsigned i = 0; i < connections; i++) {
        SSL_free(line[i].ssl);
        close(line[i].fd);
    }
    SSL_CTX_free(context);
    close(ep);
    free(line);
}

double signing_us(void)
{
    enum { TIMES = 20000 };
    char text[SECRET_SIZE], mem[256];
    struct secret secret;
    struct buf out;
    secret_new(text);
    if (secret_parse(str_of(text), &secret) != OK)
        exit(1);
    double cpu = cpu_of_this_thread_us();
    for (int i = 0; i < TIMES; i++) {
        buf_wrap(&out, mem, sizeof mem);
        signature_print(&secret, 1, STR(ID), 1614265330 + i, STR(BODY), &out);
    }
    return (cpu_of_this_thread_us() - cpu) / TIMES;
}
