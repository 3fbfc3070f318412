/* The core of the edge: what calls and texts share. The network, the transactions, the present
 * book, the trace, the limits of who is on the other side, and one message's room to read and to
 * write. It knows neither calls nor texts. Edge's thread. */
#pragma once
#include "base/map.h"
#include "sip/core/config.h"
#include "sip/trace/trace.h"
#include "sip/txn/transaction.h"

enum { SCRATCH_MAX = 65536, RETRY_AFTER_SEC = 5, TXNS_PER_CALL = 6, TXNS_LEAST = 65536 };

struct sip_core {
    struct sip_config c;
    struct transport *transport;
    struct blocks *blocks;
    struct transactions *txns;
    size_t txns_max;         /* there are never more */
    struct map *parties;     /* struct party_use by party_number */
    const struct book *book; /* the present one, renewed once a turn */
    uint64_t generation;
    uint64_t operators;         /* the operator's own account, whose targets pass no guard */
    bool draining;              /* nothing new begins */
    struct trace *trace;        /* NULL: none is kept */
    struct trace_label at_hand; /* whose the packet at hand is, and what is replied to it */
    char *scratch;              /* messages are written here before they are sent */
    struct sip_msg msg, again;  /* of the packet at hand; of a kept request */
};

/* Opens the sockets. `calls`: how many there may be at once, for the transactions' room. The users
 * are told from the first packet on, in the loop. On failure *why says more; core_fini is due all
 * the same. */
MUST_USE enum err core_init(struct sip_core *core, const struct sip_config *c, size_t calls,
                            const struct transport_user *tu, const struct transaction_user *xu,
                            char *why, size_t cap);
void core_fini(struct sip_core *core); /* NULL-safe parts: after a core_init that failed, too */
void core_book_renew(struct sip_core *core); /* takes the present book */
/* The room for one message, empty. One message at a time. */
struct buf core_scratch(struct sip_core *core);
/* The same for a reply that passes nothing on: it has all Vias of the largest request (§8.2.6.2). */
struct buf core_scratch_reply(struct sip_core *core);
