/* The benchmarks' own books: when each event was sent, and when it reached which endpoint. The
 * generator writes the events that it sends, the thread of the receiver those that arrive; neither
 * asks the daemon.
 *
 * A call has three events, numbered 3 × call + kind, and the number is in the event's id, so that
 * the receiver needs no search. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { CALL_EVENTS = 3 };

struct ledger {
    unsigned accounts, endpoints; /* endpoints of each account */
    bool to_all;    /* each event to all of its account's; else to one by its number */
    unsigned width; /* how many endpoints an event goes to */
    size_t calls_max;
    _Atomic size_t calls;      /* the generator's */
    uint8_t *account;          /* of a call */
    int64_t *sent_us;          /* of an event: when its request was due */
    _Atomic uint32_t *late_us; /* event × width: from sent to the receiver, + 1; 0: not there yet */
    _Atomic size_t arrived, repeated, out_of_order, strange;
};

void ledger_init(struct ledger *l, unsigned accounts, unsigned endpoints, bool to_all,
                 size_t calls_max);
void ledger_fini(struct ledger *l);
size_t ledger_new_calls(struct ledger *l, unsigned account, size_t n); /* the first one's number */
/* Prints the event's JSON, as a PBX would post it. */
void ledger_print_event(const struct ledger *l, size_t event, struct buf *out);
void ledger_print_number(const struct ledger *l, unsigned account, unsigned endpoint, char out[24]);
/* A request came in. `endpoint`: counted over all accounts. Returns the event, or SIZE_MAX. */
size_t ledger_arrived(struct ledger *l, unsigned endpoint, struct str id, int64_t now_us);
/* Selects calls; NULL: all. */
typedef bool ledger_counts(const struct ledger *l, size_t call);
size_t ledger_missing(const struct ledger *l, size_t first_call, ledger_counts *counts);
/* The times of the events that arrived, sorted; the caller frees. */
size_t ledger_latencies(const struct ledger *l, size_t first_call, ledger_counts *counts,
                        uint32_t **ret_sorted);
/* Which of its account's endpoints a call's number belongs to, when not all get it. */
unsigned ledger_endpoint_of(const struct ledger *l, size_t call);
/* Prints one line: complete and in order, or the faults. True when there are none. */
bool ledger_say(const struct ledger *l, size_t first_call);
