/* A shelf: the lanes of one endpoint whose deliveries stay in the store, by when they are due. It
 * knows the key and the times of a lane: about 48 bytes, however much the lane holds. Times are
 * mono, since the wall time of a row may have been set meanwhile. Pure: no store, no clock; one
 * thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct shelf_entry {
    int64_t due_ms;   /* 0: now */
    int64_t begun_ms; /* when the schedule of its head began; 0: the row knows */
    uint64_t lane;
};

struct shelf { /* zeroed means: empty */
    struct shelf_entry *heap;
    size_t n, cap;
    uint64_t *set; /* the same lanes, open addressing; 0: free */
    size_t set_cap;
    uint64_t salt;
};

void shelf_fini(struct shelf *s);
/* Adds a lane that is not there yet. ERR_NOMEM. */
MUST_USE enum err shelf_put(struct shelf *s, const struct shelf_entry *one);
bool shelf_has(const struct shelf *s, uint64_t lane);
/* Gives when the next lane is due; INT64_MAX: there is none. */
int64_t shelf_due_ms(const struct shelf *s);
/* Takes the lane that is due first, if that is at `now_ms` or before. */
bool shelf_take(struct shelf *s, int64_t now_ms, struct shelf_entry *ret);
/* Makes all lanes due now, in the order that they had. */
void shelf_all_due(struct shelf *s);
