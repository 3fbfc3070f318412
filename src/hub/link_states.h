/* How the links with carriers are doing: the edge writes it down, the API reads it. Any thread. */
#pragma once
#include "base/str.h"

struct link_states;

struct link_state {
    char state[16];    /* "bound", "connecting", "waiting", "refused", "disabled", "listening" */
    unsigned binds;    /* sessions bound right now */
    int64_t since_ms;  /* wall: of this state */
    char detail[96];   /* why it is not bound: "ESME_RINVPASWD", "connection refused"; "" */
    uint64_t received; /* messages since the start */
};

MUST_USE enum err link_states_new(struct link_states **ret);
void link_states_free(struct link_states *s); /* NULL-safe */
/* Out of memory: it stays as it was, which is for people to look at alone. */
void link_states_put(struct link_states *s, uint64_t link, const struct link_state *state);
void link_states_remove(struct link_states *s, uint64_t link);
bool link_states_get(const struct link_states *s, uint64_t link, struct link_state *ret);
