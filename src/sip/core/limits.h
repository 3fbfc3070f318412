/* Each trunk's limits, counted. Edge's thread. */
#pragma once
#include "hub/book.h"
#include "sip/core/core.h"

struct bucket {
    int64_t at_ms; /* 0: never looked at, it is full */
    double tokens;
};

struct trunk_use { /* counted limits of one trunk */
    uint64_t trunk;
    uint32_t calls;
    struct bucket call_rate, text_rate;
};

bool trunk_admits(struct sip_core *core, const struct book_trunk *t); /* a call */
bool trunk_admits_text(struct sip_core *core, const struct book_trunk *t);
void trunk_release(struct sip_core *core, uint64_t trunk);
void trunk_take(struct sip_core *core, uint64_t trunk);
void limits_free(struct sip_core *core);
