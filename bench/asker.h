/* Sends HTTP requests as fast as their answers come, over so many connections, and measures the
 * answers of an API. Runs in the caller's thread. */
#pragma once
#include <stdint.h>

#include "base/buf.h"

struct asker_config {
    int port;
    unsigned connections;
    int64_t run_us; /* so long new ones are asked; 0: until `count` */
    size_t count;   /* how many at most; 0: no bound */
    /* Writes request number k, whole. From 0 on, each once, whichever connection is free. */
    void (*print)(void *arg, size_t k, struct buf *out);
    /* May be NULL. */
    void (*on_answer)(void *arg, size_t k, int status, struct str body);
    void *arg;
    int status; /* any other but 503 and 507, which are asked again, ends the process */
};
struct asker_answer {
    size_t n;            /* answered as they should */
    size_t again;        /* 503 and 507 */
    uint32_t *answer_us; /* sorted: from the request to its whole answer; the caller frees */
    size_t n_answers;    /* of those kept */
    double cpu_us;       /* the asker's own */
    int64_t took_us;
};
void ask(const struct asker_config *c, struct asker_answer *ret);
double asked_per_sec(const struct asker_answer *a);
double asked_ms(const struct asker_answer *a, double q); /* the answers' quantile */
