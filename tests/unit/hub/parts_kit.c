/* parts_kit: the store, the door and the housekeeper as the daemon puts them together, with one
 * account (+447911123456 is its number, one endpoint wants all). */
#include "parts_kit.h"

#include <sqlite3.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "store/engine.h"
#include "store/rows/erasures.h"

struct kit kit;

static void on_stored(void *arg, const struct stored *s)
{
    kit.told++;
}

struct setting_job {
    struct store_job job;
    struct setting *s;
};

static enum err setting_run(struct store_job *job, struct db *db)
{
    return setting_put(db, ((struct setting_job *)job)->s);
}

static uint64_t put_setting(enum setting_kind kind, const char *id, const char *doc)
{
    struct setting s = {.kind = kind,
                        .id = str_of(id),
                        .key = str_of(id),
                        .account = kit.account,
                        .doc = str_of(doc)};
    struct setting_job j = {{.run = setting_run}, &s};
    assert_ok(store_write_now(kit.store, &j.job));
    return s.n;
}

static void empty(void)
{
    static const char *const files[] = {"", "-wal", "-shm", ".lock"};
    char path[256];
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s%s", kit.url + strlen("sqlite:"), files[i]);
        unlink(path);
    }
}

static const struct engine *with;

void kit_open(const struct engine *engine)
{
    char why[256] = "";
    struct store_config c = {.url = kit.url, .engine = engine};
    with = engine;
    if (store_open(&c, &kit.store, why, sizeof why) != OK)
        fail_msg("%s", why);
    assert_ok(books_open(kit.store, &kit.books));
    assert_ok(intake_new(kit.store, on_stored, NULL, &kit.intake));
    struct messages_config mc = kit.limits;
    mc.store = kit.store;
    mc.books = kit.books;
    mc.intake = kit.intake;
    assert_ok(messages_new(&mc, &kit.messages));
    assert_ok(mailbox_new(&kit.home, 1000, NULL, NULL));
}

void kit_close(void)
{
    store_close(kit.store);
    messages_free(kit.messages);
    intake_free(kit.intake);
    books_close(kit.books);
    mailbox_free(kit.home);
}

void kit_begin(const struct engine *engine)
{
    if (!kit.dir[0]) {
        snprintf(kit.dir, sizeof kit.dir, "/tmp/hookswitch-parts-XXXXXX");
        assert_non_null(mkdtemp(kit.dir));
        snprintf(kit.url, sizeof kit.url, "sqlite:%s/t.db", kit.dir);
    }
    empty();
    kit.limits =
        (struct messages_config){.join_ms = 1800000, .max_sets = 1000, .max_bytes = 1 << 20};
    kit.account = 0;
    kit.told = 0;
    kit_open(engine);
    kit.account = put_setting(SETTING_ACCOUNT, "acc_1", "{\"name\":\"a\"}");
    put_setting(SETTING_ENDPOINT, "ep_1",
                "{\"url\":\"https://example.com/\","
                "\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}");
    kit_restart(); /* so that the book has them */
}

void kit_restart(void)
{
    kit_close();
    kit_open(with);
}

/* ---- sending ---- */

struct message_in kit_text(const char *text)
{
    return (struct message_in){.account = kit.account,
                               .link = STR("lnk_1"),
                               .from = STR("+19175550100"),
                               .to = STR("+447911123456"),
                               .part = {.data = str_of(text), .parts = 1, .number = 1}};
}

struct message_in kit_part(unsigned parts, unsigned number, const char *text)
{
    struct message_in in = kit_text(text);
    in.part.reference = 7;
    in.part.parts = parts;
    in.part.number = number;
    return in;
}

struct waiting {
    struct sent sent;
    bool came;
};

static void on_taken(void *arg, uint64_t token, enum err err, bool duplicate, struct str message_id)
{
    struct waiting *w = arg;
    assert_false(w->came);
    assert_int_equal(token, 42);
    w->came = true;
    w->sent.err = err;
    w->sent.duplicate = duplicate;
    assert_ok(str_copy(message_id, w->sent.message_id, sizeof w->sent.message_id));
}

struct sent kit_send(const struct message_in *in)
{
    struct waiting w = {0};
    const struct book *book = book_take(kit.books);
    enum err err = messages_take(kit.messages, book, in, kit.home, on_taken, &w, 42);
    book_drop(&book);
    if (err != OK)
        return (struct sent){.err = err};
    while (!w.came)
        mail_open_all(mailbox_wait(kit.home));
    return w.sent;
}

struct sent kit_take(struct message_in in)
{
    struct sent s = kit_send(&in);
    assert_ok(s.err);
    assert_true(s.message_id[0]);
    return s;
}

/* ---- looking ---- */

struct look {
    struct store_job job;
    struct got *ret;
    size_t n, max;
    struct db *db;
};

static void text_of(const struct json *o, const char *key, char *to, size_t cap)
{
    struct str s = {0};
    json_str(json_get(o, key), &s);
    assert_ok(str_copy(s, to, cap));
}

static bool on_delivery(void *arg, const struct delivery *d)
{
    ++*(int64_t *)arg;
    return true;
}

