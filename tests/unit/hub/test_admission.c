/* Who gets an event, in which lane and with which sequence number; and what a job that runs again
 * does with what its last run left. */
#include <unistd.h>

#include "check.h"
#include "faulty_engine.h"
#include "hub/intake.h"

enum { ACCOUNT = 3, STRANGER = 4 };

static char dir[] = "/tmp/hookswitch-admission-XXXXXX", url[128];
static struct store *store;
static struct books *books;
static const struct book *book;
static struct intake *intake;
static unsigned n_told;
static size_t n_told_deliveries;

static struct event call(const char *id, const char *call_id)
{
    return (struct event){.kind = EVENT_CALL_ENDED,
                          .account = 1,
                          .id = str_of(id),
                          .number = STR("+15550001"),
                          .peer = STR("+15550002"),
                          .call_id = str_of(call_id)};
}

static void a_lane_is_an_endpoint_and_a_call(void **state)
{
    struct event a = call("evt_1", "call_1"), b = call("evt_2", "call_1"),
                 c = call("evt_3", "call_2");
    assert_true(lane_key(7, &a) == lane_key(7, &b));
    assert_true(lane_key(7, &a) != lane_key(8, &a));
    assert_true(lane_key(7, &a) != lane_key(7, &c));
    assert_true(lane_key(1, &a) != lane_key(11, &a));
}

static void messages_of_two_people_share_one(void **state)
{
    struct event a = {.kind = EVENT_SMS_RECEIVED,
                      .id = STR("evt_1"),
                      .number = STR("+15550001"),
                      .peer = STR("+15550002")};
    struct event b = a, c = a, d = a;
    b.id = STR("evt_2");
    c.peer = STR("+15550003");
    d.number = STR("+15550004");
    assert_true(lane_key(7, &a) == lane_key(7, &b));
    assert_true(lane_key(7, &a) != lane_key(7, &c));
    assert_true(lane_key(7, &a) != lane_key(7, &d));
}

static void what_belongs_to_nothing_goes_alone(void **state)
{
    struct event a = {.kind = EVENT_PING, .id = STR("evt_1")}, b = a;
    b.id = STR("evt_2");
    assert_true(lane_key(7, &a) != lane_key(7, &b));
}

static void filters(void **state)
{
    static const char numbers[2][NUMBER_SIZE] = {"+15550001", "+15550002"};
    struct endpoint set = {.events = EVENT_BIT(EVENT_CALL_ENDED), .disabled = true};
    struct book_endpoint ep = {.n = 7, .set = &set};
    assert_true(endpoint_wants(&ep, EVENT_CALL_ENDED, STR("+1")));
    assert_false(endpoint_wants(&ep, EVENT_INCOMING_CALL, STR("+1")));
    set.numbers = numbers;
    set.n_numbers = 2;
    assert_true(endpoint_wants(&ep, EVENT_CALL_ENDED, STR("+15550002")));
    assert_false(endpoint_wants(&ep, EVENT_CALL_ENDED, STR("+1555000")));
}

/* ---- who gets it ---- */

static void on_stored(void *arg, const struct stored *s)
{
    n_told++;
    n_told_deliveries = s->n_deliveries;
}

static void endpoint(uint64_t n, uint64_t account, const char *more)
{
    char id[32], doc[512];
    snprintf(id, sizeof id, "ep_%llu", (unsigned long long)n);
    snprintf(
        doc, sizeof doc,
        "{\"url\":\"https://h.example/\",\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"%s}",
        more);
    struct setting s = {.n = n,
                        .kind = SETTING_ENDPOINT,
                        .id = str_of(id),
                        .key = str_of(id),
                        .account = account,
                        .doc = str_of(doc)};
    books_changed(books, &s, false);
    book_drop(&book);
    book = book_take(books);
}

static int set_up(void **state)
{
    char why[256];
    struct store_config c = {.url = url, .engine = &engine_faulty};
    assert_ok(store_open(&c, &store, why, sizeof why));
    assert_ok(books_open(store, &books));
    assert_ok(intake_new(store, on_stored, NULL, &intake));
    endpoint(7, ACCOUNT, "");
    endpoint(8, ACCOUNT, ",\"numbers\":[\"+15550001\"]");
    endpoint(9, ACCOUNT, ",\"numbers\":[\"+15550009\"]");
    endpoint(10, ACCOUNT, ",\"disabled\":true");
    endpoint(11, ACCOUNT, ",\"events\":[\"sms_received\"]");
    endpoint(12, STRANGER, "");
    n_told = 0;
    return 0;
}

static int tear_down(void **state)
{
    book_drop(&book);
    books_close(books);
    intake_free(intake);
    store_close(store);
    return 0;
}

static const struct event *event_of(const char *id, const char *call_id)
{
    struct event *made, proto = call(id, call_id);
    proto.account = ACCOUNT;
    proto.payload = STR("{}");
    assert_ok(event_new(&proto, &made));
    return made;
}

static struct admission *admit(const char *id, struct sequences *seq, const struct call_row *row)
{
    const struct event *e = event_of(id, "call_1");
    struct admission *a = NULL;
    assert_ok(admission_new(intake, book, &e, seq, row, &a));
    assert_null(e);
    return a;
}

