/* Outages: since when an endpoint fails, or nothing of it was taken, so that five days are five days across restarts, and how
 * its last attempt went. Inside a job's run. */
#pragma once
#include "store/rows/shards.h"

struct outage {
    uint64_t endpoint;
    bool is_failing;         /* false: in trouble, and not found failing yet */
    int64_t since_ms;        /* wall */
    int64_t last_at_ms;      /* wall, of the last attempt; 0: not known */
    int status;              /* that it was answered with; 0: no answer */
    enum err err;            /* OK: it was answered */
    char detail[120];        /* for people; "" */
    int64_t next_at_ms;      /* wall: when it is tried again */
    struct shard_hold under; /* by outage_put and outage_delete */
};

MUST_USE enum err outage_put(struct db *db, const struct outage *o);
/* It is over; of *o the endpoint and the shard count. */
MUST_USE enum err outage_delete(struct db *db, const struct outage *o);
/* ret->since_ms 0: it does not fail (any more). */
MUST_USE enum err outage_get(struct db *db, uint64_t endpoint, struct outage *ret);
typedef void outage_row(void *arg, const struct outage *o);
MUST_USE enum err outage_list(struct db *db, outage_row *row, void *arg);
