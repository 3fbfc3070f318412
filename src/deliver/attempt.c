/* attempt: one delivery's one try: its event (from memory or the store), the body in the endpoint's
 * format, the signature over exactly those bytes, the exchange, the verdict, and the commit of it.
 * The lane goes on when that commit is done. Thread of its courier; the commit itself on the
 * writer's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/metrics.h"
#include "deliver/courier.h"

enum { HEADERS_MAX = 64 * 1024, STORE_RETRY_MS = 1000 };

struct attempt_job {      /* an attempt, from its start to the end of its commit */
    struct store_job job; /* first */
    struct courier *courier;
    struct lane *lane;
    const struct event *event; /* from the store, when the item has none */
    struct http_exchange *exchange;
    struct attempt_job *next, **link;
    int64_t started_wall_ms, started_us;
    bool fallback; /* this exchange goes to the second URL */
    bool blocked;
    bool is_retry;
    struct outcome outcome;
    struct verdict verdict;
    int64_t next_at_ms;
    char *body; /* what the receiver said */
    size_t body_n;
    struct timer retry; /* the store could not take it yet */
};

static const struct item *item_of(const struct attempt_job *j)
{
    return j->lane->head;
}

static void job_free(struct attempt_job *j)
{
    timer_stop(&j->retry);
    event_drop(&j->event);
    free(j->body);
    free(j);
}

static void over(struct attempt_job *j)
{
    slot_free(j->courier, j->lane->queue, j->is_retry);
    job_free(j);
}

/* Nothing came of it: the lane waits, as if it had not been tried. */
static void give_back(struct attempt_job *j, int64_t until_ms)
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
    static const enum delivery_state state[] = {[VERDICT_DELIVERED] = DELIVERY_DELIVERED,
                                                [VERDICT_RETRY] = DELIVERY_PENDING,
                                                [VERDICT_GIVE_UP] = DELIVERY_GIVEN_UP};
    struct attempt a = {.delivery_n = it->n,
                        .number = it->attempts + 1,
                        .at_ms = j->started_wall_ms,
                        .status = j->outcome.status,
                        .err = j->outcome.err,
                        .duration_ms = j->outcome.duration_ms,
                        .detail = str_of(j->outcome.detail),
                        .body = str_of_bytes(j->body, j->body_n)};
    return attempt_put(db, &a, state[j->verdict.kind], j->next_at_ms);
}

static void submit(struct attempt_job *j);

static void on_store_retry(struct timer *t)
{
    submit(t->arg);
}

static void on_committed(struct store_job *job)
{
    struct attempt_job *j = (struct attempt_job *)job;
    struct courier *c = j->courier;
    struct lane *l = j->lane;
    struct item *it = l->head;
    struct queue *t = l->queue;
    if (j->job.err != OK && !c->stopping) {
        loop_timer(c->loop, &j->retry, STORE_RETRY_MS, on_store_retry, j);
        courier_job_done(c);
        return;
    }
    enum verdict_kind kind = j->verdict.kind;
    bool disable = j->verdict.disable_endpoint;
    uint64_t endpoint = t->endpoint;
    bool ok = kind == VERDICT_DELIVERED;
    enum health_change change = HEALTH_SAME;
    if (!j->blocked)
        change = health_learn(&t->health, ok, loop_now_ms(c->loop), clock_wall_ms(),
                              crypto_random_u64());
    if (!it->first_at_ms)
        it->first_at_ms = j->started_wall_ms;
    it->attempts++;
    it->next_at_ms = j->next_at_ms;
    t->proven = j->outcome.status != 0;
    over(j);
    if (kind == VERDICT_RETRY) {
        if (it->event)
            c->events_held--;
        event_drop(&it->event);
        lane_wait(l, it->next_at_ms);
    } else {
        lane_next(c, l);
    }
    if (change == HEALTH_RECOVERED)
        queue_recovered(t);
    if (change != HEALTH_SAME)
        outage_save(t);
    if (change == HEALTH_FELL)
        log_warn("deliver", "endpoint %llu is failing: probed from now on",
                 (unsigned long long)endpoint);
    if (change == HEALTH_GONE || disable)
        endpoint_disable(c, endpoint, disable ? "it answered 410 Gone" : "it failed for five days");
    queue_turn(t);
    queue_plan(t);
    dispatch(c);
    courier_job_done(c);
}

static void submit(struct attempt_job *j)
{
    struct courier *c = j->courier;
    j->job =
        (struct store_job){.run = commit_run, .done = on_committed, .home = loop_mailbox(c->loop)};
    c->jobs_out++;
    if (store_write(c->deliver->c.store, &j->job) == OK)
        return;
    c->jobs_out--;
    loop_timer(c->loop, &j->retry, STORE_RETRY_MS, on_store_retry, j);
}

/* ---- the verdict ---- */

