/* The book against a plain list of settings: random changes, the look-ups of each kind compared,
 * books of before still as they were. Also the rules that a list cannot show: which trunk a packet
 * is of, in which order the endpoints of a number come. */
#include <stdio.h>
#include <unistd.h>

#include "check.h"
#include "hub/book.h"

static struct store *store;
static struct books *books;

static char dir[] = "/tmp/hookswitch-book-XXXXXX";

static int set_up(void **state)
{
    char url[128], why[256];
    snprintf(url, sizeof url, "sqlite:%s/s.db", dir);
    const struct store_config c = {.url = url};
    assert_ok(store_open(&c, &store, why, sizeof why));
    assert_ok(books_open(store, &books));
    return 0;
}

static int tear_down(void **state)
{
    static const char *const file[] = {"s.db", "s.db-wal", "s.db-shm", "s.db.lock"};
    char path[128];
    books_close(books);
    store_close(store);
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, file[i]);
        unlink(path);
    }
    return 0;
}

static void change(enum setting_kind kind, uint64_t n, uint64_t account, const char *id,
                   const char *key, const char *doc)
{
    const struct setting s = {.kind = kind,
                              .n = n,
                              .account = account,
                              .id = str_of(id),
                              .key = str_of(key),
                              .doc = str_of(doc ? doc : "")};
    books_changed(books, &s, doc == NULL);
}

/* ---- endpoints of numbers ---- */

enum { ENDPOINTS = 40, NUMBERS = 12, ACCOUNTS = 3 };

static struct wish { /* what endpoint n + 1 names: a bit a number; all; nothing when it is not there
                      */
    bool there, all;
    unsigned account, numbers;
} wish[ENDPOINTS];

static const char *number_of(unsigned i)
{
    static char text[NUMBER_SIZE];
    snprintf(text, sizeof text, "+1555000%u", 10 + i);
    return text;
}

static void set_endpoint(unsigned i, struct wish w)
{
    char id[32], doc[1024];
    size_t n =
        (size_t)snprintf(doc, sizeof doc, "{\"url\":\"https://e%u.example/\",\"numbers\":", i);
    snprintf(id, sizeof id, "ep_%u", i);
    n += (size_t)snprintf(doc + n, sizeof doc - n, w.all ? "\"*\"" : "[");
    const char *comma = "";
    for (unsigned k = 0; !w.all && k < NUMBERS; k++)
        if (w.numbers >> k & 1) {
            n += (size_t)snprintf(doc + n, sizeof doc - n, "%s\"%s\"", comma, number_of(k));
            comma = ",";
        }
    snprintf(doc + n, sizeof doc - n, w.all ? "}" : "]}");
    change(SETTING_ENDPOINT, i + 1, w.account, id, id, w.there ? doc : NULL);
}

static void compare(const struct book *b, const struct wish *all)
{
    for (unsigned account = 1; account <= ACCOUNTS; account++)
        for (unsigned k = 0; k <= NUMBERS; k++) { /* NUMBERS: one that nobody names */
            struct book_watchers w = book_watchers(b, account, str_of(number_of(k)));
            const struct book_endpoint *ep;
            for (unsigned i = 0; i < ENDPOINTS; i++) {
                if (!all[i].there || all[i].account != account ||
                    !(all[i].all || all[i].numbers >> k & 1))
                    continue;
                assert_non_null(ep = book_watcher_next(&w));
                assert_int_equal(ep->n, i + 1);
            }
            assert_null(book_watcher_next(&w));
        }
    for (unsigned i = 0; i < ENDPOINTS; i++) {
        char id[32];
        snprintf(id, sizeof id, "ep_%u", i);
        const struct book_endpoint *ep = book_endpoint(b, i + 1);
        assert_ptr_equal(ep, book_endpoint_by_id(b, str_of(id)));
        assert_int_equal(ep != NULL, all[i].there);
        if (ep)
            assert_int_equal(ep->account, all[i].account);
    }
}

static void endpoints_are_found_by_number(void **state)
{
    static struct wish before[ENDPOINTS];
    const struct book *old = book_take(books);
    srand(7);
    memset(wish, 0, sizeof wish);
    memcpy(before, wish, sizeof before);
    for (int round = 0; round < 1500; round++) {
        unsigned i = (unsigned)rand() % ENDPOINTS;
        struct wish w = {.there = rand() % 4 != 0,
                         .all = rand() % 5 == 0,
                         .account = 1 + (unsigned)rand() % ACCOUNTS,
                         .numbers = (unsigned)rand() & (unsigned)rand() & ((1u << NUMBERS) - 1)};
        if (w.all)
            w.numbers = 0;
        set_endpoint(i, w);
        wish[i] = w;
        const struct book *now = book_take(books);
        compare(now, wish);
        compare(old, before);
        if (rand() % 10 == 0) {
            book_drop(&old);
            old = now;
            memcpy(before, wish, sizeof before);
        } else {
            book_drop(&now);
        }
    }
    book_drop(&old);
}

static void a_number_named_twice_counts_once(void **state)
{
    change(SETTING_ENDPOINT, 1, 1, "ep_a", "ep_a",
           "{\"url\":\"http://a/\",\"numbers\":[\"+15550001\",\"+15550001\"]}");
    const struct book *b = book_take(books);
    struct book_watchers w = book_watchers(b, 1, STR("+15550001"));
    assert_non_null(book_watcher_next(&w));
    assert_null(book_watcher_next(&w));
    book_drop(&b);
    change(SETTING_ENDPOINT, 1, 1, "ep_a", "ep_a", NULL);
    b = book_take(books);
    w = book_watchers(b, 1, STR("+15550001"));
    assert_null(book_watcher_next(&w));
    book_drop(&b);
}

