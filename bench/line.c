/* line: writes requests and reads answers whole by their Content-Length. Both generators of load
 * use it: the one of events (generator) and the one of any request (asker). */
#include "line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_MAX = 1 << 20, ANSWER_MAX = 32 << 20, READ_AT_ONCE = 65536 };

void line_open(struct line *l, int port, int ep, void *who)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    *l = (struct line){.fd = socket(AF_INET, SOCK_STREAM, 0), .ep = ep};
    if (l->fd < 0 || connect(l->fd, (struct sockaddr *)&a, sizeof a) != 0) {
        perror("the server's port");
        exit(1);
    }
    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(l->fd, F_SETFL, O_NONBLOCK);
    buf_init(&l->request, REQUEST_MAX);
    buf_init(&l->answer, ANSWER_MAX);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = who};
    epoll_ctl(ep, EPOLL_CTL_ADD, l->fd, &ev);
}

void line_close(struct line *l)
{
    close(l->fd);
    buf_fini(&l->request);
    buf_fini(&l->answer);
}

static void write_more(struct line *l, void *who)
{
    while (l->written < l->request.n) {
        ssize_t k = send(l->fd, l->request.p + l->written, l->request.n - l->written, MSG_NOSIGNAL);
        if (k < 0 && errno != EAGAIN) {
            perror("a request");
            exit(1);
        }
        if (k < 0)
            break;
        l->written += (size_t)k;
    }
    bool wants_room = l->written < l->request.n;
    if (wants_room == l->wants_room)
        return;
    l->wants_room = wants_room;
    struct epoll_event ev = {.events = wants_room ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = who};
    epoll_ctl(l->ep, EPOLL_CTL_MOD, l->fd, &ev);
}

void line_send(struct line *l, void *who)
{
    if (l->request.err != OK) {
        fprintf(stderr, "a request is too large\n");
        exit(1);
    }
    buf_reset(&l->answer);
    l->written = l->body = 0;
    write_more(l, who);
}

/* Returns the status of a whole answer; 0: there is more to come. */
static int answer_status(struct line *l)
{
    const char *end = memmem(l->answer.p, l->answer.n, "\r\n\r\n", 4);
    if (!end)
        return 0;
    l->body = (size_t)(end + 4 - l->answer.p);
    const char *length = strcasestr(l->answer.p, "\r\ncontent-length:"); /* a NUL stands behind */
    size_t n = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    return l->answer.n >= l->body + n ? atoi(l->answer.p + 9) : 0;
}

static int read_more(struct line *l)
{
    char *room = buf_room(&l->answer, READ_AT_ONCE);
    ssize_t k = room ? recv(l->fd, room, READ_AT_ONCE - 1, 0) : 0;
    if (k < 0 && errno == EAGAIN)
        return 0;
    if (k <= 0) {
        fprintf(stderr, room ? "the server closed a connection\n" : "an answer is too large\n");
        exit(1);
    }
    l->answer.n += (size_t)k;
    l->answer.p[l->answer.n] = '\0';
    return answer_status(l);
}

int line_turn(struct line *l, unsigned events, void *who)
{
    if (events & EPOLLOUT)
        write_more(l, who);
    return events & ~(unsigned)EPOLLOUT ? read_more(l) : 0;
}

struct str line_body(const struct line *l)
{
    return str_from(buf_str(&l->answer), l->body);
}
