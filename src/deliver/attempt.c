/* attempt: makes one attempt of a delivery: it gets the event (from memory or the store), posts it,
 * judges the outcome and commits the verdict. The lane goes on when that commit is done. Thread of
 * its courier; the commit itself on the writer's. */
#include "deliver/attempt.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/metrics.h"
#include "deliver/disable.h"
#include "deliver/early.h"
#include "deliver/knock.h"
#include "deliver/outage.h"

enum { STORE_RETRY_MS = 1000, SETTLES_FOR_MS = 120000, SETTLES_TRIES = 3 };

struct attempt_job {        /* an attempt, from its start to the end of its commit */
    struct courier_job job; /* first */
    struct courier *courier;
    struct lane *lane;
    struct post *post;
    const struct event *event;        /* from the store, when the item has none */
    struct attempt_job *next, **link; /* in one of the courier's lists */
    bool blocked;
    bool is_retry;
    struct verdict verdict;
    int64_t begun_ms;            /* mono: when the delivery's present schedule began … */
    uint32_t schedule_from;      /* … behind that many attempts */
    int64_t next_ms;             /* mono, for the lane */
    struct delivery_after after; /* for the row; wall times: another process may read them */
    struct timer retry;          /* the store could not take it yet */
};

static const struct item *item_of(const struct attempt_job *j)
{
    return j->lane->head;
}

static void list(struct attempt_job **head, struct attempt_job *j)
{
    j->next = *head;
    j->link = head;
    if (j->next)
        j->next->link = &j->next;
    *head = j;
}

static void unlist(struct attempt_job *j)
{
    if (!j->link)
        return;
    *j->link = j->next;
    if (j->next)
        j->next->link = j->link;
    j->link = NULL;
}

static void job_free(struct attempt_job *j)
{
    j->lane->queue->shard->under_way--;
    unlist(j);
    timer_stop(&j->retry);
    event_drop(&j->event);
    post_free(j->post);
    free(j);
}

static void over(struct attempt_job *j)
{
    slot_free(j->lane->queue, j->is_retry);
    job_free(j);
}

/* Ends the attempt as if it had not been made; the lane waits. */
static void attempt_give_back(struct attempt_job *j, int64_t until_ms)
{
    struct lane *l = j->lane;
    over(j);
    lane_wait(l, until_ms);
}

/* ---- the commit ---- */

static enum err commit_run(struct store_job *job, struct db *db)
{
    struct attempt_job *j = (struct attempt_job *)job;
    const struct item *it = item_of(j);
    struct attempt a = {.delivery_n = it->n,
                        .number = it->attempts + 1,
                        .at_ms = j->post->started_wall_ms,
                        .status = j->post->outcome.status,
                        .err = j->post->outcome.err,
                        .duration_ms = j->post->outcome.duration_ms,
                        .detail = str_of(j->post->outcome.detail),
                        .body = str_of_bytes(j->post->body, j->post->body_n)};
    return attempt_put(db, &a, &j->after);
}

static void submit(struct attempt_job *j);

static void on_store_retry(struct timer *t)
{
    struct attempt_job *j = t->arg;
    unlist(j);
    submit(j);
}

static void submit_later(struct attempt_job *j)
{
    struct courier *c = j->courier;
    list(&c->unwritten, j);
    loop_timer(c->loop, &j->retry, STORE_RETRY_MS, on_store_retry, j);
}

/* Ends the attempt, and the lane goes on; the lane may be gone when this returns. */
static void attempt_end(struct attempt_job *j)
{
    struct courier *c = j->courier;
    struct lane *l = j->lane;
    struct item *it = l->head;
    bool again = j->verdict.kind == VERDICT_RETRY;
    if (!it->first_ms)
        it->first_ms = j->post->started_us / 1000;
    it->begun_ms = j->begun_ms;
    it->schedule_from = j->schedule_from;
    it->attempts++;
    it->next_ms = j->next_ms;
    l->queue->proven = j->post->outcome.status != 0;
    over(j);
    if (again) {
        item_drop_event(c, it);
        lane_wait(l, it->next_ms);
    } else {
        lane_next(c, l);
    }
}

/* Refused again, an event speaks for itself alone; the first time it may be the endpoint that
 * refuses them all. */
static enum health_outcome health_outcome_of(const struct attempt_job *j)
{
    if (j->verdict.kind == VERDICT_DELIVERED)
        return HEALTH_TAKEN;
    return j->is_retry && outcome_refuses_event(&j->post->outcome) ? HEALTH_REFUSED : HEALTH_FAILED;
}

