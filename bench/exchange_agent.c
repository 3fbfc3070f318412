/* exchange_agent: plays the called side. It keeps nothing but its requests: the user part of the
 * target says the scene, the number of the caller says the call. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exchange_call.h"

struct asker_path {                      /* the way back of a request */
    struct agent_connection *connection; /* NULL: UDP */
    const struct sockaddr_in *from;
};

static void connection_drop(struct agent_connection *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->n = 0;
}

static void contact_print(const struct exchange *x, size_t scene, char out[64])
{
    enum scene_reach reach = scene_at(scene)->reach;
    snprintf(out, 64, "sip:s%02zu@127.0.0.3:%d%s", scene, x->c.agent,
             reach == BY_TCP ? ";transport=tcp" : "");
}

static void agent_answer(struct exchange *x, struct str m, const char *status, size_t scene,
                         const struct asker_path *p)
{
    char mem[SIP_PACKET_MAX], contact[64];
    struct buf b;
    bool with_sdp = atoi(status) == 200 && memmem(m.p, m.n, " INVITE\r\n", 9);
    contact_print(x, scene, contact);
    buf_wrap(&b, mem, sizeof mem);
    sip_print_answer(&b, m, status, contact, with_sdp);
    if (!p->connection)
        sip_send(x->agent, &b, p->from);
    else if (p->connection->fd >= 0 &&
             send(p->connection->fd, b.p, b.n, MSG_NOSIGNAL) != (ssize_t)b.n)
        connection_drop(p->connection);
}

static void request_keep(char **slot, struct str text, const char *more)
{
    free(*slot);
    *slot = NULL;
    if (asprintf(slot, "%.*s%s", STR_FMT(text), more) < 0)
        *slot = NULL;
}

static void call_keep(struct exchange *x, struct str m)
{
    struct str target, rest;
    size_t i = callbook_call_of(sip_value(m, "\r\nFrom: "));
    struct scene_call *c = i < x->c.book->n ? x->call[i] : NULL;
    if (!c)
        return;
    str_cut(sip_value(m, "\r\nContact: <"), '>', &target, &rest);
    request_keep(&c->agent_from, sip_value(m, "\r\nTo: "), ";tag=agent");
    request_keep(&c->agent_to, sip_value(m, "\r\nFrom: "), "");
    request_keep(&c->agent_call_id, sip_value(m, "\r\nCall-ID: "), "");
    request_keep(&c->agent_target, target, "");
}

static void agent_on_invite(struct exchange *x, struct str m, size_t s, const struct asker_path *p)
{
    switch (scene_at(s)->agent) {
    case ANSWERS:
    case CLOSES_LATER:
    case VANISHES:
        call_keep(x, m);
        agent_answer(x, m, "180 Ringing", s, p);
        agent_answer(x, m, "200 OK", s, p);
        break;
    case RINGS:
    case RINGS_ON:
    case ANSWERS_LATE: agent_answer(x, m, "180 Ringing", s, p); break;
    case REFUSES: agent_answer(x, m, "486 Busy Here", s, p); break;
    case CLOSES:
        if (p->connection)
            connection_drop(p->connection);
        break;
    case KEEPS_SILENT: break;
    }
}

/* The INVITE that a CANCEL is about differs from it, as far as an answer goes, in the method that
 * CSeq names. */
static void agent_on_cancel(struct exchange *x, struct str m, size_t s, const struct asker_path *p)
{
    char mem[SIP_PACKET_MAX];
    enum scene_agent agent = scene_at(s)->agent;
    if (agent == KEEPS_SILENT || m.n >= sizeof mem)
        return;
    if (agent != RINGS_ON)
        agent_answer(x, m, "200 OK", s, p);
    memcpy(mem, m.p, m.n);
    char *method = memmem(mem, m.n, " CANCEL\r\n", 9);
    if (!method)
        return;
    memcpy(method, " INVITE", 7);
    agent_answer(x, str_of_bytes(mem, m.n),
                 agent == RINGS          ? "487 Request Terminated"
                 : agent == ANSWERS_LATE ? "200 OK"
                                         : "180 Ringing",
                 s, p);
}

