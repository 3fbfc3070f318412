/* The state of each link with a carrier: the edge writes it, the API reads it. Any thread. */
#pragma once
#include "base/str.h"

struct link_states;

struct link_state {
    char state[16];    /* "bound", "connecting", "waiting", "refused", "disabled", "listening" */
    unsigned binds;    /* sessions that are bound now */
    int64_t since_ms;  /* wall; since when it is in this state */
    char detail[96];   /* why it is not bound: "ESME_RINVPASWD", "connection refused"; "" */
    uint64_t received; /* messages since the start */
};

MUST_USE enum err link_states_new(struct link_states **ret);
void link_states_free(struct link_states *s); /* NULL-safe */
/* Without memory the record stays as it was; only people look at it. */
void link_states_put(struct link_states *s, uint64_t link, const struct link_state *state);
void link_states_remove(struct link_states *s, uint64_t link);
bool link_states_get(const struct link_states *s, uint64_t link, struct link_state *ret);
