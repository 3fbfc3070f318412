/* Lists of events, calls and audit rows against a plain scan: random rows, random filters, pages
 * of random sizes and walks of random bounds, with spans told of some blocks, and with rows that
 * arrive, are emptied and deleted between pages. No page may lose or repeat a row. */
#include <sqlite3.h>
#include <unistd.h>

#include "check.h"
#include "store/rows/audit.h"
#include "store/rows/calls.h"
#include "store/rows/deliveries.h"
#include "store/engine.h"
#include "store/rows/events.h"
#include "store/rows/expiry.h"
#include "store/rows/inbox.h"
#include "store/spans.h"

enum { EVENTS_MAX = 8000, KINDS = 5, STATES = 4, FOUND_MAX = EVENTS_MAX };

static char dir[] = "/tmp/hookswitch-lists-XXXXXX";
static struct db *db; /* the writer's: all is done on this thread */

/* What the test knows of each row; rows are numbered from 1. */
struct row {
    uint64_t account;
    int kind, number, peer, call, word;
    int64_t at;
    int n_deliveries;
    struct {
        int endpoint, state;
    } d[3];
    bool gone;
};
static struct row rows[EVENTS_MAX + 1];
static int64_t n_rows;

static uint64_t seed = 88172645463325252ull;
static unsigned pick(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 11) % n;
}

static const char *const words[] = {"plain",       "100%",    "1000",         "a_b", "say \"hi\"",
                                    "back\\slash", "STRASSE", "stra\xc3\x9f", "axb"};
enum { WORDS = sizeof words / sizeof *words };

static char *text_of(const char *prefix, int i, char out[32])
{
    out[0] = '\0';
    if (i)
        snprintf(out, 32, "%s%d", prefix, i);
    return out;
}

/* Mostly in the order of time, some of it long ago. */
static struct row random_row(void)
{
    struct row r = {.account = 1 + (pick(100) < 90 ? 0 : pick(4)),
                    .kind = pick(400) == 0 ? 4 : (int)pick(4),
                    .number = 1 + (int)pick(6),
                    .peer = 1 + (int)pick(5),
                    .word = (int)pick(WORDS),
                    .at = 1000 + 10 * n_rows - (pick(50) == 0 ? (int)pick(20000) : 0),
                    .n_deliveries = (int)pick(3)};
    r.call = r.kind == EVENT_SMS_RECEIVED ? 0 : 1 + (int)(n_rows / 3 % 900);
    r.at = r.at < 1 ? 1 : r.at;
    for (int i = 0; i < r.n_deliveries; i++) {
        r.d[i].endpoint = 1 + (int)pick(3);
        r.d[i].state = pick(100) < 95 ? DELIVERY_DELIVERED : (int)pick(STATES);
    }
    return r;
}

static void sql(const char *text)
{
    assert_ok(db->engine->run_text(db, text));
}

static void put_event(const struct row *r)
{
    char id[32], number[32], peer[32], call[32], payload[160];
    int64_t n;
    bool is_new;
    struct buf b;
    buf_wrap(&b, payload, sizeof payload);
    buf_puts(&b, "{\"event\":\"x\",\"from\":\"\",\"to\":\"\",\"message\":");
    buf_put_json_str(&b, str_of(words[r->word]));
    buf_putc(&b, '}');
    struct event e = {.account = r->account,
                      .id = str_of(text_of("e", (int)n_rows + 1, id)),
                      .kind = (enum event_kind)r->kind,
                      .number = str_of(text_of("+44", r->number, number)),
                      .peer = str_of(text_of("+1", r->peer, peer)),
                      .call_id = str_of(text_of("call_", r->call, call)),
                      .occurred_at_ms = r->at,
                      .payload = buf_str(&b)};
    assert_ok(event_put(db, &e, &n, &is_new));
    assert_true(is_new && n == n_rows + 1);
    rows[++n_rows] = *r;
    for (int i = 0; i < r->n_deliveries; i++) {
        struct delivery d = {.event_n = n, .endpoint = (uint64_t)r->d[i].endpoint, .lane = 1};
        assert_ok(delivery_put(db, &d));
        struct attempt a = {.delivery_n = d.n, .number = 1, .at_ms = 5, .status = 500};
        if (r->d[i].state != DELIVERY_PENDING)
            assert_ok(attempt_put(
                db, &a, &(struct delivery_after){.state = (enum delivery_state)r->d[i].state}));
    }
}

static void put_call(const struct row *r)
{
    char id[32], number[32];
    struct call_row c = {.call_id = str_of(text_of("c", (int)n_rows + 1, id)),
                         .account = r->account,
                         .number = str_of(text_of("+44", r->number, number)),
                         .phase = CALL_PHASE_ENDED,
                         .started_at_ms = r->at,
                         .facts = STR("{}")};
    assert_ok(call_put(db, &c));
    rows[++n_rows] = *r;
}

