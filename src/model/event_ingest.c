/* event_ingest: an event that another PBX tells us: checked field by field, written anew in the
 * contract's order, so that receivers cannot tell it from one of ours. Pure. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "model/fields.h"

enum { VALUE_MAX = 4096, MESSAGE_MAX = 16384 };

/* What may be given besides the fixed fields: name, for calls?, for SMS?, kind. */
static const struct {
    const char *name;
    bool call, sms;
    enum json_kind kind;
} added[] = {
    {"caller_name", 1, 0, JSON_IS_STRING}, {"caller_verified", 1, 0, JSON_IS_STRING},
    {"trunk", 1, 0, JSON_IS_STRING},       {"ring_sec", 1, 0, JSON_IS_INT},
    {"answered", 1, 0, JSON_IS_BOOL},      {"end_reason", 1, 0, JSON_IS_STRING},
    {"ended_by", 1, 0, JSON_IS_STRING},    {"sip_status", 1, 0, JSON_IS_INT},
    {"message_id", 0, 1, JSON_IS_STRING},  {"encoding", 0, 1, JSON_IS_STRING},
    {"parts", 0, 1, JSON_IS_INT},          {"partial", 0, 1, JSON_IS_BOOL},
};
enum { N_ADDED = sizeof added / sizeof *added };

struct ingest {
    struct fields f;
    struct json_writer w;
    enum event_kind kind;
    bool sms;
    int64_t now_ms;
    struct event proto; /* last: it has room for bytes behind it */
};

static struct str text_of(struct ingest *in, const char *name, size_t max, bool required)
{
    struct str s = {0};
    const struct json *v = field_any(&in->f, name);
    if ((!v && required) || (v && (!json_str(v, &s) || s.n > max || (required && s.n == 0))))
        field_refuse(&in->f, name, "a string that is not empty and not too long");
    return s;
}

static struct str number_of(struct ingest *in, const char *name)
{
    struct str s = text_of(in, name, NUMBER_SIZE, true);
    if (!number_is_e164(s))
        field_refuse(&in->f, name, "an E.164 number: + and 5 to 15 digits, the first not 0");
    return s;
}

static void put_time(struct ingest *in, const char *name, size_t length, bool milliseconds)
{
    char text[CLOCK_TEXT_SIZE];
    struct str s = text_of(in, name, CLOCK_TEXT_SIZE, false);
    if (s.p && (s.n != length || s.p[10] != 'T' || s.p[s.n - 1] != 'Z'))
        field_refuse(&in->f, name,
                     milliseconds ? "a time like 2024-11-15T14:32:00.123Z"
                                  : "a time like 2024-11-15T14:32:00Z");
    if (!s.p)
        s = str_of_bytes(text, milliseconds ? clock_print_ms(in->now_ms, text)
                                            : clock_print_sec(in->now_ms, text));
    json_put_str(&in->w, name, s);
}

static void put_fixed(struct ingest *in)
{
    int64_t seconds = 0;
    struct event *p = &in->proto;
    if (in->sms) {
        p->peer = text_of(in, "from", 64, true);
        p->number = number_of(in, "to");
        json_put_str(&in->w, "from", p->peer);
        json_put_str(&in->w, "to", p->number);
        json_put_str(&in->w, "message", text_of(in, "message", MESSAGE_MAX, false));
        return;
    }
    p->number = number_of(in, "did_number");
    p->peer = text_of(in, "caller_id", 64, true);
    json_put_str(&in->w, "did_number", p->number);
    json_put_str(&in->w, "caller_id", p->peer);
    bool answered = in->kind == EVENT_CALL_ANSWERED;
    struct str destination = text_of(in, "destination", VALUE_MAX, answered);
    if (answered)
        json_put_str(&in->w, "destination", destination);
    const struct json *v = field_any(&in->f, "duration_sec");
    if (in->kind != EVENT_CALL_ENDED)
        return;
    if (!json_int(v, &seconds) || seconds < 0)
        field_refuse(&in->f, "duration_sec", "a whole number of seconds");
    json_put_i64(&in->w, "duration_sec", seconds);
}

static void put_added(struct ingest *in)
{
    for (size_t i = 0; i < N_ADDED; i++) {
        if (!(in->sms ? added[i].sms : added[i].call))
            continue;
        const struct json *v = field_any(&in->f, added[i].name);
        struct str s = {0};
        if (!v)
            continue;
        if (json_kind(v) != added[i].kind || (json_str(v, &s) && s.n > VALUE_MAX)) {
            field_refuse(&in->f, added[i].name, json_kind_name(added[i].kind));
            continue;
        }
        json_put_raw(&in->w, added[i].name, STR(""));
        buf_put_json(in->w.b, v);
    }
    struct str destination = text_of(in, "destination", VALUE_MAX, false);
    if (!in->sms && in->kind != EVENT_CALL_ANSWERED && destination.n)
        json_put_str(&in->w, "destination", destination);
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
    struct str name = text_of(in, "event", 64, true);
    bool known = event_kind_parse(name, &in->kind) &&
                 (event_kind_is_call(in->kind) || in->kind == EVENT_SMS_RECEIVED);
    if (!known)
        field_refuse(&in->f, "event",
                     "incoming_call, call_answered, call_ended, sms_received, "
                     "call_ringing, call_forward_failed, call_transferred");
    in->sms = in->kind == EVENT_SMS_RECEIVED;
    return known;
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
        id_new("evt", made);
        in.proto.id = id_of(&in, "id");
        in.proto.call_id = id_of(&in, "call_id");
        if (!in.proto.id.p)
            in.proto.id = str_of(made);
        (void)field_any(&in.f, "sequence"); /* counted here, per endpoint */
        (void)field_any(&in.f, "api_version");
        json_obj(&in.w, NULL);
        json_put_str(&in.w, "event", str_of(event_kind_name(in.kind)));
        put_fixed(&in);
        put_time(&in, "timestamp", 20, false);
        json_put_str(&in.w, "id", in.proto.id);
        put_time(&in, "occurred_at", 24, true);
        json_put_str(&in.w, "api_version", STR(EVENT_API_VERSION));
        if (in.proto.call_id.n)
            json_put_str(&in.w, "call_id", in.proto.call_id);
        put_added(&in);
        json_end_obj(&in.w);
    }
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
