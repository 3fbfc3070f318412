/* transport: keeps the edge's UDP sockets and TCP listeners, and chooses one for each path.
 * connections.c keeps streams and their framing. Edge's thread. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/id.h"
#include "base/metrics.h"
#include "sip/net/transport_conn.h"

const char *transport_name(enum sip_transport how)
{
    return how == SIP_UDP ? "UDP" : how == SIP_TCP ? "TCP" : "TLS";
}

static void transport_on_batch(void *arg, const struct packet *p, size_t n)
{
    struct listening *l = arg;
    struct transport *t = l->t;
    metric_add(METRIC_SIP_PACKETS_IN, (int64_t)n);
    for (size_t i = 0; i < n; i++) {
        struct path from = {.transport = SIP_UDP, .listen = l->index, .peer = p[i].from};
        /* net/ lends the bytes for us to write in: folded lines are joined in place. */
        t->user.on_message(t->user.arg, &from, (char *)(uintptr_t)p[i].bytes.p, p[i].bytes.n,
                           p[i].waited_ms);
    }
}

static void transport_on_icmp(void *arg, const struct addr *to, int error, struct str quoted)
{
    const struct transport *t = ((struct listening *)arg)->t;
    t->user.on_icmp(t->user.arg, to, error, quoted);
}

static bool addr_is_any(const struct addr *a)
{
    static const uint8_t zero[16];
    return memcmp(a->ip, zero, a->family == 4 ? 4 : 16) == 0;
}

enum err transport_new(struct loop *loop, const struct guard *guard,
                       const struct sip_listens *listens, const struct transport_user *u,
                       struct transport **ret, char *why, size_t cap)
{
    struct transport *t = calloc(1, sizeof *t);
    enum err err = t ? pool_new(&t->conns, sizeof(struct conn), CONNS_MAX) : ERR_NOMEM;
    if (err == OK && !(t->by_peer = map_new()))
        err = ERR_NOMEM;
    if (err == OK)
        err = shares_new(&t->shares);
    snprintf(why, cap, "%s", err_text(err));
    if (err != OK)
        goto out;
    t->loop = loop;
    t->guard = guard;
    t->user = *u;
    t->n = listens->n;
    if ((err = str_copy(str_of(listens->advertise), t->advertise, sizeof t->advertise)) != OK)
        goto out;
    for (size_t i = 0; err == OK && i < t->n; i++) {
        struct listening *l = &t->listening[i];
        char text[ADDR_TEXT_SIZE];
        *l = (struct listening){
            .t = t, .index = (uint8_t)i, .transport = listens->listen[i].transport};
        err = l->transport == SIP_UDP
                  ? datagram_open(t->loop, &listens->listen[i].at, transport_on_batch, l, &l->udp)
              : l->transport == SIP_TCP
                  ? listener_open(t->loop, &listens->listen[i].at, NULL, conn_on_accept, l, &l->tcp)
                  : ERR_UNSUPPORTED;
        addr_print(&listens->listen[i].at, text);
        if (err != OK)
            snprintf(why, cap, "sip.listen: %s %s: %s", transport_name(l->transport), text,
                     l->transport == SIP_TLS ? "TLS is for outgoing calls only so far"
                     : err == ERR_EXISTS     ? "in use"
                                             : err_text(err));
        else if (l->udp && t->user.on_icmp)
            datagram_on_icmp(l->udp, transport_on_icmp);
        if (err == OK)
            l->at = l->udp ? datagram_local(l->udp) : listener_local(l->tcp);
    }
    if (err != OK)
        goto out;
    *ret = t;
    return OK;
out:
    transport_free(t);
    return err;
}

void transport_free(struct transport *t)
{
    if (!t)
        return;
    conns_free(t);
    for (size_t i = 0; i < t->n; i++) {
        if (t->listening[i].udp)
            datagram_close(t->listening[i].udp);
        if (t->listening[i].tcp)
            listener_close(t->listening[i].tcp);
    }
    tls_free(t->tls);
    map_free(t->by_peer);
    shares_free(t->shares);
    pool_free(t->conns);
    free(t);
}

struct addr transport_local(const struct transport *t, size_t listen)
{
    return t->listening[listen].at;
}

static bool listener_find(struct transport *t, struct path *path)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct listening *l = &t->listening[i];
        bool udp = path->transport == SIP_UDP;
        if (udp && (l->transport != SIP_UDP || l->at.family != path->peer.family))
            continue;
        /* a stream names the TCP listener where there is one, so that the peer can call back */
        if (!udp && l->transport != SIP_TCP && i + 1 < t->n)
            continue;
        path->listen = (uint8_t)i;
        path->conn = 0;
        return true;
    }
    return false;
}

enum err transport_route(struct transport *t, struct path *path)
{
    for (size_t i = 0; i < t->n; i++)
        if (guard_leads_to(&path->peer, &t->listening[i].at))
            return ERR_DENIED;
    if (!path->unguarded && t->guard && guard_judge(t->guard, &path->peer, NULL) != OK)
        return ERR_BLOCKED;
    return listener_find(t, path) ? OK : ERR_UNREACHABLE;
}