static void put_audit(const struct row *r)
{
    char id[32], who[32], target[32];
    struct audit a = {.id = str_of(text_of("a", (int)n_rows + 1, id)),
                      .at_ms = r->at,
                      .account = r->account,
                      .who = str_of(text_of("w", r->peer, who)),
                      .kind = (enum setting_kind)r->kind,
                      .target = str_of(text_of("t", r->number, target))};
    assert_ok(audit_put(db, &a));
    rows[++n_rows] = *r;
}

static void put_many(void (*put)(const struct row *), int n)
{
    sql("BEGIN");
    for (int i = 0; i < n; i++) {
        struct row r = random_row();
        put(&r);
    }
    sql("COMMIT");
}

static void put_spans(enum span_of of, size_t max)
{
    struct span s[16];
    size_t n;
    int64_t first;
    assert_ok(spans_find(db, of, s, max, &n, &first));
    for (size_t i = 0; i < n; i++)
        assert_ok(span_put(db, &s[i]));
    assert_ok(spans_forget(db, of, first));
}

/* ---- what a list must give ---- */

struct wish {
    uint64_t account, endpoint;
    int kind, state, number, peer, call, word; /* -1 or 0: any */
    int64_t since, until;
};

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool holds(const char *text, const char *part)
{
    for (; *text; text++) {
        size_t i = 0;
        while (part[i] && fold(text[i]) == fold(part[i]))
            i++;
        if (!part[i])
            return true;
    }
    return false;
}

static bool has_delivery(const struct row *r, const struct wish *w)
{
    if (w->state == EVENT_UNDELIVERED)
        return r->n_deliveries == 0 && !w->endpoint;
    if (w->state < 0 && !w->endpoint)
        return true;
    for (int i = 0; i < r->n_deliveries; i++)
        if ((w->state < 0 || r->d[i].state == w->state) &&
            (!w->endpoint || r->d[i].endpoint == (int)w->endpoint))
            return true;
    return false;
}

static bool wanted(const struct row *r, const struct wish *w)
{
    return !r->gone && (!w->account || r->account == w->account) &&
           (w->kind < 0 || r->kind == w->kind) && (!w->number || r->number == w->number) &&
           (!w->peer || r->peer == w->peer) && (!w->call || r->call == w->call) &&
           (!w->since || r->at >= w->since) && (!w->until || r->at < w->until) &&
           (w->word < 0 || holds(words[r->word], words[w->word])) && has_delivery(r, w);
}

static struct wish random_wish(void)
{
    struct wish w = {.kind = -1, .state = -1, .word = -1};
    for (unsigned i = pick(4); i > 0; i--)
        switch (pick(9)) {
        case 0: w.account = 1 + pick(6); break;
        case 1: w.kind = (int)pick(KINDS + 1); break;
        case 2: w.number = 1 + (int)pick(7); break;
        case 3: w.call = 1 + (int)pick(400); break;
        case 4: w.state = pick(5) ? (int)pick(STATES) : EVENT_UNDELIVERED; break;
        case 5: w.endpoint = 1 + pick(4); break;
        case 6: w.since = 1 + (int64_t)pick((unsigned)(11 * n_rows + 3000)); break;
        case 7: w.until = 1 + (int64_t)pick((unsigned)(11 * n_rows + 3000)); break;
        default: w.word = (int)pick(WORDS); break;
        }
    return w;
}

/* ---- what it gives ---- */

struct page {
    int64_t n[FOUND_MAX];
    size_t count;
    unsigned left;
};
static struct page got;

static bool take(struct page *p, int64_t n)
{
    if (p->left == 0)
        return false;
    p->left--;
    assert_true(p->count < FOUND_MAX);
    p->n[p->count++] = n;
    return true;
}

static bool on_event(void *arg, int64_t n, const struct event *e)
{
    return take(arg, n);
}

static bool on_call(void *arg, const struct call_row *c)
{
    return take(arg, c->n);
}

static bool on_audit(void *arg, const struct audit *a)
{
    return take(arg, a->n);
}

typedef enum err list_page(const struct wish *w, int64_t before_n, unsigned rows_max,
                           struct list_stop *stop);

static enum err page_of_events(const struct wish *w, int64_t before_n, unsigned rows_max,
                               struct list_stop *stop)
{
    char number[32], call[32];
    struct event_filter f = {.account = w->account,
                             .number = str_of(text_of("+44", w->number, number)),
                             .call_id = str_of(text_of("call_", w->call, call)),
                             .q = w->word < 0 ? STR("") : str_of(words[w->word]),
                             .kind = w->kind,
                             .state = w->state,
                             .endpoint = w->endpoint,
                             .since_ms = w->since,
                             .until_ms = w->until,
                             .before_n = before_n,
                             .rows_max = rows_max};
    return event_list(db, &f, on_event, &got, stop);
}

