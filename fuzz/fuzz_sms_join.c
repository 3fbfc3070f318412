/* Fuzzes the joining of parts: a carrier's sequence of parts goes over a real database in one
 * transaction that is rolled back. In any order, with any references and limits, every accepted
 * part comes out in exactly one event, whose payload is UTF-8, and no row stays behind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/json.h"
#include "hub/join.h"
#include "store/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { JOIN_MS = 1000, MANY = 4096 };

static struct db *db;
static struct joiner by = {.join_ms = JOIN_MS, .max_sets = 3, .max_bytes = 700};
static char dir[] = "/tmp/hookswitch-fuzz-XXXXXX";

static void must_succeed(bool good)
{
    if (!good)
        abort();
}

static void remove_files(void)
{
    static const char *const name[] = {"s.db", "s.db-wal", "s.db-shm", "s.db.lock",
                                       "d.db", "d.db-wal", "d.db-shm", "d.db.lock"};
    char path[128];
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, name[i]);
        unlink(path);
    }
    rmdir(dir);
}

/* One store for the (empty) book, and one connection of our own, which writes alone. */
static void store_set_up(void)
{
    char url[128], path[128], why[256];
    struct store *store = NULL;
    struct store_config c = {.url = url};
    must_succeed(crypto_start() == OK && mkdtemp(dir));
    atexit(remove_files);
    snprintf(url, sizeof url, "sqlite:%s/s.db", dir);
    snprintf(path, sizeof path, "%s/d.db", dir);
    must_succeed(store_open(&c, &store, why, sizeof why) == OK);
    must_succeed(books_open(store, &by.books) == OK);
    must_succeed(intake_new(store, NULL, NULL, &by.intake) == OK);
    must_succeed(engine_sqlite.open(path, DB_WRITER, &db, why, sizeof why) == OK);
    must_succeed(schema_migrate(db, why, sizeof why) == OK);
}

struct sums {
    size_t pieces, octets; /* taken, or come out */
    bool letters;          /* an octet is a character */
};

static bool join_on_event(void *arg, int64_t n, const struct event *e)
{
    struct sums *out = arg;
    struct json *o = NULL;
    struct str message = {0}, missing = {0};
    int64_t parts = 0;
    bool partial = false;
    must_succeed(str_is_utf8(e->payload) && json_parse(e->payload, &o, NULL, 0) == OK);
    must_succeed(json_str(json_get(o, "message"), &message) &&
                 json_int(json_get(o, "parts"), &parts) &&
                 json_bool(json_get(o, "partial"), &partial));
    json_str(json_get(o, "parts_missing"), &missing);
    must_succeed(partial == (missing.n > 0));
    size_t gone = missing.n > 0;
    for (size_t i = 0; i < missing.n; i++)
        gone += missing.p[i] == ',';
    must_succeed(gone < (size_t)parts);
    out->pieces += (size_t)parts - gone;
    out->octets += message.n;
    json_free(o);
    return true;
}

struct due_sets {
    int64_t now_ms, n[MANY];
    size_t count;
};

static bool join_on_due(void *arg, int64_t n, int64_t ends_at_ms)
{
    struct due_sets *d = arg;
    if (ends_at_ms > d->now_ms || d->count == MANY)
        return false;
    d->n[d->count++] = n;
    return true;
}

static void sets_expire(int64_t now_ms, struct joined_events *joined)
{
    static struct due_sets due;
    struct sms_set s;
    for (int state = SMS_SET_WAITING; state <= SMS_SET_DONE; state++) {
        due.now_ms = now_ms;
        due.count = 0;
        must_succeed(sms_set_list_due(db, (enum sms_set_state)state, MANY, join_on_due, &due) ==
                     OK);
        for (size_t i = 0; i < due.count; i++) {
            must_succeed(sms_set_get(db, due.n[i], &s) == OK);
            must_succeed((s.state == SMS_SET_WAITING ? join_end(&by, db, &s, now_ms, joined)
                                                     : sms_set_delete(db, &s)) == OK);
        }
    }
}

/* A step is four octets and data: its kind, the number of the part and the total, reference and
 * alphabet, length. */
static size_t part_take(const uint8_t *p, size_t n, int64_t *now_ms, struct joined_events *joined,
                        struct sums *in)
{
    static const enum sms_alphabet plain[] = {SMS_GSM7, SMS_ASCII, SMS_LATIN1, SMS_UTF8};
    struct part_in part = {.link = STR("l"), .from = STR("a"), .to = STR("+1"), .account = 1};
    struct part_out out = {0};
    char text[32];
    size_t length = p[3] & 31;
    bool any = p[0] & 1;
    length = length < n - 4 ? length : n - 4;
    for (size_t i = 0; i < length; i++)
        text[i] = any ? (char)p[4 + i] : (char)('a' + p[4 + i] % 26);
    part.part = (struct sms_part){
        .data = {text, length}, .parts = 2 + (p[1] & 3), .reference = p[2] & 3, .wide = p[2] & 4};
    part.part.number = 1 + (unsigned)(p[1] >> 2) % part.part.parts;
    part.part.coding.alphabet =
        any ? (enum sms_alphabet)((p[2] >> 3) % SMS_ALPHABET_COUNT) : plain[p[2] >> 3 & 3];
    part.at_ms = *now_ms += p[0] >> 3;
    part_set_id(&part);
    id_new("msg", part.message_id);
    must_succeed(join_part(&by, db, &part, joined, &out) == OK);
    in->letters &= !any;
    if (!out.duplicate) {
        in->pieces++;
        in->octets += length;
    }
    if (p[0] & 2)
        sets_expire(*now_ms += (p[0] & 4) ? JOIN_MS : JOIN_MS / 2, joined);
    return 4 + length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct event_filter all = {.kind = -1, .state = -1};
    struct list_stop stop;
    struct sums in = {.letters = true}, out = {0};
    struct joined_events joined = {0};
    struct sms_held held;
    int64_t now_ms = 1000000, last = 0;
    if (!db)
        store_set_up();
    must_succeed(engine_sqlite.begin(db) == OK);
    for (size_t at = 0; at + 4 <= n && in.pieces < 500;)
        at += part_take(data + at, n - at, &now_ms, &joined, &in);
    sets_expire(now_ms += JOIN_MS, &joined);
    must_succeed(event_list(db, &all, join_on_event, &out, &stop) == OK);
    must_succeed(out.pieces == in.pieces && (!in.letters || out.octets == in.octets));
    must_succeed(sms_held_get(db, 1, &held) == OK && held.sets == 0 && held.bytes == 0);
    sets_expire(now_ms += JOIN_MS, &joined);
    must_succeed(sms_set_oldest(db, 1, &last) == ERR_NOT_FOUND);
    joined_fini(&joined);
    engine_sqlite.rollback(db);
    return 0;
}
