/* partial: sends out the messages whose missing parts never came, in the order of their time. Each
 * goes out as partial with the parts it has, in chunks that take the writer about ten milliseconds.
 * A set that went out long enough ago is deleted. A reader finds the sets; the writer looks at each
 * again, because a part may have come since. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "hub/chores/kinds.h"
#include "hub/join.h"

enum {
    CHUNK_MIN = 50,
    CHUNK_MAX = 500,
    CHUNK_US = 10000, /* of the writer's own time, without the sync, which others share */
    REST_TIMES = 2,
    IDLE_MIN_MS = 100,
    IDLE_MAX_MS = 30000,
};

struct partial_sender {
    struct chore chore; /* first */
    int64_t n[CHUNK_MAX];
    size_t count, chunk;
    int64_t now_ms, next_ms; /* steady time (base/clock.h); next_ms: when the next set is due */
    int64_t worked_us;
    struct joined_events joined;
};

static bool partial_on_due(void *arg, int64_t n, int64_t ends_at_ms)
{
    struct partial_sender *p = arg;
    if (ends_at_ms > p->now_ms) {
        p->next_ms = ends_at_ms < p->next_ms ? ends_at_ms : p->next_ms;
        return false;
    }
    p->n[p->count++] = n;
    return p->count < p->chunk;
}

static enum err partial_look(struct chore *c, struct db *db)
{
    struct partial_sender *p = (struct partial_sender *)c;
    p->count = 0;
    p->now_ms = clock_wall_ms() - clock_moved_ms();
    p->next_ms = INT64_MAX;
    enum err err = sms_set_list_due(db, SMS_SET_WAITING, (unsigned)p->chunk, partial_on_due, p);
    if (err == OK && p->count < p->chunk)
        err =
            sms_set_list_due(db, SMS_SET_DONE, (unsigned)(p->chunk - p->count), partial_on_due, p);
    return err;
}

static enum err partial_end_one(struct partial_sender *p, const struct joiner *by, struct db *db,
                                int64_t n)
{
    struct sms_set s;
    enum err err = sms_set_get(db, n, &s);
    if (err == ERR_NOT_FOUND || (err == OK && s.ends_at_ms > p->now_ms))
        return OK;
    if (err_is_final(err)) {
        log_error("messages", "set %lld cannot be read and is dropped: %s", (long long)n,
                  err_text(err));
        s = (struct sms_set){.n = n, .state = SMS_SET_DONE}; /* no account is charged for it */
        return sms_set_delete(db, &s);
    }
    if (err != OK)
        return err;
    return s.state == SMS_SET_WAITING ? join_end(by, db, &s, clock_wall_ms(), &p->joined)
                                      : sms_set_delete(db, &s);
}

static enum err partial_end_all(struct chore *c, struct db *db)
{
    struct partial_sender *p = (struct partial_sender *)c;
    const struct housekeeper_config *hc = c->config;
    const struct joiner by = {.intake = hc->intake, .books = hc->books, .join_ms = hc->join_ms};
    bool done;
    int64_t from_us = clock_mono_us();
    enum err err = joined_begin(&p->joined, db, &done);
    for (size_t i = 0; err == OK && !done && i < p->count; i++)
        err = partial_end_one(p, &by, db, p->n[i]);
    p->worked_us = clock_mono_us() - from_us;
    return err;
}

static void partial_on_committed(struct chore *c)
{
    joined_tell(&((struct partial_sender *)c)->joined);
}

static void partial_after_end(struct chore *c, enum err err)
{
    struct partial_sender *p = (struct partial_sender *)c;
    joined_fini(&p->joined);
    if (err != OK) {
        chore_rest(c, CHORE_RETRY_MS);
        return;
    }
    int64_t rest_ms = REST_TIMES * p->worked_us / 1000;
    if (p->worked_us > CHUNK_US)
        p->chunk = p->chunk / 2 > CHUNK_MIN ? p->chunk / 2 : CHUNK_MIN;
    else if (p->worked_us < CHUNK_US / 2)
        p->chunk = p->chunk * 2 < CHUNK_MAX ? p->chunk * 2 : CHUNK_MAX;
    chore_rest(c, rest_ms > CHORE_REST_MIN_MS ? rest_ms : CHORE_REST_MIN_MS);
}

/* Rests until the next set is due. A set that begins meanwhile is due join_ms later, or after that.
 */
static void partial_rest(struct partial_sender *p)
{
    int64_t most = p->chore.config->join_ms, ms = p->next_ms - p->now_ms;
    if (most > IDLE_MAX_MS)
        most = IDLE_MAX_MS;
    if (ms > most)
        ms = most;
    chore_rest(&p->chore, p->chore.woken ? 0 : ms > IDLE_MIN_MS ? ms : IDLE_MIN_MS);
}

static void partial_after_look(struct chore *c, enum err err)
{
    struct partial_sender *p = (struct partial_sender *)c;
    if (err != OK)
        chore_rest(c, CHORE_RETRY_MS);
    else if (p->count)
        chore_write(c, partial_end_all, partial_on_committed, partial_after_end);
    else
        partial_rest(p);
}

static void partial_begin(struct chore *c)
{
    c->woken = false;
    chore_read(c, partial_look, partial_after_look);
}

struct chore *partial_chore(void)
{
    struct partial_sender *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->chore.begin = partial_begin;
    p->chunk = CHUNK_MIN;
    return &p->chore;
}