static void events_without_a_number_go_to_those_that_want_all(void **state)
{
    change(SETTING_ENDPOINT, 1, 1, "ep_a", "ep_a", "{\"url\":\"http://a/\"}");
    change(SETTING_ENDPOINT, 2, 1, "ep_b", "ep_b",
           "{\"url\":\"http://b/\",\"numbers\":[\"+15550001\"]}");
    const struct book *b = book_take(books);
    struct book_watchers w = book_watchers(b, 1, STR(""));
    assert_int_equal(book_watcher_next(&w)->n, 1);
    assert_null(book_watcher_next(&w));
    w = book_watchers(b, 1, STR("+1234567890123456789012345678901234567890")); /* no number */
    assert_int_equal(book_watcher_next(&w)->n, 1);
    assert_null(book_watcher_next(&w));
    book_drop(&b);
}

/* ---- the other kinds ---- */

static void a_new_name_takes_the_place_of_the_old_one(void **state)
{
    change(SETTING_ACCOUNT, 5, 5, "acc_5", "acme", "{\"name\":\"acme\"}");
    const struct book *old = book_take(books);
    change(SETTING_ACCOUNT, 5, 5, "acc_5", "zenith", "{\"name\":\"zenith\"}");
    change(SETTING_ACCOUNT, 6, 6, "acc_6", "acme", "{\"name\":\"acme\"}");
    const struct book *now = book_take(books);
    assert_int_equal(book_account_named(old, STR("acme"))->n, 5);
    assert_null(book_account_named(old, STR("zenith")));
    assert_int_equal(book_account_named(now, STR("acme"))->n, 6);
    assert_int_equal(book_account_named(now, STR("zenith"))->n, 5);
    assert_int_equal(book_account_named(now, STR("acc_5"))->n, 5);
    assert_string_equal(book_account(now, 5)->set->name, "zenith");
    assert_int_equal(book_count(now, SETTING_ACCOUNT), 2);
    book_drop(&old);
    book_drop(&now);
    change(SETTING_ACCOUNT, 5, 5, "acc_5", "zenith", NULL);
    now = book_take(books);
    assert_null(book_account(now, 5));
    assert_null(book_account_named(now, STR("zenith")));
    assert_int_equal(book_count(now, SETTING_ACCOUNT), 1);
    book_drop(&now);
}

static void the_narrowest_source_says_whose_a_packet_is(void **state)
{
    struct addr a;
    change(SETTING_TRUNK, 1, 0, "trk_1", "wide",
           "{\"name\":\"wide\",\"sources\":[\"10.0.0.0/8\"]}");
    change(SETTING_TRUNK, 2, 0, "trk_2", "one",
           "{\"name\":\"one\",\"sources\":[\"10.1.2.3\",\"192.0.2.0/24\"]}");
    change(SETTING_TRUNK, 3, 0, "trk_3", "same",
           "{\"name\":\"same\",\"sources\":[\"10.0.0.0/8\"]}");
    const struct book *b = book_take(books);
    assert_ok(addr_parse(STR("10.1.2.3"), 5060, &a));
    assert_int_equal(book_trunk_from(b, &a)->n, 2);
    assert_ok(addr_parse(STR("10.1.2.4"), 5060, &a));
    assert_int_equal(book_trunk_from(b, &a)->n, 1);
    assert_ok(addr_parse(STR("198.51.100.1"), 5060, &a));
    assert_null(book_trunk_from(b, &a));
    change(SETTING_TRUNK, 1, 0, "trk_1", "wide", NULL);
    assert_ok(addr_parse(STR("10.1.2.4"), 5060, &a));
    assert_int_equal(book_trunk_from(b, &a)->n, 1); /* as long as it is held */
    book_drop(&b);
    b = book_take(books);
    assert_int_equal(book_trunk_from(b, &a)->n, 3);
    assert_int_equal(book_trunk(b, STR("same"))->n, 3);
    book_drop(&b);
    change(SETTING_TRUNK, 2, 0, "trk_2", "one", NULL);
    change(SETTING_TRUNK, 3, 0, "trk_3", "same", NULL);
    b = book_take(books);
    assert_null(book_trunk_from(b, &a));
    book_drop(&b);
}

static void an_unreadable_row_is_left_out(void **state)
{
    change(SETTING_NUMBER, 1, 1, "+15550001", "+15550001", "{\"number\":\"+15550001\"}");
    change(SETTING_NUMBER, 1, 1, "+15550001", "+15550001", "{\"number\":7}");
    const struct book *b = book_take(books);
    assert_null(book_number(b, STR("+15550001")));
    assert_int_equal(book_count(b, SETTING_NUMBER), 0);
    book_drop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(endpoints_are_found_by_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_number_named_twice_counts_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(events_without_a_number_go_to_those_that_want_all, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_new_name_takes_the_place_of_the_old_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_narrowest_source_says_whose_a_packet_is, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_unreadable_row_is_left_out, set_up, tear_down),
    };
    assert_non_null(mkdtemp(dir));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(dir);
    return failed;
}
