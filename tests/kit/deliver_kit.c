/* deliver_kit: puts delivery together as daemon/daemon.c does, over a store without threads, a loop
 * that stands still, and the HTTP client of kit_posts.c; starts, stops, and moves the time. */
#include "deliver_kit.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "deliver_kit_own.h"
#include "still.h"
#include "store/rows/events.h"
#include "store/rows/settings.h"

enum { TURNS_MAX = 100000, WALL_MS = 1700000000 };

struct deliver_kit deliver_kit;
static struct mailbox *home; /* of the answers to intake */

/* Linked by --wrap in place of crypto's: the shortest jitter. */
uint64_t __wrap_crypto_random_u64(void);
uint64_t __wrap_crypto_random_u64(void)
{
    return 0;
}

/* deliver_stop waits for its courier's thread, which here is this one. */
int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m);
int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
    pthread_mutex_unlock(m);
    deliver_kit_advance(1);
    pthread_mutex_lock(m);
    return 0;
}

/* The still loop has no thread. */
enum err loop_start(struct loop *l)
{
    return OK;
}

void loop_stop(struct loop *l)
{
}

static struct loop *loop_of_courier(void)
{
    return deliver_kit.deliver ? deliver_kit.deliver->courier[0].loop : NULL;
}

void deliver_kit_turn(void)
{
    for (int i = 0; loop_of_courier(); i++) {
        loop_turn(loop_of_courier(), 0);
        if (!deliver_kit.store_held)
            store_turn(deliver_kit.store);
        if (still_loop_is_idle(loop_of_courier()))
            return;
        assert_true(i < TURNS_MAX);
    }
    store_turn(deliver_kit.store);
}

void deliver_kit_advance(int64_t ms)
{
    while (ms > 0) {
        int64_t next = still_next_ms(loop_of_courier());
        int64_t step = next == 0 ? 1 : next > 0 && next < ms ? next : ms;
        clock_advance(step);
        ms -= step;
        deliver_kit_turn();
    }
}

static void on_stored(void *arg, const struct stored *s)
{
    if (deliver_kit.deliver)
        deliver_on_stored(deliver_kit.deliver, s);
}

static void start(void)
{
    const struct deliver_config c = {.store = deliver_kit.store,
                                     .books = deliver_kit.books,
                                     .intake = deliver_kit.intake,
                                     .guard = deliver_kit.guard,
                                     .couriers = 1,
                                     .timeout_ms = 15000};
    assert_ok(deliver_start(&c, &deliver_kit.deliver));
    deliver_kit_turn();
}

void deliver_kit_begin(void)
{
    char why[256] = "";
    const struct store_config c = {
        .url = "sqlite::memory:", .engine = &engine_faulty, .by_hand = true};
    assert_ok(crypto_start());
    log_level_set(LOG_ERROR + 1);
    clock_fake(WALL_MS * INT64_C(1000));
    clock_advance(3600000); /* mono time 0 means "never" */
    fault_disarm();
    assert_ok(store_open(&c, &deliver_kit.store, why, sizeof why));
    assert_ok(books_open(deliver_kit.store, &deliver_kit.books));
    assert_ok(intake_new(deliver_kit.store, on_stored, NULL, &deliver_kit.intake));
    assert_ok(guard_new("", &deliver_kit.guard));
    start();
}

static void stop(void)
{
    struct deliver *d = deliver_kit.deliver;
    deliver_kit.store_held = false;
    if (home)
        mail_open_all(mailbox_take(home));
    deliver_stop(d, 0);
    deliver_kit.deliver = NULL;
}

void deliver_kit_restart(void)
{
    stop();
    start();
}

void deliver_kit_end(void)
{
    stop();
    assert_int_equal(post_count_open(), 0);
    kit_posts_reset();
    guard_free(deliver_kit.guard);
    intake_free(deliver_kit.intake);
    books_close(deliver_kit.books);
    store_close(deliver_kit.store);
    deliver_kit = (struct deliver_kit){0};
}

struct setting_job {
    struct store_job job;
    struct setting s;
};

static enum err setting_run(struct store_job *job, struct db *db)
{
    return setting_put(db, &((struct setting_job *)job)->s);
}

uint64_t deliver_kit_endpoint(uint64_t account, const char *more)
{
    static unsigned made;
    char id[ID_SIZE], doc[1024];
    snprintf(id, sizeof id, "ep_%u", ++made);
    snprintf(doc, sizeof doc,
             "{\"url\":\"https://ep%u.example/\","
             "\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"%s}",
             made, more);
    struct setting_job j = {{.run = setting_run},
                            {.kind = SETTING_ENDPOINT,
                             .account = account,
                             .id = str_of(id),
                             .key = str_of(id),
                             .doc = str_of(doc)}};
    assert_ok(store_write_now(deliver_kit.store, &j.job));
    books_changed(deliver_kit.books, &j.s, false);
    return j.s.n;
}

