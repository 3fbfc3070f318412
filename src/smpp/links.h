/* Keeps the links that we open to carriers: all enabled links of mode client in the book, each with
 * the sessions that it wants. On the edge's loop, as edge.c's part. */
#pragma once
#include "hub/book.h"
#include "hub/link_states.h"
#include "smpp/dial.h"
#include "smpp/inbound.h"

struct links;

struct links_config {
    struct loop *loop;
    struct resolver *resolver;
    struct books *books;
    struct link_states *states;
    struct sessions *sessions;
    struct inbound *inbound;
    const char *ca_file;  /* trusted besides the system's; NULL: none */
    int64_t reconnect_ms; /* the first pause */
    int64_t response_ms;
};

/* Dials the links of the book, and follows it from then on. ERR_INVALID: the ca_file has no
 * certificates. */
MUST_USE enum err links_new(const struct links_config *c, struct links **ret);
/* Stops dialling; each session answers the messages that it took, unbinds and ends; on_idle comes
 * later, after the last one. */
void links_drain(struct links *l, void (*on_idle)(void *), void *arg);
void links_free(struct links *l); /* NULL-safe; closes hard what is still there */
