/* A hierarchical timer wheel, 1 ms ticks: set and stop cost O(1), whatever the number of timers.
 * One thread owns it. A timer is embedded in its object; stopping a timer that is not set does
 * nothing. Inside `fire` the timer is already off: it may be set again, and its object may be
 * freed. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct wheel;
struct timer;
typedef void timer_fire(struct timer *t);

struct timer { /* zeroed means: never set */
    struct timer *next, **link;
    int64_t due_mono_ms;
    timer_fire *fire;
    void *arg;
};

struct wheel *wheel_new(int64_t now_mono_ms); /* NULL when out of memory */
void wheel_free(struct wheel *w);             /* timers still set are simply dropped */
void timer_set(struct wheel *w, struct timer *t, int64_t due_mono_ms, timer_fire *fire, void *arg);
void timer_stop(struct timer *t);
bool timer_is_set(const struct timer *t);
/* Fires all timers due at or before `now_mono_ms`, in order of time. */
void wheel_advance(struct wheel *w, int64_t now_mono_ms);
/* Gives the milliseconds until the next timer may be due (never late, perhaps early), or -1 when
 * none is set. */
int64_t wheel_next_ms(const struct wheel *w, int64_t now_mono_ms);
int64_t wheel_now_ms(const struct wheel *w); /* the time of the last advance */