bool deliver_kit_is_disabled(uint64_t endpoint)
{
    const struct book *b = book_take(deliver_kit.books);
    bool disabled = book_endpoint(b, endpoint)->set->disabled;
    book_drop(&b);
    return disabled;
}

static void on_taken(void *arg, uint64_t token, struct admission **t, enum err err, bool duplicate)
{
    assert_ok(err);
}

void deliver_kit_submit(uint64_t account, const char *call_id, const char *id)
{
    struct event proto = {.kind = EVENT_CALL_ENDED,
                          .account = account,
                          .occurred_at_ms = clock_wall_ms(),
                          .id = str_of(id),
                          .number = STR("+447911123456"),
                          .call_id = str_of(call_id),
                          .payload = STR("{\"event\":\"call_ended\"}")};
    struct event *made;
    struct admission *t;
    assert_ok(event_new(&proto, &made));
    const struct event *e = made;
    const struct book *book = book_take(deliver_kit.books);
    assert_ok(admission_new(deliver_kit.intake, book, &e, NULL, NULL, &t));
    book_drop(&book);
    if (!home)
        assert_ok(mailbox_new(&home, 1 << 20, NULL, NULL));
    mail_open_all(mailbox_take(home));
    assert_ok(intake_one(deliver_kit.intake, &t, home, on_taken, NULL, 0));
}

void deliver_kit_event(uint64_t account, const char *call_id, const char *id)
{
    deliver_kit_submit(account, call_id, id);
    deliver_kit_turn();
}

/* ---- what is stored ---- */

struct look {
    struct store_job job;
    uint64_t endpoint;
    const char *id;
    struct kit_stored found;
    int64_t delivery_n;
    unsigned n;
};

static bool on_delivery(void *arg, const struct delivery *d)
{
    struct look *l = arg;
    if (d->endpoint != l->endpoint)
        return true;
    l->found.state = d->state;
    l->found.attempts = d->attempts;
    l->found.schedule_from = d->schedule_from;
    l->found.next_at_ms = d->next_at_ms;
    l->delivery_n = d->n;
    l->n++;
    return true;
}

static bool on_attempt(void *arg, const struct attempt *a)
{
    struct look *l = arg;
    l->found.rows++;
    l->found.numbers |= a->number ? 1u << (a->number - 1) : 0;
    return true;
}

static enum err look_run(struct store_job *job, struct db *db)
{
    struct look *l = (struct look *)job;
    int64_t n;
    enum err err = event_find(db, 1, str_of(l->id), &n);
    if (err == ERR_NOT_FOUND)
        err = event_find(db, 2, str_of(l->id), &n);
    if (err == OK)
        err = delivery_list_of_event(db, n, on_delivery, l);
    return err == OK ? attempt_list(db, l->delivery_n, on_attempt, l) : err;
}

struct kit_stored stored_delivery(uint64_t endpoint, const char *id)
{
    struct look l = {.job.run = look_run, .endpoint = endpoint, .id = id};
    assert_ok(store_read_now(deliver_kit.store, &l.job));
    assert_int_equal(l.n, 1);
    return l.found;
}

struct outage_look {
    struct store_job job;
    struct outage found;
};

static enum err outage_look_run(struct store_job *job, struct db *db)
{
    struct outage_look *l = (struct outage_look *)job;
    return outage_get(db, l->found.endpoint, &l->found);
}

struct outage stored_outage(uint64_t endpoint)
{
    struct outage_look l = {.job.run = outage_look_run, .found.endpoint = endpoint};
    assert_ok(store_read_now(deliver_kit.store, &l.job));
    return l.found;
}

/* ---- health ---- */

struct queue *deliver_kit_queue(uint64_t endpoint)
{
    return map_get(deliver_kit.deliver->courier[0].queues, str_of_u64(&endpoint));
}

void deliver_kit_make_fail(uint64_t account, uint64_t endpoint)
{
    char id[ID_SIZE];
    for (int i = 0; i < 16; i++) {
        snprintf(id, sizeof id, "fail_%d", i);
        deliver_kit_event(account, id, id);
        if (deliver_kit_queue(endpoint)->health.state == HEALTH_FAILING)
            return;
        post_reply(post_open(endpoint, id), 500);
    }
    assert_int_equal(deliver_kit_queue(endpoint)->health.state, HEALTH_FAILING);
}
