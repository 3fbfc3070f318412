/* Runs the SMPP edge for main: carriers that bind to us and links that we open, on the edge's loop.
 */
#pragma once
#include "hub/link_states.h"
#include "hub/messages.h"
#include "net/loop.h"
#include "net/resolver.h"

struct smpp_edge;

struct smpp_config {
    struct loop *loop;
    struct resolver *resolver;
    struct store *store;
    struct books *books;
    struct messages *messages;
    struct link_states *states;
    struct addr listen;      /* family 0: nobody binds to us */
    const char *ca_file;     /* trusted besides the system's, for links over TLS; NULL: none */
    int64_t reconnect_ms;    /* first pause after a link failed; doubles to 64 times as much */
    int64_t response_ms;     /* how long a peer may take to answer enquire_link, bind, unbind */
    size_t max_connections;  /* of carriers to our listener */
    int64_t bind_timeout_ms; /* how long such a connection may be there without a bind */
};

/* Opens the listener and the links of the book; follows the book from then on (a link that is made,
 * changed or deleted is bound, bound anew or unbound within a second). Before loop_start. */
MUST_USE enum err smpp_edge_new(const struct smpp_config *c, struct smpp_edge **ret, char *ret_why,
                                size_t why_cap);
/* Drains the edge by a mail to the loop: it takes nothing new, answers the messages that wait for
 * their commit, then unbinds; `on_idle` comes when all sessions are gone or after `wait_ms`. Any
 * thread. */
void smpp_edge_drain(struct smpp_edge *e, int64_t wait_ms, void (*on_idle)(void *), void *arg);
void smpp_edge_free(struct smpp_edge *e);               /* after loop_stop; NULL-safe */
struct addr smpp_edge_local(const struct smpp_edge *e); /* with the real port */