static void judge(struct attempt_job *j)
{
    struct courier *c = j->courier;
    const struct item *it = item_of(j);
    const struct book *book = book_take(c->deliver->c.books);
    const struct book_endpoint *ep = book_endpoint(book, j->lane->queue->endpoint);
    int64_t now = clock_wall_ms();
    int64_t age = it->first_at_ms ? now - it->first_at_ms : now - j->started_wall_ms;
    j->outcome.duration_ms = (clock_mono_us() - j->started_us) / 1000;
    if (ep) {
        const struct retry *r = ep->set->has_retry ? &ep->set->retry : &retry_default;
        j->verdict = verdict_of(&j->outcome, r, it->attempts + 1, age, crypto_random_u64());
    } else {
        j->verdict = (struct verdict){.kind = VERDICT_GIVE_UP};
    }
    j->next_at_ms = j->verdict.kind == VERDICT_RETRY ? now + j->verdict.wait_ms : 0;
    j->blocked = j->outcome.err == ERR_BLOCKED;
    metric_add(j->verdict.kind == VERDICT_DELIVERED ? METRIC_DELIVERIES_OK
               : j->blocked                         ? METRIC_DELIVERIES_BLOCKED
               : j->verdict.kind == VERDICT_RETRY   ? METRIC_DELIVERIES_RETRY
                                                    : METRIC_DELIVERIES_GIVEN_UP,
               1);
    metric_observe_us(METRIC_ATTEMPT_TIME, clock_mono_us() - j->started_us);
    book_drop(&book);
    submit(j);
}

static void fail(struct attempt_job *j, enum err err, const char *detail)
{
    j->outcome = (struct outcome){.err = err, .retry_after_sec = -1};
    snprintf(j->outcome.detail, sizeof j->outcome.detail, "%s", detail);
    judge(j);
}

/* ---- the exchange ---- */

static void exchange_start(struct attempt_job *j);

static bool may_fall_back(const struct attempt_job *j, const struct http_result *r)
{
    return !j->fallback && r->status == 0 &&
           (r->err == ERR_UNREACHABLE || r->err == ERR_DNS || r->err == ERR_TIMEOUT ||
            r->err == ERR_TLS || r->err == ERR_RESET);
}

static bool has_fallback(const struct attempt_job *j)
{
    const struct book *book = book_take(j->courier->deliver->c.books);
    const struct book_endpoint *ep = book_endpoint(book, j->lane->queue->endpoint);
    bool has = ep && ep->fallback.host[0];
    book_drop(&book);
    return has;
}

/* The first answer of a control endpoint may route the call. */
static void tell_control(const struct attempt_job *j, const struct event *e,
                         const struct http_result *r)
{
    const struct deliver_config *dc = &j->courier->deliver->c;
    const struct book *book = book_take(dc->books);
    const struct book_endpoint *ep = book_endpoint(book, j->lane->queue->endpoint);
    if (ep && ep->set->control && dc->on_control)
        dc->on_control(dc->control_arg, e->call_id, r->err == OK ? r->status : 0, r->body);
    book_drop(&book);
}

static void on_done(void *arg, const struct http_result *r)
{
    struct attempt_job *j = arg;
    const struct event *e = item_of(j)->event ? item_of(j)->event : j->event;
    j->exchange = NULL;
    *j->link = j->next;
    if (j->next)
        j->next->link = j->link;
    if (item_of(j)->attempts == 0 && e->seen_mono_us && r->sent_mono_us)
        metric_observe_us(METRIC_EVENT_TO_REQUEST, r->sent_mono_us - e->seen_mono_us);
    if (e->kind == EVENT_INCOMING_CALL && item_of(j)->attempts == 0)
        tell_control(j, e, r);
    if (may_fall_back(j, r) && has_fallback(j)) {
        j->fallback = true;
        exchange_start(j);
        return;
    }
    j->outcome =
        (struct outcome){.status = r->status, .err = r->err, .retry_after_sec = r->retry_after_sec};
    snprintf(j->outcome.detail, sizeof j->outcome.detail, "%s", r->detail);
    if (r->body.n && (j->body = malloc(r->body.n))) {
        /* the store holds text: what is no UTF-8 is shown as ? */
        for (size_t i = 0, k; i < r->body.n; i += k ? k : 1) {
            k = str_utf8_at(r->body, i);
            bool keep = k && (unsigned char)r->body.p[i];
            for (size_t n = 0; n < (k ? k : 1); n++)
                j->body[j->body_n++] = keep ? r->body.p[i + n] : '?';
        }
    }
    judge(j);
}

static void put_line(struct buf *b, const char *name, struct str value)
{
    buf_puts(b, name);
    buf_puts(b, ": ");
    buf_put_str(b, value);
    buf_puts(b, "\r\n");
}