static enum health_change learn(const struct attempt_job *j)
{
    struct queue *t = j->lane->queue;
    int64_t now_ms = loop_now_ms(j->courier->loop);
    bool was_failing = t->health.failing_since_ms != 0, was_shut = knock_found_shut(t);
    enum health_outcome outcome = health_outcome_of(j);
    enum health_change change = health_learn(&t->health, outcome, now_ms, crypto_random_u64());
    if (outcome == HEALTH_TAKEN && was_shut)
        change = HEALTH_RECOVERED;
    if ((was_failing || was_shut) && change == HEALTH_RECOVERED)
        t->back_ms = now_ms;
    if (change == HEALTH_FELL)
        endpoint_tell(t, EVENT_ENDPOINT_FAILING, &j->post->outcome);
    if (was_failing && change == HEALTH_RECOVERED)
        endpoint_tell(t, EVENT_ENDPOINT_RECOVERED, &j->post->outcome);
    knock_learn(t, j->post->unreached);
    bool in_trouble = !j->verdict.disable_endpoint && health_is_troubled(&t->health, now_ms);
    if (was_failing || change != HEALTH_SAME || t->saved || in_trouble)
        outage_save(t, &j->post->outcome, j->post->started_wall_ms, j->next_ms);
    return change;
}

static void on_committed(struct courier_job *job)
{
    struct attempt_job *j = (struct attempt_job *)job;
    struct courier *c = j->courier;
    struct queue *t = j->lane->queue;
    bool disable = j->verdict.disable_endpoint;
    enum health_change change = HEALTH_SAME;
    if (job->job.err != OK && !c->stopping) {
        submit_later(j);
        return;
    }
    if (!j->blocked)
        change = learn(j);
    attempt_end(j);
    if (change == HEALTH_RECOVERED)
        lanes_all_due(t);
    if (change == HEALTH_FELL)
        log_warn("deliver", "endpoint %llu is failing: probed from now on",
                 (unsigned long long)t->endpoint);
    if (change == HEALTH_GONE || disable)
        endpoint_disable(c, t->endpoint,
                         disable ? "it answered 410 Gone" : "it failed for five days");
    queue_turn(t);
    queue_touch(t);
}

static void submit(struct attempt_job *j)
{
    j->job = (struct courier_job){.job.run = commit_run, .done = on_committed};
    if (courier_write(j->courier, &j->job) != OK)
        submit_later(j);
}

/* ---- the verdict ---- */

/* Did we lack a descriptor or memory? Then the outcome says nothing of the endpoint, and we wait.
 */
static bool is_ours(const struct outcome *o)
{
    return o->err == ERR_FULL || o->err == ERR_NOMEM;
}

static void set_verdict(struct attempt_job *j, struct verdict v)
{
    static const enum delivery_state state[] = {[VERDICT_DELIVERED] = DELIVERY_DELIVERED,
                                                [VERDICT_RETRY] = DELIVERY_PENDING,
                                                [VERDICT_GIVE_UP] = DELIVERY_GIVEN_UP};
    int64_t now = loop_now_ms(j->courier->loop);
    j->verdict = v;
    j->next_ms = v.kind == VERDICT_RETRY ? now + v.wait_ms : 0;
    j->after =
        (struct delivery_after){.state = state[v.kind],
                                .next_at_ms = clock_wall_of(j->next_ms),
                                .schedule_from = j->schedule_from,
                                .begun_at_ms = j->schedule_from ? clock_wall_of(j->begun_ms) : 0,
                                .under = j->lane->queue->shard->hold};
}

/* Does the schedule begin again with this attempt? It does when the endpoint came back from an
 * outage since the schedule began, because the attempts before say nothing then. While it settles,
 * for two minutes, each third attempt begins it again: a receiver just back often refuses some, and
 * nothing should wait long for that. It does not for ever, since an event that the endpoint never
 * takes may be the only cause of the outage. */
static bool schedule_begins_again(const struct attempt_job *j, int64_t now_ms)
{
    const struct item *it = item_of(j);
    int64_t back_ms = j->lane->queue->back_ms;
    if (!it->attempts || !back_ms || now_ms - it->first_ms >= HEALTH_GONE_AFTER_MS)
        return false;
    return it->begun_ms < back_ms || (now_ms - back_ms < SETTLES_FOR_MS &&
                                      it->attempts - it->schedule_from >= SETTLES_TRIES - 1);
}

static void judge_by(struct attempt_job *j, const struct retry *r)
{
    const struct item *it = item_of(j);
    int64_t now = loop_now_ms(j->courier->loop);
    bool again = schedule_begins_again(j, now);
    j->begun_ms = again ? now : it->begun_ms ? it->begun_ms : j->post->started_us / 1000;
    j->schedule_from = again ? it->attempts : it->schedule_from;
    set_verdict(j, verdict_of(&j->post->outcome, r, it->attempts + 1 - j->schedule_from,
                              now - j->begun_ms, crypto_random_u64()));
}

static void judge(struct attempt_job *j)
{
    struct courier *c = j->courier;
    if (is_ours(&j->post->outcome)) {
        log_sparse(LOG_WARN, 5000, "deliver", "deliveries wait: %s", j->post->outcome.detail);
        attempt_give_back(j, loop_now_ms(c->loop) + STORE_RETRY_MS);
        return;
    }
    const struct book *book = courier_book(c);
    const struct book_endpoint *ep = book_endpoint(book, j->lane->queue->endpoint);
    if (ep)
        judge_by(j, ep->set->retry ? ep->set->retry : &retry_default);
    else
        set_verdict(j, (struct verdict){.kind = VERDICT_GIVE_UP});
    j->blocked = j->post->outcome.err == ERR_BLOCKED;
    metric_add(j->verdict.kind == VERDICT_DELIVERED ? METRIC_DELIVERIES_OK
               : j->blocked                         ? METRIC_DELIVERIES_BLOCKED
               : j->verdict.kind == VERDICT_RETRY   ? METRIC_DELIVERIES_RETRY
                                                    : METRIC_DELIVERIES_GIVEN_UP,
               1);
    submit(j);
}

