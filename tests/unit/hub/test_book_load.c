/* The first book of a process is the one that changes would have made, row by row: with rows that
 * cannot be read, with several endpoints of one number, in parts that the store's readers share. */
#include "hub/book.h"
#include "hub/book_load.h"

#include <stdio.h>
#include <unistd.h>

#include "check.h"
#include "faulty_engine.h"

enum { OWN = 1, OTHER = 2 };

static char dir[] = "/tmp/hookswitch-load-XXXXXX";
static struct store *store;

static void open_store(bool by_hand)
{
    char url[128], why[256] = "";
    snprintf(url, sizeof url, "sqlite:%s", by_hand ? ":memory:" : "");
    if (!by_hand)
        snprintf(url, sizeof url, "sqlite:%s/s.db", dir);
    const struct store_config c = {.url = url, .engine = &engine_faulty, .by_hand = by_hand};
    if (store_open(&c, &store, why, sizeof why) != OK)
        fail_msg("%s", why);
}

static int tear_down(void **state)
{
    static const char *const file[] = {"s.db", "s.db-wal", "s.db-shm", "s.db.lock"};
    char path[128];
    store_close(store);
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, file[i]);
        unlink(path);
    }
    return 0;
}

struct fill {
    struct store_job job;
    unsigned rows;
};

static enum err put(struct db *db, enum setting_kind kind, uint64_t account, const char *id,
                    const char *doc)
{
    struct setting s = {
        .kind = kind, .account = account, .id = str_of(id), .key = str_of(id), .doc = str_of(doc)};
    return setting_put(db, &s);
}

/* Of each ten rows: seven numbers, an endpoint of one number, one of two, and one that cannot be
 * read. */
static enum err fill_run(struct store_job *job, struct db *db)
{
    const struct fill *f = (struct fill *)job;
    enum err err = put(db, SETTING_ENDPOINT, OWN, "ep_all", "{\"url\":\"https://all.example/\"}");
    for (unsigned i = 0; err == OK && i < f->rows; i++) {
        char id[32], doc[256];
        snprintf(id, sizeof id, "%s%u", i % 10 < 7 ? "+1555000" : "ep_", i);
        if (i % 10 < 7)
            snprintf(doc, sizeof doc, "{\"number\":\"%s\",\"label\":\"%s\"}", id,
                     i % 3 ? "plain" : "with \\\"escapes\\\"");
        else if (i % 10 == 7)
            snprintf(doc, sizeof doc, "{\"url\":\"https://e/\",\"numbers\":[\"+1555000%u\"]}",
                     i - 7);
        else if (i % 10 == 8)
            snprintf(doc, sizeof doc,
                     "{\"url\":\"https://e/"
                     "\",\"numbers\":[\"+1555000%u\",\"+1555000%u\",\"+1555000%u\"]}",
                     i - 8, i - 7, i - 8);
        else
            snprintf(doc, sizeof doc, "{\"url\":%s", i % 20 == 9 ? "\"ftp://e/\"}" : "17");
        err = put(db, i % 10 < 7 ? SETTING_NUMBER : SETTING_ENDPOINT, i % 10 == 7 ? OTHER : OWN, id,
                  doc);
    }
    if (err == OK)
        err =
            put(db, SETTING_TRUNK, OWN, "trunk_1", "{\"name\":\"t\",\"sources\":[\"10.0.0.0/8\"]}");
    return err == OK ? put(db, SETTING_ACCOUNT, OWN, "acc_1", "{\"name\":\"a\"}") : err;
}

static void fill(unsigned rows)
{
    struct fill f = {.job.run = fill_run, .rows = rows};
    assert_ok(store_write_now(store, &f.job));
}

static unsigned watcher_count(const struct book *b, uint64_t account, const char *number)
{
    unsigned n = 0;
    uint64_t before = 0;
    const struct book_endpoint *ep;
    for (struct book_watchers w = book_watchers(b, account, str_of(number));
         (ep = book_watcher_next(&w));) {
        assert_true(ep->n > before); /* the oldest first, each once */
        before = ep->n;
        n++;
    }
    return n;
}

static void look(const struct book *b, unsigned rows)
{
    assert_int_equal(book_count(b, SETTING_NUMBER), rows / 10 * 7);
    assert_int_equal(book_count(b, SETTING_ENDPOINT), rows / 10 * 2 + 1);
    for (unsigned i = 0; i < rows; i++) {
        char id[32];
        snprintf(id, sizeof id, "%s%u", i % 10 < 7 ? "+1555000" : "ep_", i);
        if (i % 10 < 7) {
            const struct book_number *n = book_number(b, str_of(id));
            assert_non_null(n);
            assert_string_equal(n->set->e164, id);
            assert_string_equal(n->set->label, i % 3 ? "plain" : "with \"escapes\"");
            assert_int_equal(watcher_count(b, OWN, id), i % 10 < 2 ? 2 : 1);
            assert_int_equal(watcher_count(b, OTHER, id), i % 10 == 0);
        } else {
            const struct book_endpoint *ep = book_endpoint_by_id(b, str_of(id));
            assert_true((ep != NULL) == (i % 10 != 9));
            assert_ptr_equal(ep, ep ? book_endpoint(b, ep->n) : NULL);
        }
    }
    assert_non_null(book_trunk(b, STR("trunk_1")));
    assert_non_null(book_account_named(b, STR("acc_1")));
}

static void load_and_look(unsigned rows)
{
    struct books *books;
    fill(rows);
    assert_ok(books_open(store, &books));
    const struct book *b = book_take(books);
    look(b, rows);
    book_drop(&b);
    books_close(books);
}

static void an_empty_store_makes_an_empty_book(void **state)
{
    struct books *books;
    open_store(false);
    assert_ok(books_open(store, &books));
    const struct book *b = book_take(books);
    for (int kind = 0; kind < SETTING_KIND_COUNT; kind++)
        assert_int_equal(book_count(b, (enum setting_kind)kind), 0);
    book_drop(&b);
    books_close(books);
}

static void a_few_rows_are_one_part(void **state)
{
    open_store(false);
    load_and_look(50);
}

static void many_rows_are_read_by_all_readers(void **state)
{
    open_store(false);
    load_and_look(9000);
}

static void a_store_without_threads_is_read_too(void **state)
{
    open_store(true);
    load_and_look(4500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(an_empty_store_makes_an_empty_book, tear_down),
        cmocka_unit_test_teardown(a_few_rows_are_one_part, tear_down),
        cmocka_unit_test_teardown(many_rows_are_read_by_all_readers, tear_down),
        cmocka_unit_test_teardown(a_store_without_threads_is_read_too, tear_down),
    };
    assert_non_null(mkdtemp(dir));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
