/* Turns the PDUs of carriers into messages, whichever side opened the bind. A response says
 * "accepted" only after the commit. On the loop's thread alone. */
#pragma once
#include "hub/messages.h"
#include "net/loop.h"
#include "smpp/session.h"

struct inbound;

struct inbound_config {
    struct loop *loop;
    struct store *store; /* where the last messages before the start are looked up; NULL: nowhere */
    struct books *books;
    struct messages *messages;
    struct sessions *sessions;
};

MUST_USE enum err inbound_new(const struct inbound_config *c, struct inbound **ret);
void inbound_free(
    struct inbound *in); /* after the loop has ended and the store closed; NULL-safe */
/* A session's on_request, for bound ones: `arg` is the inbound. */
void inbound_on_request(void *arg, struct session *s, const struct pdu *p);