static bool on_event(void *arg, int64_t n, const struct event *e)
{
    struct look *l = arg;
    struct json *o = NULL;
    if (l->n == l->max)
        return false;
    struct got *g = &l->ret[l->n++];
    memset(g, 0, sizeof *g);
    assert_true(str_is_utf8(e->payload));
    assert_ok(json_parse(e->payload, &o, NULL, 0));
    assert_ok(str_copy(e->id, g->id, sizeof g->id));
    text_of(o, "message", g->message, sizeof g->message);
    text_of(o, "message_id", g->message_id, sizeof g->message_id);
    text_of(o, "timestamp", g->timestamp, sizeof g->timestamp);
    text_of(o, "encoding", g->encoding, sizeof g->encoding);
    text_of(o, "parts_missing", g->missing, sizeof g->missing);
    text_of(o, "raw", g->raw, sizeof g->raw);
    g->data_coding = -1;
    json_int(json_get(o, "parts"), &g->parts);
    json_int(json_get(o, "data_coding"), &g->data_coding);
    json_bool(json_get(o, "partial"), &g->partial);
    json_bool(json_get(o, "raw_truncated"), &g->raw_truncated);
    json_bool(json_get(o, "message_truncated"), &g->truncated);
    g->account = e->account;
    g->at_ms = e->occurred_at_ms;
    json_free(o);
    assert_ok(delivery_list_of_event(l->db, n, on_delivery, &g->n_deliveries));
    return true;
}

static enum err events_run(struct store_job *job, struct db *db)
{
    struct look *l = (struct look *)job;
    const struct event_filter all = {.kind = -1, .state = -1};
    struct list_stop stop;
    l->db = db;
    return event_list(db, &all, on_event, l, &stop);
}

size_t kit_events(struct got *ret, size_t max)
{
    struct look l = {.job.run = events_run, .ret = ret, .max = max};
    assert_ok(store_read_now(kit.store, &l.job));
    return l.n;
}

static int64_t count(sqlite3 *h, const char *sql)
{
    sqlite3_stmt *st = NULL;
    assert_int_equal(sqlite3_prepare_v2(h, sql, -1, &st, NULL), SQLITE_OK);
    int64_t v = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
    sqlite3_finalize(st);
    return v;
}

/* By a connection of the test's own, so that the counters are compared with the rows themselves. */
struct rows kit_rows(void)
{
    sqlite3 *h = NULL;
    assert_int_equal(sqlite3_open_v2(kit.url + strlen("sqlite:"), &h, SQLITE_OPEN_READONLY, NULL),
                     SQLITE_OK);
    struct rows r = {.waiting = count(h, "SELECT count(*) FROM sms_sets WHERE state = 0"),
                     .done = count(h, "SELECT count(*) FROM sms_sets WHERE state = 1"),
                     .parts = count(h, "SELECT count(*) FROM sms_parts WHERE number <= 255"),
                     .repeats = count(h, "SELECT count(*) FROM sms_parts WHERE number > 255"),
                     .held_sets = count(h, "SELECT sum(sets) FROM sms_held"),
                     .held_bytes = count(h, "SELECT sum(bytes) FROM sms_held")};
    assert_int_equal(r.held_sets, r.waiting);
    assert_int_equal(r.held_bytes,
                     count(h, "SELECT sum(length(data) + 64) FROM sms_parts WHERE number <= 255"));
    assert_int_equal(count(h, "SELECT count(*) FROM sms_parts p WHERE NOT EXISTS (SELECT 1 FROM"
                              " sms_sets s WHERE s.n = p.set_n AND"
                              " (s.state = 0 OR p.number > 255))"),
                     0);
    sqlite3_close(h);
    return r;
}

static int64_t count_due(void)
{
    char sql[128];
    sqlite3 *h = NULL;
    snprintf(sql, sizeof sql, "SELECT count(*) FROM sms_sets WHERE ends_at <= %lld",
             (long long)clock_wall_ms() - clock_moved_ms());
    assert_int_equal(sqlite3_open_v2(kit.url + strlen("sqlite:"), &h, SQLITE_OPEN_READONLY, NULL),
                     SQLITE_OK);
    int64_t n = count(h, sql);
    sqlite3_close(h);
    return n;
}

static struct housekeeper *start_housekeeper(void)
{
    struct housekeeper *hk = NULL;
    struct housekeeper_config c = {.store = kit.store,
                                   .books = kit.books,
                                   .intake = kit.intake,
                                   .retention_days = 30,
                                   .join_ms = kit.limits.join_ms};
    assert_ok(housekeeper_start(&c, &hk));
    return hk;
}

void kit_keep_house(void)
{
    struct housekeeper *hk = start_housekeeper();
    while (count_due())
        housekeeper_wake(hk);
    housekeeper_stop(hk);
}

struct erasing {
    struct store_job job;
    struct erasure erasure;
};

static enum err erasure_put_run(struct store_job *job, struct db *db)
{
    return erasure_put(db, &((struct erasing *)job)->erasure);
}

static enum err erasure_get_run(struct store_job *job, struct db *db)
{
    struct erasure *e = &((struct erasing *)job)->erasure;
    return erasure_get(db, kit.account, str_of(e->id), e);
}

void kit_erase(const char *number)
{
    struct erasing e = {.job.run = erasure_put_run, .erasure = {.account = kit.account}};
    snprintf(e.erasure.number, sizeof e.erasure.number, "%s", number);
    id_new("era", e.erasure.id);
    assert_ok(store_write_now(kit.store, &e.job));
    struct housekeeper *hk = start_housekeeper();
    e.job = (struct store_job){.run = erasure_get_run};
    while (!e.erasure.finished) {
        housekeeper_wake(hk);
        assert_ok(store_read_now(kit.store, &e.job));
    }
    housekeeper_stop(hk);
}
