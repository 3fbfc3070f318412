/* Says when a delivery is tried again, and when it is given up (CONTRACT §3). Pure: randomness and
 * time are arguments. */
#pragma once
#include "base/json.h"

enum {
    RETRY_STEPS_MAX = 32,
    RETRY_STEP_MAX_SEC = 7 * 24 * 3600,
    RETRY_AFTER_MAX_SEC = 24 * 3600,
    RETRY_JITTER_PERCENT = 20,
};
#define RETRY_WAIT_MAX_MS                                                                          \
    (RETRY_STEP_MAX_SEC * (1000ll + 10 * RETRY_JITTER_PERCENT)) /* of all waits */

struct retry {
    uint8_t n; /* waits before attempt 2, 3 …; the last one repeats */
    uint32_t wait_sec[RETRY_STEPS_MAX];
    uint32_t give_up_after_sec; /* counted from the first attempt */
};

extern const struct retry
    retry_default; /* 1 5 30 120 600 1800 3600 7200 14400 28800 43200…, 72 h */

/* Gives the milliseconds to wait after attempt number `attempt` (1, 2 …) failed, `age_ms` after the
 * first one; `random` gives ±20 %. `retry_after_sec` < 0: the receiver gave none. Returns -1 to
 * give up. */
int64_t retry_wait_ms(const struct retry *r, unsigned attempt, int64_t age_ms,
                      int64_t retry_after_sec, uint64_t random);
/* {"schedule_s":[1,5,30],"give_up_after_s":259200}; ret_why for people. */
MUST_USE enum err retry_of_json(const struct json *doc, struct retry *ret, const char **ret_field,
                                const char **ret_why);
void retry_print(const struct retry *r, struct buf *out);
