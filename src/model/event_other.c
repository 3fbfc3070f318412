/* event_other: builds the events that belong to no call: a text message, a ping, an endpoint
 * switched off. Pure, apart from the ping's random id. */
#include "base/clock.h"
#include "base/json.h"
#include "model/event.h"

/* Writes the added fields that all events share. */
static void put_added(struct json_writer *w, const char *id, int64_t now_ms)
{
    char at[CLOCK_TEXT_SIZE];
    clock_print_ms(now_ms, at);
    json_put_str(w, "id", str_of(id));
    json_put_str(w, "occurred_at", str_of(at));
    json_put_str(w, "api_version", STR(EVENT_API_VERSION));
}

static enum err event_finish(struct buf *b, struct event *proto, const char *id, int64_t now_ms,
                             struct event **ret)
{
    proto->occurred_at_ms = now_ms;
    proto->seen_mono_us = clock_mono_us();
    proto->id = str_of(id);
    proto->payload = buf_str(b);
    enum err err = b->err == OK ? event_new(proto, ret) : b->err;
    buf_fini(b);
    return err;
}

/* The room in a payload for the other fields: `raw` 8 KiB and a little, `parts_missing` 1 KiB,
 * sender and ids. */
enum { SMS_FIELDS_MAX = 16 * 1024 };

/* Gives how many bytes the character takes in a JSON string, at most; *ret_n: in the text. */
static size_t json_cost(struct str text, size_t at, size_t *ret_n)
{
    unsigned char c = (unsigned char)text.p[at];
    *ret_n = c < 0x80 ? 1 : str_utf8_at(text, at);
    if (*ret_n > 1)
        return *ret_n;
    if (*ret_n == 0) { /* becomes U+FFFD */
        *ret_n = 1;
        return 3;
    }
    return c < 0x20 || c == 0x7F ? 6 : c == '"' || c == '\\' ? 2 : 1;
}

/* Cuts the text to `room` bytes of its JSON string, at a whole character. */
static struct str json_text_cut(struct str text, size_t room)
{
    size_t i = 0;
    for (size_t used = 0, n; i < text.n; i += n) {
        used += json_cost(text, i, &n);
        if (used > room)
            break;
    }
    return str_slice(text, 0, i);
}

static void put_sms_added(struct json_writer *w, const struct sms_facts *f, bool truncated)
{
    json_put_str(w, "message_id", f->message_id);
    json_put_str(w, "encoding", f->encoding);
    json_put_i64(w, "parts", f->parts);
    json_put_bool(w, "partial", f->partial);
    if (f->parts_missing.n)
        json_put_str(w, "parts_missing", f->parts_missing);
    if (f->simulated)
        json_put_bool(w, "simulated", true);
    if (truncated)
        json_put_bool(w, "message_truncated", true);
    if (!f->raw.p)
        return;
    json_put_i64(w, "data_coding", f->data_coding);
    json_put_str(w, "raw", f->raw);
    if (f->raw_truncated)
        json_put_bool(w, "raw_truncated", true);
}

enum err event_of_sms(const struct sms_facts *f, int64_t now_ms, struct event **ret)
{
    char id[ID_SIZE], at[CLOCK_TEXT_SIZE];
    struct buf b;
    struct str parts[] = {STR("sms"), f->link, f->from, f->to, f->message_id, f->message};
    id_derive("evt", parts, sizeof parts / sizeof *parts, id);
    clock_print_sec(f->arrived_at_ms ? f->arrived_at_ms : now_ms, at);
    buf_init(&b, EVENT_PAYLOAD_MAX);
    struct json_writer w = {&b, false};
    json_obj(&w, NULL);
    json_put_str(&w, "event", str_of(event_kind_name(EVENT_SMS_RECEIVED)));
    json_put_str(&w, "from", f->from);
    json_put_str(&w, "to", f->to);
    struct str message = f->message.p ? f->message : STR("");
    if (message.n > (EVENT_PAYLOAD_MAX - SMS_FIELDS_MAX) / 6)
        message = json_text_cut(message, EVENT_PAYLOAD_MAX - SMS_FIELDS_MAX);
    json_put_str(&w, "message", message);
    json_put_str(&w, "timestamp", str_of(at));
    put_added(&w, id, now_ms);
    put_sms_added(&w, f, f->truncated || message.n < f->message.n);
    json_end_obj(&w);
    struct event proto = {.kind = EVENT_SMS_RECEIVED,
                          .simulated = f->simulated,
                          .account = f->account,
                          .number = f->to,
                          .peer = f->from};
    return event_finish(&b, &proto, id, now_ms, ret);
}

static enum err event_of_endpoint(enum event_kind kind, uint64_t account, struct str endpoint_id,
                                  struct str url, struct str why, int64_t now_ms,
                                  struct event **ret)
{
    char id[ID_SIZE], at[CLOCK_TEXT_SIZE];
    struct buf b;
    id_new("evt", id);
    clock_print_sec(now_ms, at);
    buf_init(&b, EVENT_PAYLOAD_MAX);
    struct json_writer w = {&b, false};
    json_obj(&w, NULL);
    json_put_str(&w, "event", str_of(event_kind_name(kind)));
    json_put_str(&w, "endpoint", endpoint_id);
    if (url.p)
        json_put_str(&w, "url", url);
    if (why.p)
        json_put_str(&w, "reason", why);
    json_put_str(&w, "timestamp", str_of(at));
    put_added(&w, id, now_ms);
    json_end_obj(&w);
    struct event proto = {.kind = kind, .account = account};
    return event_finish(&b, &proto, id, now_ms, ret);
}

enum err event_of_ping(uint64_t account, struct str endpoint_id, int64_t now_ms, struct event **ret)
{
    return event_of_endpoint(EVENT_PING, account, endpoint_id, (struct str){0}, (struct str){0},
                             now_ms, ret);
}

enum err event_of_endpoint_disabled(uint64_t account, struct str endpoint_id, struct str url,
                                    struct str why, int64_t now_ms, struct event **ret)
{
    return event_of_endpoint(EVENT_ENDPOINT_DISABLED, account, endpoint_id, url, why, now_ms, ret);
}

enum err event_of_endpoint_news(const struct endpoint_news *n, int64_t now_ms, struct event **ret)
{
    char id[ID_SIZE], at[CLOCK_TEXT_SIZE];
    struct buf b;
    id_new("evt", id);
    clock_print_sec(now_ms, at);
    buf_init(&b, EVENT_PAYLOAD_MAX);
    struct json_writer w = {&b, false};
    json_obj(&w, NULL);
    json_put_str(&w, "event", str_of(event_kind_name(n->kind)));
    json_put_str(&w, "endpoint", n->endpoint);
    json_put_str(&w, "url", n->url);
    if (n->last_error.p)
        json_put_str(&w, "last_error", n->last_error);
    if (n->last_status)
        json_put_i64(&w, "last_status", n->last_status);
    json_put_i64(&w, "waiting", n->waiting);
    json_put_str(&w, "timestamp", str_of(at));
    put_added(&w, id, now_ms);
    json_end_obj(&w);
    struct event proto = {.kind = n->kind, .account = n->account};
    return event_finish(&b, &proto, id, now_ms, ret);
}
