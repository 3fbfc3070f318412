/* How many endpoints may want one event of one number, by the book, the rows, and both. */
#include <unistd.h>

#include "check.h"
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
    char id[32], doc[512];
};

static enum err put_run(struct store_job *job, struct db *db)
{
    struct put_job *p = (struct put_job *)job;
    return setting_put(db, &p->s);
}

static void document(char *out, size_t cap, const char *events, const char *numbers)
{
    snprintf(out, cap,
             "{\"url\":\"https://example.com/\",\"events\":[%s],\"numbers\":%s,"
             "\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}",
             events, numbers);
}

static void endpoint(uint64_t account, const char *events, const char *numbers)
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
    books_changed(books, &p.s, false);
}

/* Asks for several in one transaction, in which the first `ok` must find room. */
struct ask {
    uint64_t account;
    const char *id, *events, *numbers;
};
struct ask_job {
    struct store_job job;
    const struct ask *ask;
    unsigned n;
    enum err err[ENDPOINTS_PER_EVENT_MAX + 2];
};

static struct endpoint_room *room;
static char why[200];

static struct endpoint *parsed(const struct ask *a)
{
    char text[512];
    struct json *doc;
    struct endpoint *e;
    struct field_error fault;
    document(text, sizeof text, a->events, a->numbers);
    assert_ok(json_parse(str_of(text), &doc, NULL, 0));
    assert_ok(endpoint_parse(doc, &e, &fault));
    json_free(doc);
    return e;
}

static enum err ask_run(struct store_job *job, struct db *db)
{
    struct ask_job *j = (struct ask_job *)job;
    const struct book *book = book_take(books);
    for (unsigned i = 0; i < j->n; i++) {
        struct endpoint *e = parsed(&j->ask[i]);
        j->err[i] = endpoint_room_take(room, db, book, j->ask[i].account, str_of(j->ask[i].id), &e,
                                       why, sizeof why);
        assert_null(e);
    }
    book_drop(&book);
    return OK;
}

static enum err room_for(uint64_t account, const char *id, const char *events, const char *numbers)
{
    const struct ask a = {account, id, events, numbers};
    struct ask_job j = {.job.run = ask_run, .ask = &a, .n = 1};
    assert_ok(store_write_now(store, &j.job));
    return j.err[0];
}

static int set_up(void **state)
{
    char path[256], error[256];
    snprintf(path, sizeof path, "%s/t.db", dir);
    unlink(path);
    struct store_config c = {.url = url};
    assert_ok(store_open(&c, &store, error, sizeof error));
    assert_ok(books_open(store, &books));
    assert_ok(endpoint_room_new(&room));
    return 0;
}

static int tear_down(void **state)
{
    endpoint_room_free(room);
    books_close(books);
    store_close(store);
    return 0;
}

static void the_65th_for_one_event_is_one_too_many(void **state)
{
    for (int i = 0; i < ENDPOINTS_PER_EVENT_MAX; i++) {
        assert_ok(room_for(1, "new", "\"call_ended\"", i % 2 ? ALL : LIST));
        endpoint(1, "\"call_ended\"", i % 2 ? ALL : LIST);
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
        endpoint(1, "\"ping\",\"call_ended\"", ALL);
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
        endpoint(1, "\"call_ended\"", numbers);
    }
    assert_ok(room_for(1, "new", "\"call_ended\"", ALL));
    assert_ok(room_for(1, "new", "\"call_ended\"", LIST));
}

static void itself_is_not_counted_and_a_number_named_twice_is_once(void **state)
{
    for (int i = 0; i < ENDPOINTS_PER_EVENT_MAX - 1; i++)
        endpoint(1, "\"call_ended\"", "[\"" A "\",\"" A "\"]");
    endpoint(1, "\"call_ended\"", LIST);
    char id[32];
    snprintf(id, sizeof id, "ep_%u", next_id);
    assert_ok(room_for(1, id, "\"call_ended\"", ALL));
    assert_err(room_for(1, "new", "\"call_ended\"", ALL), ERR_FULL);
}

/* What another job of the same transaction changed, the book does not have yet. */
static void a_change_that_the_book_has_not_seen_counts(void **state)
{
    static char id[ENDPOINTS_PER_EVENT_MAX + 2][16];
    struct ask ask[ENDPOINTS_PER_EVENT_MAX + 2];
    struct ask_job j = {.job.run = ask_run, .ask = ask, .n = ENDPOINTS_PER_EVENT_MAX + 2};
    for (int i = 0; i < ENDPOINTS_PER_EVENT_MAX; i++)
        endpoint(1, "\"ping\"", LIST);
    for (unsigned i = 0; i < j.n; i++) { /* those that are there change, then one is new */
        snprintf(id[i], sizeof id[i], "ep_%u", next_id - ENDPOINTS_PER_EVENT_MAX + 1 + i);
        ask[i] = (struct ask){1, id[i], "\"call_ended\"", i % 2 ? ALL : LIST};
    }
    ask[ENDPOINTS_PER_EVENT_MAX + 1] = (struct ask){1, "other", "\"ping\"", LIST};
    assert_ok(store_write_now(store, &j.job));
    for (int i = 0; i < ENDPOINTS_PER_EVENT_MAX; i++)
        assert_ok(j.err[i]);
    assert_err(j.err[ENDPOINTS_PER_EVENT_MAX], ERR_FULL);
    assert_ok(j.err[ENDPOINTS_PER_EVENT_MAX + 1]); /* none of them wants it any longer */
    /* The book never heard of it: it did not come to be. */
    assert_ok(room_for(1, "new", "\"call_ended\"", LIST));
    assert_err(room_for(1, "new", "\"ping\"", LIST), ERR_FULL);
}

/* The book learns of them one by one, so that their account is not small. */
static void many_new_ones_in_one_transaction(void **state)
{
    static char id[ENDPOINTS_PER_EVENT_MAX + 2][16];
    struct ask ask[ENDPOINTS_PER_EVENT_MAX + 2];
    struct ask_job j = {.job.run = ask_run, .ask = ask, .n = ENDPOINTS_PER_EVENT_MAX + 1};
    for (int i = 0; i < ENDPOINTS_PER_EVENT_MAX; i++)
        endpoint(1, "\"ping\"", "[]");
    for (unsigned i = 0; i < j.n; i++) {
        snprintf(id[i], sizeof id[i], "new_%u", i);
        ask[i] =
            (struct ask){1, id[i], "\"call_ended\"", i == ENDPOINTS_PER_EVENT_MAX ? ALL : LIST};
    }
    assert_ok(store_write_now(store, &j.job));
    for (int i = 0; i < ENDPOINTS_PER_EVENT_MAX; i++)
        assert_ok(j.err[i]);
    assert_err(j.err[ENDPOINTS_PER_EVENT_MAX], ERR_FULL);
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
        cmocka_unit_test_setup_teardown(many_new_ones_in_one_transaction, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_change_that_the_book_has_not_seen_counts, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
