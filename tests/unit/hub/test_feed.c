/* The live feed: every reader gets every row that fits, once and in order, whether it comes out of
 * memory or out of the store; notes that were lost, readers that lag, erased events, the end. */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "check.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "hub/feed.h"
#include "store/rows/expiry.h"

static char dir[] = "/tmp/hookswitch-feed-XXXXXX", url[128];
static struct store *store;
static struct feed *feed;
static unsigned n_stores;

struct put_job {
    struct store_job job; /* first */
    const struct event *event;
    int64_t n;
};

static enum err put_run(struct store_job *job, struct db *db)
{
    struct put_job *p = (struct put_job *)job;
    bool is_new;
    return event_put(db, p->event, &p->n, &is_new);
}

static void put_committed(struct store_job *job)
{
    struct put_job *p = (struct put_job *)job;
    struct stored s = {.event = p->event, .event_n = p->n};
    if (feed)
        feed_told(feed, &s);
}

static struct event *make(uint64_t account, enum event_kind kind, const char *number)
{
    static unsigned count;
    char id[32];
    struct event *made;
    snprintf(id, sizeof id, "evt_%u", ++count);
    struct event proto = {.account = account,
                          .kind = kind,
                          .id = str_of(id),
                          .number = str_of(number),
                          .call_id = STR("c1"),
                          .occurred_at_ms = 1000 + count,
                          .payload = STR("{\"event\":\"x\"}")};
    assert_ok(event_new(&proto, &made));
    return made;
}

/* A row, told after its commit as intake does it; `quiet`: nobody tells. */
static int64_t put_of(uint64_t account, enum event_kind kind, const char *number, bool quiet)
{
    struct put_job p = {.job = {.run = put_run, .committed = quiet ? NULL : put_committed},
                        .event = make(account, kind, number)};
    assert_ok(store_write_now(store, &p.job));
    event_drop(&p.event);
    return p.n;
}

/* Many rows of one commit. */
struct put_all {
    struct store_job job; /* first */
    size_t n;
    struct put_job put[1000];
};

static enum err put_all_run(struct store_job *job, struct db *db)
{
    struct put_all *all = (struct put_all *)job;
    enum err err = OK;
    for (size_t i = 0; err == OK && i < all->n; i++)
        err = put_run(&all->put[i].job, db);
    return err;
}

static void put_all_committed(struct store_job *job)
{
    struct put_all *all = (struct put_all *)job;
    for (size_t i = 0; i < all->n; i++)
        put_committed(&all->put[i].job);
}

static void put_many(size_t n)
{
    static struct put_all all;
    while (n) {
        all.job = (struct store_job){.run = put_all_run, .committed = put_all_committed};
        all.n = n < 1000 ? n : 1000;
        for (size_t i = 0; i < all.n; i++)
            all.put[i].event = make(1, EVENT_PING, "+15550000001");
        assert_ok(store_write_now(store, &all.job));
        for (size_t i = 0; i < all.n; i++)
            event_drop(&all.put[i].event);
        n -= all.n;
    }
}

static int64_t put(void)
{
    return put_of(1, EVENT_PING, "+15550000001", false);
}

/* ---- a reader that keeps what it got ---- */

struct reader {
    struct feed_reader r; /* first */
    atomic_uint wakes;
    unsigned waited;
    size_t n;
    int64_t got[20000];
    bool ended;
};

static void on_wake(struct feed_reader *r)
{
    atomic_fetch_add(&((struct reader *)r)->wakes, 1);
}

static struct reader *reader_new(uint64_t account, int64_t after)
{
    struct reader *r = calloc(1, sizeof *r);
    r->r = (struct feed_reader){
        .filter = {.account = account, .kind = -1}, .owner = account, .wake = on_wake};
    assert_int_equal(feed_join(feed, &r->r, after), FEED_JOINED);
    return r;
}

static void reader_free(struct reader *r)
{
    feed_leave(feed, &r->r);
    free(r);
}

struct page_job {
    struct store_job job; /* first */
    struct reader *r;
    unsigned max;
    int64_t cursor;
};

static bool on_row(void *arg, int64_t n, const struct event *e)
{
    struct page_job *p = arg;
    p->r->got[p->r->n++] = n;
    return --p->max > 0;
}

