/* Lists of the endpoints of a number: in the order of their rows, each endpoint once, whether they
 * are entered one by one or joined; a list that somebody holds does not change. */
#include "hub/book_watch.h"

#include <stdio.h>
#include <stdlib.h>

#include "check.h"

static struct entry *endpoint_of(uint64_t n, uint64_t account, const char *numbers)
{
    char id[32], doc[256];
    snprintf(id, sizeof id, "ep_%u", (unsigned)n);
    snprintf(doc, sizeof doc, "{\"url\":\"https://e/\",\"numbers\":%s}", numbers);
    const struct setting s = {.kind = SETTING_ENDPOINT,
                              .n = n,
                              .account = account,
                              .id = str_of(id),
                              .key = str_of(id),
                              .doc = str_of(doc)};
    struct entry *e = entry_of_setting(&s, NULL);
    assert_non_null(e);
    return e;
}

/* "3 5 9": the rows of a list; "" when there is none. */
static const char *rows_of(const struct trie *t, uint64_t account, const char *number)
{
    static char text[256];
    size_t n = 0;
    const struct watch *w = watch_get(t, account, str_of(number));
    text[0] = '\0';
    for (uint32_t i = 0; w && i < w->n; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%u", i ? " " : "",
                              (unsigned)w->endpoint[i]->as_any.n);
    return text;
}

static void lists_are_in_the_order_of_rows(void **state)
{
    struct trie t = {0};
    struct entry *e[4] = {endpoint_of(5, 1, "[\"+15550001\",\"+15550002\"]"),
                          endpoint_of(3, 1, "[\"+15550001\",\"+15550001\"]"),
                          endpoint_of(9, 1, "[\"+15550001\"]"), endpoint_of(7, 1, "\"*\"")};
    for (size_t i = 0; i < 4; i++)
        assert_ok(watch_add(&t, e[i]));
    assert_string_equal(rows_of(&t, 1, "+15550001"), "3 5 9");
    assert_string_equal(rows_of(&t, 1, "+15550002"), "5");
    assert_string_equal(rows_of(&t, 1, ""), "7");
    assert_string_equal(rows_of(&t, 2, "+15550001"), "");
    assert_string_equal(rows_of(&t, 1, "+155500010000000000000000"), "");
    struct trie before = trie_copy(&t);
    assert_ok(watch_remove(&t, e[0]));
    assert_string_equal(rows_of(&t, 1, "+15550001"), "3 9");
    assert_string_equal(rows_of(&t, 1, "+15550002"), "");
    assert_string_equal(rows_of(&before, 1, "+15550001"), "3 5 9");
    assert_ok(watch_remove(&t, e[0])); /* is not there any more */
    for (size_t i = 1; i < 4; i++)
        assert_ok(watch_remove(&t, e[i]));
    assert_int_equal(t.n, 0);
    trie_drop(&t, &watches);
    trie_drop(&before, &watches);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(e[i]->refs, 1);
        entry_drop(e[i]);
    }
}

static struct watch *taken[8];
static size_t n_taken, room;

static enum err take(void *arg, struct watch *w)
{
    taken[n_taken++] = w;
    return n_taken == room ? ERR_FULL : OK;
}

static void an_endpoint_gives_a_list_for_each_number(void **state)
{
    struct entry *e = endpoint_of(5, 1, "[\"+15550001\",\"+15550002\",\"+15550003\"]");
    n_taken = 0;
    room = 8;
    assert_ok(watch_each(e, take, NULL));
    assert_int_equal(n_taken, 3);
    room = 5;
    assert_err(watch_each(e, take, NULL), ERR_FULL);
    assert_int_equal(n_taken, 5);
    assert_int_equal(e->refs, 6);
    while (n_taken)
        watches.drop(taken[--n_taken]);
    assert_int_equal(e->refs, 1);
    entry_drop(e);
}

static void lists_of_one_number_are_joined(void **state)
{
    struct entry *e[3] = {endpoint_of(5, 1, "[\"+15550001\",\"+15550001\"]"),
                          endpoint_of(3, 1, "[\"+15550001\"]"),
                          endpoint_of(9, 1, "[\"+15550001\"]")};
    struct trie t = {0};
    n_taken = 0;
    room = 8;
    for (size_t i = 0; i < 3; i++)
        assert_ok(watch_each(e[i], take, NULL));
    assert_int_equal(n_taken, 4);
    struct watch *w = watch_join((void **)taken, n_taken);
    assert_non_null(w);
    assert_ok(trie_put(&t, &watches, w));
    assert_string_equal(rows_of(&t, 1, "+15550001"), "3 5 9");
    trie_drop(&t, &watches);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(e[i]->refs, 1);
        entry_drop(e[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_in_the_order_of_rows),
        cmocka_unit_test(an_endpoint_gives_a_list_for_each_number),
        cmocka_unit_test(lists_of_one_number_are_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
