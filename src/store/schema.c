/* schema: makes the tables, by the list of steps that led to them. A step once published never
 * changes; a change is a new step. The version stands in `meta`; a file from a newer program is
 * refused. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/cursor_key.h"
#include "store/engine.h"
#include "store/marks.h"

static const char *const steps[] = {
    /* 1: everything the main job needs */
    "CREATE TABLE settings (n {unreused}, kind INTEGER NOT NULL, id TEXT NOT NULL,"
    " account BIGINT NOT NULL, key TEXT NOT NULL, doc TEXT NOT NULL, version BIGINT NOT NULL,"
    " created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,"
    " UNIQUE (kind, id), UNIQUE (kind, key));"
    "CREATE TABLE events (n {serial}, account BIGINT NOT NULL, id TEXT NOT NULL,"
    " kind INTEGER NOT NULL, number TEXT NOT NULL, peer TEXT NOT NULL, call_id TEXT NOT NULL,"
    " occurred_at BIGINT NOT NULL, simulated INTEGER NOT NULL, payload TEXT NOT NULL,"
    " UNIQUE (id, account));"
    "CREATE INDEX events_call ON events (call_id) WHERE call_id <> '';"
    "CREATE INDEX events_number ON events (number, n);"
    "CREATE TABLE deliveries (n {serial}, event_n BIGINT NOT NULL, endpoint BIGINT NOT NULL,"
    " lane BIGINT NOT NULL, sequence INTEGER NOT NULL, attempts INTEGER NOT NULL,"
    " state INTEGER NOT NULL, first_at BIGINT NOT NULL, next_at BIGINT NOT NULL,"
    " resend INTEGER NOT NULL);"
    "CREATE INDEX deliveries_event ON deliveries (event_n);"
    "CREATE INDEX deliveries_pending ON deliveries (n) WHERE state = 0;"
    "CREATE TABLE attempts (delivery_n BIGINT NOT NULL, number INTEGER NOT NULL,"
    " at BIGINT NOT NULL, status INTEGER NOT NULL, err INTEGER NOT NULL,"
    " duration_ms BIGINT NOT NULL, detail TEXT NOT NULL, body TEXT NOT NULL,"
    " PRIMARY KEY (delivery_n, number)) {clustered};"
    "CREATE TABLE calls (n {serial}, call_id TEXT NOT NULL UNIQUE, account BIGINT NOT NULL,"
    " trunk TEXT NOT NULL, number TEXT NOT NULL, peer TEXT NOT NULL, destination TEXT NOT NULL,"
    " phase INTEGER NOT NULL, started_at BIGINT NOT NULL, answered_at BIGINT NOT NULL,"
    " ended_at BIGINT NOT NULL, end_reason INTEGER NOT NULL, sip_status INTEGER NOT NULL,"
    " simulated INTEGER NOT NULL, facts TEXT NOT NULL, legs TEXT NOT NULL);"
    "CREATE INDEX calls_open ON calls (n) WHERE phase < 2;",
    /* 2: deliveries that wait, lane by lane, so that they need not be in memory; health that
     * outlives the process; one row for an end: a delivery's row holds its last attempt, and only
     * earlier attempts have rows */
    "DROP INDEX deliveries_pending;"
    "CREATE INDEX deliveries_waiting ON deliveries (endpoint, lane, next_at, state)"
    " WHERE state = 0;"
    "CREATE TABLE endpoint_health (endpoint {plain_key}, failing_since BIGINT NOT NULL);"
    "ALTER TABLE deliveries ADD COLUMN last_at BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE deliveries ADD COLUMN last_status INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE deliveries ADD COLUMN last_err INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE deliveries ADD COLUMN last_duration_ms BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE deliveries ADD COLUMN last_detail TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE deliveries ADD COLUMN last_body TEXT NOT NULL DEFAULT '';"
    "UPDATE deliveries SET (last_at, last_status, last_err, last_duration_ms, last_detail,"
    " last_body) = (SELECT at, status, err, duration_ms, detail, body FROM attempts a"
    " WHERE a.delivery_n = deliveries.n AND a.number = deliveries.attempts) WHERE attempts > 0;"
    "DELETE FROM attempts WHERE EXISTS (SELECT 1 FROM deliveries d"
    " WHERE d.n = attempts.delivery_n AND d.attempts = attempts.number);",
    /* 3: long jobs that outlive a restart: each row says how far its job came */
    "CREATE TABLE recoveries (n {serial}, id TEXT NOT NULL UNIQUE, account BIGINT NOT NULL,"
    " endpoint BIGINT NOT NULL, endpoint_id TEXT NOT NULL, since BIGINT NOT NULL,"
    " until BIGINT NOT NULL, last_n BIGINT NOT NULL, expected BIGINT NOT NULL,"
    " at_n BIGINT NOT NULL, done BIGINT NOT NULL, state INTEGER NOT NULL,"
    " created_at BIGINT NOT NULL, ended_at BIGINT NOT NULL);"
    "CREATE UNIQUE INDEX recoveries_running ON recoveries (endpoint) WHERE state = 0;"
    "CREATE INDEX recoveries_endpoint ON recoveries (endpoint, n);"
    "CREATE TABLE erasures (n {serial}, id TEXT NOT NULL UNIQUE, account BIGINT NOT NULL,"
    " number TEXT NOT NULL, last_n BIGINT NOT NULL, last_call BIGINT NOT NULL,"
    " at_n BIGINT NOT NULL, at_call BIGINT NOT NULL, events BIGINT NOT NULL,"
    " calls BIGINT NOT NULL, state INTEGER NOT NULL, created_at BIGINT NOT NULL,"
    " ended_at BIGINT NOT NULL);"
    "CREATE INDEX erasures_running ON erasures (n) WHERE state = 0;",
    /* 4: the answers given under Idempotency-Keys */
    "CREATE TABLE idempotency (n {serial}, account BIGINT NOT NULL, key TEXT NOT NULL,"
    " fingerprint TEXT NOT NULL, status INTEGER NOT NULL, answer TEXT NOT NULL,"
    " created_at BIGINT NOT NULL, UNIQUE (account, key));",
    /* 5: messages (kind 3) apart from calls: an account's, a thread's */
    "CREATE INDEX events_sms_account ON events (account, n) WHERE kind = 3;"
    "CREATE INDEX events_sms_thread ON events (number, peer, account, n) WHERE kind = 3;",
    /* 6: parts of text messages until all have come, and afterwards digests of them, so that a
     * repeated part is known; how much each account has waiting */
    "CREATE TABLE sms_sets (n {unreused}, id TEXT NOT NULL UNIQUE, account BIGINT NOT NULL,"
    " link TEXT NOT NULL, peer TEXT NOT NULL, number TEXT NOT NULL, message_id TEXT NOT NULL,"
    " parts INTEGER NOT NULL, have INTEGER NOT NULL, bytes BIGINT NOT NULL,"
    " state INTEGER NOT NULL, simulated INTEGER NOT NULL, last_at BIGINT NOT NULL,"
    " ends_at BIGINT NOT NULL, digests {octets} NOT NULL);"
    "CREATE INDEX sms_sets_due ON sms_sets (state, ends_at);"
    "CREATE INDEX sms_sets_account ON sms_sets (account, n) WHERE state = 0;"
    "CREATE TABLE sms_parts (set_n BIGINT NOT NULL, number INTEGER NOT NULL,"
    " data_coding INTEGER NOT NULL, alphabet INTEGER NOT NULL, single_shift INTEGER NOT NULL,"
    " locking_shift INTEGER NOT NULL, fill INTEGER NOT NULL, data {octets} NOT NULL,"
    " PRIMARY KEY (set_n, number)) {clustered};"
    "CREATE TABLE sms_held (account {plain_key}, sets BIGINT NOT NULL, bytes BIGINT NOT NULL);"
    "ALTER TABLE erasures ADD COLUMN last_set BIGINT NOT NULL DEFAULT 0;",
    /* 7: the audit log; log-ins; the last use of keys; indexes that find an account's rows without
     * walking those of others */
    "CREATE TABLE audit (n {unreused}, id TEXT NOT NULL UNIQUE, at BIGINT NOT NULL,"
    " account BIGINT NOT NULL, by_account BIGINT NOT NULL, who TEXT NOT NULL,"
    " who_name TEXT NOT NULL, address TEXT NOT NULL, kind INTEGER NOT NULL, target TEXT NOT NULL,"
    " action TEXT NOT NULL, changed TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL);"
    "CREATE INDEX audit_account ON audit (account, n);"
    "CREATE INDEX audit_target ON audit (target, n);"
    "CREATE TABLE tokens (n {serial}, hash TEXT NOT NULL UNIQUE, user_n BIGINT NOT NULL,"
    " stamp BIGINT NOT NULL, expires_at BIGINT NOT NULL);"
    "CREATE INDEX tokens_expire ON tokens (expires_at);"
    "CREATE TABLE key_uses (key_n {plain_key}, used_at BIGINT NOT NULL);"
    "CREATE INDEX settings_account ON settings (kind, account, n);",
    /* 8: lists whose filters fit little do not walk the tables: an account's events and calls, a
     * number's calls, deliveries that ended without being taken (few, and none while all is well);
     * messages by indexes that have the kind in them, so that a planner without statistics takes
     * them, and rows are counted without being read; what blocks of rows have in common
     * (store/spans) */
    "CREATE INDEX events_account ON events (account, n);"
    "DROP INDEX events_sms_account;"
    "CREATE INDEX events_messages ON events (kind, account, n) WHERE kind = 3;"
    "DROP INDEX events_sms_thread;"
    "CREATE INDEX events_threads ON events (kind, number, peer, account, n) WHERE kind = 3;"
    "CREATE INDEX calls_account ON calls (account, n);"
    "CREATE INDEX calls_number ON calls (number, n);"
    "CREATE INDEX deliveries_ended ON deliveries (state, event_n) WHERE state > 1;"
    "CREATE TABLE spans (of_table INTEGER NOT NULL, block BIGINT NOT NULL, kinds BIGINT NOT NULL,"
    " from_at BIGINT NOT NULL, to_at BIGINT NOT NULL, PRIMARY KEY (of_table, block)) {clustered};",
    /* 9: settings that are found by a text that many may share (model/setting_mark): the endpoint
     * of one number, the numbers of a country, the keys of a user */
    "ALTER TABLE settings ADD COLUMN mark TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX settings_mark ON settings (kind, mark, account, n) WHERE mark <> '';",
    /* 10: an outage's last error; where a delivery's schedule began again when its endpoint was
     * back */
    "ALTER TABLE endpoint_health ADD COLUMN last_at BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE endpoint_health ADD COLUMN last_status INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE endpoint_health ADD COLUMN last_err INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE endpoint_health ADD COLUMN last_detail TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE endpoint_health ADD COLUMN next_at BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE deliveries ADD COLUMN schedule_from INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE deliveries ADD COLUMN begun_at BIGINT NOT NULL DEFAULT 0;",
    /* 11: a kind of few is listed without walking those of millions */
    "CREATE INDEX settings_kind ON settings (kind, n);",
    /* 12: the endpoints in 64 parts, each with the epoch of whoever took it last */
    "CREATE TABLE shards (shard {plain_key}, epoch BIGINT NOT NULL);"
    "INSERT INTO shards (shard, epoch) WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL"
    " SELECT n + 1 FROM s WHERE n < 63) SELECT n, 0 FROM s;",
    /* 13: an endpoint in trouble that was not found failing yet */
    "ALTER TABLE endpoint_health ADD COLUMN is_failing INTEGER NOT NULL DEFAULT 1;",
};
enum { SCHEMA_VERSION = sizeof steps / sizeof steps[0], FIRST_WITH_MARKS = 9 };

