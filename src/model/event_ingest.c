/* event_ingest: reads an event that another PBX posts. It checks each field and writes the event
 * anew in the contract's order, so that receivers cannot tell it from one of ours. Pure.
 *
 * Strict: values that receivers depend on (enumerations, ranges, dates) must be those that our own
 * events have; else the event is refused with the field and its allowed values. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "model/fields.h"
#include "model/sms.h"

enum {
    VALUE_MAX = 4096,
    PEER_MAX = 64,
    SECONDS_MAX = INT32_MAX,
    TIME_MAX = 40, /* nine digits of a second and an offset have 35 */
    HEADERS_MAX = 32,
    HEADER_NAME_MAX = 80,
    HEADER_MAX = 1024, /* as in the events of our own calls */
};

#define CALLS                                                                                      \
    (EVENT_BIT(EVENT_INCOMING_CALL) | EVENT_BIT(EVENT_CALL_ANSWERED) |                             \
     EVENT_BIT(EVENT_CALL_ENDED) | EVENT_BIT(EVENT_CALL_RINGING) |                                 \
     EVENT_BIT(EVENT_CALL_FORWARD_FAILED) | EVENT_BIT(EVENT_CALL_TRANSFERRED))
#define SMS      EVENT_BIT(EVENT_SMS_RECEIVED)
#define ANSWERED EVENT_BIT(EVENT_CALL_ANSWERED)
#define ENDED    EVENT_BIT(EVENT_CALL_ENDED)
#define FAILED   EVENT_BIT(EVENT_CALL_FORWARD_FAILED)
/* The events in which the destination is required and stands before the timestamp. */
#define DESTINATION_FIXED (ANSWERED | EVENT_BIT(EVENT_CALL_TRANSFERRED))
#define DESTINATION_ADDED (CALLS & ~DESTINATION_FIXED)

static const char header_prefix[] = "sip_header_x_";

static const char *verified_name(unsigned i)
{
    static const char *const name[] = {"none", "trunk", "A", "B", "C"};
    return i < sizeof name / sizeof *name ? name[i] : NULL;
}

static const char *reason_name(unsigned i)
{
    return i <= END_LOST ? end_reason_name((enum end_reason)i) : NULL;
}

static const char *by_name(unsigned i)
{
    return i <= ENDED_BY_SYSTEM ? ended_by_name((enum ended_by)i) : NULL;
}

static const char *alphabet_name(unsigned i)
{
    return i < SMS_ALPHABET_COUNT ? sms_alphabet_name((enum sms_alphabet)i) : NULL;
}

/* The fields that may be given besides the fixed ones, in the order in which they are sent. */
static const struct added {
    const char *name;
    event_mask kinds;
    enum json_kind kind;
    int64_t min, max;              /* of a number */
    const char *(*word)(unsigned); /* the words that a string may be; NULL at their end */
} added[] = {
    {"caller_name", CALLS, JSON_IS_STRING, 0, 0, NULL},
    {"caller_verified", CALLS, JSON_IS_STRING, 0, 0, verified_name},
    {"trunk", CALLS, JSON_IS_STRING, 0, 0, NULL},
    {"answered", ENDED, JSON_IS_BOOL, 0, 0, NULL},
    {"ring_sec", ANSWERED | ENDED, JSON_IS_INT, 0, SECONDS_MAX, NULL},
    {"end_reason", ENDED, JSON_IS_STRING, 0, 0, reason_name},
    {"ended_by", ENDED, JSON_IS_STRING, 0, 0, by_name},
    {"destination", DESTINATION_ADDED, JSON_IS_STRING, 0, 0, NULL},
    {"reason", FAILED, JSON_IS_STRING, 0, 0, reason_name},
    {"sip_status", ENDED | FAILED, JSON_IS_INT, 100, 699, NULL},
    {"target_status", ENDED | FAILED, JSON_IS_INT, 100, 699, NULL},
    {"detail", ENDED | FAILED, JSON_IS_STRING, 0, 0, NULL},
    {"truncated", CALLS, JSON_IS_BOOL, 0, 0, NULL},
    {"message_id", SMS, JSON_IS_STRING, 0, 0, NULL},
    {"encoding", SMS, JSON_IS_STRING, 0, 0, alphabet_name},
    {"parts", SMS, JSON_IS_INT, 1, SMS_PARTS_MAX, NULL},
    {"partial", SMS, JSON_IS_BOOL, 0, 0, NULL},
};
enum { N_ADDED = sizeof added / sizeof *added };

struct ingest {
    struct fields f;
    struct json_writer w;
    enum event_kind kind;
    int64_t now_ms, timestamp_ms, occurred_at_ms;
    struct event proto; /* last: it has room for bytes behind it */
};

static struct str text_of(struct ingest *in, const char *name, size_t max, bool required)
{
    char why[64];
    struct str s = {0};
    const struct json *v = field_any(&in->f, name);
    if ((v || required) && (!json_str(v, &s) || s.n > max || (required && s.n == 0))) {
        snprintf(why, sizeof why, "a string of %s%zu bytes", required ? "1 to " : "at most ", max);
        field_refuse(&in->f, name, why);
    }
    return s;
}

