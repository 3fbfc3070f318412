/* MESSAGEs outside of dialogs: texts to our numbers. Edge's thread. */
#pragma once
#include "sip/core/core.h"
#include "sip/core/party.h"

struct texts {
    struct sip_core *core;
    size_t n;                   /* that wait for their commit */
    size_t txns_max;            /* with so many transactions there are no more texts */
    void (*on_none)(void *arg); /* the last of them was answered */
    void *arg;
};

void text_on_message(struct texts *texts, const struct sip_msg *m, const struct path *from,
                     struct str raw, const struct party *party);