static enum err page_run(struct store_job *job, struct db *db)
{
    struct page_job *p = (struct page_job *)job;
    return feed_page(feed, &p->r->r, db, on_row, p, &p->cursor);
}

/* One step; false when there is nothing now. */
static bool step(struct reader *r, int64_t wake_at)
{
    struct feed_item item[FEED_TAKE_MAX];
    size_t n;
    enum feed_state state = feed_take(feed, &r->r, wake_at, item, &n);
    for (size_t i = 0; i < n; i++) {
        r->got[r->n++] = item[i].n;
        event_drop(&item[i].event);
    }
    if (state == FEED_BEHIND) {
        struct page_job p = {.job = {.run = page_run}, .r = r, .max = 7};
        assert_ok(store_read_now(store, &p.job));
        feed_went(feed, &r->r, p.cursor);
    }
    r->waited += state == FEED_WAIT;
    r->ended |= state == FEED_ENDED;
    return state == FEED_ITEMS || state == FEED_BEHIND;
}

static void read_all(struct reader *r)
{
    while (step(r, INT64_MAX))
        ;
}

static void wait_for_wake(struct reader *r)
{
    while (atomic_load(&r->wakes) < r->waited)
        usleep(100);
}

static void assert_run(const struct reader *r, int64_t first, int64_t last)
{
    assert_int_equal(r->n, last - first + 1);
    for (size_t i = 0; i < r->n; i++)
        assert_int_equal(r->got[i], first + (int64_t)i);
}

static int set_up(void **state)
{
    char why[256];
    snprintf(url, sizeof url, "sqlite:%s/%u.db", dir, n_stores++);
    struct store_config c = {.url = url};
    assert_ok(store_open(&c, &store, why, sizeof why));
    put(); /* rows that are older than the feed */
    put();
    struct feed_config fc = {.store = store, .tick_ms = 5, .max = 8, .max_of_one = 4};
    assert_ok(feed_start(&fc, &feed));
    return 0;
}

static int tear_down(void **state)
{
    feed_stop(feed);
    feed = NULL;
    store_close(store);
    return 0;
}

/* ---- */

static void from_now_on(void **state)
{
    assert_int_equal(feed_last(feed), 2);
    struct reader *r = reader_new(1, -1), *ahead = reader_new(1, 1000);
    read_all(r);
    read_all(ahead);
    int64_t first = put();
    wait_for_wake(r);
    put();
    wait_for_wake(ahead);
    while (r->n < 2)
        read_all(r);
    while (ahead->n < 2)
        read_all(ahead);
    assert_run(r, first, first + 1);
    assert_run(ahead, first, first + 1);
    reader_free(r);
    reader_free(ahead);
}

static void from_the_store_into_the_ring(void **state)
{
    struct reader *live = reader_new(1, -1), *late = reader_new(1, 0);
    for (int i = 0; i < 50; i++)
        put();
    while (live->n < 50)
        read_all(live);
    while (late->n < 52)
        read_all(late);
    assert_run(live, 3, 52);
    assert_run(late, 1, 52);
    reader_free(live);
    reader_free(late);
}

/* More than the ring has: memory is bounded, what fell out comes from the store. */
static void lagging(void **state)
{
    struct reader *r = reader_new(1, -1);
    read_all(r);
    put_many(6000);
    while (r->n < 6000)
        read_all(r);
    assert_run(r, 3, 6002);
    reader_free(r);
}

static void only_what_fits(void **state)
{
    struct reader *one = reader_new(1, -1), *two = reader_new(2, -1), *all = reader_new(0, -1);
    struct reader *number = reader_new(1, -1), *kind = reader_new(1, 0);
    strcpy(number->r.filter.number, "+15550000009");
    kind->r.filter.kind = EVENT_CALL_ENDED;
    read_all(two);
    int64_t a = put();
    int64_t b = put_of(1, EVENT_CALL_ENDED, "+15550000001", false);
    int64_t c = put_of(1, EVENT_PING, "+15550000009", false);
    int64_t d = put_of(2, EVENT_PING, "+15550000009", false);
    wait_for_wake(two);
    assert_int_equal(atomic_load(&two->wakes), 1); /* not for what belongs to others */
    while (one->n < 3 || two->n < 1 || all->n < 4 || number->n < 1 || kind->n < 1) {
        read_all(one);
        read_all(two);
        read_all(all);
        read_all(number);
        read_all(kind);
    }
    assert_run(one, a, c);
    assert_run(two, d, d);
    assert_run(all, a, d);
    assert_run(number, c, c);
    assert_run(kind, b, b);
    assert_int_equal(feed_cursor(feed, &kind->r), d); /* and it need not look at them again */
    reader_free(one);
    reader_free(two);
    reader_free(all);
    reader_free(number);
    reader_free(kind);
}

