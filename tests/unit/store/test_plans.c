/* How SQLite would run each statement: none may walk through a large table from end to end, but for
 * those that list it in its order and stop at their limit. */
#include <sqlite3.h>
#include <unistd.h>

#include "../check.h"
#include "store/engine.h"

static char dir[] = "/tmp/hookswitch-plans-XXXXXX";

static const char *const large[] = {"events",      "deliveries", "attempts",  "calls",
                                    "idempotency", "sms_sets",   "sms_parts", "audit"};

/* They list, newest first or all that waits, and stop at their limit; or ask for the last row. */
static bool may_walk(size_t sql)
{
    static const enum sql list[] = {SQL_EVENT_LIST,    SQL_CALL_LIST,   SQL_EVENT_LAST,
                                    SQL_DELIVERY_LAST, SQL_CALL_LAST,   SQL_SMS_SET_LAST,
                                    SQL_AUDIT_LIST,    SQL_AUDIT_FORGET};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (list[i] == sql)
            return true;
    return false;
}

/* "SCAN events", "SEARCH d", "SEARCH x USING AUTOMATIC …" */
static bool is_walk(const char *step, const char *statement)
{
    char name[64];
    if (sscanf(step, "SCAN %60s", name) != 1 && sscanf(step, "SEARCH %60s", name) != 1)
        return false;
    if (strstr(step, " USING ") && !strstr(step, "AUTOMATIC"))
        return false;
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        char alias[128];
        snprintf(alias, sizeof alias, "%s %s ", large[i], name);
        if (!strcmp(name, large[i]) || strstr(statement, alias))
            return true;
    }
    return false;
}

static void no_statement_walks_a_large_table(void **state)
{
    char url[160], why[256] = "";
    struct store *store = NULL;
    sqlite3 *h = NULL;
    snprintf(url, sizeof url, "sqlite:%s/t.db", dir);
    struct store_config c = {.url = url};
    assert_ok(store_open(&c, &store, why, sizeof why));
    assert_int_equal(sqlite3_open(url + strlen("sqlite:"), &h), SQLITE_OK);
    for (size_t i = 0; i < SQL_COUNT; i++) {
        char text[4096];
        sqlite3_stmt *st = NULL;
        snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", sql_table[i].text);
        if (sqlite3_prepare_v2(h, text, -1, &st, NULL) != SQLITE_OK)
            fail_msg("%s: %s", text, sqlite3_errmsg(h));
        while (sqlite3_step(st) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(st, 3);
            if (is_walk(step, sql_table[i].text) && !may_walk(i))
                fail_msg("%s: \"%s\"", step, sql_table[i].text);
        }
        sqlite3_finalize(st);
    }
    sqlite3_close(h);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_statement_walks_a_large_table)};
    assert_non_null(mkdtemp(dir));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