bool transport_route_again(struct transport *t, const struct addr *own, struct path *path)
{
    for (size_t i = 0; i < t->n && own->family; i++) {
        const struct listening *l = &t->listening[i];
        if (addr_eq(&l->at, own) && (l->transport == SIP_UDP) == (path->transport == SIP_UDP) &&
            (path->transport != SIP_UDP || l->at.family == path->peer.family)) {
            path->listen = (uint8_t)i;
            return true;
        }
    }
    return listener_find(t, path);
}

bool transport_is_open(const struct transport *t, const struct path *path)
{
    const struct conn *c = path->conn ? pool_at(t->conns, path->conn) : NULL;
    return path->transport == SIP_UDP || (c && c->open);
}

bool transport_came_in(const struct transport *t, const struct path *path)
{
    const struct conn *c = path->conn ? pool_at(t->conns, path->conn) : NULL;
    return c && !c->outgoing;
}

/* Finds which of our addresses a packet to `peer` would carry, by the kernel's routing. */
static struct addr own_addr_ask(const struct addr *at, const struct addr *peer)
{
    struct sockaddr_storage ss;
    struct addr own = *at;
    int fd = socket(peer->family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t n = addr_to_sockaddr(peer, &ss);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&ss, n) == 0) {
        n = sizeof ss;
        if (getsockname(fd, (struct sockaddr *)&ss, &n) != 0 ||
            !addr_from_sockaddr((const struct sockaddr *)&ss, &own))
            own = *at;
    }
    if (fd >= 0)
        close(fd);
    return own;
}

/* Does the same from a cache. The question takes four system calls, and each message asks it, for
 * two peers in turn. An answer is kept for as long as we may miss a changed route. */
static struct addr own_addr_towards(struct transport *t, const struct addr *at,
                                    const struct addr *peer)
{
    struct own *o = &t->own[hash64(str_of_bytes(peer->ip, sizeof peer->ip)) % OWN_KEPT];
    int64_t now = loop_now_ms(t->loop);
    if (o->until_ms <= now || !addr_eq_host(&o->peer, peer))
        *o = (struct own){.peer = *peer, .own = own_addr_ask(at, peer), .until_ms = now + OWN_MS};
    struct addr own = o->own;
    own.port = at->port;
    return own;
}

struct addr transport_from(struct transport *t, const struct path *path)
{
    const struct conn *c = path->conn ? pool_at(t->conns, path->conn) : NULL;
    const struct addr *at = &t->listening[path->listen].at;
    if (c && c->local.family)
        return c->local;
    return addr_is_any(at) ? own_addr_towards(t, at, &path->peer) : *at;
}

/* The end of a connection to whose transport nobody listens; family 0: it is not needed, or there is
 * no connection. */
static struct addr own_end(const struct transport *t, const struct path *path)
{
    const struct conn *c = path->conn ? pool_at(t->conns, path->conn) : NULL;
    bool listens = t->listening[path->listen].transport == (enum sip_transport)path->transport;
    return c && !listens ? c->local : (struct addr){0};
}

/* `end`: of a connection without a listener: an advertised port is a listener's, and not its own. */
static void put_advertised(const struct transport *t, const struct addr *at, const struct addr *end,
                           struct buf *b)
{
    struct str said = str_of(t->advertise);
    const char *colon = strrchr(t->advertise, ':');
    bool with_port = colon && t->advertise[said.n - 1] != ']';
    if (with_port && end->family)
        said.n = (size_t)(colon - t->advertise);
    buf_put_str(b, said);
    if (!with_port || end->family)
        buf_printf(b, ":%u", end->family ? end->port : at->port);
}

void transport_put_own(struct transport *t, const struct path *path, struct buf *b)
{
    const struct addr *at = &t->listening[path->listen].at;
    struct addr own = own_end(t, path);
    char text[ADDR_TEXT_SIZE];
    if (t->advertise[0]) {
        put_advertised(t, at, &own, b);
        return;
    }
    if (!own.family)
        own = addr_is_any(at) ? own_addr_towards(t, at, &path->peer) : *at;
    addr_print(&own, text);
    buf_puts(b, text);
}

void transport_mark_in_call(struct transport *t, struct path *path)
{
    struct conn *c = path->conn ? pool_at(t->conns, path->conn) : NULL;
    path->in_call = true;
    if (c)
        c->in_call = true;
}

void transport_reach(struct transport *t, struct path *path, struct str host)
{
    struct conn *c;
    if (path->transport != SIP_UDP)
        (void)!conn_reach(t, path, host, &c); /* why it cannot be is told when it is sent */
}

enum err transport_send(struct transport *t, struct path *path, struct str host, struct str bytes)
{
    if (path->transport == SIP_UDP)
        return datagram_send(t->listening[path->listen].udp, &path->peer, bytes);
    return conn_send(t, path, host, bytes);
}
