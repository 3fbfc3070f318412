/* clock: the machine's time, or one that stands still until a test moves it. The fake is two
 * atomics, so that threads under test may look at any time. */
#include "base/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "base/err.h"

static atomic_bool faked;
static _Atomic int64_t fake_wall_ms, fake_mono_ms;

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

void clock_fake(int64_t wall_ms)
{
    fake_wall_ms = wall_ms;
    fake_mono_ms = 0;
    atomic_store_explicit(&faked, true, memory_order_release);
}

void clock_advance(int64_t ms)
{
    ASSERT(faked && ms >= 0);
    fake_wall_ms += ms;
    fake_mono_ms += ms;
}

void clock_real(void)
{
    atomic_store_explicit(&faked, false, memory_order_release);
}

/* Years past 9999 or before 0 do not occur in valid rows; they print as the nearest that fits. */
static size_t print(int64_t wall_ms, char out[CLOCK_TEXT_SIZE], bool with_ms)
{
    static const int64_t last = 253402300799999; /* 9999-12-31T23:59:59.999Z */
    struct tm tm;
    wall_ms = wall_ms < 0 ? 0 : wall_ms > last ? last : wall_ms;
    time_t sec = wall_ms / 1000;
    gmtime_r(&sec, &tm);
    size_t n = strftime(out, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    int more = with_ms ? snprintf(out + n, CLOCK_TEXT_SIZE - n, ".%03dZ", (int)(wall_ms % 1000))
                       : snprintf(out + n, CLOCK_TEXT_SIZE - n, "Z");
    return n + (size_t)more;
}

size_t clock_print_sec(int64_t wall_ms, char out[CLOCK_TEXT_SIZE])
{
    return print(wall_ms, out, false);
}

size_t clock_print_ms(int64_t wall_ms, char out[CLOCK_TEXT_SIZE])
{
    return print(wall_ms, out, true);
}