static void agent_on_request(struct exchange *x, struct str m, const struct asker_path *p)
{
    struct str line = str_slice(m, 0, str_find(m, '\r')), to = sip_value(m, "\r\nTo: ");
    size_t s = scene_of_user(line);
    if (s == SIZE_MAX || str_starts(m, STR("SIP/2.0")))
        return;
    const struct scene *scene = scene_at(s);
    bool in_dialog = memmem(to.p, to.n, ";tag=", 5);
    if (str_starts(m, STR("ACK"))) {
        if (scene->agent == CLOSES_LATER && p->connection)
            connection_drop(p->connection);
    } else if (scene->agent == VANISHES && in_dialog) {
        return;
    } else if (str_starts(m, STR("CANCEL"))) {
        agent_on_cancel(x, m, s, p);
    } else if (str_starts(m, STR("INVITE")) && !in_dialog) {
        agent_on_invite(x, m, s, p);
    } else if (!scene->open_request || scene->agent_opens || str_starts(m, STR("BYE")) ||
               str_starts(m, STR("OPTIONS"))) {
        agent_answer(x, m, "200 OK", s, p);
    }
}

static void agent_on_datagram(void *arg, struct str m, const struct sockaddr_in *from)
{
    const struct asker_path p = {NULL, from};
    agent_on_request(arg, m, &p);
}

void agent_on_datagrams(struct exchange *x)
{
    sip_drain(x->agent, agent_on_datagram, x);
}

/* ---- connections ---- */

void agent_on_connection(struct exchange *x, struct agent_connection *c)
{
    const struct asker_path p = {c, NULL};
    ssize_t k = recv(c->fd, c->in + c->n, AGENT_IN_MAX - c->n - 1, MSG_DONTWAIT);
    if (k <= 0) {
        if (k == 0 || errno != EAGAIN)
            connection_drop(c);
        return;
    }
    c->n += (size_t)k;
    while (c->fd >= 0 && c->n) {
        c->in[c->n] = '\0';
        const char *end = memmem(c->in, c->n, "\r\n\r\n", 4);
        const char *length = end ? strcasestr(c->in, "\r\nContent-Length: ") : NULL;
        size_t n = end ? (size_t)(end + 4 - c->in) : 0;
        n += length && length < end ? strtoul(length + 18, NULL, 10) : 0;
        if (!end || c->n < n)
            return;
        char spared = c->in[n];
        c->in[n] = '\0';
        agent_on_request(x, str_of_bytes(c->in, n), &p);
        c->in[n] = spared;
        if (c->n >= n) /* it may be dropped */
            memmove(c->in, c->in + n, c->n -= n);
    }
}

void agent_accept(struct exchange *x)
{
    int fd;
    while ((fd = accept4(x->listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct agent_connection *c = x->connection, *end = c + AGENT_CONNECTIONS;
        while (c < end && c->fd >= 0)
            c++;
        if (c == end || (!c->in && !(c->in = malloc(AGENT_IN_MAX)))) {
            close(fd);
            continue;
        }
        *c = (struct agent_connection){.fd = fd, .in = c->in};
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(x->ep, EPOLL_CTL_ADD, fd, &ev);
    }
}

void agent_open(struct exchange *x)
{
    struct sockaddr_in a = sip_at("127.0.0.3", x->c.agent);
    int one = 1;
    for (size_t i = 0; i < AGENT_CONNECTIONS; i++)
        x->connection[i].fd = -1;
    x->agent = sip_udp("127.0.0.3", x->c.agent);
    x->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(x->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(x->listener, (struct sockaddr *)&a, sizeof a) != 0 || listen(x->listener, 128) != 0) {
        perror("the agent's port");
        exit(1);
    }
}

void agent_leave(struct exchange *x)
{
    for (size_t i = 0; i < AGENT_CONNECTIONS; i++)
        connection_drop(&x->connection[i]);
}

void agent_close(struct exchange *x)
{
    agent_leave(x);
    for (size_t i = 0; i < AGENT_CONNECTIONS; i++)
        free(x->connection[i].in);
    close(x->agent);
    close(x->listener);
}

/* ---- its own requests ---- */

void agent_ask(struct scene_call *c, const char *method)
{
    struct exchange *x = c->x;
    char mem[SIP_PACKET_MAX], branch[48], host[32], user[8];
    struct buf b;
    if (!c->agent_target)
        return;
    snprintf(branch, sizeof branch, "a%zu%s", c->i, method);
    snprintf(host, sizeof host, "127.0.0.3:%d", x->c.agent);
    snprintf(user, sizeof user, "s%02zu", scene_of_call(c->i) % SCENES_MAX);
    const struct sip_head h = {.method = method,
                               .uri = c->agent_target,
                               .user = user,
                               .host = host,
                               .branch = branch,
                               .from = c->agent_from,
                               .to = c->agent_to,
                               .call_id = c->agent_call_id,
                               .cseq = ++c->agent_cseq};
    buf_wrap(&b, mem, sizeof mem);
    sip_put_head(&b, &h);
    if (!strcmp(method, "INVITE"))
        sip_put_sdp(&b);
    else
        sip_put_no_body(&b);
    sip_send(x->agent, &b, &x->daemon_at);
}
