/* sse: makes fields of lines, and events of fields. A line ends with LF, CR or both. A line that
 * begins with a colon is a comment, a blank line ends the event. Ids and names that are too long
 * or hold a NUL are ignored, as the standard does with NUL. Caller: cli/client/stream_client. */
#include "cli/client/sse.h"

#include <string.h>

void sse_init(struct sse *s)
{
    *s = (struct sse){.retry_ms = 0};
    buf_init(&s->line, SSE_LINE_MAX);
    buf_init(&s->data, SSE_LINE_MAX);
}

void sse_fini(struct sse *s)
{
    buf_fini(&s->line);
    buf_fini(&s->data);
}

void sse_restart(struct sse *s)
{
    buf_reset(&s->line);
    buf_reset(&s->data);
    memcpy(s->id, s->last_id, sizeof s->id);
    s->event[0] = '\0';
    s->after_cr = s->started = false;
}

static void sse_keep(struct str value, char *to, size_t cap)
{
    if (str_find(value, '\0') == value.n && value.n < cap)
        (void)!str_copy(value, to, cap);
}

static void sse_on_field(struct sse *s, struct str name, struct str value)
{
    uint64_t ms;
    if (str_eq(name, STR("data"))) {
        buf_put_str(&s->data, value);
        buf_putc(&s->data, '\n');
    } else if (str_eq(name, STR("event"))) {
        sse_keep(value, s->event, sizeof s->event);
    } else if (str_eq(name, STR("id"))) {
        sse_keep(value, s->id, sizeof s->id);
    } else if (str_eq(name, STR("retry")) && str_to_u64(value, 3600000, &ms) == OK) {
        s->retry_ms = (int64_t)ms;
    }
}

static void sse_on_blank(struct sse *s, sse_on_event *on_event, void *arg)
{
    memcpy(s->last_id, s->id, sizeof s->last_id);
    if (s->data.n) {
        struct str event = s->event[0] ? str_of(s->event) : STR("message");
        on_event(arg, event, str_of(s->last_id), str_slice(buf_str(&s->data), 0, s->data.n - 1));
    }
    buf_reset(&s->data);
    s->event[0] = '\0';
}

static void sse_on_line(struct sse *s, sse_on_event *on_event, void *arg)
{
    struct str line = buf_str(&s->line), name, value;
    if (!s->started && str_starts(line, STR("\xef\xbb\xbf")))
        line = str_from(line, 3);
    s->started = true;
    if (line.n == 0) {
        sse_on_blank(s, on_event, arg);
    } else if (line.p[0] != ':') {
        str_cut(line, ':', &name, &value);
        sse_on_field(s, name, value.n && value.p[0] == ' ' ? str_from(value, 1) : value);
    }
    buf_reset(&s->line);
}

enum err sse_feed(struct sse *s, struct str bytes, sse_on_event *on_event, void *arg)
{
    for (size_t i = 0; i < bytes.n && s->line.err == OK && s->data.err == OK; i++) {
        char c = bytes.p[i];
        bool pair = c == '\n' && s->after_cr;
        s->after_cr = c == '\r';
        if (pair)
            continue;
        if (c == '\n' || c == '\r')
            sse_on_line(s, on_event, arg);
        else
            buf_putc(&s->line, c);
    }
    return s->line.err != OK ? s->line.err : s->data.err;
}
