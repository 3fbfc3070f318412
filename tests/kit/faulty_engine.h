/* An engine in front of SQLite that fails on command: the n-th begin, statement or commit of the
 * writer, in each of the ways that a database may fail. A test arms it between two jobs. It counts
 * on the writer's thread and leaves readers alone. */
#pragma once
#include <stdatomic.h>

#include "store/engine.h"

enum fault_call { FAULT_BEGIN, FAULT_RUN, FAULT_COMMIT, FAULT_CALLS };

enum fault_how {
    FAULT_NOT_DONE,    /* ERR_STORE: rolled back */
    FAULT_FULL,        /* ERR_STORE_FULL: rolled back */
    FAULT_NO_MEMORY,   /* ERR_NOMEM: rolled back */
    FAULT_UNSURE_DONE, /* the answer was lost; the call was done */
    FAULT_UNSURE_NOT,  /* the answer was lost; the call was not done */
    FAULT_BROKEN,      /* a sync failed: this connection is over */
    FAULT_HOWS,
    FAULT_TOO_LARGE, /* of a statement: ERR_TOO_BIG, its own fault; the transaction goes on */
};

extern const struct engine engine_faulty;

/* The n-th call from now (1, 2 …) fails, and the `times` − 1 after it. */
void fault_arm(enum fault_call call, enum fault_how how, unsigned n, unsigned times);
void fault_disarm(void);
unsigned fault_count(void); /* how many calls failed since it was armed */
