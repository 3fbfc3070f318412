/* Inside deliver/: lanes that come back from the store. */
#pragma once
#include "deliver/lane.h"

/* Of the shelf, those that are due; where reads are short, its queue waits in line for one. */
void load_start(struct queue *t, size_t lanes_max, int64_t due_ms);
void load_more(struct lane *l);
/* Out of the line for a read: the next that may have one; NULL: there is none. */
struct queue *load_next(struct courier *c);
/* A lane that the store has goes to the shelf. */
void load_put_lane(struct queue *t, uint64_t lane, int64_t next_at_ms);
/* At the start, before the loop runs: all that is pending goes to the shelves. */
MUST_USE enum err load_all(struct deliver *d);
