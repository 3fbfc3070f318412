/* listener: accepts on a TCP socket. The user takes a stream inside on_accept; a stream that is not
 * taken is closed at once. Without free descriptors it pauses for a moment instead of spinning.
 * Owner: the loop. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/loop_uv.h"
#include "net/stream_tls.h"

enum { ACCEPTS_A_TURN = 64, BACKLOG = 1024, PAUSE_MS = 50 };

struct listener {
    struct loop *loop;
    uv_poll_t poll;
    int fd;
    bool closed;
    struct tls *tls;
    struct addr local;
    struct timer pause;
    listener_on_accept *on_accept; /* or: */
    listener_on_socket *on_socket;
    void *arg;
};

static void listener_on_poll(uv_poll_t *p, int status, int events);

static void listener_on_pause_over(struct timer *t)
{
    struct listener *li = t->arg;
    uv_poll_start(&li->poll, UV_READABLE, listener_on_poll);
}

static bool accept_one(struct listener *li)
{
    struct sockaddr_storage sa;
    socklen_t n = sizeof sa;
    struct addr peer;
    struct stream *s;
    int fd = accept4(li->fd, (struct sockaddr *)&sa, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
            uv_poll_stop(&li->poll);
            loop_timer(li->loop, &li->pause, PAUSE_MS, listener_on_pause_over, li);
        }
        return errno == EINTR || errno == ECONNABORTED;
    }
    bool known = addr_from_sockaddr((struct sockaddr *)&sa, &peer);
    if (known && li->on_socket) {
        li->on_socket(li->arg, fd, &peer);
        return true;
    }
    if (!known || stream_of_socket(li->loop, fd, &peer, li->tls, &s) != OK) {
        close(fd);
        return true;
    }
    li->on_accept(li->arg, s);
    if (!stream_is_taken(s))
        stream_close(s);
    return true;
}

static void listener_on_poll(uv_poll_t *p, int status, int events)
{
    struct listener *li = p->data;
    for (int i = 0; i < ACCEPTS_A_TURN && !li->closed; i++)
        if (!accept_one(li))
            return;
}

static void listener_on_closed(uv_handle_t *h)
{
    struct listener *li = h->data;
    close(li->fd);
    free(li);
}

static enum err listener_socket_open(struct listener *li, const struct addr *at)
{
    struct sockaddr_storage sa;
    socklen_t n = addr_to_sockaddr(at, &sa);
    int on = 1;
    li->fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (li->fd < 0)
        return ERR_IO;
    setsockopt(li->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(li->fd, (struct sockaddr *)&sa, n) != 0 || listen(li->fd, BACKLOG) != 0)
        return errno == EADDRINUSE ? ERR_EXISTS : ERR_IO;
    n = sizeof sa;
    if (getsockname(li->fd, (struct sockaddr *)&sa, &n) != 0 ||
        !addr_from_sockaddr((struct sockaddr *)&sa, &li->local))
        return ERR_IO;
    return OK;
}

static enum err listener_open_with(const struct listener *settings, const struct addr *at,
                                   struct listener **ret)
{
    struct listener *li = malloc(sizeof *li);
    if (!li)
        return ERR_NOMEM;
    *li = *settings;
    enum err err = listener_socket_open(li, at);
    if (err == OK && uv_poll_init(loop_uv(li->loop), &li->poll, li->fd) != 0)
        err = ERR_IO;
    if (err != OK) {
        if (li->fd >= 0)
            close(li->fd);
        free(li);
        return err;
    }
    li->poll.data = li;
    uv_poll_start(&li->poll, UV_READABLE, listener_on_poll);
    *ret = li;
    return OK;
}

enum err listener_open(struct loop *l, const struct addr *at, struct tls *tls,
                       listener_on_accept *on_accept, void *arg, struct listener **ret)
{
    struct listener li = {.loop = l, .tls = tls, .on_accept = on_accept, .arg = arg};
    return listener_open_with(&li, at, ret);
}

enum err listener_open_sockets(struct loop *l, const struct addr *at, listener_on_socket *on_socket,
                               void *arg, struct listener **ret)
{
    struct listener li = {.loop = l, .on_socket = on_socket, .arg = arg};
    return listener_open_with(&li, at, ret);
}

struct addr listener_local(const struct listener *li)
{
    return li->local;
}

void listener_close(struct listener *li)
{
    if (!li || li->closed)
        return;
    li->closed = true;
    timer_stop(&li->pause);
    uv_poll_stop(&li->poll);
    uv_close((uv_handle_t *)&li->poll, listener_on_closed);
}
