/* listener: accepts the connections and binds of carriers. It closes a connection from an address
 * that no link names, and one that does not bind in time. It judges a bind by system_id, password
 * and address together; the refusal is the same for all faults, and takes the same work. Called by
 * net (accept), by sessions, and by its own tick, which follows the book. Edge's thread. */
#include "smpp/listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/map.h"
#include "base/metrics.h"
#include "smpp/bind_limit.h"

enum { TICK_MS = 500, DRAIN_TICK_MS = 20, UNBOUND_SHARE = 4, UNBOUND_LEAST = 8 };

static const char our_system_id[] = "hookswitch";

struct peer { /* a link of mode server; stays until its last session is gone */
    uint64_t n;
    struct smpp_link set; /* what its sessions were bound by */
    bool there;           /* in the book, of mode server */
    unsigned binds;
    uint64_t received;
    struct link_state shown;
};

struct carrier { /* a connection */
    struct smpp_listener *l;
    struct carrier *prev, *next; /* all, in the order they came */
    handle session;
    struct addr from;
    struct peer *peer; /* NULL: not bound yet */
};

struct smpp_listener {
    struct smpp_listener_config c;
    struct listener *socket;
    struct addr local;
    const struct book *book;
    uint64_t generation, followed;
    struct carrier *first, *last;
    size_t n, n_unbound;
    struct map *peers; /* by n */
    struct bind_limit *limit;
    struct timer tick;
    bool draining;
    void (*on_idle)(void *);
    void *on_idle_arg;
};

static void book_renew(struct smpp_listener *l)
{
    uint64_t now = books_generation(l->c.books);
    if (l->book && now == l->generation)
        return;
    book_drop(&l->book);
    l->generation = now;
    l->book = book_take(l->c.books);
}

/* ---- links ---- */

static bool link_is_server(const struct book_smpp_link *k)
{
    return k && k->set->mode == SMPP_SERVER;
}

static bool addr_may_connect(const struct book_smpp_link *k, const struct addr *from)
{
    if (k->set->disabled || !link_is_server(k))
        return false;
    for (size_t i = 0; i < k->set->n_sources; i++)
        if (cidr_has(&k->source[i], from))
            return true;
    return k->set->n_sources == 0;
}

static bool addr_is_known(struct smpp_listener *l, const struct addr *from)
{
    const struct book_smpp_link *k;
    book_renew(l);
    for (struct trie_walk walk = {0}; (k = book_smpp_link_next(l->book, &walk));)
        if (addr_may_connect(k, from))
            return true;
    return false;
}

/* Finds the link of a bind. It compares all links in full, so that the time it takes does not tell
 * what was wrong. */
static const struct book_smpp_link *link_of_bind(struct smpp_listener *l, const struct addr *from,
                                                 const struct pdu *p)
{
    const struct book_smpp_link *k, *found = NULL;
    char id[sizeof k->set->system_id] = "", password[sizeof k->set->password] = "";
    bool fits = str_copy(p->system_id, id, sizeof id) == OK &&
                str_copy(p->password, password, sizeof password) == OK;
    for (struct trie_walk walk = {0}; (k = book_smpp_link_next(l->book, &walk));) {
        char has_id[sizeof id] = "", has_password[sizeof password] = "";
        memcpy(has_id, k->set->system_id, strlen(k->set->system_id));
        memcpy(has_password, k->set->password, strlen(k->set->password));
        bool same_id = crypto_equal(str_of_bytes(id, sizeof id), str_of_bytes(has_id, sizeof id));
        bool same_password = crypto_equal(str_of_bytes(password, sizeof password),
                                          str_of_bytes(has_password, sizeof has_password));
        bool here = addr_may_connect(k, from);
        if (fits & same_id & same_password & here)
            found = k;
        crypto_wipe(has_password, sizeof has_password);
    }
    crypto_wipe(password, sizeof password);
    return found;
}

static struct peer *peer_get(struct smpp_listener *l, const struct book_smpp_link *k)
{
    struct peer *p = map_get(l->peers, str_of_u64(&k->n));
    if (p || !(p = calloc(1, sizeof *p)))
        return p;
    p->n = k->n;
    p->set = *k->set;
    p->there = true;
    if (map_put(l->peers, str_of_u64(&p->n), p, NULL) == OK)
        return p;
    free(p);
    return NULL;
}

static void peer_free(struct peer *p)
{
    crypto_wipe(&p->set, sizeof p->set);
    free(p);
}

/* ---- connections ---- */

static void carrier_drop(struct carrier *c)
{
    struct smpp_listener *l = c->l;
    *(c->prev ? &c->prev->next : &l->first) = c->next;
    *(c->next ? &c->next->prev : &l->last) = c->prev;
    l->n--;
    if (c->peer)
        c->peer->binds--;
    else
        l->n_unbound--;
    free(c);
}

