/* Each party's limits, counted. Edge's thread. */
#pragma once
#include "sip/core/core.h"
#include "sip/core/party.h"

struct bucket {
    int64_t at_ms; /* 0: never looked at, it is full */
    double tokens;
};

struct party_use {  /* counted limits of one party */
    uint64_t party; /* its number */
    uint32_t calls;
    struct bucket call_rate, text_rate;
};

bool party_admits(struct sip_core *core, const struct party *p); /* a call */
bool party_admits_text(struct sip_core *core, const struct party *p);
/* A call begins and ends; by party_number, since the setting may be gone by then. */
void party_take(struct sip_core *core, uint64_t party);
void party_release(struct sip_core *core, uint64_t party);
void limits_free(struct sip_core *core);
