/* Says whether we send to an endpoint now, and how much at once. Pure: time (mono) is an argument.
 *
 *     HEALTHY ── 10 failures in a row, or ≥ 70 % of ≥ 10 in 5 min ──→ FAILING ── 5 days ──→ DISABLED
 *        ↑                                                               │
 *        └── one success: all that waits follows, through a window ──────┘
 *            that grows
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum health_state { HEALTH_HEALTHY, HEALTH_FAILING, HEALTH_DISABLED };
const char *health_state_name(enum health_state s);

#define HEALTH_GONE_AFTER_MS (5 * 86400000ll)
enum { HEALTH_BUCKETS = 10, HEALTH_BUCKET_MS = 30000 };

struct health {
    uint8_t state;
    uint16_t streak;          /* failures in a row */
    uint16_t window;          /* exchanges at once while it recovers; 0: no limit of ours */
    int32_t probe_wait_ms;    /* FAILING: until the next probe, after the last */
    int64_t probe_at_ms;      /* FAILING: mono */
    int64_t failing_since_ms; /* mono; 0: not failing */
    int64_t trouble_since_ms; /* mono: the first failure behind the last success; 0: none */
    int32_t again_wait_ms;    /* HEALTHY: a short outage's end counts as one again after this */
    int64_t again_at_ms;      /* mono */
    int64_t bucket_at;        /* number of the newest bucket */
    uint16_t ok[HEALTH_BUCKETS], failed[HEALTH_BUCKETS];
};

/* May one more exchange start now, with `in_flight` under way? `limit`: the endpoint's own. */
bool health_may_send(const struct health *h, unsigned in_flight, unsigned limit, int64_t now_ms);
enum health_change { HEALTH_SAME, HEALTH_FELL, HEALTH_RECOVERED, HEALTH_GONE };
/* HEALTH_REFUSED: the receiver refused an event that it had refused before (400, 413, 422 …), which
 * is the event's trouble: only a failing endpoint counts it as a failure. */
enum health_outcome { HEALTH_FAILED, HEALTH_TAKEN, HEALTH_REFUSED };
/* Learns the outcome of an exchange. `jitter`: random, spreads the probes. HEALTH_RECOVERED:
 * waiting deliveries may follow at once. HEALTH_GONE: it has failed for five days; the caller
 * disables the endpoint. */
enum health_change health_learn(struct health *h, enum health_outcome outcome, int64_t now_ms,
                                uint64_t jitter);
/* Did something fail, and was nothing taken since, nor in the five minutes before? Then nobody is
 * told that it is healthy, though all that is due still leaves. */
bool health_is_troubled(struct health *h, int64_t now_ms);
void health_probe_now(struct health *h, int64_t now_ms); /* the next probe, where it fails */
/* Says after a restart that it has been failing since then (mono, perhaps before mono time began),
 * and is to be probed soon. */
void health_restore(struct health *h, int64_t failing_since_ms, int64_t now_ms, uint64_t jitter);
/* Makes it healthy, because a person asked to try it. */
void health_reset(struct health *h);
