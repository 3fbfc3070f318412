/* Simulated calls: what is told of them, and that the decision about them is a real call's. */
#include <unistd.h>

#include "check.h"
#include "base/json.h"
#include "hub/simulate.h"

static char dir[] = "/tmp/hookswitch-simulate-XXXXXX", url[128];
static struct store *store;
static struct books *books;
static const struct book *book;
static struct intake *intake;
static struct simulated_call *call;

enum { ACCOUNT = 3, NOW_MS = 1700000000 };
#define NUMBER "+447911000001"

static void setting(enum setting_kind kind, uint64_t n, const char *id, const char *doc)
{
    struct setting s = {.n = n,
                        .kind = kind,
                        .id = str_of(id),
                        .key = str_of(id),
                        .account = ACCOUNT,
                        .doc = str_of(doc)};
    books_changed(books, &s, false);
    book_drop(&book);
    book = book_take(books);
}

static void number(const char *targets)
{
    char doc[2048];
    snprintf(doc, sizeof doc, "{\"number\":\"" NUMBER "\",\"forward\":{\"targets\":[%s]}}",
             targets);
    setting(SETTING_NUMBER, 10, NUMBER, doc);
}

#define DESK "{\"type\":\"sip\",\"destination\":\"sip:desk@192.0.2.1\"}"
#define PSTN "{\"type\":\"pstn\",\"destination\":\"+12025550100\"}"
#define ASK  "{\"type\":\"webhook\",\"destination\":\"https://h.example/ask\"}"

/* ---- the events that came of it ---- */

static struct {
    size_t n;
    struct json *doc[SIMULATED_EVENTS_MAX];
    char call_id[ID_SIZE];
} got;

static void forget(void)
{
    for (size_t i = 0; i < got.n; i++)
        json_free(got.doc[i]);
    got.n = 0;
    simulated_free(call);
    call = NULL;
}

static void take(struct admission *a)
{
    const struct event *e = admission_event(a);
    assert_true(e->simulated);
    assert_str(e->call_id, got.call_id);
    assert_ok(json_parse(e->payload, &got.doc[got.n++], NULL, 0));
    admission_free(a);
}

static const char *text(size_t i, const char *name)
{
    static char out[512];
    struct str s;
    assert_true(i < got.n);
    if (!json_str(json_get(got.doc[i], name), &s))
        return NULL;
    assert_ok(str_copy(s, out, sizeof out));
    return out;
}

static int64_t figure(size_t i, const char *name)
{
    int64_t v;
    assert_true(i < got.n);
    assert_true(json_int(json_get(got.doc[i], name), &v));
    return v;
}

/* ---- a call ---- */

static const char *answer; /* what the webhook says; NULL: nothing yet */
static unsigned asked;
static uint64_t mark;

static enum err on_ask(void *arg, const struct event *e, struct str to, int64_t timeout_ms,
                       uint64_t its)
{
    asked++;
    mark = its;
    return OK;
}

static const struct askers askers = {NULL, on_ask, NULL};

static void begin(const struct simulation *s)
{
    struct admission *a;
    forget();
    asked = 0;
    assert_ok(simulated_new(intake, book, ACCOUNT, s, NOW_MS * INT64_C(1000), &call));
    assert_ok(str_copy(simulated_id(call), got.call_id, sizeof got.call_id));
    assert_ok(simulated_begin(call, &a));
    take(a);
}

/* How long it waits; 0: it is told to its end. */
static int64_t go_on(int64_t mono_ms)
{
    struct admission *rest[SIMULATED_EVENTS_MAX - 1];
    size_t n;
    if (answer)
        decision_answer(simulated_decision(call), mark, 200, str_of(answer), mono_ms);
    int64_t wait_ms = simulated_decide(call, &askers, NULL, mono_ms);
    if (wait_ms > 0)
        return wait_ms;
    assert_ok(simulated_end(call, rest, &n));
    for (size_t i = 0; i < n; i++)
        take(rest[i]);
    return 0;
}

static const struct simulation answered = {.number = NUMBER,
                                           .from = "+19175550100",
                                           .outcome = END_COMPLETED,
                                           .ring_sec = 4,
                                           .duration_sec = 61,
                                           .caller_name = "Ann"};

static void an_answered_call_is_told_in_three(void **state)
{
    number(DESK);
    answer = NULL;
    begin(&answered);
    assert_int_equal(go_on(1000), 0);
    assert_int_equal(got.n, 3);
    static const char *const kind[] = {"incoming_call", "call_answered", "call_ended"};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(text(i, "event"), kind[i]);
        assert_string_equal(text(i, "caller_name"), "Ann");
    }
    assert_string_equal(text(1, "destination"), "sip:desk@192.0.2.1");
    assert_int_equal(figure(1, "ring_sec"), 4);
    assert_int_equal(figure(2, "duration_sec"), 61);
    assert_string_equal(text(2, "end_reason"), "completed");
    assert_string_equal(text(0, "occurred_at"), "2023-11-14T22:12:15.000Z"); /* 65 s ago */
    assert_int_equal(decision_action(simulated_decision(call)), CONTROL_DEFAULT);
}

