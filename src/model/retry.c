/* retry: computes the waits of a retry schedule (CONTRACT §3). Pure. */
#include "model/retry.h"

#include "base/json.h"

enum { HOUR = 3600, GIVE_UP_MAX_SEC = 30 * 24 * HOUR };

const struct retry retry_default = {
    .n = 11,
    .wait_sec = {1, 5, 30, 120, 600, 1800, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 12 * HOUR},
    .give_up_after_sec = 72 * HOUR,
};

int64_t retry_wait_ms(const struct retry *r, unsigned attempt, int64_t age_ms,
                      int64_t retry_after_sec, uint64_t random)
{
    ASSERT(r->n > 0 && attempt > 0);
    unsigned step = attempt - 1 < r->n ? attempt - 1 : r->n - 1u;
    int64_t wait_ms = (int64_t)r->wait_sec[step] * 1000;
    int64_t swing = wait_ms * RETRY_JITTER_PERCENT / 100;
    wait_ms += swing ? (int64_t)(random % (uint64_t)(2 * swing + 1)) - swing : 0;
    if (retry_after_sec > RETRY_AFTER_MAX_SEC)
        retry_after_sec = RETRY_AFTER_MAX_SEC;
    if (retry_after_sec >= 0 && retry_after_sec * 1000 > wait_ms)
        wait_ms = retry_after_sec * 1000;
    return age_ms + wait_ms > (int64_t)r->give_up_after_sec * 1000 ? -1 : wait_ms;
}

static enum err schedule_parse(const struct json *list, struct retry *r)
{
    int64_t v;
    size_t n = list && json_kind(list) == JSON_IS_ARRAY ? json_len(list) : 0;
    if (n < 1 || n > RETRY_STEPS_MAX)
        return ERR_INVALID;
    for (size_t i = 0; i < n; i++) {
        if (!json_int(json_at(list, i), &v) || v < 1 || v > RETRY_STEP_MAX_SEC)
            return ERR_INVALID;
        r->wait_sec[i] = (uint32_t)v;
    }
    r->n = (uint8_t)n;
    return OK;
}

enum err retry_of_json(const struct json *doc, struct retry *ret, const char **ret_field,
                       const char **ret_why)
{
    struct str key;
    const struct json *v;
    int64_t sec;
    *ret = retry_default;
    *ret_field = "retry";
    *ret_why = "an object with schedule_s and give_up_after_s";
    if (json_kind(doc) != JSON_IS_OBJECT)
        return ERR_INVALID;
    for (void *it = NULL; json_next(doc, &it, &key, &v);) {
        if (str_eq(key, STR("schedule_s"))) {
            *ret_field = "retry.schedule_s";
            *ret_why = "an array of 1 to 32 waits of 1 to 604800 seconds";
            if (schedule_parse(v, ret) != OK)
                return ERR_INVALID;
        } else if (str_eq(key, STR("give_up_after_s"))) {
            *ret_field = "retry.give_up_after_s";
            *ret_why = "a whole number from 0 to 2592000";
            if (!json_int(v, &sec) || sec < 0 || sec > GIVE_UP_MAX_SEC)
                return ERR_INVALID;
            ret->give_up_after_sec = (uint32_t)sec;
        } else {
            *ret_field = "retry";
            *ret_why = "an object with schedule_s and give_up_after_s";
            return ERR_INVALID;
        }
    }
    return OK;
}

void retry_print(const struct retry *r, struct buf *out)
{
    struct json_writer w = {out, false};
    json_obj(&w, NULL);
    json_arr(&w, "schedule_s");
    for (unsigned i = 0; i < r->n; i++)
        json_put_i64(&w, NULL, r->wait_sec[i]);
    json_end_arr(&w);
    json_put_i64(&w, "give_up_after_s", r->give_up_after_sec);
    json_end_obj(&w);
}
