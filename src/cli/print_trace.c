/* print_trace: prints each message under a line with its time, the time since the one before, its
 * leg and its addresses. Messages are indented, so that none can look like such a line. Characters
 * that would drive the terminal are shown as `?`. Main thread. */
#include "cli/print_trace.h"

#include "base/clock.h"

static struct str trace_text(const struct json *m, const char *name)
{
    struct str s = STR("-");
    json_str(json_get(m, name), &s);
    return s;
}

static void trace_put_head(FILE *f, const struct json *m, int64_t *before_ms)
{
    int64_t at_ms = 0;
    struct str at = trace_text(m, "at");
    bool out = str_eq(trace_text(m, "direction"), STR("out"));
    if (clock_parse(at, &at_ms) != OK)
        at_ms = *before_ms;
    int64_t gap = *before_ms ? at_ms - *before_ms : 0;
    *before_ms = at_ms;
    print_safe(f, at);
    fprintf(f, "  %s%lld.%03lld s  leg ", gap < 0 ? "-" : "+",
            (long long)(gap < 0 ? -gap : gap) / 1000, (long long)(gap < 0 ? -gap : gap) % 1000);
    print_safe(f, trace_text(m, "leg"));
    fputs(out ? " >> " : " << ", f);
    print_safe(f, trace_text(m, "transport"));
    fputc(' ', f);
    print_safe(f, trace_text(m, out ? "local" : "remote"));
    fputs(" > ", f);
    print_safe(f, trace_text(m, out ? "remote" : "local"));
    fputc('\n', f);
}

static void trace_put_message(FILE *f, const struct json *m)
{
    bool cut = false;
    struct str line, rest = trace_text(m, "message");
    while (rest.n) {
        str_cut(rest, '\n', &line, &rest);
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        fputs(line.n ? "    " : "", f);
        print_safe(f, line);
        fputc('\n', f);
    }
    if (json_bool(json_get(m, "truncated"), &cut) && cut)
        fputs("    (it was longer)\n", f);
    fputc('\n', f);
}

void print_trace(FILE *f, const struct json *answer, size_t width)
{
    int64_t before_ms = 0;
    bool kept = false, truncated = false;
    const struct json *data = json_get(answer, "data");
    json_bool(json_get(answer, "kept"), &kept);
    json_bool(json_get(answer, "truncated"), &truncated);
    for (size_t i = 0; i < json_len(data); i++) {
        trace_put_head(f, json_at(data, i), &before_ms);
        trace_put_message(f, json_at(data, i));
    }
    if (!kept)
        fputs("Nothing is kept of this call: it is too old, it did not come by SIP, or traces are "
              "off.\n",
              stderr);
    else if (truncated)
        fputs("Messages are missing: the oldest, or some of very many.\n", stderr);
}
