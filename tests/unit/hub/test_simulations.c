/* The waiting of simulated calls for those who may decide: on a loop that the test turns. */
#include <unistd.h>

#include "check.h"
#include "base/clock.h"
#include "hub/simulations.h"

static char dir[] = "/tmp/hookswitch-simulations-XXXXXX", url[128];
static struct store *store;
static struct books *books;
static const struct book *book;
static struct intake *intake;
static struct loop *loop;
static struct simulations *all;
static struct simulated_call *call;

enum { ACCOUNT = 3, ENDPOINT = 20 };
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

/* A control endpoint with so much time. */
static void control(unsigned timeout_ms)
{
    char doc[512];
    snprintf(doc, sizeof doc,
             "{\"url\":\"https://h.example/hook\",\"control\":true,\"control_timeout_ms\":%u,"
             "\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}",
             timeout_ms);
    setting(SETTING_ENDPOINT, ENDPOINT, "ep_1", doc);
}

/* ---- who is asked, and what comes of it ---- */

static unsigned asked, done;
static enum err how;
static enum control_action action;
static struct event_seen {
    char call_id[ID_SIZE];
    enum event_kind kind;
} seen;

static enum err on_early(void *arg, const struct event *e, uint64_t endpoint, unsigned sequence)
{
    assert_int_equal(endpoint, ENDPOINT);
    assert_int_equal(sequence, 1);
    seen.kind = e->kind;
    assert_ok(str_copy(e->call_id, seen.call_id, sizeof seen.call_id));
    asked++;
    return OK;
}

static enum err on_ask(void *arg, const struct event *e, struct str to, int64_t timeout_ms,
                       uint64_t mark)
{
    return ERR_FULL;
}

static void on_stored(void *arg, const struct stored *s) /* the writer's thread */
{
}

static void on_done(void *arg, enum err err, const struct control *what)
{
    done++;
    how = err;
    action = what->action;
}

static void run(void)
{
    static const struct simulation s = {
        .number = NUMBER, .from = "+19175550100", .outcome = END_COMPLETED, .duration_sec = 5};
    struct admission *incoming;
    asked = done = 0;
    simulated_free(call);
    assert_ok(simulated_new(intake, book, ACCOUNT, &s, clock_wall_ms(), &call));
    assert_ok(simulated_begin(call, &incoming));
    assert_true(simulation_asks(call, incoming));
    assert_ok(simulations_run(all, call, &incoming, on_done, NULL));
    assert_null(incoming);
}

static void answer(const char *body)
{
    simulations_control(all, str_of(seen.call_id), ENDPOINT, 200, str_of(body));
}

#define UNTIL(condition)                                                                           \
    for (int64_t give_up_ms = clock_mono_ms() + 20000; !(condition);) {                            \
        if (clock_mono_ms() > give_up_ms)                                                          \
            fail_msg("waited in vain for %s", #condition);                                         \
        loop_turn(loop, 10);                                                                       \
    }

static void an_answer_decides(void **state)
{
    control(10000);
    run();
    UNTIL(asked);
    assert_int_equal(seen.kind, EVENT_INCOMING_CALL);
    assert_str(simulated_id(call), seen.call_id);
    answer("{\"action\":\"reject\"}");
    UNTIL(done);
    assert_ok(how);
    assert_int_equal(action, CONTROL_REJECT);
    answer("{\"action\":\"default\"}"); /* nobody waits any more */
    for (int i = 0; i < 5; i++)
        loop_turn(loop, 1);
    assert_int_equal(done, 1);
}

static void an_answer_of_nothing_ends_the_wait(void **state)
{
    control(10000);
    run();
    UNTIL(asked);
    simulations_control(all, str_of(seen.call_id), 99, 200, STR("{\"action\":\"reject\"}"));
    simulations_control(all, STR("call_other"), ENDPOINT, 200, STR("{\"action\":\"reject\"}"));
    answer("OK");
    UNTIL(done);
    assert_int_equal(action, CONTROL_DEFAULT);
}

static void without_an_answer_its_time_is_over(void **state)
{
    control(100);
    int64_t began_ms = clock_mono_ms();
    run();
    UNTIL(done);
    assert_ok(how);
    assert_int_equal(action, CONTROL_DEFAULT);
    assert_true(clock_mono_ms() - began_ms >= 100);
}

static int set_up(void **state)
{
    char why[256];
    struct store_config c = {.url = url};
    assert_ok(store_open(&c, &store, why, sizeof why));
    assert_ok(books_open(store, &books));
    assert_ok(intake_new(store, on_stored, NULL, &intake));
    assert_ok(loop_new(&loop, "test", 64));
    const struct simulations_config sc = {
        .loop = loop, .intake = intake, .askers = {on_early, on_ask, NULL}};
    assert_ok(simulations_new(&sc, &all));
    setting(SETTING_NUMBER, 10, NUMBER, "{\"number\":\"" NUMBER "\"}");
    return 0;
}

static int tear_down(void **state)
{
    simulated_free(call);
    store_close(store);
    simulations_free(all);
    simulations_free(NULL);
    intake_free(intake);
    loop_free(loop);
    book_drop(&book);
    books_close(books);
    return 0;
}

int main(void)
{
    assert_non_null(mkdtemp(dir));
    snprintf(url, sizeof url, "sqlite:%s/t.db", dir);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_decides),
        cmocka_unit_test(an_answer_of_nothing_ends_the_wait),
        cmocka_unit_test(without_an_answer_its_time_is_over),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