static void endpoints_that_want_it_get_it(void **state)
{
    struct sequences seq = {0};
    struct admission *a = admit("evt_1", &seq, NULL), *b = admit("evt_2", &seq, NULL);
    size_t n;
    const struct delivery *d = admission_deliveries(a, &n);
    assert_int_equal(n, 2);
    for (size_t i = 0; i < n; i++) {
        assert_true(d[i].endpoint == 7 || d[i].endpoint == 8);
        assert_true(d[i].lane == lane_key(d[i].endpoint, admission_event(a)));
        assert_int_equal(d[i].sequence, 1);
    }
    assert_int_equal(d[0].endpoint + d[1].endpoint, 15);
    d = admission_deliveries(b, &n);
    assert_int_equal(d[0].sequence, 2);
    admission_withdraw(b, &seq); /* it was not stored: the next is the second again */
    admission_free(b);
    b = admit("evt_3", &seq, NULL);
    assert_int_equal(admission_deliveries(b, &n)[1].sequence, 2);
    admission_free(a);
    admission_free(b);
    sequences_fini(&seq);
}

static void one_endpoint_gets_it_whatever_it_wants(void **state)
{
    const struct event *e = event_of("evt_one", "call_9");
    struct admission *a;
    size_t n;
    assert_ok(admission_new_for(intake, 11, &e, &a));
    assert_int_equal(admission_deliveries(a, &n)->endpoint, 11);
    assert_int_equal(n, 1);
    admission_free(a);
    admission_free(NULL);
    admission_withdraw(NULL, NULL);
}

/* ---- a job that writes it ---- */

struct putting {
    struct store_job job; /* first */
    struct admission *a;
    bool was_there, found_call;
    unsigned runs;
};

static enum err put_run(struct store_job *job, struct db *db)
{
    struct putting *p = (struct putting *)job;
    p->runs++;
    enum err err = admission_find(p->a, db, &p->was_there);
    return err == OK ? admission_put(p->a, db) : err;
}

static void put_committed(struct store_job *job)
{
    admission_tell(((struct putting *)job)->a);
}

static struct putting put(struct admission *a)
{
    struct putting p = {.job = {.run = put_run, .committed = put_committed}, .a = a};
    assert_ok(store_write_now(store, &p.job));
    return p;
}

static enum err look_run(struct store_job *job, struct db *db)
{
    struct putting *p = (struct putting *)job;
    struct call_row c;
    struct buf mem;
    buf_init(&mem, 4096);
    enum err err = call_get(db, ACCOUNT, STR("call_1"), &c, &mem);
    p->found_call = err == OK && str_eq(c.number, STR("+15550001")) && str_eq(c.trunk, STR("t"));
    buf_fini(&mem);
    return err;
}

static void it_is_told_once_and_its_call_has_a_row(void **state)
{
    char trunk[] = "t", number[] = "+15550001";
    const struct call_row row = {.call_id = STR("call_1"),
                                 .account = ACCOUNT,
                                 .trunk = {trunk, 1},
                                 .number = str_of(number),
                                 .facts = STR("{}"),
                                 .end_reason = -1};
    struct putting look = {.job.run = look_run};
    struct admission *a = admit("evt_put", NULL, &row);
    trunk[0] = number[1] = 'x'; /* it has a copy */
    struct putting p = put(a);
    assert_false(p.was_there);
    assert_true(admission_is_new(a));
    assert_int_equal(n_told, 1);
    assert_int_equal(n_told_deliveries, 2);
    assert_ok(store_read_now(store, &look.job));
    assert_true(look.found_call);
    admission_free(a);
    a = admit("evt_put", NULL, NULL); /* the same again, by somebody else */
    p = put(a);
    assert_false(p.was_there);
    assert_false(admission_is_new(a));
    assert_int_equal(n_told, 1);
    admission_free(a);
}

static void a_commit_whose_answer_was_lost_is_found_again(void **state)
{
    struct admission *a = admit("evt_unsure", NULL, NULL);
    fault_arm(FAULT_COMMIT, FAULT_UNSURE_DONE, 1, 1);
    struct putting p = put(a);
    assert_int_equal(fault_count(), 1);
    fault_disarm();
    assert_int_equal(p.runs, 2);
    assert_true(p.was_there);
    assert_true(admission_is_new(a)); /* its own: or nobody would deliver it */
    assert_int_equal(n_told, 1);
    admission_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lane_is_an_endpoint_and_a_call),
        cmocka_unit_test(messages_of_two_people_share_one),
        cmocka_unit_test(what_belongs_to_nothing_goes_alone),
        cmocka_unit_test(filters),
        cmocka_unit_test_setup_teardown(endpoints_that_want_it_get_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_endpoint_gets_it_whatever_it_wants, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_told_once_and_its_call_has_a_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_commit_whose_answer_was_lost_is_found_again, set_up,
                                        tear_down),
    };
    assert_non_null(mkdtemp(dir));
    snprintf(url, sizeof url, "sqlite:%s/t.db", dir);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
