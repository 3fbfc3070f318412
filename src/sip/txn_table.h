/* Inside the transactions: the table, and what its files share. */
#pragma once
#include <stdlib.h>

#include "base/crypto.h"
#include "base/id.h"
#include "base/map.h"
#include "base/metrics.h"
#include "sip/print.h"
#include "sip/transaction.h"

struct transactions {
    struct loop *loop;
    struct transport *transport;
    struct blocks *blocks;
    struct pool *pool;
    struct map *servers; /* by key */
    uint8_t hash_key[16];
    int64_t t1_ms;
    struct transaction_user user;
};

static inline bool txn_is_reliable(const struct txn *t)
{
    return t->path.transport != SIP_UDP;
}
void txn_transmit(struct transactions *ts, struct txn *t);
/* Absorbs repeats for `ms`, then ends it; at once over streams. */
void txn_linger(struct transactions *ts, struct txn *t, int64_t ms);
static inline struct transactions *txn_table(const struct timer *timer)
{
    return ((const struct txn *)timer->arg)->table;
}
