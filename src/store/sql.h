/* Lists every statement of the program once. Statements are prepared at first use, their values
 * bound, and written so that SQLite and PostgreSQL both run them ($1 … in order of first
 * appearance, ON CONFLICT, RETURNING). */
#pragma once
#include <stdbool.h>

enum { SQL_ARGS_MAX = 20 };

#define EVENT_COLUMNS "n, account, id, kind, number, peer, call_id, occurred_at, simulated, payload"
/* The filter of a walk's chunk: the key is $1, the rows are from $2 up to below $3. */
#define EVENT_FILTER                                                                               \
    " AND n >= $2 AND n < $3 AND account > 0 AND ($4 = 0 OR account = $4)"                         \
    " AND ($5 = -1 OR kind = $5) AND ($6 = 0 OR occurred_at >= $6)"                                \
    " AND ($7 = 0 OR occurred_at < $7) AND ($8 = '' OR number = $8)"                               \
    " AND ($9 = '' OR number LIKE $9 ESCAPE '\\' OR peer LIKE $9 ESCAPE '\\'"                      \
    " OR payload LIKE $10 ESCAPE '\\')"                                                            \
    " AND ($11 < 0 OR EXISTS (SELECT 1 FROM deliveries d WHERE d.event_n = events.n"               \
    " AND d.state = $11 AND ($12 = 0 OR d.endpoint = $12)))"                                       \
    " AND ($12 = 0 OR $11 >= 0 OR EXISTS (SELECT 1 FROM deliveries d"                              \
    " WHERE d.event_n = events.n AND d.endpoint = $12))"                                           \
    " AND ($11 <> -2 OR NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_n = events.n))"       \
    " ORDER BY n DESC"
#define EVENT_LIST_OF(condition)                                                                   \
    "SELECT " EVENT_COLUMNS " FROM events WHERE " condition EVENT_FILTER
/* Finds the row of a walk's key that is $offset rows below $before; these are the last two
 * arguments. */
#define NEXT_OF(table, condition, before, offset)                                                  \
    "SELECT n FROM " table " WHERE " condition " AND n < " before                                  \
    " ORDER BY n DESC LIMIT 1 OFFSET " offset
#define DELIVERY_COLUMNS                                                                           \
    "n, event_n, endpoint, lane, sequence, attempts, state, first_at, next_at, resend,"            \
    " schedule_from, begun_at, last_at"
/* The caller still has the shard: its epoch is as it was when it was taken. */
#define SHARD_IS(epoch, shard) epoch " = (SELECT epoch FROM shards WHERE shard = " shard ")"
#define OUTAGE_COLUMNS                                                                             \
    "endpoint, failing_since, last_at, last_status, last_err, last_detail, next_at, is_failing"
#define CALL_COLUMNS                                                                               \
    "n, call_id, account, trunk, number, peer, destination, phase, started_at, answered_at,"       \
    " ended_at, end_reason, sip_status, simulated, facts, legs"
#define RECOVERY_COLUMNS                                                                           \
    "n, id, account, endpoint, endpoint_id, since, until, last_n, expected, at_n, done, state,"    \
    " created_at, ended_at"
#define ERASURE_COLUMNS                                                                            \
    "n, id, account, number, last_n, last_call, at_n, at_call, events, calls, state,"              \
    " created_at, ended_at, last_set"
#define SMS_SET_COLUMNS                                                                            \
    "n, id, account, link, peer, number, message_id, parts, have, bytes, state, simulated,"        \
    " last_at, ends_at, digests"
#define SMS_PART_COLUMNS "number, data_coding, alphabet, single_shift, locking_shift, fill, data"
#define AUDIT_COLUMNS                                                                              \
    "n, id, at, account, by_account, who, who_name, address, kind, target, action, changed, "      \
    "before, after"
#define AUDIT_FILTER                                                                               \
    " AND n >= $2 AND n < $3 AND ($4 = 0 OR account = $4) AND ($5 = '' OR who = $5)"               \
    " AND ($6 = -1 OR kind = $6) AND ($7 = 0 OR at >= $7) AND ($8 = 0 OR at < $8)"                 \
    " ORDER BY n DESC"
#define CALL_FILTER                                                                                \
    " AND n >= $2 AND n < $3 AND account > 0 AND ($4 = 0 OR account = $4)"                         \
    " AND ($5 = -1 OR phase = $5) AND ($6 = 0 OR started_at >= $6)"                                \
    " AND ($7 = 0 OR started_at < $7) ORDER BY n DESC"
#define SETTING_COLUMNS "n, kind, id, account, key, doc, version, created_at, updated_at"

