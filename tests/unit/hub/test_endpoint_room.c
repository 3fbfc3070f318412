/* How many endpoints may want one event of one number, by the book, the rows, and both. */
#include <unistd.h>

#include "../check.h"
#include "base/json.h"
#include "hub/endpoint_room.h"

static char dir[] = "/tmp/hookswitch-room-XXXXXX", url[128];
static struct store *store;
static struct books *books;
static unsigned next_id;

#define A    "+447911000001"
#define B    "+447911000002"
#define LIST "[\"" A "\"]"
#define ALL  "\"*\""

struct put_job {
    struct store_job job;
    struct setting s;
    unsigned n, put;
    char id[32], doc[512];
};

static enum err put_run(struct store_job *job, struct db *db)
{
    struct put_job *p = (struct put_job *)job;
    return p->s.n ? setting_change(db, &p->s) : setting_put(db, &p->s);
}

static void document(char *out, size_t cap, const char *events, const char *numbers)
{
    snprintf(out, cap,
             "{\"url\":\"https://example.com/\",\"events\":[%s],\"numbers\":%s,"
             "\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}",
             events, numbers);
}

/* A row, of which the book knows when `tell`. */
static struct setting endpoint(uint64_t account, const char *events, const char *numbers, bool tell)
{
    static struct put_job p;
    p = (struct put_job){.job.run = put_run};
    snprintf(p.id, sizeof p.id, "ep_%u", ++next_id);
    document(p.doc, sizeof p.doc, events, numbers);
    p.s = (struct setting){.kind = SETTING_ENDPOINT,
                           .id = str_of(p.id),
                           .key = str_of(p.id),
                           .account = account,
                           .doc = str_of(p.doc)};
    assert_ok(store_write_now(store, &p.job));
    if (tell)
        books_changed(books, &p.s, false);
    return p.s;
}

struct ask_job {
    struct store_job job;
    uint64_t account;
    struct str id;
    const struct endpoint *e;
    enum err err;
    char why[200];
};

static enum err ask_run(struct store_job *job, struct db *db)
{
    struct ask_job *a = (struct ask_job *)job;
    const struct book *book = book_take(books);
    a->err = endpoint_room(db, book, a->account, a->id, a->e, a->why, sizeof a->why);
    book_drop(&book);
    return OK;
}

static char why[200];

static enum err room_for(uint64_t account, const char *id, const char *events, const char *numbers)
{
    char text[512];
    struct json *doc;
    struct endpoint *e;
    struct field_error fault;
    document(text, sizeof text, events, numbers);
    assert_ok(json_parse(str_of(text), &doc, NULL, 0));
    assert_ok(endpoint_parse(doc, &e, &fault));
    struct ask_job a = {{.run = ask_run}, account, str_of(id), e, OK, ""};
    assert_ok(store_write_now(store, &a.job));
    memcpy(why, a.why, sizeof why);
    json_free(doc);
    endpoint_free(e);
    return a.err;
}

static int set_up(void **state)
{
    char path[256], error[256];
    snprintf(path, sizeof path, "%s/t.db", dir);
    unlink(path);
    struct store_config c = {.url = url};
    assert_ok(store_open(&c, &store, error, sizeof error));
    assert_ok(books_open(store, &books));
    return 0;
}

static int tear_down(void **state)
{
    books_close(books);
    store_close(store);
    return 0;
}

static void the_65th_for_one_event_is_one_too_many(void **state)
{
    for (int i = 0; i < ENDPOINTS_PER_EVENT_MAX; i++) {
        assert_ok(room_for(1, "new", "\"call_ended\"", i % 2 ? ALL : LIST));
        endpoint(1, "\"call_ended\"", i % 2 ? ALL : LIST, i % 3 != 0);
    }
    assert_err(room_for(1, "new", "\"call_ended\"", LIST), ERR_FULL);
    assert_string_equal(why, "At most 64 endpoints may want one event of one number; call_ended of "
                             "+447911000001 has 64.");
    assert_err(room_for(1, "new", "\"sms_received\",\"call_ended\"", ALL), ERR_FULL);
    assert_ok(room_for(1, "new", "\"call_ended\"", "[\"" B "\"]"));
    assert_ok(room_for(1, "new", "\"sms_received\"", ALL));
    assert_ok(room_for(2, "new", "\"call_ended\"", ALL)); /* another account's */
}

static void those_of_all_numbers_count_for_each(void **state)
{
    for (int i = 0; i < ENDPOINTS_PER_EVENT_MAX; i++)
        endpoint(1, "\"ping\",\"call_ended\"", ALL, true);
    assert_err(room_for(1, "new", "\"ping\"", ALL), ERR_FULL);
    assert_string_equal(why, "At most 64 endpoints may want one event of one number; ping of all "
                             "numbers has 64.");
    assert_err(room_for(1, "new", "\"call_ended\"", "[\"" B "\"]"), ERR_FULL);
    assert_ok(room_for(1, "new", "\"call_ended\"", "[]"));
}

static void one_of_each_number_is_no_crowd(void **state)
{
    char numbers[40];
    for (int i = 0; i < 200; i++) {
        snprintf(numbers, sizeof numbers, "[\"+4479110001%02d\"]", i % 100);
        endpoint(1, "\"call_ended\"", numbers, true);
    }
    assert_ok(room_for(1, "new", "\"call_ended\"", ALL));
    assert_ok(room_for(1, "new", "\"call_ended\"", LIST));
}

static void itself_is_not_counted_and_a_number_named_twice_is_once(void **state)
{
    for (int i = 0; i < ENDPOINTS_PER_EVENT_MAX - 1; i++)
        endpoint(1, "\"call_ended\"", "[\"" A "\",\"" A "\"]", true);
    struct setting last = endpoint(1, "\"call_ended\"", LIST, true);
    char id[32];
    assert_ok(str_copy(last.id, id, sizeof id));
    assert_ok(room_for(1, id, "\"call_ended\"", ALL));
    assert_err(room_for(1, "new", "\"call_ended\"", ALL), ERR_FULL);
}

/* What another job of the same transaction changed, the book does not have yet. */
static void a_change_that_the_book_has_not_seen_counts(void **state)
{
    struct setting s[ENDPOINTS_PER_EVENT_MAX];
    for (int i = 0; i < ENDPOINTS_PER_EVENT_MAX; i++)
        s[i] = endpoint(1, "\"ping\"", LIST, true);
    assert_ok(room_for(1, "new", "\"call_ended\"", LIST));
    for (int i = 0; i < ENDPOINTS_PER_EVENT_MAX; i++) {
        struct put_job p = {.job.run = put_run, .s = s[i]};
        snprintf(p.id, sizeof p.id, "changed_%d", i);
        document(p.doc, sizeof p.doc, "\"call_ended\"", ALL);
        p.s.key = str_of(p.id);
        p.s.doc = str_of(p.doc);
        assert_ok(store_write_now(store, &p.job));
    }
    assert_err(room_for(1, "new", "\"call_ended\"", LIST), ERR_FULL);
    assert_ok(room_for(1, "new", "\"ping\"", LIST));
}

int main(void)
{
    assert_non_null(mkdtemp(dir));
    snprintf(url, sizeof url, "sqlite:%s/t.db", dir);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_65th_for_one_event_is_one_too_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(those_of_all_numbers_count_for_each, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_of_each_number_is_no_crowd, set_up, tear_down),
        cmocka_unit_test_setup_teardown(itself_is_not_counted_and_a_number_named_twice_is_once,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_change_that_the_book_has_not_seen_counts, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