static void each_outcome_has_its_end(void **state)
{
    static const struct {
        enum end_reason outcome;
        const char *reason, *by;
        int status;
    } t[] = {{END_BUSY, "busy", "callee", 486},
             {END_NO_ANSWER, "no_answer", "system", 480},
             {END_CANCELED, "canceled", "caller", 487},
             {END_REJECTED, "rejected", "callee", 603},
             {END_FAILED, "failed", "system", 503}};
    number(DESK);
    answer = NULL;
    for (size_t i = 0; i < 5; i++) {
        struct simulation s = answered;
        s.outcome = t[i].outcome;
        s.duration_sec = 0;
        begin(&s);
        assert_int_equal(go_on(1000), 0);
        assert_int_equal(got.n, 2);
        assert_string_equal(text(1, "end_reason"), t[i].reason);
        assert_string_equal(text(1, "ended_by"), t[i].by);
        assert_int_equal(figure(1, "sip_status"), t[i].status);
    }
}

static void the_request_s_destination_comes_before_the_number_s(void **state)
{
    struct simulation s = answered;
    number(DESK);
    answer = NULL;
    strcpy(s.destination, "sip:said@example.com");
    begin(&s);
    assert_int_equal(go_on(1000), 0);
    assert_string_equal(text(1, "destination"), "sip:said@example.com");
}

static void an_answer_s_comes_before_the_request_s(void **state)
{
    struct simulation s = answered;
    number(ASK "," DESK);
    strcpy(s.destination, "sip:said@example.com");
    begin(&s);
    assert_int_equal(go_on(1000), ASKED_URL_TIMEOUT_MS);
    assert_int_equal(asked, 1);
    answer = "{\"action\":\"forward\",\"targets\":[{\"type\":\"sip\",\"destination\":"
             "\"sip:theirs@192.0.2.1\"}]}";
    assert_int_equal(go_on(1500), 0);
    assert_string_equal(text(1, "destination"), "sip:theirs@192.0.2.1");
    assert_int_equal(decision_action(simulated_decision(call)), CONTROL_FORWARD);
    answer = NULL;
}

static void a_rejected_call_ends_when_it_would_have_been_answered(void **state)
{
    number(ASK);
    begin(&answered);
    assert_true(go_on(1000) > 0);
    answer = "{\"action\":\"reject\",\"sip_status\":486}";
    assert_int_equal(go_on(1001), 0);
    assert_int_equal(got.n, 2);
    assert_string_equal(text(1, "end_reason"), "busy");
    assert_string_equal(text(1, "ended_by"), "callee");
    assert_int_equal(figure(1, "sip_status"), 486);
    assert_int_equal(figure(1, "ring_sec"), 4);
    assert_int_equal(figure(1, "duration_sec"), 0);
    answer = NULL;
}

static void late_answers_leave_it_to_the_targets(void **state)
{
    number(ASK "," DESK);
    answer = NULL;
    begin(&answered);
    assert_int_equal(go_on(1000), 3000);
    assert_int_equal(go_on(3999), 1);
    assert_int_equal(go_on(4000), 0);
    assert_string_equal(text(1, "destination"), "sip:desk@192.0.2.1");
}

static void where_nobody_can_take_it_it_fails(void **state)
{
    number(PSTN);
    answer = NULL;
    begin(&answered);
    assert_int_equal(go_on(1000), 0);
    assert_int_equal(got.n, 2);
    assert_string_equal(text(1, "end_reason"), "failed");
    assert_string_equal(text(1, "ended_by"), "system");
    assert_int_equal(figure(1, "sip_status"), 500);

    number(ASK); /* an answer that leads nowhere */
    begin(&answered);
    assert_true(go_on(1000) > 0);
    answer = "{\"action\":\"forward\",\"targets\":[" PSTN "]}";
    assert_int_equal(go_on(1001), 0);
    assert_string_equal(text(1, "end_reason"), "failed");
    answer = NULL;
}

static void a_number_without_targets_is_as_the_request_says(void **state)
{
    number("");
    answer = NULL;
    begin(&answered);
    assert_int_equal(go_on(1000), 0);
    assert_int_equal(got.n, 3);
    assert_string_equal(text(1, "destination"), "sip:simulated@localhost");
}

static int set_up(void **state)
{
    char why[256];
    struct store_config c = {.url = url};
    assert_ok(store_open(&c, &store, why, sizeof why));
    assert_ok(books_open(store, &books));
    assert_ok(intake_new(store, NULL, NULL, &intake));
    return 0;
}

static int tear_down(void **state)
{
    forget();
    intake_free(intake);
    book_drop(&book);
    books_close(books);
    store_close(store);
    return 0;
}

int main(void)
{
    assert_non_null(mkdtemp(dir));
    snprintf(url, sizeof url, "sqlite:%s/t.db", dir);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answered_call_is_told_in_three),
        cmocka_unit_test(each_outcome_has_its_end),
        cmocka_unit_test(the_request_s_destination_comes_before_the_number_s),
        cmocka_unit_test(an_answer_s_comes_before_the_request_s),
        cmocka_unit_test(a_rejected_call_ends_when_it_would_have_been_answered),
        cmocka_unit_test(late_answers_leave_it_to_the_targets),
        cmocka_unit_test(where_nobody_can_take_it_it_fails),
        cmocka_unit_test(a_number_without_targets_is_as_the_request_says),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