static enum err page_of_calls(const struct wish *w, int64_t before_n, unsigned rows_max,
                              struct list_stop *stop)
{
    char number[32];
    struct call_filter f = {.account = w->account,
                            .number = str_of(text_of("+44", w->number, number)),
                            .phase = -1,
                            .since_ms = w->since,
                            .until_ms = w->until,
                            .before_n = before_n,
                            .rows_max = rows_max};
    return call_list(db, &f, on_call, &got, stop);
}

static enum err page_of_audit(const struct wish *w, int64_t before_n, unsigned rows_max,
                              struct list_stop *stop)
{
    char target[32], who[32];
    struct audit_filter f = {.account = w->account,
                             .target = str_of(text_of("t", w->number, target)),
                             .who = str_of(text_of("w", w->peer, who)),
                             .kind = w->kind,
                             .since_ms = w->since,
                             .until_ms = w->until,
                             .before_n = before_n,
                             .rows_max = rows_max};
    return audit_list(db, &f, on_audit, &got, stop);
}

static enum err page_of_messages(const struct wish *w, int64_t before_n, unsigned rows_max,
                                 struct list_stop *stop)
{
    char number[32], peer[32];
    struct inbox_filter f = {.account = w->account,
                             .number = str_of(text_of("+44", w->number, number)),
                             .peer = str_of(text_of("+1", w->peer, peer)),
                             .q = w->word < 0 ? STR("") : str_of(words[w->word]),
                             .since_ms = w->since,
                             .until_ms = w->until,
                             .before_n = before_n,
                             .rows_max = rows_max};
    return inbox_walk(db, &f, on_event, &got, stop);
}

/* All pages one after another; `between` changes the store. */
static void read_all(list_page *page, const struct wish *w, void (*between)(void))
{
    struct list_stop stop = {0};
    unsigned limit = 1 + pick(60), rows_max = 1 + pick(3000);
    int64_t before = 0;
    got.count = 0;
    for (int i = 0; !stop.at_end; i++) {
        assert_true(i < 2 * EVENTS_MAX);
        got.left = limit;
        size_t had = got.count;
        assert_ok(page(w, before, rows_max, &stop));
        assert_true(got.count - had <= limit);
        assert_true(stop.at_end || before == 0 || stop.at_n < before); /* it gets on */
        before = stop.at_n;
        if (between && i < 4)
            between();
    }
}

/* Of rows up to `last`: newer ones may be there or not. Rows that went meanwhile may be too. */
static void must_be_whole(const struct wish *w, int64_t last, const bool *was_there)
{
    size_t i = 0;
    while (i < got.count && got.n[i] > last)
        i++;
    for (int64_t n = last; n > 0; n--) {
        bool listed = i < got.count && got.n[i] == n;
        if (wanted(&rows[n], w) && !listed)
            fail_msg("row %lld is missing (account %d kind %d state %d endpoint %d number %d call "
                     "%d word %d since %lld until %lld)",
                     (long long)n, (int)w->account, w->kind, w->state, (int)w->endpoint, w->number,
                     w->call, w->word, (long long)w->since, (long long)w->until);
        if (listed && !wanted(&rows[n], w) && !(was_there && was_there[n]))
            fail_msg("row %lld does not fit", (long long)n);
        i += listed;
    }
    assert_int_equal(i, got.count); /* in order, each once */
}

/* ---- the tests ---- */

static int set_up(void **state)
{
    char path[128], why[256] = "";
    snprintf(path, sizeof path, "%s/%u.db", dir, pick(1u << 30));
    assert_ok(engine_sqlite.open(path, DB_WRITER, &db, why, sizeof why));
    assert_ok(schema_migrate(db, why, sizeof why));
    sql("PRAGMA synchronous=OFF");
    n_rows = 0;
    memset(rows, 0, sizeof rows);
    return 0;
}

static int tear_down(void **state)
{
    engine_sqlite.close(db);
    return 0;
}

static void every_filter(list_page *page, enum span_of of, void (*narrow)(struct wish *))
{
    for (int i = 0; i < 150; i++) {
        struct wish w = random_wish();
        if (narrow)
            narrow(&w);
        read_all(page, &w, NULL);
        must_be_whole(&w, n_rows, NULL);
        if (i % 15 == 0) /* none at first, then more and more of them */
            put_spans(of, 1);
    }
}

static void events_are_listed_whole(void **state)
{
    put_many(put_event, 6000);
    every_filter(page_of_events, SPAN_EVENTS, NULL);
}

