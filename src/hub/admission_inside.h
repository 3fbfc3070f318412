/* Inside admission.c and intake.c: defines an admission. It carries its job for the door for one
 * event, so that to bring it again needs no memory. */
#pragma once
#include "hub/intake.h"

struct admission {
    struct store_job job; /* first */
    intake_on_one *on_one;
    void *arg;
    uint64_t token;
    struct intake *in;
    const struct event *event;
    int64_t event_n, put_n; /* put_n: the row that a run of its job made; 0: none yet */
    bool is_new, has_row;
    struct call_row row;
    struct buf row_mem;
    size_t n;
    struct delivery delivery[];
};
