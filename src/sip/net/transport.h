/* Runs SIP over sockets: listeners, connections, and paths between us and a peer. Replies and
 * requests leave through a path, and each message arrives with one. Edge's thread. */
#pragma once
#include "base/pool.h"
#include "net/icmp.h"
#include "net/guard.h"
#include "net/loop.h"
#include "sip/net/listen.h"

struct transport;

struct path {          /* a way to a peer */
    uint8_t transport; /* enum sip_transport */
    uint8_t listen;    /* whose socket or address we speak from */
    bool unguarded;    /* the operator configured its target: no guard judges its addresses */
    bool in_call;      /* of a call that is up: its connection is the last to go */
    uint16_t listens;  /* the port where who opened `conn` listens: answers go there when it is gone
                          (RFC 3261 §18.2.2); 0: at the peer's own */
    uint64_t account;  /* whose connection it is; 0: a carrier's */
    handle conn;       /* the connection; 0: by address */
    struct addr peer;
};

struct transport_user {
    /* A whole message; bytes[n] is writable and NUL. */
    void (*on_message)(void *arg, const struct path *from, char *bytes, size_t n,
                       int64_t waited_ms);
    /* The head of a message on a stream that is too large to be taken, as far as it came; writable, as
     * above. */
    void (*on_large)(void *arg, const struct path *from, char *bytes, size_t n);
    /* True when this address may open a connection. */
    bool (*may_connect)(void *arg, const struct addr *from);
    /* A connection is gone: nothing more comes from it, and messages sent over it may be lost.
     * `why`: in words. */
    void (*on_gone)(void *arg, handle conn, const char *why);
    /* A connection over which a call that is up talked broke, other than by an orderly close; then
     * on_gone follows. `path` leads over it. NULL-safe. */
    void (*on_broken)(void *arg, const struct path *path);
    /* An outgoing connection stands, and what waited for it leaves; NULL-safe. */
    void (*on_open)(void *arg, handle conn);
    /* A datagram came back, or somebody says so (net/icmp.h). */
    icmp_told *on_icmp;
    void *arg;
};

/* `guard`: where accounts' targets may be; NULL: anywhere. It must outlive the transport. ret_why
 * for people. */
MUST_USE enum err transport_new(struct loop *l, const struct guard *guard,
                                const struct sip_listens *listens, const struct transport_user *u,
                                struct transport **ret, char *ret_why, size_t why_cap);
void transport_free(struct transport *t);                              /* NULL-safe */
struct addr transport_local(const struct transport *t, size_t listen); /* with the real port */
/* Makes a new path to path->peer by path->transport, for path->account: judges the address (unless
 * path->unguarded) and finds the listening socket that can reach it (TLS leaves from anywhere).
 * Fills in path->listen, without a connection. ERR_DENIED: that is one of our own listeners;
 * ERR_BLOCKED: the guard refuses it; ERR_UNREACHABLE: no listener can. */
MUST_USE enum err transport_route(struct transport *t, struct path *path);
/* Makes the path of a call from before a restart, when a listener may stand elsewhere in the list
 * or be gone: from the listener at `own` if it is still there, else from any that can; false: none
 * can. */
bool transport_route_again(struct transport *t, const struct addr *own, struct path *path);
/* Sends one message. Streams: over path->conn, else over one that is open to the peer, else over a
 * new one, which path->conn then names. `host`: the name in the certificate (TLS). ERR_FULL: there
 * is no room for it, or for a connection. */
MUST_USE enum err transport_send(struct transport *t, struct path *path, struct str host,
                                 struct str bytes);
/* Streams: finds the connection that transport_send would take, or begins to make it, and names it in
 * path->conn, so that transport_put_own can say where it comes from. */
void transport_reach(struct transport *t, struct path *path, struct str host);
/* A call that is up talks on that path from here on: it says so, and so does its connection. */
void transport_mark_in_call(struct transport *t, struct path *path);
/* True when what is sent there leaves at once: its connection need not be made first. */
bool transport_is_open(const struct transport *t, const struct path *path);
/* Writes our address as the peer should see it (Via, Contact): "192.0.2.1:5060". On a stream it is
 * that of a listener of the transport, so that the peer can call back; without one that of the
 * connection's own end, which the peer finds again (RFC 3261 §18.1.1). */
void transport_put_own(struct transport *t, const struct path *path, struct buf *b);
/* Gives our socket address on that path. */
struct addr transport_from(struct transport *t, const struct path *path);
/* True when the path is a connection that the peer opened and that is still there. */
bool transport_came_in(const struct transport *t, const struct path *path);
const char *transport_name(enum sip_transport how); /* "UDP" */