static void carrier_on_session_end(void *arg, const char *why)
{
    struct carrier *c = arg;
    if (c->peer && *why) {
        char from[ADDR_TEXT_SIZE];
        addr_print(&c->from, from);
        log_sparse(LOG_WARN, 1000, "smpp", "link %s: the session from %s ended: %s",
                   c->peer->set.name, from, why);
    }
    carrier_drop(c);
}

static void carrier_refuse_bind(struct carrier *c, struct session *s, const struct pdu *p,
                                uint32_t status)
{
    char from[ADDR_TEXT_SIZE];
    addr_print(&c->from, from);
    metric_add(METRIC_SMPP_BINDS_REFUSED, 1);
    log_sparse(LOG_WARN, 5000, "smpp", "a bind as \"%.*s\" from %s was refused: %s",
               STR_FMT(p->system_id), from, smpp_status_name(status));
    session_refuse(s, p, status);
    session_end(s, smpp_status_name(status));
}

static enum session_state state_of_bind(enum pdu_command c)
{
    return c == PDU_BIND_RECEIVER      ? SESSION_BOUND_RX
           : c == PDU_BIND_TRANSMITTER ? SESSION_BOUND_TX
                                       : SESSION_BOUND_TRX;
}

static void carrier_on_bind(struct carrier *c, struct session *s, const struct pdu *p)
{
    struct smpp_listener *l = c->l;
    int64_t now = clock_mono_ms();
    bool over = bind_limit_is_over(l->limit, &c->from, p->system_id, now);
    book_renew(l);
    const struct book_smpp_link *k = over ? NULL : link_of_bind(l, &c->from, p);
    if (!k) {
        if (!over)
            bind_limit_failed(l->limit, &c->from, p->system_id, now);
        carrier_refuse_bind(c, s, p, ESME_RBINDFAIL);
        return;
    }
    struct peer *peer = peer_get(l, k);
    if (!peer || peer->binds >= k->set->max_binds) {
        carrier_refuse_bind(c, s, p, peer ? ESME_RALYBND : ESME_RSYSERR);
        return;
    }
    const struct session_link as = {k->n, k->set->window, k->set->enquire_link_s * INT64_C(1000),
                                    &peer->received};
    c->peer = peer;
    peer->binds++;
    l->n_unbound--;
    session_bound(s, state_of_bind(p->command), &as);
    session_accept_bind(s, p, str_of(our_system_id));
    log_info("smpp", "link %s is bound by its carrier (%u)", k->set->name, peer->binds);
}

static void carrier_on_request(void *arg, struct session *s, const struct pdu *p)
{
    struct carrier *c = arg;
    bool bind = p->command == PDU_BIND_RECEIVER || p->command == PDU_BIND_TRANSMITTER ||
                p->command == PDU_BIND_TRANSCEIVER;
    if (session_state(s) != SESSION_OPEN)
        inbound_on_request(c->l->c.inbound, s, p);
    else if (bind)
        carrier_on_bind(c, s, p);
    else if (p->command == PDU_OUTBIND) /* §4.1.7: it asks us to bind to it; that is a link */
        session_end(s, "outbind");      /* of mode client, which dials by itself */
    else
        session_refuse(s, p, ESME_RINVBNDSTS);
}

/* Ends the oldest unbound connection, to make room for one that may be about to bind. */
static void listener_end_oldest_unbound(struct smpp_listener *l)
{
    for (struct carrier *c = l->first; c; c = c->next) {
        struct session *s = c->peer ? NULL : session_at(l->c.sessions, c->session);
        if (s) {
            session_end(s, "too many that did not bind");
            return;
        }
    }
}

static size_t unbound_max(const struct smpp_listener *l)
{
    size_t n = l->c.max_connections / UNBOUND_SHARE;
    return n > UNBOUND_LEAST ? n : UNBOUND_LEAST;
}

static void listener_on_accept_stream(void *arg, struct stream *stream)
{
    struct smpp_listener *l = arg;
    struct addr from = stream_peer(stream);
    if (l->n >= l->c.max_connections || !addr_is_known(l, &from)) {
        metric_add(METRIC_SMPP_BINDS_REFUSED, 1);
        return; /* not taken: closed */
    }
    struct carrier *c = calloc(1, sizeof *c);
    const struct session_config sc = {.they_bound = true,
                                      .state = SESSION_OPEN,
                                      .unbound_ms = l->c.bind_timeout_ms,
                                      .on_request = carrier_on_request,
                                      .on_end = carrier_on_session_end,
                                      .arg = c};
    struct session *s;
    if (!c || session_open(l->c.sessions, &sc, &stream, (struct str){0}, &s) != OK) {
        free(c);
        return;
    }
    if (l->n_unbound >= unbound_max(l))
        listener_end_oldest_unbound(l);
    *c = (struct carrier){.l = l, .prev = l->last, .session = session_handle(s), .from = from};
    *(l->last ? &l->last->next : &l->first) = c;
    l->last = c;
    l->n++;
    l->n_unbound++;
}

/* ---- following the book ---- */

