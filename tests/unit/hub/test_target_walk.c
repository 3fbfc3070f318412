/* The way through a number's targets: which comes next, and where it ends. */
#include <unistd.h>

#include "check.h"
#include "hub/target_walk.h"

static char dir[] = "/tmp/hookswitch-walk-XXXXXX", url[128];
static struct store *store;
static struct books *books;
static const struct book *book;
static uint64_t next_n = 10;

static void number_of_account(const char *e164, uint64_t account, const char *targets)
{
    static char doc[8192];
    snprintf(doc, sizeof doc, "{\"number\":\"%s\",\"forward\":{\"targets\":[%s]}}", e164, targets);
    struct setting s = {.n = next_n++,
                        .kind = SETTING_NUMBER,
                        .id = str_of(e164),
                        .key = str_of(e164),
                        .account = account,
                        .doc = str_of(doc)};
    books_changed(books, &s, false);
    book_drop(&book);
    book = book_take(books);
}

static void number(const char *e164, const char *targets)
{
    number_of_account(e164, 3, targets);
}

/* `n` times the same target, with commas. */
static const char *times(unsigned n, const char *target)
{
    static char text[4096];
    size_t at = 0;
    for (unsigned i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i ? "," : "", target);
    return text;
}

#define TO(e164) "{\"type\":\"access_number\",\"destination\":\"" e164 "\"}"
#define SIP(user, when)                                                                            \
    "{\"type\":\"sip\",\"destination\":\"sip:" user "@192.0.2.1\",\"when\":\"" when "\"}"

static struct target_walk start(const char *e164)
{
    struct target_walk w;
    const struct book_number *n = book_number(book, str_of(e164));
    assert_non_null(n);
    target_walk_start(&w, book, n);
    return w;
}

static enum walk_step step(struct target_walk *w, int last_status, const char *destination)
{
    const struct target *t = NULL;
    enum walk_step s = target_walk_next(w, last_status, &t);
    if (destination) {
        assert_non_null(t);
        assert_true(str_eq(t->destination, str_of(destination)));
    }
    return s;
}

static int set_up(void **state)
{
    char why[256];
    struct store_config c = {.url = url};
    assert_ok(store_open(&c, &store, why, sizeof why));
    assert_ok(books_open(store, &books));
    return 0;
}

static int tear_down(void **state)
{
    book_drop(&book);
    books_close(books);
    store_close(store);
    return 0;
}

static void an_outcome_chooses_the_next_target(void **state)
{
    number("+447911000001", SIP("a", "always") "," SIP("b", "busy") "," SIP("c", "no_answer"));
    struct target_walk w = start("+447911000001");
    assert_int_equal(step(&w, 0, "sip:a@192.0.2.1"), WALK_TARGET);
    assert_int_equal(step(&w, 408, "sip:c@192.0.2.1"), WALK_TARGET);
    assert_int_equal(step(&w, 486, NULL), WALK_EXHAUSTED);
    assert_int_equal(w.looked_at, 3);
}

static void a_number_leads_through_its_targets_and_back(void **state)
{
    number("+447911000002", SIP("inner", "always"));
    number("+447911000003", TO("+447911000002") "," SIP("outer", "always"));
    struct target_walk w = start("+447911000003");
    assert_int_equal(step(&w, 0, "sip:inner@192.0.2.1"), WALK_TARGET);
    assert_int_equal(step(&w, 486, "sip:outer@192.0.2.1"), WALK_TARGET);
    assert_int_equal(step(&w, 486, NULL), WALK_EXHAUSTED);
}

static void a_loop_a_stranger_and_nothing_fail_like_a_target(void **state)
{
    number_of_account("+447911000005", 4, SIP("x", "always"));
    number("+447911000004", TO("+447911000004") "," TO("+447911000005") "," TO("+447911999999"));
    struct target_walk w = start("+447911000004");
    for (int i = 0; i < 3; i++)
        assert_int_equal(step(&w, i ? 500 : 0, NULL), WALK_NUMBER_FAILED);
    assert_int_equal(step(&w, 500, NULL), WALK_EXHAUSTED);
}

static void eight_levels_of_sixteen_numbers_end_after_64_looks(void **state)
{
    char e164[20], next[80];
    for (int i = 7; i >= 0; i--) {
        snprintf(e164, sizeof e164, "+44791100010%d", i);
        snprintf(next, sizeof next,
                 "{\"type\":\"access_number\",\"destination\":\"+44791100010%d\"}", i + 1);
        number(e164, i < 7 ? times(16, next) : "");
    }
    struct target_walk w = start("+447911000100");
    assert_int_equal(step(&w, 0, NULL), WALK_LIMIT);
    assert_int_equal(w.looked_at, TARGETS_LOOKED_AT_MAX);
    assert_int_equal(step(&w, 0, NULL), WALK_LIMIT);
}

static void exactly_64_are_tried_and_passing_over_counts(void **state)
{
    number("+447911000020", times(16, SIP("x", "always")));
    number("+447911000021", times(15, SIP("y", "busy")));
    number("+447911000022", TO("+447911000021") "," TO("+447911000020") "," TO("+447911000020"));
    struct target_walk w = start("+447911000022");
    unsigned tried = 0;
    while (step(&w, tried ? 503 : 408, NULL) == WALK_TARGET)
        tried++;
    assert_int_equal(tried, 32); /* 3 numbers, 15 passed over, 32 tried */
    assert_int_equal(w.looked_at, 50);
}

static void an_answer_does_not_begin_the_count_anew(void **state)
{
    number("+447911000030", times(16, SIP("x", "always")));
    const struct book_number *n = book_number(book, STR("+447911000030"));
    struct target_walk w = start("+447911000030");
    unsigned tried = 0;
    for (int answers = 0; answers < 10; answers++) {
        while (step(&w, 486, NULL) == WALK_TARGET)
            tried++;
        target_walk_answer(&w, book, 3, n->set->forward);
    }
    assert_int_equal(tried, TARGETS_LOOKED_AT_MAX);
    assert_int_equal(step(&w, 486, NULL), WALK_LIMIT);
}

int main(void)
{
    assert_non_null(mkdtemp(dir));
    snprintf(url, sizeof url, "sqlite:%s/t.db", dir);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_outcome_chooses_the_next_target),
        cmocka_unit_test(a_number_leads_through_its_targets_and_back),
        cmocka_unit_test(a_loop_a_stranger_and_nothing_fail_like_a_target),
        cmocka_unit_test(eight_levels_of_sixteen_numbers_end_after_64_looks),
        cmocka_unit_test(exactly_64_are_tried_and_passing_over_counts),
        cmocka_unit_test(an_answer_does_not_begin_the_count_anew),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