void request_put_headers(struct buf *b, const struct book_endpoint *ep, const struct event *e,
                         unsigned attempt, int64_t now_ms, struct str body)
{
    int64_t now_sec = now_ms / 1000;
    put_line(b, "Content-Type", str_of(body_content_type(ep->set->format)));
    buf_puts(b, "User-Agent: hookswitch/" HOOKSWITCH_VERSION "\r\nAccept: */*\r\n");
    put_line(b, "webhook-id", e->id);
    buf_printf(b, "webhook-timestamp: %lld\r\nwebhook-attempt: %u\r\nwebhook-signature: ",
               (long long)now_sec, attempt);
    size_t n = ep->n_secrets;
    if (n == 2 && ep->set->secret_old_until_ms <= now_ms)
        n = 1; /* the rotation ended since the book was made */
    signature_print(ep->secret, n, e->id, now_sec, body, b);
    buf_puts(b, "\r\n");
    for (size_t i = 0; i < ep->set->n_headers; i++)
        put_line(b, ep->set->header[i][0], str_of(ep->set->header[i][1]));
}

static enum err send_request(struct attempt_job *j, const struct book_endpoint *ep)
{
    struct courier *c = j->courier;
    const struct item *it = item_of(j);
    const struct event *e = it->event ? it->event : j->event;
    struct buf body, headers;
    buf_init(&body, EVENT_PAYLOAD_MAX * 3);
    buf_init(&headers, HEADERS_MAX);
    enum err err =
        payload_body(e->payload, ep->set->format, it->sequence, ep->set->sip_headers, &body);
    if (err == OK)
        request_put_headers(&headers, ep, e, it->attempts + 1, j->started_wall_ms, buf_str(&body));
    if (err == OK && (err = body.err) == OK && (err = headers.err) == OK) {
        struct http_post p = {.url = j->fallback ? &ep->fallback : &ep->url,
                              .headers = buf_str(&headers),
                              .body = buf_str(&body),
                              .timeout_ms = ep->set->timeout_ms ? ep->set->timeout_ms
                                                                : c->deliver->c.timeout_ms,
                              .owner = ep->account};
        err = http_client_post(c->http, &p, on_done, j, &j->exchange);
    }
    buf_fini(&body);
    buf_fini(&headers);
    return err;
}

static void exchange_start(struct attempt_job *j)
{
    struct courier *c = j->courier;
    const struct book *book = book_take(c->deliver->c.books);
    const struct book_endpoint *ep = book_endpoint(book, j->lane->queue->endpoint);
    enum err err = ep ? send_request(j, ep) : ERR_NOT_FOUND;
    book_drop(&book);
    if (err == OK) {
        j->next = c->attempts;
        j->link = &c->attempts;
        if (j->next)
            j->next->link = &j->next;
        c->attempts = j;
    } else {
        fail(j, err, ep ? err_text(err) : "the endpoint was deleted");
    }
}

/* ---- the event ---- */

static enum err event_run(struct store_job *job, struct db *db)
{
    struct attempt_job *j = (struct attempt_job *)job;
    struct event *e = NULL;
    event_drop(&j->event);
    enum err err = event_get(db, item_of(j)->event_n, &e);
    j->event = e;
    return err;
}

static void on_event(struct store_job *job)
{
    struct attempt_job *j = (struct attempt_job *)job;
    struct courier *c = j->courier;
    if (c->stopping) {
        give_back(j, 0);
    } else if (j->job.err != OK) {
        fail(j, j->job.err, "the event could not be read");
    } else {
        exchange_start(j);
    }
    courier_job_done(c);
}

void attempt_start(struct courier *c, struct lane *l)
{
    struct attempt_job *j = calloc(1, sizeof *j);
    if (!j) {
        slot_free(c, l->queue, l->head->attempts > 0);
        lane_wait(l, clock_wall_ms() + STORE_RETRY_MS);
        return;
    }
    j->courier = c;
    j->lane = l;
    j->is_retry = l->head->attempts > 0;
    j->started_wall_ms = clock_wall_ms();
    j->started_us = clock_mono_us();
    if (l->head->event) {
        exchange_start(j);
        return;
    }
    j->job = (struct store_job){.run = event_run, .done = on_event, .home = loop_mailbox(c->loop)};
    c->jobs_out++;
    if (store_read(c->deliver->c.store, &j->job) != OK) {
        c->jobs_out--;
        give_back(j, clock_wall_ms() + STORE_RETRY_MS);
    }
}

/* What has not ended in time is not written down: it is tried again after the start. */
void attempts_cancel(struct courier *c)
{
    while (c->attempts) {
        struct attempt_job *j = c->attempts;
        c->attempts = j->next;
        if (j->next)
            j->next->link = &c->attempts;
        http_cancel(j->exchange);
        give_back(j, 0);
    }
}
