/* client: what the commands speak to the daemon with. It asks for `Connection: close` and reads to
 * the end, so that no framing needs to be understood. */
#include "cli/client.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "cli/options.h"
#include "net/url.h"

enum { ANSWER_MAX = 64 << 20, WAIT_SEC = 30 };

static enum err connect_to(const struct url *u, int *ret)
{
    char host[sizeof u->host], port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list, *a;
    struct timeval wait = {.tv_sec = WAIT_SEC};
    struct str bare = str_of(u->host);
    if (bare.p[0] == '[')
        bare = str_slice(bare, 1, bare.n - 2);
    snprintf(host, sizeof host, "%.*s", STR_FMT(bare));
    snprintf(port, sizeof port, "%u", u->port);
    if (getaddrinfo(host, port, &hints, &list) != 0)
        return ERR_DNS;
    int fd = -1;
    for (a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd < 0)
        return ERR_UNREACHABLE;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    *ret = fd;
    return OK;
}

static enum err send_all(int fd, struct str s)
{
    while (s.n) {
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);
        if (n <= 0)
            return ERR_RESET;
        s = str_from(s, (size_t)n);
    }
    return OK;
}

static enum err read_all(int fd, struct buf *b)
{
    for (;;) {
        char *room = buf_room(b, 65536);
        if (!room)
            return b->err;
        ssize_t n = recv(fd, room, 65536, 0);
        if (n < 0)
            return ERR_TIMEOUT;
        if (n == 0)
            return OK;
        b->n += (size_t)n;
    }
}

static enum err answer_read(struct buf *b, int *ret_status)
{
    struct str all = buf_str(b), code = str_slice(all, 9, 3);
    uint64_t status;
    const char *end = memmem(all.p, all.n, "\r\n\r\n", 4);
    if (!str_starts(all, STR("HTTP/1.")) || !end || str_to_u64(code, 599, &status) != OK)
        return ERR_SYNTAX;
    *ret_status = (int)status;
    buf_cut(b, (size_t)(end - b->p) + 4);
    return OK;
}

enum err client_request(const struct client *c, const char *method, const char *path,
                        struct str body, struct client_answer *ret)
{
    struct url u;
    struct buf head;
    const char *why;
    int fd;
    buf_init(&ret->body, ANSWER_MAX);
    enum err err = url_parse(str_of(c->url), &u, &why);
    if (err == OK && u.https)
        err = ERR_UNSUPPORTED;
    if (err != OK || (err = connect_to(&u, &fd)) != OK)
        return err;
    buf_init(&head, 65536);
    buf_printf(&head, "%s %s HTTP/1.0\r\nHost: ", method, path);
    url_print_authority(&u, &head);
    buf_puts(&head, "\r\nConnection: close\r\nUser-Agent: hookswitch/" HOOKSWITCH_VERSION "\r\n");
    if (c->key)
        buf_printf(&head, "Authorization: Bearer %s\r\n", c->key);
    if (body.p)
        buf_printf(&head, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body.n);
    buf_puts(&head, "\r\n");
    err = head.err;
    if (err == OK)
        err = send_all(fd, buf_str(&head));
    if (err == OK)
        err = send_all(fd, body);
    if (err == OK)
        err = read_all(fd, &ret->body);
    if (err == OK)
        err = answer_read(&ret->body, &ret->status);
    buf_fini(&head);
    close(fd);
    return err;
}

void client_put_escaped(struct buf *b, const char *s, const char *kept)
{
    for (; *s; s++)
        if ((*s >= '0' && *s <= '9') || ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'z') ||
            strchr(kept, *s))
            buf_putc(b, *s);
        else
            buf_printf(b, "%%%02X", (unsigned char)*s);
}

int client_exit_code(enum err err, int status)
{
    if (err != OK)
        return EXIT_UNREACHABLE;
    if (status >= 200 && status < 300)
        return 0;
    switch (status) {
    case 401:
    case 403: return EXIT_AUTH;
    case 404: return EXIT_NOT_FOUND;
    case 409:
    case 412: return EXIT_CONFLICT;
    case 400:
    case 405:
    case 413:
    case 422: return EXIT_USAGE;
    default: return 1;
    }
}
