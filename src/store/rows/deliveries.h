/* Keeps deliveries (one event to one endpoint) and their attempts. Inside a job's run. */
#pragma once
#include "model/delivery.h"
#include "store/rows/shards.h"

struct delivery {
    int64_t n; /* row; grows with time */
    int64_t event_n;
    uint64_t endpoint;
    uint64_t lane;     /* lane_key() of hub/intake.h: endpoint × call, stable across restarts */
    unsigned sequence; /* of the call's events to this endpoint; 0: none */
    bool looked_up;    /* by delivery_put, anew in each run of its job */
    unsigned attempts; /* made so far */
    enum delivery_state state;
    int64_t first_at_ms; /* first attempt, wall; 0: none yet */
    int64_t next_at_ms;  /* when it is due, wall; 0: now */
    bool resend;         /* a person asked for it: it is sent whatever the lane's state */
    /* Its schedule began again behind this attempt, when its endpoint was back from an outage. */
    unsigned schedule_from;
    int64_t begun_at_ms; /* … at this time, wall; 0: it began with the first attempt */
    int64_t last_at_ms;  /* its last attempt, wall; 0: none yet */
};

/* Inserts; d->n is set. sequence UINT_MAX: the next one of this lane is looked up. */
MUST_USE enum err delivery_put(struct db *db, struct delivery *d);
MUST_USE enum err delivery_get(struct db *db, int64_t n, struct delivery *ret);
typedef bool delivery_row(void *arg, const struct delivery *d);
/* Lists all pending deliveries in the order of endpoint, lane, next_at_ms, n, behind *after, in
 * pages; only these four fields are filled in. An index answers it without reading rows. */
MUST_USE enum err delivery_list_waiting(struct db *db, const struct delivery *after, unsigned limit,
                                        delivery_row *row, void *arg);
MUST_USE enum err delivery_last(struct db *db, int64_t *ret_n); /* the newest; 0: none */
/* Gives the time of the event of the oldest pending delivery; 0: none is pending. It reads the
 * whole index. */
MUST_USE enum err delivery_oldest(struct db *db, int64_t *ret_ms);
/* Lists the pending deliveries of a lane, oldest first. */
MUST_USE enum err delivery_list_lane(struct db *db, uint64_t endpoint, uint64_t lane,
                                     unsigned limit, delivery_row *row, void *arg);
MUST_USE enum err delivery_list_of_event(struct db *db, int64_t event_n, delivery_row *row,
                                         void *arg);

struct attempt {
    int64_t delivery_n;
    unsigned number; /* 1, 2 … */
    int64_t at_ms;   /* wall */
    int status;      /* 0: no answer */
    enum err err;
    int64_t duration_ms;
    struct str detail; /* error text for people; "" */
    struct str body;   /* what the receiver answered, at most 4 KiB */
};
struct delivery_after { /* what becomes of the delivery */
    enum delivery_state state;
    int64_t next_at_ms;
    unsigned schedule_from;
    int64_t begun_at_ms;
    struct shard_hold under;
};
/* Writes the attempt and the delivery's new state together: attempts + 1. Writing the same
 * (delivery, number) again changes nothing, nor does one whose shard another has taken since. */
MUST_USE enum err attempt_put(struct db *db, const struct attempt *a,
                              const struct delivery_after *after);
typedef bool attempt_row(void *arg, const struct attempt *a);
MUST_USE enum err attempt_list(struct db *db, int64_t delivery_n, attempt_row *row, void *arg);
/* All pending deliveries of the endpoint become `state`; *ret_count of them. */
MUST_USE enum err delivery_end_all(struct db *db, uint64_t endpoint, enum delivery_state state,
                                   int64_t *ret_count);
