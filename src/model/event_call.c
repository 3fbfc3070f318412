/* event_call: writes the payloads of a call's events from its facts, fields in CONTRACT §2's order.
 * Called by sip/call_store on the edge's loop, thousands of times a second: one stack buffer, no
 * parser. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "model/event.h"

enum { NAME_MAX = 256, HEADER_NAME_MAX = 64, HEADER_MAX = 1024, HEADERS_MAX = 32, TAIL_MAX = 32 };

const char *end_reason_name(enum end_reason r)
{
    static const char *const name[] = {"completed", "no_answer", "busy", "rejected",
                                       "canceled",  "failed",    "lost"};
    return (unsigned)r <= END_LOST ? name[r] : "failed";
}

const char *ended_by_name(enum ended_by b)
{
    static const char *const name[] = {"caller", "callee", "system"};
    return (unsigned)b <= ENDED_BY_SYSTEM ? name[b] : "system";
}

enum end_reason end_reason_of_status(int sip_status)
{
    switch (sip_status) {
    case 486:
    case 600: return END_BUSY;
    case 408:
    case 480:
    case 487: return END_NO_ANSWER;
    case 403:
    case 433:
    case 603:
    case 607:
    case 608: return END_REJECTED;
    default: return END_FAILED;
    }
}

static int64_t whole_sec(int64_t from_ms, int64_t to_ms)
{
    return from_ms && to_ms > from_ms ? (to_ms - from_ms) / 1000 : 0;
}

static void put_time(struct json_writer *w, const char *key, int64_t ms, bool with_ms)
{
    char text[CLOCK_TEXT_SIZE];
    size_t n = with_ms ? clock_print_ms(ms, text) : clock_print_sec(ms, text);
    json_put_str(w, key, (struct str){text, n});
}

static void put_verified(struct json_writer *w, char verified)
{
    char letter[2] = {verified, '\0'};
    const char *text = verified == 't' ? "trunk" : verified == 'n' || !verified ? "none" : letter;
    json_put_str(w, "caller_verified", str_of(text));
}

size_t sip_header_key(struct str name, char *out, size_t cap)
{
    size_t n = 0;
    for (; n < name.n && n < cap; n++) {
        char c = name.p[n], low = (char)(c | 0x20);
        bool digit = c >= '0' && c <= '9', letter = low >= 'a' && low <= 'z';
        out[n] = letter ? low : digit ? c : '_';
    }
    return n;
}

/* Writes the X-* headers that fit. The buffer grows to EVENT_PAYLOAD_MAX, of which TAIL_MAX is kept
 * for the fields that follow. */
static void put_sip_headers(struct json_writer *w, const struct call_facts *f)
{
    static const char begin[] = "sip_header_";
    bool cut = f->sip_headers_cut || f->n_sip_headers > HEADERS_MAX;
    w->b->max -= TAIL_MAX;
    for (size_t i = 0; i < f->n_sip_headers && i < HEADERS_MAX; i++) {
        char key[sizeof begin + HEADER_NAME_MAX];
        struct str value = str_slice_utf8(f->sip_headers[2 * i + 1], HEADER_MAX);
        size_t before = w->b->n, n = sizeof begin - 1;
        memcpy(key, begin, n);
        key[n + sip_header_key(f->sip_headers[2 * i], key + n, HEADER_NAME_MAX)] = '\0';
        json_put_str(w, key, value);
        cut |= value.n < f->sip_headers[2 * i + 1].n || w->b->err == ERR_TOO_BIG;
        if (w->b->err == ERR_TOO_BIG) {
            w->b->err = OK;
            w->b->n = before;
        }
    }
    w->b->max += TAIL_MAX;
    if (cut)
        json_put_bool(w, "truncated", true);
}

static void put_destination(struct json_writer *w, const struct call_facts *f)
{
    json_put_str(w, "destination", f->destination.p ? f->destination : STR(""));
}

/* Writes what became of a target that failed. */
static void put_failure(struct json_writer *w, const struct call_facts *f)
{
    if (f->target_status)
        json_put_i64(w, "target_status", f->target_status);
    if (f->detail.n)
        json_put_str(w, "detail", f->detail);
}