/* True when two settings let in and serve a session alike. */
static bool link_serves_alike(const struct smpp_link *a, const struct smpp_link *b)
{
    return !strcmp(a->system_id, b->system_id) && !strcmp(a->password, b->password) &&
           a->window == b->window && a->enquire_link_s == b->enquire_link_s &&
           a->n_sources == b->n_sources && !memcmp(a->sources, b->sources, sizeof a->sources);
}

static void peer_unbind(struct smpp_listener *l, const struct peer *p)
{
    struct session *s;
    for (struct carrier *c = l->first; c; c = c->next)
        if (c->peer == p && (s = session_at(l->c.sessions, c->session)))
            session_unbind(s);
}

static void peer_show(struct smpp_listener *l, struct peer *p)
{
    const char *state = p->set.disabled ? "disabled" : p->binds ? "bound" : "listening";
    struct link_state now = {.binds = p->binds, .received = p->received};
    snprintf(now.state, sizeof now.state, "%s", state);
    now.since_ms = strcmp(state, p->shown.state) ? clock_wall_ms() : p->shown.since_ms;
    p->shown = now;
    link_states_put(l->c.states, p->n, &now);
}

/* Gives each new link its peer; after ERR_NOMEM the next tick tries again. */
static void listener_follow_book(struct smpp_listener *l)
{
    const struct book_smpp_link *k;
    struct peer *p;
    for (struct trie_walk walk = {0}; (k = book_smpp_link_next(l->book, &walk));)
        if (link_is_server(k))
            (void)peer_get(l, k);
    for (size_t i = 0; (p = map_next(l->peers, &i));) {
        k = book_smpp_link(l->book, p->n);
        if (!k && p->there)
            link_states_remove(l->c.states, p->n);
        p->there = link_is_server(k);
        if (!p->there || k->set->disabled || !link_serves_alike(&p->set, k->set))
            peer_unbind(l, p);
        if (p->there)
            p->set = *k->set;
    }
}

static void listener_on_tick(struct timer *t)
{
    struct smpp_listener *l = t->arg;
    struct peer *p;
    book_renew(l);
    if (l->followed != l->generation)
        listener_follow_book(l);
    l->followed = l->generation;
    for (size_t i = 0; (p = map_next(l->peers, &i));) {
        if (p->there)
            peer_show(l, p);
        else if (p->binds == 0) {
            map_remove(l->peers, str_of_u64(&p->n));
            peer_free(p);
        }
    }
    if (l->draining && l->n == 0 && l->on_idle) {
        void (*on_idle)(void *) = l->on_idle;
        l->on_idle = NULL;
        on_idle(l->on_idle_arg);
    }
    loop_timer(l->c.loop, &l->tick, l->draining ? DRAIN_TICK_MS : TICK_MS, listener_on_tick, l);
}

/* ---- life ---- */

void smpp_listener_drain(struct smpp_listener *l, void (*on_idle)(void *), void *arg)
{
    struct session *s;
    l->draining = true;
    l->on_idle = on_idle;
    l->on_idle_arg = arg;
    listener_close(l->socket);
    l->socket = NULL;
    for (struct carrier *c = l->first; c; c = c->next)
        if ((s = session_at(l->c.sessions, c->session)))
            session_unbind(s);
    loop_timer(l->c.loop, &l->tick, 0, listener_on_tick, l);
}

enum err smpp_listener_new(const struct smpp_listener_config *c, struct smpp_listener **ret,
                           char *why, size_t cap)
{
    char at[ADDR_TEXT_SIZE];
    struct smpp_listener *l = calloc(1, sizeof *l);
    enum err err = l ? bind_limit_new(&l->limit) : ERR_NOMEM;
    if (err == OK && !(l->peers = map_new()))
        err = ERR_NOMEM;
    if (err == OK) {
        l->c = *c;
        l->followed = UINT64_MAX;
        err = listener_open(c->loop, &c->at, NULL, listener_on_accept_stream, l, &l->socket);
    }
    if (err != OK) {
        addr_print(&c->at, at);
        snprintf(why, cap, "smpp.listen: %s: %s", at, err == ERR_EXISTS ? "in use" : err_text(err));
        smpp_listener_free(l);
        return err;
    }
    l->local = listener_local(l->socket);
    loop_timer(c->loop, &l->tick, 0, listener_on_tick, l);
    *ret = l;
    return OK;
}

void smpp_listener_free(struct smpp_listener *l)
{
    struct peer *p;
    if (!l)
        return;
    timer_stop(&l->tick);
    listener_close(l->socket);
    for (struct carrier *c = l->first, *next; c; c = next) {
        next = c->next;
        session_close(session_at(l->c.sessions, c->session));
        free(c);
    }
    for (size_t i = 0; l->peers && (p = map_next(l->peers, &i));)
        peer_free(p);
    map_free(l->peers);
    bind_limit_free(l->limit);
    book_drop(&l->book);
    free(l);
}

struct addr smpp_listener_local(const struct smpp_listener *l)
{
    return l->local;
}
