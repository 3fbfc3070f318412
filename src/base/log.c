/* log: writes each line by one write(2). All lines pass here, so text from the network is made
 * harmless here: control bytes, bytes that are not UTF-8, C1 controls and the marks that turn the
 * writing direction come out as \xNN. Any thread. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

static _Atomic enum log_level level_min = LOG_INFO;

void log_level_set(enum log_level min)
{
    level_min = min;
}

enum log_level log_level_get(void)
{
    return level_min;
}

/* True for C1 controls (U+0080…9F), and for U+200E/F, U+2028…202E, U+2066…2069. */
static bool is_harmful(struct str c)
{
    const unsigned char *p = (const unsigned char *)c.p;
    if (c.n == 1)
        return p[0] < 0x20 || p[0] == 0x7F;
    if (c.n == 2)
        return p[0] == 0xC2 && p[1] < 0xA0;
    if (c.n == 3 && p[0] == 0xE2 && p[1] == 0x80)
        return p[2] == 0x8E || p[2] == 0x8F || (p[2] >= 0xA8 && p[2] <= 0xAE);
    return c.n == 3 && p[0] == 0xE2 && p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9;
}

static void put_safe(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n;) {
        size_t n = str_utf8_at(s, i);
        if (n == 0 || is_harmful(str_slice(s, i, n)))
            for (size_t k = 0; k < (n ? n : 1); k++)
                buf_printf(b, "\\x%02x", (unsigned char)s.p[i + k]);
        else
            buf_put(b, s.p + i, n);
        i += n ? n : 1;
    }
}

void log_write(enum log_level level, const char *part, const char *fmt, ...)
{
    static const char *const name[] = {"debug", "info", "warn", "error"};
    char text[2048], line[8192], at[CLOCK_TEXT_SIZE];
    struct buf b;
    va_list args;
    if (level < level_min)
        return;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (n < 0)
        return;
    buf_wrap(&b, line, sizeof line - 1);
    clock_print_ms(clock_wall_ms(), at);
    buf_printf(&b, "%s %s %s: ", at, name[level], part);
    put_safe(&b, (struct str){text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1});
    line[b.n++] = '\n';
    (void)!write(STDERR_FILENO, line, b.n); /* a failed write cannot be reported anywhere */
}

int log_sparse_due(_Atomic long long *last_mono_ms, long long every_ms)
{
    long long last = atomic_load_explicit(last_mono_ms, memory_order_relaxed);
    long long now = clock_mono_ms() + 1; /* never 0, which means that no line was written yet */
    if (last && now - last < every_ms)
        return 0;
    return atomic_compare_exchange_strong(last_mono_ms, &last, now);
}