/* However large they are, a reader prints no more than it has room for. */
static void large_ones(void **state)
{
    static char large[50000];
    struct feed_item item[FEED_TAKE_MAX];
    size_t n, got = 0;
    struct reader *r = reader_new(1, -1);
    memset(large, 'x', sizeof large);
    for (int64_t i = 3; i <= 12; i++) {
        struct event proto = {
            .account = 1, .id = STR("evt"), .payload = str_of_bytes(large, sizeof large)};
        struct event *made;
        assert_ok(event_new(&proto, &made));
        const struct event *e = made;
        struct stored s = {.event = e, .event_n = i};
        feed_told(feed, &s);
        event_drop(&e);
    }
    while (got < 10) {
        if (feed_take(feed, &r->r, INT64_MAX, item, &n) == FEED_WAIT)
            r->waited++;
        assert_true(n <= 2);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(item[i].n, 3 + got++);
            event_drop(&item[i].event);
        }
    }
    reader_free(r);
}

/* A row of a commit whose answer was lost is in the store, but nobody spoke of it. */
static void a_row_nobody_spoke_of(void **state)
{
    struct reader *r = reader_new(1, -1);
    int64_t first = put();
    put_of(1, EVENT_PING, "", true);
    int64_t last = put();
    while (r->n < 3)
        read_all(r);
    assert_run(r, first, last);
    reader_free(r);
}

static void news_of_old_rows(void **state)
{
    struct reader *r = reader_new(1, -1);
    int64_t first = put();
    struct event *made;
    struct event proto = {.account = 1, .id = STR("old"), .payload = STR("{}")};
    assert_ok(event_new(&proto, &made));
    const struct event *old = made;
    struct stored s = {.event = old, .event_n = 1};
    feed_told(feed, &s);
    event_drop(&old);
    int64_t last = put();
    while (r->n < 2)
        read_all(r);
    assert_run(r, first, last);
    reader_free(r);
}

struct blank_job {
    struct store_job job; /* first */
    int64_t n;
};

static enum err blank_run(struct store_job *job, struct db *db)
{
    return event_delete(db, ((struct blank_job *)job)->n);
}

static void erased(void **state)
{
    struct reader *keep = reader_new(1, -1), *r = reader_new(1, -1);
    int64_t first = put(), second = put(), third = put();
    while (keep->n < 3)
        read_all(keep); /* all three are in the ring now */
    struct blank_job b = {.job = {.run = blank_run}, .n = second};
    assert_ok(store_write_now(store, &b.job));
    feed_forget(feed);
    while (r->n < 2)
        read_all(r);
    assert_int_equal(r->got[0], first);
    assert_int_equal(r->got[1], third);
    reader_free(keep);
    reader_free(r);
}

static void too_many(void **state)
{
    struct reader *r[8];
    struct feed_reader more = {.filter = {.kind = -1}, .owner = 1, .wake = on_wake};
    for (size_t i = 0; i < 8; i++) {
        if (i == 4)
            assert_int_equal(feed_join(feed, &more, -1), FEED_OWNER_FULL);
        r[i] = reader_new(1 + i / 4, -1);
    }
    more.owner = 3;
    assert_int_equal(feed_join(feed, &more, -1), FEED_FULL);
    reader_free(r[0]);
    assert_int_equal(feed_join(feed, &more, -1), FEED_JOINED);
    feed_leave(feed, &more);
    for (size_t i = 1; i < 8; i++)
        reader_free(r[i]);
}