/* Writes the fields between did_number, caller_id and timestamp. */
static void put_fixed(struct json_writer *w, enum event_kind kind, const struct call_facts *f)
{
    if (kind == EVENT_CALL_ANSWERED || kind == EVENT_CALL_TRANSFERRED)
        put_destination(w, f);
    if (kind == EVENT_CALL_ENDED)
        json_put_i64(w, "duration_sec", whole_sec(f->answered_ms, f->ended_ms));
}

static void put_own(struct json_writer *w, enum event_kind kind, const struct call_facts *f,
                    int64_t now_ms)
{
    switch (kind) {
    case EVENT_CALL_ANSWERED:
        json_put_i64(w, "ring_sec", whole_sec(f->started_ms, f->answered_ms));
        break;
    case EVENT_CALL_ENDED: {
        int64_t rang_to = f->answered_ms ? f->answered_ms : f->ended_ms;
        json_put_bool(w, "answered", f->answered_ms != 0);
        json_put_i64(w, "ring_sec", whole_sec(f->started_ms, rang_to));
        json_put_str(w, "end_reason", str_of(end_reason_name(f->reason)));
        json_put_str(w, "ended_by", str_of(ended_by_name(f->by)));
        json_put_i64(w, "sip_status", f->sip_status);
        if (f->answered_ms)
            put_destination(w, f);
        put_failure(w, f);
        break;
    }
    case EVENT_CALL_RINGING: put_destination(w, f); break;
    case EVENT_CALL_FORWARD_FAILED:
        put_destination(w, f);
        json_put_str(w, "reason", str_of(end_reason_name(f->reason)));
        json_put_i64(w, "sip_status", f->sip_status);
        put_failure(w, f);
        break;
    default: break;
    }
}

enum err event_of_call(enum event_kind kind, const struct call_facts *f, int64_t now_ms,
                       struct event **ret)
{
    char mem[8192], id[ID_SIZE];
    struct buf b;
    uint64_t which = (uint64_t)kind << 32 | f->ordinal;
    struct str parts[] = {f->call_id, str_of_bytes(&which, sizeof which)};
    id_derive("evt", parts, 2, id);
    buf_wrap(&b, mem, sizeof mem);
    if (f->n_sip_headers || f->sip_headers_cut) /* rare, and may be long */
        buf_init(&b, EVENT_PAYLOAD_MAX);
    struct json_writer w = {&b, false};
    json_obj(&w, NULL);
    json_put_str(&w, "event", str_of(event_kind_name(kind)));
    json_put_str(&w, "did_number", f->did_number);
    json_put_str(&w, "caller_id", f->caller_id);
    put_fixed(&w, kind, f);
    put_time(&w, "timestamp", now_ms, false);
    json_put_str(&w, "id", str_of(id));
    put_time(&w, "occurred_at", now_ms, true);
    json_put_str(&w, "api_version", STR(EVENT_API_VERSION));
    json_put_str(&w, "call_id", f->call_id);
    json_put_str(&w, "caller_name",
                 f->caller_name.p ? str_slice_utf8(f->caller_name, NAME_MAX) : STR(""));
    put_verified(&w, f->verified);
    json_put_str(&w, "trunk", str_slice_utf8(f->trunk, NAME_MAX));
    put_own(&w, kind, f, now_ms);
    if (f->simulated)
        json_put_bool(&w, "simulated", true);
    put_sip_headers(&w, f);
    json_end_obj(&w);
    struct event proto = {.kind = kind,
                          .simulated = f->simulated,
                          .account = f->account,
                          .occurred_at_ms = now_ms,
                          .seen_mono_us = clock_mono_us(),
                          .id = str_of(id),
                          .number = f->did_number,
                          .peer = f->caller_id,
                          .call_id = f->call_id,
                          .payload = buf_str(&b)};
    enum err err = b.err == OK ? event_new(&proto, ret) : b.err;
    buf_fini(&b);
    return err;
}
