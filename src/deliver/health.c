/* health: an endpoint's state, learned from its answers. Postfix's idea for what comes back: a
 * window that begins small and grows with each success, so that a receiver just up is not knocked
 * over. Pure. */
#include "deliver/health.h"

#include <string.h>

enum {
    STREAK_MAX = 10,
    SAMPLE_MIN = 10,
    FAILED_PERCENT = 70,
    OUTAGE_STREAK = 3, /* so many in a row, then one success: it was away, and is back */
    PROBE_MIN_MS = 30000,
    PROBE_MAX_MS = 900000,
    WINDOW_START = 2,
    RESTORED_PROBE_MS = 5000, /* at the latest */
};

const char *health_state_name(enum health_state s)
{
    static const char *const name[] = {"healthy", "failing", "disabled"};
    return name[s];
}

bool health_may_send(const struct health *h, unsigned in_flight, unsigned limit, int64_t now_ms)
{
    if (h->state == HEALTH_DISABLED)
        return false;
    if (h->state == HEALTH_FAILING)
        return in_flight == 0 && now_ms >= h->probe_at_ms;
    return in_flight < (h->window && h->window < limit ? h->window : limit);
}

static void buckets_move(struct health *h, int64_t now_ms)
{
    int64_t bucket = now_ms / HEALTH_BUCKET_MS;
    if (bucket - h->bucket_at >= HEALTH_BUCKETS) {
        memset(h->ok, 0, sizeof h->ok);
        memset(h->failed, 0, sizeof h->failed);
        h->bucket_at = bucket;
    }
    while (h->bucket_at < bucket) {
        size_t i = (size_t)(++h->bucket_at % HEALTH_BUCKETS);
        h->ok[i] = h->failed[i] = 0;
    }
}

static void count(struct health *h, bool ok, int64_t now_ms)
{
    buckets_move(h, now_ms);
    uint16_t *n = (ok ? h->ok : h->failed) + h->bucket_at % HEALTH_BUCKETS;
    if (*n < UINT16_MAX)
        ++*n;
}

static bool mostly_fails(const struct health *h)
{
    unsigned ok = 0, failed = 0;
    for (size_t i = 0; i < HEALTH_BUCKETS; i++) {
        ok += h->ok[i];
        failed += h->failed[i];
    }
    return ok + failed >= SAMPLE_MIN && failed * 100 >= (ok + failed) * FAILED_PERCENT;
}

/* A few failures in a row, then a success: an outage too short to be found failing, or a few events
 * that this endpoint never takes. The latter would be hurried again and again, whatever their
 * schedule says: so the next time counts only after a wait, which doubles while it goes on. */
static bool short_outage_ends(struct health *h, int64_t now_ms)
{
    if (h->streak < OUTAGE_STREAK || now_ms < h->again_at_ms)
        return false;
    bool calm = !h->again_wait_ms || now_ms - h->again_at_ms > h->again_wait_ms;
    int32_t wait = calm ? PROBE_MIN_MS : 2 * h->again_wait_ms;
    h->again_wait_ms = wait < PROBE_MAX_MS ? wait : PROBE_MAX_MS;
    h->again_at_ms = now_ms + h->again_wait_ms;
    return true;
}

static enum health_change on_ok(struct health *h, int64_t now_ms)
{
    bool was_away = h->state == HEALTH_FAILING || short_outage_ends(h, now_ms);
    h->streak = 0;
    h->failing_since_ms = 0;
    h->trouble_since_ms = 0;
    if (was_away) {
        h->state = HEALTH_HEALTHY;
        h->window = WINDOW_START;
        memset(h->ok, 0, sizeof h->ok); /* the past is judged already */
        memset(h->failed, 0, sizeof h->failed);
        count(h, true, now_ms);
        return HEALTH_RECOVERED;
    }
    if (h->window && ++h->window >= 1024)
        h->window = 0;
    return HEALTH_SAME;
}

static void plan_probe(struct health *h, int64_t now_ms, uint64_t jitter)
{
    int64_t wait = h->probe_wait_ms;
    h->probe_at_ms = now_ms + wait - wait / 10 + (int64_t)(jitter % (uint64_t)(wait / 5 + 1));
}

bool health_is_troubled(struct health *h, int64_t now_ms)
{
    if (!h->trouble_since_ms)
        return false;
    buckets_move(h, now_ms);
    for (size_t i = 0; i < HEALTH_BUCKETS; i++)
        if (h->ok[i])
            return false;
    return true;
}

void health_probe_now(struct health *h, int64_t now_ms)
{
    if (h->state == HEALTH_FAILING && h->probe_at_ms > now_ms)
        h->probe_at_ms = now_ms;
}

enum health_change health_learn(struct health *h, enum health_outcome outcome, int64_t now_ms,
                                uint64_t jitter)
{
    bool ok = outcome == HEALTH_TAKEN;
    if (!ok && !h->trouble_since_ms)
        h->trouble_since_ms = now_ms;
    if (outcome == HEALTH_REFUSED && h->state == HEALTH_HEALTHY)
        return HEALTH_SAME;
    count(h, ok, now_ms);
    if (h->state == HEALTH_DISABLED)
        return HEALTH_SAME;
    if (ok)
        return on_ok(h, now_ms);
    if (h->streak < UINT16_MAX)
        h->streak++;
    if (h->window > 1)
        h->window /= 2;
    if (h->state == HEALTH_FAILING) {
        if (now_ms >= h->probe_at_ms) { /* else it was under way when the endpoint fell: no probe */
            h->probe_wait_ms =
                h->probe_wait_ms * 2 < PROBE_MAX_MS ? h->probe_wait_ms * 2 : PROBE_MAX_MS;
            plan_probe(h, now_ms, jitter);
        }
        if (now_ms - h->failing_since_ms < HEALTH_GONE_AFTER_MS)
            return HEALTH_SAME;
        h->state = HEALTH_DISABLED;
        return HEALTH_GONE;
    }
    if (h->streak < STREAK_MAX && !mostly_fails(h))
        return HEALTH_SAME;
    h->state = HEALTH_FAILING;
    h->failing_since_ms = now_ms;
    h->probe_wait_ms = PROBE_MIN_MS;
    plan_probe(h, now_ms, jitter);
    return HEALTH_FELL;
}

void health_restore(struct health *h, int64_t failing_since_ms, int64_t now_ms, uint64_t jitter)
{
    *h = (struct health){.state = HEALTH_FAILING,
                         .streak = STREAK_MAX,
                         .probe_wait_ms = PROBE_MIN_MS,
                         .probe_at_ms = now_ms + (int64_t)(jitter % RESTORED_PROBE_MS),
                         .failing_since_ms = failing_since_ms,
                         .trouble_since_ms = failing_since_ms};
}

void health_reset(struct health *h)
{
    int64_t bucket = h->bucket_at;
    *h = (struct health){.bucket_at = bucket, .window = WINDOW_START};
}