/* ---- the exchange ---- */

static void on_post_done(void *arg)
{
    struct attempt_job *j = arg;
    unlist(j);
    judge(j);
}

static void wait_for_post(struct attempt_job *j)
{
    j->post->on_done = on_post_done;
    j->post->arg = j;
    list(&j->courier->attempts, j);
}

/* ---- the event ---- */

/* Reads the event and its delivery again, so that no event is sent that was canceled or deleted
 * since it came into memory (its number's data erased, its retention over). */
static enum err event_run(struct store_job *job, struct db *db)
{
    struct attempt_job *j = (struct attempt_job *)job;
    struct event *e = NULL;
    struct delivery d;
    event_drop(&j->event);
    enum err err = delivery_get(db, item_of(j)->n, &d);
    if (err == OK && d.state != DELIVERY_PENDING)
        err = ERR_CANCELED;
    if (err == OK)
        err = event_get(db, item_of(j)->event_n, &e);
    j->event = e;
    return err;
}

static void drop(struct attempt_job *j)
{
    struct courier *c = j->courier;
    struct lane *l = j->lane;
    struct queue *t = l->queue;
    over(j);
    lane_next(c, l);
    queue_turn(t);
    queue_touch(t);
}

/* Gives up a delivery whose event can never be read, or made into a body; its lane goes on. This
 * says nothing of the endpoint. */
static void attempt_give_up(struct attempt_job *j, enum err err)
{
    log_error("deliver", "event %lld cannot be sent: %s", (long long)item_of(j)->event_n,
              err_text(err));
    set_verdict(j, (struct verdict){.kind = VERDICT_GIVE_UP});
    j->blocked = true;
    metric_add(METRIC_DELIVERIES_GIVEN_UP, 1);
    submit(j);
}

static void exchange_start(struct attempt_job *j)
{
    enum err err = post_start(j->post);
    if (err == OK)
        wait_for_post(j);
    else if (j->post->unfit)
        attempt_give_up(j, err);
    else
        judge(j);
}

static void on_event(struct courier_job *job)
{
    struct attempt_job *j = (struct attempt_job *)job;
    struct courier *c = j->courier;
    if (c->stopping) {
        attempt_give_back(j, 0);
    } else if (err_class(job->job.err) == ERR_CLASS_GONE) {
        drop(j);
    } else if (err_is_final(job->job.err)) {
        post_fail(j->post, job->job.err, "the stored event cannot be read");
        attempt_give_up(j, job->job.err);
    } else if (job->job.err != OK) {
        attempt_give_back(j, loop_now_ms(c->loop) +
                                 STORE_RETRY_MS); /* our trouble, not the endpoint's */
    } else {
        j->post->event = j->event;
        j->event = NULL;
        exchange_start(j);
    }
}

static struct attempt_job *job_new(struct lane *l)
{
    struct attempt_job *j = calloc(1, sizeof *j);
    if (j) {
        l->queue->shard->under_way++;
        j->courier = l->queue->courier;
        j->lane = l;
        j->is_retry = l->head->attempts > 0;
    }
    return j;
}

void attempt_start(struct lane *l)
{
    struct courier *c = l->queue->courier;
    const struct item *it = l->head;
    struct attempt_job *j = job_new(l);
    if (j)
        j->post = post_new(c, l->queue->endpoint, it->sequence, it->attempts + 1);
    if (!j || !j->post) {
        l->queue->shard->under_way -= j != NULL;
        free(j);
        slot_free(l->queue, it->attempts > 0);
        lane_wait(l, loop_now_ms(c->loop) + STORE_RETRY_MS);
        return;
    }
    j->post->tell = early_waits(c, l->key.lane, l->key.endpoint);
    if (it->event) {
        j->post->event = event_hold(it->event);
        exchange_start(j);
        return;
    }
    j->job = (struct courier_job){.job.run = event_run, .done = on_event};
    if (courier_read(c, &j->job) != OK)
        attempt_give_back(j, loop_now_ms(c->loop) + STORE_RETRY_MS);
}

void attempt_adopt(struct lane *l, struct post **post)
{
    struct attempt_job *j = job_new(l);
    if (!j) {
        post_free(*post);
        slot_free(l->queue, false);
        lane_ready(l);
    } else if ((j->post = *post)->done) {
        judge(j);
    } else {
        wait_for_post(j);
    }
    *post = NULL;
}

void attempts_cancel(struct courier *c)
{
    while (c->attempts)
        attempt_give_back(c->attempts, 0);
}

/* Frees the attempts; their lanes end with the courier. */
void attempts_free(struct courier *c)
{
    while (c->unwritten)
        job_free(c->unwritten);
}