static struct str number_of(struct ingest *in, const char *name)
{
    struct str s = text_of(in, name, NUMBER_SIZE, true);
    if (!number_is_e164(s))
        field_refuse(&in->f, name, "an E.164 number: + and 5 to 15 digits, the first not 0");
    return s;
}

static struct str sender_of(struct ingest *in)
{
    struct str s = text_of(in, "from", SENDER_MAX, true);
    if (!number_is_sender(s))
        field_refuse(&in->f, "from", "a sender: a number or a name of 1 to 128 visible bytes");
    return s;
}

static struct str message_of(struct ingest *in)
{
    struct str s = {0};
    const struct json *v = field_any(&in->f, "message");
    if (!json_str(v, &s) || s.n > SMS_TEXT_MAX)
        field_refuse(&in->f, "message", "a string of at most 49152 bytes; it may be empty");
    return s;
}

/* Reads a time; 0: not given. */
static int64_t time_of(struct ingest *in, const char *name)
{
    int64_t ms = 0;
    struct str s = text_of(in, name, TIME_MAX, false);
    if (s.p && clock_parse(s, &ms) != OK)
        field_refuse(&in->f, name, "a real date and time like 2024-11-15T14:32:00Z (RFC 3339)");
    return ms;
}

/* Reads both times: one that is given gives the other; without any it is now. */
static void read_times(struct ingest *in)
{
    int64_t sec = time_of(in, "timestamp"), ms = time_of(in, "occurred_at");
    in->occurred_at_ms = ms ? ms : sec ? sec : in->now_ms;
    in->timestamp_ms = sec ? sec : in->occurred_at_ms;
}

static void put_time(struct ingest *in, const char *name, int64_t ms, bool milliseconds)
{
    char text[CLOCK_TEXT_SIZE];
    size_t n = milliseconds ? clock_print_ms(ms, text) : clock_print_sec(ms, text);
    json_put_str(&in->w, name, str_of_bytes(text, n));
}

static void put_fixed(struct ingest *in)
{
    int64_t seconds = 0;
    struct event *p = &in->proto;
    if (in->kind == EVENT_SMS_RECEIVED) {
        p->peer = sender_of(in);
        p->number = number_of(in, "to");
        json_put_str(&in->w, "from", p->peer);
        json_put_str(&in->w, "to", p->number);
        json_put_str(&in->w, "message", message_of(in));
        return;
    }
    p->number = number_of(in, "did_number");
    p->peer = text_of(in, "caller_id", PEER_MAX, true);
    json_put_str(&in->w, "did_number", p->number);
    json_put_str(&in->w, "caller_id", p->peer);
    if (DESTINATION_FIXED & EVENT_BIT(in->kind))
        json_put_str(&in->w, "destination", text_of(in, "destination", VALUE_MAX, true));
    if (in->kind != EVENT_CALL_ENDED)
        return;
    if (!json_int(field_any(&in->f, "duration_sec"), &seconds) || seconds < 0 ||
        seconds > SECONDS_MAX)
        field_refuse(&in->f, "duration_sec", "a whole number of seconds");
    json_put_i64(&in->w, "duration_sec", seconds);
}

static bool is_word(const struct added *a, struct str s)
{
    const char *word;
    for (unsigned i = 0; (word = a->word(i)); i++)
        if (str_eq(s, str_of(word)))
            return true;
    return false;
}

static void refuse_added(struct ingest *in, const struct added *a)
{
    char why[sizeof((struct field_error *)0)->why];
    struct buf b;
    buf_wrap(&b, why, sizeof why - 1);
    if (a->kind == JSON_IS_INT)
        buf_printf(&b, "a whole number from %lld to %lld", (long long)a->min, (long long)a->max);
    else if (a->kind == JSON_IS_BOOL)
        buf_puts(&b, "true or false");
    else if (!a->word)
        buf_printf(&b, "a string of at most %d bytes", VALUE_MAX);
    for (unsigned i = 0; a->word && a->word(i); i++) {
        bool again = i > 0 && !strcmp(a->word(i), a->word(i - 1)); /* gsm7 has two forms */
        buf_printf(&b, "%s%s", again ? "" : i ? ", " : "", again ? "" : a->word(i));
    }
    why[b.n] = '\0';
    field_refuse(&in->f, a->name, why);
}

static void put_added(struct ingest *in)
{
    for (const struct added *a = added; a < added + N_ADDED; a++) {
        int64_t n = a->min;
        struct str s = {0};
        if (!(a->kinds & EVENT_BIT(in->kind)))
            continue;
        const struct json *v = field_any(&in->f, a->name);
        if (!v)
            continue;
        if (json_kind(v) != a->kind || (json_int(v, &n) && (n < a->min || n > a->max)) ||
            (json_str(v, &s) && (s.n > VALUE_MAX || (a->word && !is_word(a, s))))) {
            refuse_added(in, a);
            continue;
        }
        json_put_raw(&in->w, a->name, STR(""));
        buf_put_json(in->w.b, v);
    }
}

