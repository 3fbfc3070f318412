/* clock: gives the machine's time, or a fake time that stands still until a test moves it. The fake
 * is two atomics, so that threads under test may read it at any moment. */
#include "base/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"

#define LAST_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

static atomic_bool faked;
static _Atomic int64_t fake_wall_ms, fake_mono_ms;
static int64_t start_ms;              /* wall time less mono time when the process started */
static _Atomic int64_t fake_start_ms; /* the same, when the fake began */

static int64_t read_us(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_wall_ms(void)
{
    return atomic_load_explicit(&faked, memory_order_acquire) ? fake_wall_ms
                                                              : read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

int64_t clock_mono_us(void)
{
    return atomic_load_explicit(&faked, memory_order_acquire) ? fake_mono_ms * 1000
                                                              : read_us(CLOCK_MONOTONIC);
}

/* Runs before main, so that nobody can set the wall clock before it is read. */
__attribute__((constructor)) static void remember_start(void)
{
    start_ms = clock_wall_ms() - clock_mono_ms();
}

int64_t clock_mono_of(int64_t wall_ms)
{
    int64_t mono_ms = wall_ms - clock_wall_ms() + clock_mono_ms();
    return wall_ms == 0 ? 0 : mono_ms != 0 ? mono_ms : 1;
}

int64_t clock_wall_of(int64_t mono_ms)
{
    int64_t wall_ms = mono_ms - clock_mono_ms() + clock_wall_ms();
    return mono_ms == 0 ? 0 : wall_ms != 0 ? wall_ms : 1;
}

int64_t clock_moved_ms(void)
{
    int64_t then_ms = atomic_load_explicit(&faked, memory_order_acquire) ? fake_start_ms : start_ms;
    return clock_wall_ms() - clock_mono_ms() - then_ms;
}

void clock_fake(int64_t wall_ms)
{
    fake_wall_ms = wall_ms;
    fake_mono_ms = 0;
    fake_start_ms = wall_ms;
    atomic_store_explicit(&faked, true, memory_order_release);
}

void clock_advance(int64_t ms)
{
    ASSERT(faked && ms >= 0);
    fake_wall_ms += ms;
    fake_mono_ms += ms;
}

void clock_step(int64_t ms)
{
    ASSERT(faked);
    fake_wall_ms += ms;
}

void clock_real(void)
{
    atomic_store_explicit(&faked, false, memory_order_release);
}

/* Valid rows have no year past 9999 or before 0; such a year prints as the nearest that fits. */
static size_t clock_print(int64_t wall_ms, char out[CLOCK_TEXT_SIZE], bool with_ms)
{
    struct tm tm;
    wall_ms = wall_ms < 0 ? 0 : wall_ms > LAST_MS ? LAST_MS : wall_ms;
    time_t sec = wall_ms / 1000;
    gmtime_r(&sec, &tm);
    size_t n = strftime(out, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    int more = with_ms ? snprintf(out + n, CLOCK_TEXT_SIZE - n, ".%03dZ", (int)(wall_ms % 1000))
                       : snprintf(out + n, CLOCK_TEXT_SIZE - n, "Z");
    return n + (size_t)more;
}

size_t clock_print_sec(int64_t wall_ms, char out[CLOCK_TEXT_SIZE])
{
    return clock_print(wall_ms, out, false);
}

size_t clock_print_ms(int64_t wall_ms, char out[CLOCK_TEXT_SIZE])
{
    return clock_print(wall_ms, out, true);
}

/* Counts the days from 1970 to a date of the Gregorian calendar. */
static int64_t days_of(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2; /* count the year from March, so that the leap day is its last */
    int64_t era = y / 400;
    unsigned of_era = (unsigned)(y - era * 400);
    unsigned of_year = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    return era * 146097 + (int64_t)(of_era * 365 + of_era / 4 - of_era / 100 + of_year) - 719468;
}

static unsigned days_in(unsigned y, unsigned m)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return m == 2 && leap ? 29 : days[m - 1];
}

static bool digits_parse(struct str s, size_t at, size_t n, unsigned max, unsigned *ret)
{
    uint64_t v = 0;
    if (str_to_u64(str_slice(s, at, n), max, &v) != OK)
        return false;
    *ret = (unsigned)v;
    return true;
}

/* Cuts a fraction (".123") off *s: up to nine digits, of which three count. */
static bool fraction_cut(struct str *s, unsigned *ret_ms)
{
    size_t n = 1;
    *ret_ms = 0;
    if (s->n == 0 || s->p[0] != '.')
        return true;
    for (; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++)
        if (n <= 3)
            *ret_ms = *ret_ms * 10 + (unsigned)(s->p[n] - '0');
    for (size_t i = n; i <= 3; i++)
        *ret_ms *= 10;
    *s = str_from(*s, n);
    return n > 1 && n <= 10;
}

/* Parses "Z", or the offset from UTC: "+01:00". A `+` that came through a query undecoded is a
 * blank. */
static bool offset_parse(struct str s, int64_t *ret_ms)
{
    unsigned h, m;
    *ret_ms = 0;
    if (s.n == 1)
        return s.p[0] == 'Z' || s.p[0] == 'z';
    if (s.n != 6 || s.p[3] != ':' || !memchr("+- ", s.p[0], 3) || !digits_parse(s, 1, 2, 23, &h) ||
        !digits_parse(s, 4, 2, 59, &m))
        return false;
    *ret_ms = (int64_t)(h * 60 + m) * (s.p[0] == '-' ? -60000 : 60000);
    return true;
}

enum err clock_parse(struct str s, int64_t *ret_wall_ms)
{
    unsigned y, mo, d, h, mi, sec, ms;
    int64_t ahead_ms;
    struct str rest = str_from(s, 19);
    if (s.n < 20 || s.p[4] != '-' || s.p[7] != '-' || (s.p[10] != 'T' && s.p[10] != 't') ||
        s.p[13] != ':' || s.p[16] != ':' || !digits_parse(s, 0, 4, 9999, &y) ||
        !digits_parse(s, 5, 2, 12, &mo) || !digits_parse(s, 8, 2, 31, &d) ||
        !digits_parse(s, 11, 2, 23, &h) || !digits_parse(s, 14, 2, 59, &mi) ||
        !digits_parse(s, 17, 2, 60, &sec) || !fraction_cut(&rest, &ms) ||
        !offset_parse(rest, &ahead_ms))
        return ERR_SYNTAX;
    if (y < 1970 || mo < 1 || d < 1 || d > days_in(y, mo))
        return ERR_SYNTAX;
    int64_t at = ((days_of(y, mo, d) * 24 + h) * 60 + mi) * 60000 + sec * 1000 + ms - ahead_ms;
    if (at < 0 || at > LAST_MS)
        return ERR_SYNTAX;
    *ret_wall_ms = at;
    return OK;
}

/* ---- dates of HTTP ---- */

enum err clock_parse_http(struct str s, int64_t *ret_wall_ms)
{
    static const char *const form[] = {"%a, %d %b %Y %H:%M:%S GMT", "%a, %d-%b-%y %H:%M:%S GMT",
                                       "%a %b %d %H:%M:%S %Y"};
    char text[40];
    if (str_copy(s, text, sizeof text) != OK)
        return ERR_SYNTAX;
    for (size_t i = 0; i < sizeof form / sizeof *form; i++) {
        struct tm t = {0};
        const char *end = strptime(text, form[i], &t); /* month and day names of the C locale */
        if (!end || *end)
            continue;
        unsigned y = (unsigned)t.tm_year + 1900, mo = (unsigned)t.tm_mon + 1;
        if (t.tm_year < 70 || t.tm_mday < 1 || (unsigned)t.tm_mday > days_in(y, mo))
            return ERR_SYNTAX;
        int64_t days = days_of(y, mo, (unsigned)t.tm_mday);
        *ret_wall_ms = (days * 86400 + t.tm_hour * 3600 + t.tm_min * 60 + t.tm_sec) * 1000;
        return OK;
    }
    return ERR_SYNTAX;
}
