/* The table of transactions, for the files that run them. */
#pragma once
#include <stdlib.h>

#include "base/crypto.h"
#include "base/id.h"
#include "base/map.h"
#include "base/metrics.h"
#include "sip/wire/print.h"
#include "sip/net/shares.h"
#include "sip/txn/transaction.h"

struct transactions {
    struct loop *loop;
    struct transport *transport;
    struct blocks *blocks;
    struct pool *pool;
    struct map *servers;   /* by key */
    struct map *adopted;   /* clients from before a restart, by their branch's hash */
    struct shares *shares; /* those of accounts */
    size_t max;
    uint8_t hash_key[16];
    int64_t t1_ms;
    struct transaction_user user;
    char *text;            /* TXN_TEXT_MAX bytes: ACK and CANCEL are written here */
    struct sip_msg invite; /* what they answer or take back, parsed again */
};
enum { TXN_TEXT_MAX = 65536 };

static inline bool txn_is_reliable(const struct txn *t)
{
    return t->path.transport != SIP_UDP;
}
/* Enters a state; nothing else does. `fire` ends it in `ms`. */
void txn_enter(struct transactions *ts, struct txn *t, enum txn_state to, int64_t ms,
               timer_fire *fire);
/* Makes a new transaction, in TRYING; NULL at the limit. */
struct txn *txn_new(struct transactions *ts, const struct path *path, bool invite, int64_t ms,
                    timer_fire *fire);
void txn_transmit(struct transactions *ts, struct txn *t);
/* A request could not be sent, or its connection is gone. `why`: in words. */
void txn_client_unsent(struct transactions *ts, struct txn *t, enum err err, const char *why);
static inline struct transactions *txn_table(const struct timer *timer)
{
    return ((const struct txn *)timer->arg)->table;
}
