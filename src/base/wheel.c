/* wheel: a hierarchical timer wheel of 1 ms ticks (Varghese and Lauck's scheme 7).
 *
 * Five levels of 64 slots reach 2^30 ms (12 days); later timers wait in the last level and are
 * placed again when their slot comes round. A slot's timers move to the level below when the time
 * enters the slot. A bitmap per level lets an idle wheel jump over empty slots. Owner: one loop.
 * The invariant: a timer that is set stands in exactly one list, and `link` points at the pointer
 * to it. */
#include "base/wheel.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/err.h"

enum { LEVELS = 5, BITS = 6, SLOTS = 1 << BITS, MASK = SLOTS - 1 };

struct wheel {
    int64_t now_ms;
    uint64_t used[LEVELS]; /* a bit per slot that may hold timers */
    struct timer *slot[LEVELS][SLOTS];
    struct timer *due; /* the timers being fired */
};

struct wheel *wheel_new(int64_t now_mono_ms)
{
    struct wheel *w = calloc(1, sizeof *w);
    if (w)
        w->now_ms = now_mono_ms;
    return w;
}

void wheel_free(struct wheel *w)
{
    free(w);
}

static void timer_list_put(struct timer **head, struct timer *t)
{
    t->next = *head;
    if (t->next)
        t->next->link = &t->next;
    t->link = head;
    *head = t;
}

void timer_stop(struct timer *t)
{
    if (!t->link)
        return;
    *t->link = t->next;
    if (t->next)
        t->next->link = t->link;
    t->link = NULL;
    t->next = NULL;
}

bool timer_is_set(const struct timer *t)
{
    return t->link != NULL;
}

/* Puts the timer into the slot for its distance from now; a timer that is due goes into the next
 * tick's slot. */
static void timer_place(struct wheel *w, struct timer *t)
{
    int64_t due = t->due_mono_ms > w->now_ms ? t->due_mono_ms : w->now_ms + 1;
    uint64_t away = (uint64_t)due ^ (uint64_t)w->now_ms; /* highest digit in which they differ */
    int level = away ? (63 - __builtin_clzll(away)) / BITS : 0;
    unsigned at;
    if (level >= LEVELS) { /* too far: the last slot of the top level that comes round */
        level = LEVELS - 1;
        at = ((unsigned)(w->now_ms >> (BITS * level)) - 1) & MASK;
    } else
        at = (unsigned)(due >> (BITS * level)) & MASK;
    timer_list_put(&w->slot[level][at], t);
    w->used[level] |= 1ull << at;
}

void timer_set(struct wheel *w, struct timer *t, int64_t due_mono_ms, timer_fire *fire, void *arg)
{
    timer_stop(t);
    t->due_mono_ms = due_mono_ms;
    t->fire = fire;
    t->arg = arg;
    timer_place(w, t);
}

/* Moves a slot's timers to the lower levels (or to `due`, when their time is now). */
static void slot_cascade(struct wheel *w, int level, unsigned at)
{
    struct timer *t = w->slot[level][at];
    w->slot[level][at] = NULL;
    w->used[level] &= ~(1ull << at);
    if (t)
        t->link = &t;
    while (t) {
        struct timer *one = t;
        timer_stop(one);
        if (one->due_mono_ms <= w->now_ms)
            timer_list_put(&w->due, one);
        else
            timer_place(w, one);
    }
}

/* Gives the next tick, at most `until`, that enters a slot which may hold timers. */
static int64_t next_tick(const struct wheel *w, int64_t until)
{
    int64_t next = until;
    for (int level = 0; level < LEVELS; level++) {
        int shift = BITS * level;
        int64_t digit = w->now_ms >> shift;
        uint64_t used = w->used[level];
        if (!used)
            continue;
        unsigned at = (unsigned)digit & MASK;
        unsigned turn = (at + 1) & MASK; /* look from the slot after the present one, all round */
        uint64_t seen = turn ? (used >> turn) | (used << (SLOTS - turn)) : used;
        int64_t tick = (digit + 1 + __builtin_ctzll(seen)) << shift;
        if (tick < next)
            next = tick;
    }
    return next;
}

void wheel_advance(struct wheel *w, int64_t now_mono_ms)
{
    while (w->now_ms < now_mono_ms) {
        w->now_ms = next_tick(w, now_mono_ms);
        for (int level = LEVELS - 1; level >= 0; level--)
            if ((w->now_ms & (((int64_t)1 << (BITS * level)) - 1)) == 0)
                slot_cascade(w, level, (unsigned)(w->now_ms >> (BITS * level)) & MASK);
        while (w->due) {
            struct timer *t = w->due;
            timer_stop(t);
            t->fire(t);
        }
    }
}

int64_t wheel_next_ms(const struct wheel *w, int64_t now_mono_ms)
{
    bool any = false;
    for (int level = 0; level < LEVELS; level++)
        any |= w->used[level] != 0;
    if (!any)
        return -1;
    int64_t away = next_tick(w, INT64_MAX) - now_mono_ms;
    return away > 0 ? away : 0;
}

int64_t wheel_now_ms(const struct wheel *w)
{
    return w->now_ms;
}
