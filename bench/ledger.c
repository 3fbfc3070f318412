/* ledger: keeps the senders' log and the receivers' log in one table. All figures are made from
 * it; the daemon's own counters are only printed beside them. Generator and receiver are two
 * threads; shared members are atomic. */
#include "ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figures.h"
#include "room.h"

enum { ID_DIGITS = 26 };

void ledger_init(struct ledger *l, unsigned accounts, unsigned endpoints, bool to_all,
                 size_t calls_max)
{
    memset(l, 0, sizeof *l);
    l->accounts = accounts;
    l->endpoints = endpoints;
    l->to_all = to_all;
    l->width = to_all ? endpoints : 1;
    l->calls_max = calls_max;
    l->account = room_make(calls_max, 1, "the ledger");
    l->sent_us = room_make(calls_max * CALL_EVENTS, sizeof *l->sent_us, "the ledger");
    l->late_us = room_make(calls_max * CALL_EVENTS * l->width, sizeof *l->late_us, "the ledger");
}

void ledger_fini(struct ledger *l)
{
    free(l->account);
    free(l->sent_us);
    free(l->late_us);
}

size_t ledger_new_calls(struct ledger *l, unsigned account, size_t n)
{
    size_t first = l->calls;
    if (first + n > l->calls_max) {
        fprintf(stderr, "the ledger is full: %zu calls\n", l->calls_max);
        exit(1);
    }
    memset(l->account + first, (int)account, n);
    l->calls += n;
    return first;
}

void ledger_print_number(const struct ledger *l, unsigned account, unsigned endpoint, char out[24])
{
    snprintf(out, 24, "+44791%03u%04u", account % 1000, endpoint % 10000);
}

unsigned ledger_endpoint_of(const struct ledger *l, size_t call)
{
    return (unsigned)((call * 2654435761u >> 12) % l->endpoints); /* without a pattern */
}

void ledger_print_event(const struct ledger *l, size_t event, struct buf *out)
{
    static const char *const name[] = {"incoming_call", "call_answered", "call_ended"};
    static const char *const more[] = {
        "", "\"destination\":\"sip:agent@pbx.example.com\",\"ring_sec\":4,",
        "\"duration_sec\":61,\"answered\":true,\"ring_sec\":4,\"end_reason\":\"completed\","
        "\"ended_by\":\"caller\",\"sip_status\":200,"
        "\"destination\":\"sip:agent@pbx.example.com\","};
    size_t call = event / CALL_EVENTS, kind = event % CALL_EVENTS;
    char number[24];
    ledger_print_number(l, l->account[call], ledger_endpoint_of(l, call), number);
    buf_printf(out,
               "{\"event\":\"%s\",\"did_number\":\"%s\",\"caller_id\":\"+1917555%04zu\",%s"
               "\"timestamp\":\"2026-11-24T04:03:02Z\",\"id\":\"evt_%026zu\","
               "\"call_id\":\"call_%026zu\",\"caller_name\":\"Ann Lee\","
               "\"caller_verified\":\"A\",\"trunk\":\"carrier\"}",
               name[kind], number, call % 10000, more[kind], event, call);
}

/* "evt_" and 26 digits. */
static size_t event_of(const struct ledger *l, struct str id)
{
    size_t event = 0;
    if (id.n != 4 + ID_DIGITS || memcmp(id.p, "evt_", 4) != 0)
        return SIZE_MAX;
    for (size_t i = 4; i < id.n; i++) {
        if (id.p[i] < '0' || id.p[i] > '9')
            return SIZE_MAX;
        event = event * 10 + (size_t)(id.p[i] - '0');
    }
    return event < l->calls_max * CALL_EVENTS ? event : SIZE_MAX;
}

size_t ledger_arrived(struct ledger *l, unsigned endpoint, struct str id, int64_t now_us)
{
    size_t event = event_of(l, id), call = event / CALL_EVENTS;
    unsigned account = endpoint / l->endpoints, own = endpoint % l->endpoints;
    if (event == SIZE_MAX || account >= l->accounts || l->account[call] != account ||
        (!l->to_all && own != ledger_endpoint_of(l, call))) {
        atomic_fetch_add(&l->strange, 1);
        return SIZE_MAX;
    }
    _Atomic uint32_t *cell = &l->late_us[event * l->width + (l->to_all ? own : 0)];
    if (atomic_load_explicit(cell, memory_order_relaxed)) {
        atomic_fetch_add(&l->repeated, 1);
        return event;
    }
    if (event % CALL_EVENTS && !atomic_load_explicit(cell - l->width, memory_order_relaxed))
        atomic_fetch_add(&l->out_of_order, 1);
    int64_t late = now_us - l->sent_us[event];
    late = late < 0 ? 0 : late >= UINT32_MAX ? UINT32_MAX - 1 : late;
    atomic_store_explicit(cell, (uint32_t)late + 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&l->arrived, 1, memory_order_release);
    return event;
}

size_t ledger_missing(const struct ledger *l, size_t first_call, ledger_counts *counts)
{
    size_t missing = 0, stride = CALL_EVENTS * l->width;
    for (size_t call = first_call; call < l->calls; call++)
        for (size_t i = 0; i < stride && (!counts || counts(l, call)); i++)
            missing += !l->late_us[call * stride + i];
    return missing;
}

size_t ledger_latencies(const struct ledger *l, size_t first_call, ledger_counts *counts,
                        uint32_t **ret_sorted)
{
    size_t n = 0, stride = CALL_EVENTS * l->width;
    uint32_t *v = room_make((l->calls - first_call) * stride + 1, sizeof *v, "the ledger");
    for (size_t call = first_call; call < l->calls; call++)
        for (size_t i = 0; i < stride && (!counts || counts(l, call)); i++)
            if (l->late_us[call * stride + i])
                v[n++] = l->late_us[call * stride + i] - 1;
    sort_u32(v, n);
    *ret_sorted = v;
    return n;
}

bool ledger_say(const struct ledger *l, size_t first_call)
{
    size_t missing = ledger_missing(l, first_call, NULL);
    size_t out_of_order = l->out_of_order, strange = l->strange;
    bool good = !missing && !out_of_order && !strange;
    say("every event at each of its endpoints, in order",
        "%s (%zu calls; missing %zu, out of order "
        "%zu, repeated %zu, not ours %zu)",
        good ? "yes" : "NO", l->calls - first_call, missing, out_of_order, (size_t)l->repeated,
        strange);
    return good;
}