/* id, whether it may write, text. SQLite uses an index over part of a table only where the
 * statement repeats its condition word for word. */
#define SQL_LIST(X)                                                                                \
    X(META_GET, 0, "SELECT value FROM meta WHERE name = $1")                                       \
    X(META_PUT, 1,                                                                                 \
      "INSERT INTO meta (name, value) VALUES ($1, $2)"                                             \
      " ON CONFLICT (name) DO UPDATE SET value = excluded.value")                                  \
    X(EVENT_PUT, 1,                                                                                \
      "INSERT INTO events (account, id, kind, number, peer, call_id, occurred_at, simulated,"      \
      " payload) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"                                      \
      " ON CONFLICT (id, account) DO NOTHING RETURNING n")                                         \
    X(EVENT_FIND, 0, "SELECT n FROM events WHERE id = $1 AND ($2 = 0 OR account = $2)")            \
    X(EVENT_GET, 0, "SELECT " EVENT_COLUMNS " FROM events WHERE n = $1")                           \
    X(EVENT_LIST, 0, EVENT_LIST_OF("$1 = ''"))                                                     \
    X(EVENT_LIST_ACCOUNT, 0, EVENT_LIST_OF("account = $1"))                                        \
    X(EVENT_LIST_MESSAGES, 0, EVENT_LIST_OF("kind = 3 AND account = $1"))                          \
    X(EVENT_LIST_NUMBER, 0, EVENT_LIST_OF("number = $1"))                                          \
    X(EVENT_LIST_CALL, 0, EVENT_LIST_OF("call_id = $1 AND call_id <> ''"))                         \
    X(EVENT_LIST_ENDED, 0,                                                                         \
      EVENT_LIST_OF("n IN (SELECT event_n FROM deliveries WHERE state > 1 AND state = $1"          \
                    " AND event_n >= $2 AND event_n < $3)"))                                       \
    X(EVENT_LIST_WAITING, 0, /* when they are few: reads them all */                               \
      EVENT_LIST_OF("n IN (SELECT event_n FROM deliveries WHERE state = 0 AND state = $1)"))       \
    X(EVENT_NEXT, 0, NEXT_OF("events", "$1 = ''", "$2", "$3"))                                     \
    X(EVENT_NEXT_ACCOUNT, 0, NEXT_OF("events", "account = $1", "$2", "$3"))                        \
    X(EVENT_NEXT_MESSAGES, 0, NEXT_OF("events", "kind = 3 AND account = $1", "$2", "$3"))          \
    X(EVENT_NEXT_NUMBER, 0, NEXT_OF("events", "number = $1", "$2", "$3"))                          \
    X(EVENT_NEXT_CALL, 0, NEXT_OF("events", "call_id = $1 AND call_id <> ''", "$2", "$3"))         \
    X(EVENT_NEXT_THREAD, 0,                                                                        \
      NEXT_OF("events", "kind = 3 AND number = $1 AND peer = $2 AND account = $3", "$4", "$5"))    \
    X(EVENT_NEXT_ENDED, 0,                                                                         \
      "SELECT event_n FROM deliveries WHERE state > 1 AND state = $1 AND event_n < $2"             \
      " ORDER BY event_n DESC LIMIT 1 OFFSET $3")                                                  \
    X(DELIVERY_ENDED_COUNT, 0,                                                                     \
      "SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE state > 1 AND state = $1"              \
      " LIMIT $2) AS few")                                                                         \
    X(DELIVERY_WAITING_COUNT, 0,                                                                   \
      "SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE state = 0 LIMIT $1) AS few")           \
    X(EVENT_LIST_AFTER, 0, /* the caller bounds the range, so that a rare match walks no table */  \
      "SELECT " EVENT_COLUMNS " FROM events WHERE n > $1 AND n <= $2 AND account > 0"              \
      " AND ($3 = 0 OR account = $3) AND ($4 = -1 OR kind = $4)"                                   \
      " AND ($5 = '' OR number = $5) AND ($6 = '' OR call_id = $6)"                                \
      " AND ($7 = 0 OR occurred_at >= $7) ORDER BY n LIMIT $8")                                    \
    X(DELIVERY_PUT, 1,                                                                             \
      "INSERT INTO deliveries (event_n, endpoint, lane, sequence, attempts, state, first_at,"      \
      " next_at, resend) VALUES ($1, $2, $3, $4, 0, 0, 0, $5, $6) RETURNING n")                    \
    X(DELIVERY_SEQUENCE, 0, /* + keeps it from walking the account */                              \
      "SELECT max(d.sequence) FROM events e JOIN events x ON x.call_id = e.call_id"                \
      " AND +x.account = e.account JOIN deliveries d ON d.event_n = x.n"                           \
      " WHERE e.n = $1 AND x.call_id <> '' AND d.endpoint = $2")                                   \
    X(DELIVERY_GET, 0, "SELECT " DELIVERY_COLUMNS " FROM deliveries WHERE n = $1")                 \
    X(DELIVERY_LIST_WAITING, 0,                                                                    \
      "SELECT endpoint, lane, next_at, n FROM deliveries WHERE state = 0"                          \
      " AND (endpoint, lane, next_at, n) > ($1, $2, $3, $4)"                                       \
      " ORDER BY endpoint, lane, next_at, n LIMIT $5")                                             \
    X(DELIVERY_OLDEST, 0, /* + keeps it from walking all rows in order of n */                     \
      "SELECT e.occurred_at FROM deliveries d JOIN events e ON e.n = d.event_n"                    \
      " WHERE d.n = (SELECT min(+n) FROM deliveries WHERE state = 0)")                             \
    X(DELIVERY_LIST_LANE, 0,                                                                       \
      "SELECT " DELIVERY_COLUMNS " FROM deliveries WHERE state = 0 AND endpoint = $1"              \
      " AND lane = $2 ORDER BY n LIMIT $3")                                                        \
    X(DELIVERY_LIST_EVENT, 0,                                                                      \
      "SELECT " DELIVERY_COLUMNS " FROM deliveries WHERE event_n = $1 ORDER BY n LIMIT 1000")      \
    X(OUTAGE_PUT, 1,                                                                               \
      "INSERT INTO endpoint_health (endpoint, failing_since, last_at, last_status, last_err,"      \
      " last_detail, next_at, is_failing) SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE " SHARD_IS(  \
          "$9", "$10") " ON CONFLICT (endpoint)"                                                   \
                       " DO UPDATE SET failing_since = excluded.failing_since, last_at = "         \
                       "excluded.last_at,"                                                         \
                       " last_status = excluded.last_status, last_err = excluded.last_err,"        \
                       " last_detail = excluded.last_detail, next_at = excluded.next_at,"          \
                       " is_failing = excluded.is_failing")                                        \
    X(OUTAGE_DELETE, 1,                                                                            \
      "DELETE FROM endpoint_health WHERE endpoint = $1 AND " SHARD_IS("$2", "$3"))                 \
    X(SHARD_TAKE, 1, "UPDATE shards SET epoch = epoch + 1 WHERE shard = $1 RETURNING epoch")       \
    X(SHARD_GET, 0, "SELECT epoch FROM shards WHERE shard = $1")                                   \
    X(OUTAGE_GET, 0, "SELECT " OUTAGE_COLUMNS " FROM endpoint_health WHERE endpoint = $1")         \
    X(OUTAGE_LIST, 0, "SELECT " OUTAGE_COLUMNS " FROM endpoint_health")                            \
    X(DELIVERY_END_ALL, 1, "UPDATE deliveries SET state = $1 WHERE state = 0 AND endpoint = $2")   \
    X(DELIVERY_ATTEMPTED, 1,                                                                       \
      "UPDATE deliveries SET attempts = $1, state = CASE WHEN state = 3 THEN 3 ELSE $2 END,"       \
      " next_at = $3, first_at = CASE WHEN first_at = 0 THEN $4 ELSE first_at END,"                \
      " last_at = $4, last_status = $5, last_err = $6, last_duration_ms = $7, last_detail = $8,"   \
      " last_body = $9, schedule_from = $10, begun_at = $11"                                       \
      " WHERE n = $12 AND attempts < $1 AND " SHARD_IS("$13", "$14"))                              \
    X(ATTEMPT_KEEP, 1,                                                                             \
      "INSERT INTO attempts (delivery_n, number, at, status, err, duration_ms, detail, body)"      \
      " SELECT n, attempts, last_at, last_status, last_err, last_duration_ms, last_detail,"        \
      " last_body FROM deliveries WHERE n = $1 AND attempts = $2 AND " SHARD_IS("$3", "$4"))       \
    X(ATTEMPT_LIST, 0,                                                                             \
      "SELECT delivery_n, number, at, status, err, duration_ms, detail, body FROM attempts"        \
      " WHERE delivery_n = $1 UNION ALL SELECT n, attempts, last_at, last_status, last_err,"       \
      " last_duration_ms, last_detail, last_body FROM deliveries WHERE n = $1 AND attempts > 0"    \
      " ORDER BY 2")                                                                               \
    X(CALL_PUT, 1,                                                                                 \
      "INSERT INTO calls (call_id, account, trunk, number, peer, destination, phase, started_at,"  \
      " answered_at, ended_at, end_reason, sip_status, simulated, facts, legs)"                    \
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"                 \
      " ON CONFLICT (call_id) DO UPDATE SET destination = excluded.destination,"                   \
      " phase = excluded.phase, answered_at = excluded.answered_at,"                               \
      " ended_at = excluded.ended_at, end_reason = excluded.end_reason,"                           \
      " sip_status = excluded.sip_status, facts = excluded.facts, legs = excluded.legs"            \
      " WHERE calls.phase <= excluded.phase AND calls.phase < 2")                                  \
    X(CALL_SET_LEGS, 1, "UPDATE calls SET legs = $1 WHERE call_id = $2 AND phase = $3")            \
    X(CALL_GET, 0,                                                                                 \
      "SELECT " CALL_COLUMNS " FROM calls WHERE call_id = $1 AND ($2 = 0 OR account = $2)")        \
    X(CALL_LIST_OPEN, 0,                                                                           \
      "SELECT " CALL_COLUMNS " FROM calls WHERE phase < 2 AND n > $1 ORDER BY n LIMIT $2")         \
    X(CALL_COUNT_OPEN, 0, "SELECT count(*) FROM calls WHERE phase < 2")                            \
    X(CALL_LIST, 0, "SELECT " CALL_COLUMNS " FROM calls WHERE $1 = ''" CALL_FILTER)                \
    X(CALL_LIST_ACCOUNT, 0, "SELECT " CALL_COLUMNS " FROM calls WHERE account = $1" CALL_FILTER)   \
    X(CALL_LIST_NUMBER, 0, "SELECT " CALL_COLUMNS " FROM calls WHERE number = $1" CALL_FILTER)     \
    X(CALL_NEXT, 0, NEXT_OF("calls", "$1 = ''", "$2", "$3"))                                       \
    X(CALL_NEXT_ACCOUNT, 0, NEXT_OF("calls", "account = $1", "$2", "$3"))                          \
    X(CALL_NEXT_NUMBER, 0, NEXT_OF("calls", "number = $1", "$2", "$3"))                            \
    X(EVENT_WALK, 0,                                                                               \
      "SELECT n, account, kind, number, occurred_at FROM events WHERE n > $1 AND n <= $2"          \
      " ORDER BY n LIMIT $3")                                                                      \
    X(EVENT_WALK_NUMBER, 0,                                                                        \
      "SELECT n, account, kind, number, occurred_at FROM events WHERE number = $1 AND n > $2"      \
      " AND n <= $3 ORDER BY n LIMIT $4")                                                          \
    X(EVENT_FROM, 0, "SELECT n, occurred_at FROM events WHERE n >= $1 ORDER BY n LIMIT 1")         \
    X(EVENT_LAST, 0, "SELECT max(n) FROM events")                                                  \
    X(EVENT_FIRST, 0, "SELECT min(n) FROM events")                                                 \
    X(EVENT_DELETE, 1, "DELETE FROM events WHERE n = $1")                                          \
    X(EVENT_BLANK, 1,                                                                              \
      "UPDATE events SET account = 0, id = 'erased_' || n, number = '', peer = '', call_id = '',"  \
      " payload = '{\"id\":\"erased_' || n || '\"}' WHERE n = $1")                                 \
    X(DELIVERY_LAST, 0, "SELECT max(n) FROM deliveries")                                           \
    X(DELIVERY_LAST_OF_EVENT, 0, "SELECT max(n) FROM deliveries WHERE event_n = $1")               \
    X(DELIVERY_WANTED, 0,                                                                          \
      "SELECT count(*) FROM deliveries WHERE event_n = $1 AND endpoint = $2 AND state < 2")        \
    X(DELIVERY_PENDING_COUNT, 0,                                                                   \
      "SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE state = 0 AND endpoint = $1"           \
      " LIMIT $2) AS few")                                                                         \
    X(DELIVERY_DELETE, 1, "DELETE FROM deliveries WHERE event_n = $1")                             \
    X(DELIVERY_CANCEL, 1, "UPDATE deliveries SET state = 3 WHERE event_n = $1 AND state = 0")      \
    X(ATTEMPT_DELETE, 1,                                                                           \
      "DELETE FROM attempts WHERE delivery_n IN"                                                   \
      " (SELECT n FROM deliveries WHERE event_n = $1)")                                            \
    X(CALL_WALK, 0,                                                                                \
      "SELECT n, account, phase, number, started_at, call_id FROM calls WHERE n > $1 AND n <= $2"  \
      " ORDER BY n LIMIT $3")                                                                      \
    X(CALL_LAST, 0, "SELECT max(n) FROM calls")                                                    \
    X(CALL_FIRST, 0, "SELECT min(n) FROM calls")                                                   \
    X(CALL_BLANK, 1,                                                                               \
      "UPDATE calls SET account = 0, call_id = 'erased_' || n, number = '', peer = '', "           \
      "destination = '',"                                                                          \
      " facts = '{}', legs = '' WHERE n = $1 AND phase = 2")                                       \
    X(CALL_DELETE, 1, "DELETE FROM calls WHERE n = $1 AND phase = 2")                              \
    X(RECOVERY_PUT, 1,                                                                             \
      "INSERT INTO recoveries (id, account, endpoint, endpoint_id, since, until, last_n,"          \
      " expected, at_n, done, state, created_at, ended_at)"                                        \
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, $10, 0)"                                 \
      " ON CONFLICT DO NOTHING RETURNING n")                                                       \
    X(RECOVERY_GET, 0,                                                                             \
      "SELECT " RECOVERY_COLUMNS " FROM recoveries WHERE id = $1 AND ($2 = 0 OR account = $2)")    \
    X(RECOVERY_LIST, 0,                                                                            \
      "SELECT " RECOVERY_COLUMNS " FROM recoveries WHERE endpoint = $1"                            \
      " AND ($2 = 0 OR account = $2) AND ($3 = 0 OR n < $3) ORDER BY n DESC LIMIT $4")             \
    X(RECOVERY_RUNNING, 0,                                                                         \
      "SELECT " RECOVERY_COLUMNS " FROM recoveries WHERE state = 0 AND endpoint > $1"              \
      " ORDER BY endpoint LIMIT 1")                                                                \
    X(RECOVERY_COUNT, 0, "SELECT count(*) FROM recoveries WHERE state = 0")                        \
    X(RECOVERY_STEP, 1,                                                                            \
      "UPDATE recoveries SET at_n = $1, done = done + $2 WHERE n = $3 AND state = 0"               \
      " AND at_n = $4")                                                                            \
    X(RECOVERY_END, 1,                                                                             \
      "UPDATE recoveries SET state = $1, ended_at = $2 WHERE n = $3 AND state = 0")                \
    X(RECOVERY_END_ENDPOINT, 1,                                                                    \
      "UPDATE recoveries SET state = 2, ended_at = $1 WHERE endpoint = $2 AND state = 0")          \
    X(RECOVERY_FORGET, 1, "DELETE FROM recoveries WHERE state > 0 AND ended_at < $1")              \
    X(ERASURE_PUT, 1,                                                                              \
      "INSERT INTO erasures (id, account, number, last_n, last_call, at_n, at_call, events,"       \
      " calls, state, created_at, ended_at, last_set)"                                             \
      " VALUES ($1, $2, $3, $4, $5, 0, 0, 0, 0, 0, $6, 0, $7) RETURNING n")                        \
    X(ERASURE_GET, 0,                                                                              \
      "SELECT " ERASURE_COLUMNS " FROM erasures WHERE id = $1 AND ($2 = 0 OR account = $2)")       \
    X(ERASURE_OF_NUMBER, 0,                                                                        \
      "SELECT " ERASURE_COLUMNS " FROM erasures WHERE state = 0 AND number = $1"                   \
      " AND account = $2 LIMIT 1")                                                                 \
    X(ERASURE_RUNNING, 0,                                                                          \
      "SELECT " ERASURE_COLUMNS " FROM erasures WHERE state = 0 ORDER BY n LIMIT 1")               \
    X(ERASURE_STEP, 1,                                                                             \
      "UPDATE erasures SET at_n = $1, at_call = $2, events = events + $3, calls = calls + $4"      \
      " WHERE n = $5")                                                                             \
    X(ERASURE_END, 1, "UPDATE erasures SET state = 1, ended_at = $1 WHERE n = $2")                 \
    X(ERASURE_FORGET, 1, "DELETE FROM erasures WHERE state > 0 AND ended_at < $1")                 \
    X(INBOX_ALL, 0, /* calls too, as with a number: the walk counts them */                        \
      "SELECT " EVENT_COLUMNS " FROM events WHERE $1 = '' AND n >= $2 AND n < $3"                  \
      " ORDER BY n DESC")                                                                          \
    X(INBOX_LOWEST, 0, "SELECT min(account) FROM events WHERE kind = 3 AND account > 0")           \
    X(INBOX_HIGHEST, 0, "SELECT max(account) FROM events WHERE kind = 3 AND account > 0")          \
    X(INBOX_ACCOUNT, 0,                                                                            \
      "SELECT " EVENT_COLUMNS " FROM events WHERE kind = 3 AND account = $1 AND n >= $2"           \
      " AND n < $3 ORDER BY n DESC")                                                               \
    X(INBOX_NUMBER, 0,                                                                             \
      "SELECT " EVENT_COLUMNS " FROM events WHERE number = $1 AND n >= $2 AND n < $3"              \
      " ORDER BY n DESC")                                                                          \
    X(INBOX_THREAD, 0,                                                                             \
      "SELECT " EVENT_COLUMNS " FROM events WHERE kind = 3 AND number = $1 AND peer = $2"          \
      " AND account = $3 AND n >= $4 AND n < $5 ORDER BY n DESC")                                  \
    X(INBOX_FIRST_ACCOUNT, 0,                                                                      \
      "SELECT min(account) FROM events WHERE kind = 3 AND number = $1 AND peer = $2")              \
    X(INBOX_LAST_ACCOUNT, 0,                                                                       \
      "SELECT max(account) FROM events WHERE kind = 3 AND number = $1 AND peer = $2")              \
    X(INBOX_LAST, 0,                                                                               \
      "SELECT max(n) FROM events WHERE kind = 3 AND number = $1 AND peer = $2"                     \
      " AND account = $3 AND n <= $4")                                                             \
    X(INBOX_COUNT, 0,                                                                              \
      "SELECT count(*) FROM (SELECT 1 FROM events WHERE kind = 3 AND number = $1 AND peer = $2"    \
      " AND account = $3 AND n <= $4 LIMIT $5) AS few")                                            \
    X(IDEMPOTENCY_PUT, 1,                                                                          \
      "INSERT INTO idempotency (account, key, fingerprint, status, answer, created_at)"            \
      " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account, key) DO NOTHING RETURNING n")        \
    X(IDEMPOTENCY_GET, 0,                                                                          \
      "SELECT n, fingerprint, status, answer FROM idempotency WHERE account = $1 AND key = $2")    \
    X(IDEMPOTENCY_WALK, 0,                                                                         \
      "SELECT n, created_at FROM idempotency WHERE n > $1 ORDER BY n LIMIT $2")                    \
    X(IDEMPOTENCY_DELETE, 1, "DELETE FROM idempotency WHERE n <= $1")                              \
    X(SMS_SET_PUT, 1,                                                                              \
      "INSERT INTO sms_sets (id, account, link, peer, number, message_id, parts, have, bytes,"     \
      " state, simulated, last_at, ends_at, digests)"                                              \
      " VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0, $8, $9, $10, $11) RETURNING n")               \
    X(SMS_SET_FIND, 0, "SELECT " SMS_SET_COLUMNS " FROM sms_sets WHERE id = $1")                   \
    X(SMS_SET_GET, 0, "SELECT " SMS_SET_COLUMNS " FROM sms_sets WHERE n = $1")                     \
    X(SMS_SET_OLDEST, 0,                                                                           \
      "SELECT n FROM sms_sets WHERE account = $1 AND state = 0 ORDER BY n LIMIT 1")                \
    X(SMS_SET_DUE, 0,                                                                              \
      "SELECT n, ends_at FROM sms_sets WHERE state = $1 ORDER BY ends_at LIMIT $2")                \
    X(SMS_SET_LAST, 0, "SELECT max(n) FROM sms_sets")                                              \
    X(SMS_SET_WALK, 0,                                                                             \
      "SELECT n, account, number FROM sms_sets WHERE n > $1 AND n <= $2 ORDER BY n LIMIT $3")      \
    X(SMS_SET_GROW, 1,                                                                             \
      "UPDATE sms_sets SET have = have + 1, bytes = bytes + $1, last_at = $2 WHERE n = $3")        \
    X(SMS_SET_END, 1,                                                                              \
      "UPDATE sms_sets SET state = 1, bytes = 0, ends_at = $1, digests = $2 WHERE n = $3")         \
    X(SMS_SET_DELETE, 1, "DELETE FROM sms_sets WHERE n = $1")                                      \
    X(SMS_PART_PUT, 1,                                                                             \
      "INSERT INTO sms_parts (set_n, " SMS_PART_COLUMNS ")"                                        \
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING")                           \
    X(SMS_PART_LIST, 0,                                                                            \
      "SELECT " SMS_PART_COLUMNS " FROM sms_parts"                                                 \
      " WHERE set_n = $1 AND number > $2 AND number <= $3 ORDER BY number")                        \
    X(SMS_PART_GET, 0,                                                                             \
      "SELECT " SMS_PART_COLUMNS " FROM sms_parts WHERE set_n = $1 AND number = $2")               \
    X(SMS_PART_DELETE, 1, "DELETE FROM sms_parts WHERE set_n = $1")                                \
    X(SMS_HELD_GET, 0, "SELECT sets, bytes FROM sms_held WHERE account = $1")                      \
    X(SMS_HELD_ADD, 1,                                                                             \
      "INSERT INTO sms_held (account, sets, bytes) VALUES ($1, $2, $3)"                            \
      " ON CONFLICT (account) DO UPDATE SET sets = sms_held.sets + excluded.sets,"                 \
      " bytes = sms_held.bytes + excluded.bytes RETURNING sets, bytes")                            \
    X(SETTING_PUT, 1,                                                                              \
      "INSERT INTO settings (kind, id, account, key, doc, version, created_at, updated_at, mark)"  \
      " VALUES ($1, $2, $3, $4, $5, 1, $6, $6, $7) ON CONFLICT DO NOTHING RETURNING n")            \
    X(SETTING_OWN, 1, "UPDATE settings SET account = n WHERE n = $1")                              \
    X(SETTING_KEY_TAKEN, 0, "SELECT n FROM settings WHERE kind = $1 AND key = $2 AND n <> $3")     \
    X(SETTING_CHANGE, 1,                                                                           \
      "UPDATE settings SET account = $1, key = $2, doc = $3, version = version + 1,"               \
      " updated_at = $4, mark = $5 WHERE kind = $6 AND n = $7 AND ($8 = 0 OR version = $8)"        \
      " RETURNING version, created_at")                                                            \
    X(SETTING_CHANGE_DOC, 1,                                                                       \
      "UPDATE settings SET doc = $1, version = version + 1, updated_at = $2"                       \
      " WHERE kind = $3 AND n = $4 AND ($5 = 0 OR version = $5) RETURNING version, created_at")    \
    X(SETTING_DELETE, 1, "DELETE FROM settings WHERE kind = $1 AND n = $2")                        \
    X(SETTING_PLACE, 0,                                                                            \
      "SELECT version, account, key, mark FROM settings WHERE kind = $1 AND n = $2")               \
    X(SETTING_AT, 0, "SELECT version FROM settings WHERE kind = $1 AND n = $2")                    \
    X(SETTING_GET, 0,                                                                              \
      "SELECT " SETTING_COLUMNS " FROM settings WHERE kind = $1 AND id = $2"                       \
      " AND ($3 = 0 OR account = $3)")                                                             \
    X(SETTING_GET_KEY, 0, "SELECT " SETTING_COLUMNS " FROM settings WHERE kind = $1 AND key = $2") \
    X(SETTING_LIST, 0,                                                                             \
      "SELECT " SETTING_COLUMNS " FROM settings WHERE kind = $1 AND ($2 = 0 OR account = $2)"      \
      " AND n > $3 ORDER BY n LIMIT $4")                                                           \
    X(SETTING_LIST_ACCOUNT, 0,                                                                     \
      "SELECT " SETTING_COLUMNS " FROM settings WHERE kind = $1 AND account = $2"                  \
      " AND n > $3 ORDER BY n LIMIT $4")                                                           \
    X(SETTING_LIST_MARK, 0,                                                                        \
      "SELECT " SETTING_COLUMNS " FROM settings WHERE kind = $1 AND mark = $2 AND mark <> ''"      \
      " AND n > $3 ORDER BY n LIMIT $4")                                                           \
    X(SETTING_LIST_ACCOUNT_MARK, 0,                                                                \
      "SELECT " SETTING_COLUMNS " FROM settings WHERE kind = $1 AND mark = $2 AND mark <> ''"      \
      " AND account = $3 AND n > $4 ORDER BY n LIMIT $5")                                          \
    X(SETTING_LAST, 0, "SELECT max(n) FROM settings")                                              \
    X(SETTING_WALK, 0,                                                                             \
      "SELECT n, kind, id, account, key, doc FROM settings WHERE n > $1 AND n <= $2 ORDER BY n")   \
    X(SETTING_DOCS, 0, "SELECT n, kind, doc FROM settings WHERE n > $1 ORDER BY n LIMIT $2")       \
    X(SETTING_MARK, 1, "UPDATE settings SET mark = $1 WHERE n = $2")                               \
    X(SETTING_GET_N, 0,                                                                            \
      "SELECT " SETTING_COLUMNS " FROM settings WHERE n = $1 AND kind = $2 AND account = $3")      \
    X(SETTING_OF_ACCOUNT, 0,                                                                       \
      "SELECT n FROM settings WHERE kind = $1 AND account = $2 AND n <> $2 LIMIT 1")               \
    X(AUDIT_PUT, 1,                                                                                \
      "INSERT INTO audit (id, at, account, by_account, who, who_name, address, kind, target,"      \
      " action, changed, before, after)"                                                           \
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING")   \
    X(AUDIT_LIST, 0, "SELECT " AUDIT_COLUMNS " FROM audit WHERE $1 = ''" AUDIT_FILTER)             \
    X(AUDIT_LIST_ACCOUNT, 0,                                                                       \
      "SELECT " AUDIT_COLUMNS " FROM audit WHERE account = $1" AUDIT_FILTER)                       \
    X(AUDIT_LIST_TARGET, 0, "SELECT " AUDIT_COLUMNS " FROM audit WHERE target = $1" AUDIT_FILTER)  \
    X(AUDIT_NEXT, 0, NEXT_OF("audit", "$1 = ''", "$2", "$3"))                                      \
    X(AUDIT_NEXT_ACCOUNT, 0, NEXT_OF("audit", "account = $1", "$2", "$3"))                         \
    X(AUDIT_NEXT_TARGET, 0, NEXT_OF("audit", "target = $1", "$2", "$3"))                           \
    X(AUDIT_FIRST, 0, "SELECT min(n) FROM audit")                                                  \
    X(AUDIT_LAST, 0, "SELECT max(n) FROM audit")                                                   \
    X(SPAN_OF_EVENTS, 0,                                                                           \
      "SELECT min(occurred_at), max(occurred_at), sum(DISTINCT 1 << kind) FROM events"             \
      " WHERE n >= $1 AND n < $2")                                                                 \
    X(SPAN_OF_CALLS, 0,                                                                            \
      "SELECT min(started_at), max(started_at), 1 FROM calls WHERE n >= $1 AND n < $2")            \
    X(SPAN_OF_AUDIT, 0,                                                                            \
      "SELECT min(at), max(at), sum(DISTINCT 1 << kind) FROM audit WHERE n >= $1 AND n < $2")      \
    X(SPAN_PUT, 1,                                                                                 \
      "INSERT INTO spans (of_table, block, kinds, from_at, to_at) VALUES ($1, $2, $3, $4, $5)"     \
      " ON CONFLICT DO NOTHING")                                                                   \
    X(SPAN_LAST, 0, "SELECT max(block) FROM spans WHERE of_table = $1")                            \
    X(SPAN_FORGET, 1, "DELETE FROM spans WHERE of_table = $1 AND block < $2")                      \
    X(SPAN_LIST, 0,                                                                                \
      "SELECT block, kinds, from_at, to_at FROM spans WHERE of_table = $1 AND block <= $2"         \
      " ORDER BY block DESC LIMIT $3")                                                             \
    X(AUDIT_FORGET, 1,                                                                             \
      "DELETE FROM audit WHERE n <= (SELECT max(n) FROM (SELECT n, at FROM audit ORDER BY n"       \
      " LIMIT $1) AS first WHERE at < $2 OR n <= (SELECT max(n) FROM audit) - $3)")                \
    X(TOKEN_PUT, 1,                                                                                \
      "INSERT INTO tokens (hash, user_n, stamp, expires_at) VALUES ($1, $2, $3, $4)"               \
      " ON CONFLICT DO NOTHING")                                                                   \
    X(TOKEN_LIST, 0, "SELECT n, hash, user_n, stamp, expires_at FROM tokens ORDER BY n")           \
    X(TOKEN_DELETE, 1, "DELETE FROM tokens WHERE hash = $1")                                       \
    X(TOKEN_FORGET, 1, "DELETE FROM tokens WHERE expires_at < $1")                                 \
    X(KEY_USE_PUT, 1,                                                                              \
      "INSERT INTO key_uses (key_n, used_at) VALUES ($1, $2) ON CONFLICT (key_n)"                  \
      " DO UPDATE SET used_at = excluded.used_at WHERE key_uses.used_at < excluded.used_at")       \
    X(KEY_USE_GET, 0, "SELECT used_at FROM key_uses WHERE key_n = $1")                             \
    X(KEY_USE_DELETE, 1, "DELETE FROM key_uses WHERE key_n = $1")

enum sql {
#define X(id, writes, text) SQL_##id,
    SQL_LIST(X)
#undef X
        SQL_COUNT
};

struct sql_statement {
    const char *text;
    bool writes;
};
extern const struct sql_statement sql_table[SQL_COUNT];

/* The words of an engine that the schema's texts leave open. */
struct sql_dialect {
    const char *serial;    /* {serial}: a key that counts up */
    const char *unreused;  /* {unreused}: the same, and no number comes twice */
    const char *plain_key; /* {plain_key}: a whole number that we give ourselves */
    const char *octets;    /* {octets}: the type of a column of bytes */
    const char *clustered; /* {clustered}: after a table whose rows live in its key */
};
