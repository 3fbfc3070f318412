/* Lets carriers bind to us: judges their addresses and binds, and finds their link of mode server.
 * On the edge's loop, as edge.c's part. */
#pragma once
#include "hub/link_states.h"
#include "smpp/inbound.h"

struct smpp_listener;

struct smpp_listener_config {
    struct loop *loop;
    struct books *books;
    struct link_states *states;
    struct sessions *sessions;
    struct inbound *inbound;
    struct addr at;
    size_t max_connections;  /* bound or not; a quarter of them may be unbound */
    int64_t bind_timeout_ms; /* how long a connection may be there without a bind */
};

MUST_USE enum err smpp_listener_new(const struct smpp_listener_config *c,
                                    struct smpp_listener **ret, char *ret_why, size_t why_cap);
/* Lets nobody in any more; each session answers the messages that it took, unbinds and ends;
 * on_idle comes later, after the last one. */
void smpp_listener_drain(struct smpp_listener *l, void (*on_idle)(void *), void *arg);
void smpp_listener_free(struct smpp_listener *l); /* NULL-safe; before its sessions are freed */
struct addr smpp_listener_local(const struct smpp_listener *l); /* with the real port */
