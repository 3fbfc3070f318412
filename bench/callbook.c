/* callbook: keeps two bytes for each call, found by its number. The receiver may see an event
 * again (at least once), but never a second call_ended with another id. */
#include "callbook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "figures.h"
#include "room.h"

enum { SEEN_INCOMING = 1, SEEN_ANSWERED = 2, SEEN_ENDED = 4, DIGITS = 7 };
static const char prefix[] = "+1917";

void callbook_init(struct callbook *b, size_t max)
{
    memset(b, 0, sizeof *b);
    b->max = max < CALLBOOK_MAX ? max : CALLBOOK_MAX;
    b->told = room_make(b->max, 1, "the calls");
    b->seen = room_make(b->max, 1, "the calls");
    b->end = room_make(b->max, sizeof *b->end, "the calls");
}

void callbook_fini(struct callbook *b)
{
    free(b->told);
    free(b->seen);
    free(b->end);
}

void callbook_print_caller(size_t i, char out[CALLER_SIZE])
{
    snprintf(out, CALLER_SIZE, "%s%0*zu", prefix, DIGITS, i % CALLBOOK_MAX);
}

size_t callbook_call_of(struct str text)
{
    uint64_t i;
    const char *p = memmem(text.p, text.n, prefix, sizeof prefix - 1);
    struct str digits =
        p ? str_slice(text, (size_t)(p - text.p) + sizeof prefix - 1, DIGITS) : (struct str){0};
    return digits.n == DIGITS && str_to_u64(digits, CALLBOOK_MAX, &i) == OK ? i : SIZE_MAX;
}

void callbook_tell(struct callbook *b, size_t i, enum call_told told)
{
    uint8_t before = atomic_fetch_or(&b->told[i], (uint8_t)told);
    if (before & told)
        return;
    atomic_fetch_add(told == TOLD_TAKEN      ? &b->taken
                     : told == TOLD_ANSWERED ? &b->answered
                     : told == TOLD_REFUSED  ? &b->refused
                                             : &b->over,
                     1);
}

/* Returns the text behind the marker, up to the byte that ends it. */
static struct str member_value(struct str text, struct str marker, char end)
{
    struct str found, rest;
    const char *p = memmem(text.p, text.n, marker.p, marker.n);
    if (!p)
        return (struct str){0};
    str_cut(str_from(text, (size_t)(p - text.p) + marker.n), end, &found, &rest);
    return found;
}

static uint8_t event_seen(struct str event)
{
    return str_eq(event, STR("incoming_call"))   ? SEEN_INCOMING
           : str_eq(event, STR("call_answered")) ? SEEN_ANSWERED
           : str_eq(event, STR("call_ended"))    ? SEEN_ENDED
                                                 : 0;
}

void callbook_arrived(struct callbook *b, struct str request)
{
    size_t i = callbook_call_of(member_value(request, STR("\"caller_id\":\""), '"'));
    uint8_t kind = event_seen(member_value(request, STR("{\"event\":\""), '"'));
    if (i >= b->n || !kind) {
        atomic_fetch_add(&b->strange, 1);
        return;
    }
    uint64_t id = hash64(member_value(request, STR("webhook-id: "), '\r'));
    if (kind == SEEN_ENDED && b->end[i] && b->end[i] != id)
        atomic_fetch_add(&b->ended_twice, 1);
    if (kind == SEEN_ENDED)
        b->end[i] = id;
    if (atomic_fetch_or(&b->seen[i], kind) & kind) {
        atomic_fetch_add(&b->repeated, 1);
        return;
    }
    atomic_fetch_add(&b->ended, kind == SEEN_ENDED);
    atomic_fetch_add(&b->arrived, 1);
}

size_t callbook_missing(const struct callbook *b)
{
    size_t missing = 0;
    for (size_t i = 0; i < b->n; i++) {
        uint8_t want = b->told[i] & TOLD_TAKEN ? SEEN_INCOMING | SEEN_ENDED : 0;
        want |= b->told[i] & TOLD_ANSWERED ? SEEN_ANSWERED : 0;
        missing += (b->seen[i] & want) != want;
    }
    return missing;
}

bool callbook_say(const struct callbook *b)
{
    size_t missing = callbook_missing(b), open = 0, twice = b->ended_twice, strange = b->strange;
    for (size_t i = 0; i < b->n; i++)
        open += !(b->told[i] & (TOLD_OVER | TOLD_REFUSED));
    bool good = !missing && !open && !twice && !strange;
    say("each call that was taken has its events, one end",
        "%s (%zu calls, %zu taken, %zu answered, %zu refused; events missing %zu, two ends %zu, no "
        "final response %zu, repeated %zu, not ours %zu)",
        good ? "yes" : "NO", (size_t)b->n, (size_t)b->taken, (size_t)b->answered,
        (size_t)b->refused, missing, twice, open, (size_t)b->repeated, strange);
    return good;
}