/* True for sip_header_x_…: the name of an X- header of the INVITE in lower case, with `_` for all
 * other bytes. */
static bool is_header_name(struct str key)
{
    for (size_t i = 0; i < key.n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_", key.p[i]))
            return false;
    return key.n > strlen(header_prefix) && key.n < HEADER_NAME_MAX;
}

static void put_headers(struct ingest *in)
{
    struct str key, value;
    const struct json *v;
    size_t n = 0;
    in->f.prefix = header_prefix;
    for (void *it = NULL; in->f.err == OK && json_next(in->f.doc, &it, &key, &v);) {
        if (!str_starts(key, str_of(header_prefix)) || json_kind(v) == JSON_IS_NULL)
            continue;
        if (!is_header_name(key) || ++n > HEADERS_MAX || !json_str(v, &value) ||
            value.n > HEADER_MAX)
            field_refuse(&in->f, key.p,
                         "at most 32 of sip_header_x_ and a-z, 0-9, _, each a string of at most "
                         "1024 bytes");
        else
            json_put_str(&in->w, key.p, value);
    }
}

/* Checks fields that are valid alone but not together. */
static void check_whole(struct ingest *in)
{
    bool answered = true, partial = false;
    int64_t seconds = 0, parts = 2;
    const struct json *doc = in->f.doc;
    if (in->kind == EVENT_CALL_ENDED && json_bool(json_get(doc, "answered"), &answered) &&
        !answered && json_int(json_get(doc, "duration_sec"), &seconds) && seconds > 0)
        field_refuse(&in->f, "duration_sec", "0 when answered is false");
    if (in->kind == EVENT_SMS_RECEIVED && json_bool(json_get(doc, "partial"), &partial) &&
        partial && json_int(json_get(doc, "parts"), &parts) && parts == 1)
        field_refuse(&in->f, "partial", "false when parts is 1");
}

static bool is_id(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~')
            return false;
    return s.n >= 1 && s.n <= EVENT_ID_MAX;
}

static struct str id_of(struct ingest *in, const char *name)
{
    struct str s = text_of(in, name, EVENT_ID_MAX, false);
    if (s.p && !is_id(s))
        field_refuse(&in->f, name, "1 to 64 printable characters without blanks");
    return s;
}

static bool kind_of(struct ingest *in)
{
    struct str name = text_of(in, "event", PEER_MAX, true);
    bool known = event_kind_parse(name, &in->kind) && ((CALLS | SMS) & EVENT_BIT(in->kind));
    if (!known)
        field_refuse(&in->f, "event",
                     "incoming_call, call_answered, call_ended, sms_received, "
                     "call_ringing, call_forward_failed, call_transferred");
    return known;
}

static void put_all(struct ingest *in)
{
    (void)field_any(&in->f, "sequence"); /* counted here, per endpoint */
    (void)field_any(&in->f, "api_version");
    read_times(in);
    json_obj(&in->w, NULL);
    json_put_str(&in->w, "event", str_of(event_kind_name(in->kind)));
    put_fixed(in);
    put_time(in, "timestamp", in->timestamp_ms, false);
    json_put_str(&in->w, "id", in->proto.id);
    put_time(in, "occurred_at", in->occurred_at_ms, true);
    json_put_str(&in->w, "api_version", STR(EVENT_API_VERSION));
    if (in->proto.call_id.n)
        json_put_str(&in->w, "call_id", in->proto.call_id);
    put_added(in);
    if (CALLS & EVENT_BIT(in->kind))
        put_headers(in);
    json_end_obj(&in->w);
    check_whole(in);
}

enum err event_of_ingest(uint64_t account, const struct json *doc, int64_t now_ms,
                         struct event **ret, struct field_error *ret_fault)
{
    char made[ID_SIZE];
    struct buf b;
    struct ingest in = {.now_ms = now_ms};
    buf_init(&b, EVENT_PAYLOAD_MAX);
    in.w = (struct json_writer){&b, false};
    fields_start(&in.f, doc, ret_fault);
    if (kind_of(&in)) {
        in.proto.id = id_of(&in, "id");
        if (in.kind != EVENT_SMS_RECEIVED)
            in.proto.call_id = id_of(&in, "call_id");
        if (!in.proto.id.p) {
            id_new("evt", made);
            in.proto.id = str_of(made);
        }
        put_all(&in);
    }
    if (in.f.err == OK && b.err == ERR_TOO_BIG)
        field_refuse(&in.f, "body", "an event of at most 64 KiB, written as JSON");
    enum err err = fields_end(&in.f);
    in.proto.account = account;
    in.proto.kind = in.kind;
    in.proto.occurred_at_ms = now_ms;
    in.proto.seen_mono_us = clock_mono_us();
    in.proto.payload = buf_str(&b);
    if (err == OK && (err = b.err) == OK)
        err = event_new(&in.proto, ret);
    buf_fini(&b);
    return err;
}
