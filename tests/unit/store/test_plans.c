/* How SQLite would run each statement: none may walk through a large table from end to end, but for
 * those that list it in its order and stop at their limit. */
#include <sqlite3.h>
#include <unistd.h>

#include "check.h"
#include "store/engine.h"

static char dir[] = "/tmp/hookswitch-plans-XXXXXX";

static const char *const large[] = {"events",   "deliveries", "attempts", "calls", "idempotency",
                                    "sms_sets", "sms_parts",  "audit",    "spans"};

/* They ask for the first or the last row, or stop at their limit. */
static bool may_walk(size_t sql)
{
    static const enum sql list[] = {SQL_EVENT_FIRST,   SQL_EVENT_LAST,   SQL_CALL_FIRST,
                                    SQL_CALL_LAST,     SQL_AUDIT_FIRST,  SQL_AUDIT_LAST,
                                    SQL_DELIVERY_LAST, SQL_SMS_SET_LAST, SQL_AUDIT_FORGET};
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

static struct store *store;
static sqlite3 *h;

static void open_all(void)
{
    char url[160], why[256] = "";
    snprintf(url, sizeof url, "sqlite:%s/t.db", dir);
    struct store_config c = {.url = url};
    assert_ok(store_open(&c, &store, why, sizeof why));
    assert_int_equal(sqlite3_open(url + strlen("sqlite:"), &h), SQLITE_OK);
}

static void close_all(void)
{
    sqlite3_close(h);
    store_close(store);
}

/* Its steps, a line each. */
static void plan_of(enum sql sql, char *out, size_t cap)
{
    char text[4096];
    sqlite3_stmt *st = NULL;
    size_t n = 0;
    snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", sql_table[sql].text);
    if (sqlite3_prepare_v2(h, text, -1, &st, NULL) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(h));
    while (sqlite3_step(st) == SQLITE_ROW && n < cap)
        n += (size_t)snprintf(out + n, cap - n, "%s\n", sqlite3_column_text(st, 3));
    assert_true(n < cap);
    sqlite3_finalize(st);
}

static void no_statement_walks_a_large_table(void **state)
{
    open_all();
    for (size_t i = 0; i < SQL_COUNT; i++) {
        char plan[1024];
        plan_of((enum sql)i, plan, sizeof plan);
        for (char *step = strtok(plan, "\n"); step; step = strtok(NULL, "\n"))
            if (is_walk(step, sql_table[i].text) && !may_walk(i))
                fail_msg("%s: \"%s\"", step, sql_table[i].text);
    }
    close_all();
}

/* Chunks of a walk, and how their ends are found: along this index, in its order. */
static void walks_go_along_their_index(void **state)
{
    static const struct {
        enum sql sql;
        const char *step;
    } walks[] = {
        {SQL_EVENT_LIST, "events USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
        {SQL_EVENT_LIST_ACCOUNT, "events_account (account=? AND n>? AND n<?)"},
        {SQL_EVENT_LIST_MESSAGES, "events_messages (kind=? AND account=? AND n>? AND n<?)"},
        {SQL_EVENT_LIST_NUMBER, "events_number (number=? AND n>? AND n<?)"},
        {SQL_EVENT_LIST_CALL, "events_call (call_id=? AND rowid>? AND rowid<?)"},
        {SQL_EVENT_LIST_ENDED, "deliveries_ended (state=? AND event_n>? AND event_n<?)"},
        {SQL_EVENT_LIST_WAITING, "deliveries_waiting"},
        {SQL_EVENT_NEXT, "events USING INTEGER PRIMARY KEY (rowid<?)"},
        {SQL_EVENT_NEXT_ACCOUNT, "COVERING INDEX events_account (account=? AND n<?)"},
        {SQL_EVENT_NEXT_MESSAGES, "COVERING INDEX events_messages (kind=? AND account=? AND n<?)"},
        {SQL_EVENT_NEXT_NUMBER, "COVERING INDEX events_number (number=? AND n<?)"},
        {SQL_EVENT_NEXT_CALL, "COVERING INDEX events_call (call_id=? AND rowid<?)"},
        {SQL_EVENT_NEXT_THREAD,
         "COVERING INDEX events_threads (kind=? AND number=? AND peer=? AND account=?"},
        {SQL_EVENT_NEXT_ENDED, "COVERING INDEX deliveries_ended (state=? AND event_n<?)"},
        {SQL_DELIVERY_ENDED_COUNT, "COVERING INDEX deliveries_ended (state=?)"},
        {SQL_DELIVERY_WAITING_COUNT, "COVERING INDEX deliveries_waiting"},
        {SQL_CALL_LIST, "calls USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
        {SQL_CALL_LIST_ACCOUNT, "calls_account (account=? AND n>? AND n<?)"},
        {SQL_CALL_LIST_NUMBER, "calls_number (number=? AND n>? AND n<?)"},
        {SQL_CALL_NEXT_ACCOUNT, "COVERING INDEX calls_account (account=? AND n<?)"},
        {SQL_CALL_NEXT_NUMBER, "COVERING INDEX calls_number (number=? AND n<?)"},
        {SQL_AUDIT_LIST, "audit USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
        {SQL_AUDIT_LIST_ACCOUNT, "audit_account (account=? AND n>? AND n<?)"},
        {SQL_AUDIT_LIST_TARGET, "audit_target (target=? AND n>? AND n<?)"},
        {SQL_AUDIT_NEXT_ACCOUNT, "COVERING INDEX audit_account (account=? AND n<?)"},
        {SQL_AUDIT_NEXT_TARGET, "COVERING INDEX audit_target (target=? AND n<?)"},
        {SQL_INBOX_THREAD, "events_threads (kind=? AND number=? AND peer=? AND account=? AND n>?"},
        {SQL_INBOX_ACCOUNT, "events_messages (kind=? AND account=? AND n>? AND n<?)"},
        {SQL_INBOX_LOWEST, "COVERING INDEX events_messages (kind=? AND account>?)"},
        {SQL_INBOX_HIGHEST, "COVERING INDEX events_messages (kind=? AND account>?)"},
        {SQL_INBOX_COUNT, "COVERING INDEX events_threads (kind=? AND number=? AND peer=?"},
        {SQL_INBOX_LAST, "COVERING INDEX events_threads (kind=? AND number=? AND peer=?"},
        {SQL_DELIVERY_SEQUENCE, "SEARCH x USING INDEX events_call (call_id=?)"},
        {SQL_SPAN_LIST, "spans USING PRIMARY KEY (of_table=? AND block<?)"},
        {SQL_SPAN_OF_EVENTS, "events USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
        {SQL_SETTING_LIST_ACCOUNT_MARK, "settings_mark (kind=? AND mark=? AND account=? AND n>?)"},
        {SQL_SETTING_LIST, "settings_kind (kind=? AND n>?)"},
        {SQL_SETTING_LIST_ACCOUNT, "settings_account (kind=? AND account=? AND n>?)"},
        {SQL_SETTING_WALK, "settings USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
        {SQL_SETTING_DOCS, "settings USING INTEGER PRIMARY KEY (rowid>?)"},
    };
    open_all();
    for (size_t i = 0; i < sizeof walks / sizeof *walks; i++) {
        char plan[1024];
        plan_of(walks[i].sql, plan, sizeof plan);
        bool sorts = strstr(plan, "TEMP B-TREE FOR ORDER BY") && walks[i].sql != SQL_SPAN_OF_EVENTS;
        if (!strstr(plan, walks[i].step) || sorts)
            fail_msg("%s\n%s", sql_table[walks[i].sql].text, plan);
    }
    close_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_statement_walks_a_large_table),
                                       cmocka_unit_test(walks_go_along_their_index)};
    assert_non_null(mkdtemp(dir));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