/* A few pages of the store are read at once; the others wait for their turn, and it comes. */
static void pages_in_turn(void **state)
{
    enum { READERS = 24, PAGES = 8 };
    struct feed_config fc = {.store = store, .tick_ms = 5, .max = 100, .max_of_one = 100};
    struct feed_item item[FEED_TAKE_MAX];
    struct reader *r[READERS];
    size_t n;
    put_many(30);
    feed_stop(feed);
    assert_ok(feed_start(&fc, &feed));
    for (size_t i = 0; i < READERS; i++) {
        r[i] = reader_new(1, 0);
        enum feed_state s = feed_take(feed, &r[i]->r, INT64_MAX, item, &n);
        assert_int_equal(s, i < PAGES ? FEED_BEHIND : FEED_WAIT);
        r[i]->waited += s == FEED_WAIT;
    }
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(atomic_load(&r[i]->wakes), 0);
    reader_free(r[PAGES]); /* who goes, waiting or reading, holds nobody up */
    reader_free(r[0]);
    assert_int_equal(atomic_load(&r[PAGES + 1]->wakes), 1);
    r[0] = r[PAGES] = NULL;
    for (size_t i = 1; i < PAGES; i++)
        feed_went(feed, &r[i]->r, 0); /* nothing came of it; they ask again */
    for (size_t i = PAGES + 1; i < 2 * PAGES; i++)
        assert_int_equal(atomic_load(&r[i]->wakes), 1);
    for (bool all = false; !all;) {
        all = true;
        for (size_t i = 0; i < READERS; i++) {
            if (r[i] && r[i]->n < 32)
                read_all(r[i]);
            all &= !r[i] || r[i]->n == 32;
        }
    }
    for (size_t i = 0; i < READERS; i++)
        if (r[i]) {
            assert_run(r[i], 1, 32);
            reader_free(r[i]);
        }
}

static void due_and_closed(void **state)
{
    struct reader *r = reader_new(1, -1), *other = reader_new(1, -1);
    read_all(other);
    assert_false(step(r, clock_mono_ms() + 10));
    wait_for_wake(r); /* with nothing new: its time is over */
    assert_int_equal(r->n, 0);
    assert_int_equal(atomic_load(&other->wakes), 0);
    feed_close(feed);
    assert_int_equal(atomic_load(&other->wakes), 1);
    assert_false(step(other, INT64_MAX));
    assert_true(other->ended);
    reader_free(r);
    reader_free(other);
    struct feed_reader more = {.filter = {.kind = -1}, .wake = on_wake};
    assert_int_equal(feed_join(feed, &more, -1), FEED_CLOSED);
}

/* Readers of several threads come, read and go while the writer tells: for each a run of rows
 * without a gap, from where it began. */
enum { THREADS = 4, ROWS = 1500 };
static atomic_bool written;

static void *read_along(void *arg)
{
    unsigned seed = *(unsigned *)arg;
    int64_t cursor = 0;
    while (!atomic_load(&written) || cursor < feed_last(feed)) {
        struct reader *r = reader_new(1, cursor);
        for (unsigned i = 0, n = 1 + (unsigned)rand_r(&seed) % 50; i < n; i++) {
            if (!step(r, INT64_MAX) && atomic_load(&written))
                break;
        }
        for (size_t i = 0; i < r->n; i++)
            if (r->got[i] != cursor + 1 + (int64_t)i)
                return arg;
        cursor += (int64_t)r->n;
        reader_free(r);
    }
    return NULL;
}

static void many_threads(void **state)
{
    pthread_t t[THREADS];
    unsigned seed[THREADS];
    atomic_store(&written, false);
    for (unsigned i = 0; i < THREADS; i++) {
        seed[i] = i + 1;
        assert_int_equal(pthread_create(&t[i], NULL, read_along, &seed[i]), 0);
    }
    for (int i = 0; i < ROWS / 3; i++) {
        put();
        put_many(2);
    }
    atomic_store(&written, true);
    for (unsigned i = 0; i < THREADS; i++) {
        void *fault = NULL;
        pthread_join(t[i], &fault);
        if (fault)
            fail_msg("thread %u missed a row, or had one twice", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(from_now_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(from_the_store_into_the_ring, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lagging, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_what_fits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(large_ones, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_row_nobody_spoke_of, set_up, tear_down),
        cmocka_unit_test_setup_teardown(news_of_old_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(erased, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pages_in_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(due_and_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_threads, set_up, tear_down),
    };
    assert_ok(crypto_start());
    assert_non_null(mkdtemp(dir));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