static void narrow_call(struct wish *w)
{
    w->kind = w->state = w->word = -1;
    w->endpoint = 0;
    w->call = 0;
}

static void calls_are_listed_whole(void **state)
{
    put_many(put_call, 6000);
    every_filter(page_of_calls, SPAN_CALLS, narrow_call);
}

static void narrow_audit(struct wish *w)
{
    w->peer = w->state == 1 ? 1 + (int)pick(6) : 0;
    w->state = w->word = -1;
    w->endpoint = 0;
    w->call = 0;
}

static void audit_rows_are_listed_whole(void **state)
{
    put_many(put_audit, 6000);
    every_filter(page_of_audit, SPAN_AUDIT, narrow_audit);
}

static void narrow_message(struct wish *w)
{
    w->peer = w->state >= 0 ? 1 + (int)pick(6) : 0;
    w->kind = EVENT_SMS_RECEIVED;
    w->state = -1;
    w->endpoint = 0;
    w->call = 0;
}

static void messages_are_listed_whole(void **state)
{
    put_many(put_event, 6000);
    every_filter(page_of_messages, SPAN_EVENTS, narrow_message);
}

static bool was_there[EVENTS_MAX + 1];

static void rows_come_and_go(void)
{
    for (unsigned i = pick(4); i > 0 && n_rows < EVENTS_MAX; i--) {
        struct row r = random_row();
        put_event(&r);
    }
    for (unsigned i = pick(4); i > 0; i--) {
        int64_t n = 1 + pick((unsigned)n_rows);
        assert_ok(event_delete(db, n));
        rows[n].gone = true;
    }
    if (pick(3) == 0)
        put_spans(SPAN_EVENTS, 1);
}

static void pages_stay_right_while_rows_come_and_go(void **state)
{
    put_many(put_event, 5000);
    for (int i = 0; i < 60; i++) {
        struct wish w = random_wish();
        int64_t last = n_rows;
        for (int64_t n = 1; n <= n_rows; n++)
            was_there[n] = wanted(&rows[n], &w);
        read_all(page_of_events, &w, rows_come_and_go);
        must_be_whole(&w, last, was_there);
    }
}

/* What retention took from the beginning, whole blocks of it. */
static void a_list_ends_where_the_rows_begin(void **state)
{
    struct wish all = {.kind = -1, .state = -1, .word = -1};
    put_many(put_event, 5000);
    put_spans(SPAN_EVENTS, 2);
    sql("BEGIN");
    for (int64_t n = 1; n <= 3500; n++) {
        assert_ok(event_delete(db, n));
        rows[n].gone = true;
    }
    sql("COMMIT");
    for (int i = 0; i < 3; i++) {
        read_all(page_of_events, &all, NULL);
        must_be_whole(&all, n_rows, NULL);
        put_spans(SPAN_EVENTS, 16);
        all.since = i ? 20000 : 1;
        all.kind = i ? 4 : -1;
    }
}

static void a_walk_is_bounded(void **state)
{
    struct wish none = {.kind = -1, .state = -1, .word = -1, .endpoint = 4};
    struct list_stop stop;
    put_many(put_event, 5000);
    got.count = 0;
    got.left = 50;
    assert_ok(page_of_events(&none, 0, 1000, &stop));
    assert_false(stop.at_end);
    assert_in_range(stop.at_n, 3000, 4000);
    none = (struct wish){.kind = 7, .state = -1, .word = -1};
    for (int i = 0; i < 2; i++) {
        assert_ok(page_of_events(&none, 0, 2000, &stop));
        assert_int_equal(stop.at_end, i); /* spans tell that there is none */
        put_spans(SPAN_EVENTS, 16);
    }
    assert_int_equal(got.count, 0);
}

static void long_queries_are_refused(void **state)
{
    char text[EVENT_QUERY_MAX + 1];
    struct list_stop stop;
    memset(text, '\x01', sizeof text); /* the longest pattern */
    struct event_filter f = {.kind = -1, .state = -1, .q = {text, EVENT_QUERY_MAX}};
    assert_ok(event_list(db, &f, on_event, &got, &stop));
    assert_true(stop.at_end);
    f.q.n++;
    assert_err(event_list(db, &f, on_event, &got, &stop), ERR_TOO_BIG);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {TEST(events_are_listed_whole),
                                       TEST(calls_are_listed_whole),
                                       TEST(audit_rows_are_listed_whole),
                                       TEST(messages_are_listed_whole),
                                       TEST(pages_stay_right_while_rows_come_and_go),
                                       TEST(a_list_ends_where_the_rows_begin),
                                       TEST(a_walk_is_bounded),
                                       TEST(long_queries_are_refused)};
    assert_non_null(mkdtemp(dir));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