static void schema_text_put(struct buf *b, const char *text, const struct sql_dialect *d)
{
    const struct {
        struct str token;
        const char *with;
    } words[] = {{STR("{serial}"), d->serial},
                 {STR("{unreused}"), d->unreused},
                 {STR("{plain_key}"), d->plain_key},
                 {STR("{octets}"), d->octets},
                 {STR("{clustered}"), d->clustered}};
    enum { WORDS = sizeof words / sizeof *words };
    struct str s = str_of(text);
    while (s.n) {
        size_t i = 0;
        while (i < WORDS && !str_starts(s, words[i].token))
            i++;
        if (i < WORDS)
            buf_puts(b, words[i].with);
        else
            buf_putc(b, s.p[0]);
        s = str_from(s, i < WORDS ? words[i].token.n : 1);
    }
    buf_putc(b, 0);
}

static enum err schema_step_run(struct db *db, size_t step)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    schema_text_put(&b, steps[step], &db->engine->dialect);
    enum err err = b.err;
    if (err == OK)
        err = db->engine->run_text(db, b.p);
    buf_fini(&b);
    return err;
}

int64_t schema_version(void)
{
    return SCHEMA_VERSION;
}

enum err schema_migrate(struct db *db, char *why, size_t cap)
{
    int64_t version = 0, from_ms = clock_mono_ms();
    enum err err = db->engine->begin(db);
    if (err == OK)
        err = db->engine->run_text(
            db, "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BIGINT NOT NULL)");
    if (err == OK)
        err = db_run_int(db, SQL_META_GET, DB_ARGS(V_TEXT(STR("schema"))), &version, NULL);
    bool old = version > 0 && version < SCHEMA_VERSION;
    if (err == OK && version > SCHEMA_VERSION) {
        snprintf(why, cap,
                 "the store was written by a newer version (schema %lld, this one knows %d)",
                 (long long)version, SCHEMA_VERSION);
        err = ERR_UNSUPPORTED;
    }
    if (old && err == OK)
        log_info("store",
                 "bringing the store from schema %lld to %d: up to a minute for each million of "
                 "events; a kill meanwhile leaves it as it was",
                 (long long)version, SCHEMA_VERSION);
    for (size_t i = (size_t)version; err == OK && i < SCHEMA_VERSION; i++)
        err = schema_step_run(db, i);
    if (old && err == OK && version < FIRST_WITH_MARKS)
        err = marks_fill(db);
    if (err == OK)
        err = db_run(db, SQL_META_PUT, DB_ARGS(V_TEXT(STR("schema")), V_INT(SCHEMA_VERSION)), NULL,
                     NULL, NULL);
    if (err == OK)
        err = cursor_key_make(db);
    if (err == OK)
        err = db->engine->commit(db);
    else
        db->engine->rollback(db);
    if (old && err == OK)
        log_info("store", "the store has schema %d after %lld ms", SCHEMA_VERSION,
                 (long long)(clock_mono_ms() - from_ms));
    if (err != OK && err != ERR_UNSUPPORTED)
        snprintf(why, cap, "the store's tables cannot be made: %s (%s)", err_text(err), db->detail);
    return err;
}
