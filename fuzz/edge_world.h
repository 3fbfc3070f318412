/* Inside the fuzzer of the edge: its peers, and everything that was seen of them. One sequence at
 * a time: edge_sequence.c begins it, edge_peers.c and edge_around.c act, edge_checks.c watches. */
#pragma once
#include "line.h"

enum { LINES_MAX = 48, SENT_MAX = 96 };

struct peer_line {
    struct line line;
    bool calls;    /* the carrier's: it sent the INVITE */
    size_t invite; /* called: the packet it answers */
};

struct peer_message { /* a message of a peer, to be sent again */
    struct addr from;
    uint32_t stream;
    char *bytes;
    size_t n;
};

struct world {
    /* the input */
    const uint8_t *data;
    size_t n, at;
    /* the peers */
    struct peer_line line[LINES_MAX];
    size_t n_lines;
    bool answered[PACKETS_MAX]; /* requests of the edge's that got a final answer */
    bool refused[PACKETS_MAX];  /* the same, by a failure */
    bool acked[PACKETS_MAX];    /* 2xx of the edge's to an INVITE that were acknowledged */
    struct peer_message said[SENT_MAX];
    size_t n_said;
    unsigned n_names;
    /* what happened */
    unsigned lives;  /* of the edge: counts restarts */
    int64_t held_ms; /* how long the store was held, in all */
    size_t messages; /* of the peers', in all sequences */
};
extern struct world world;

/* Never call two of them in one list of arguments: their order would be the choice of the
 * compiler. */
uint8_t take(void); /* the next byte; 0 behind the end */
unsigned pick(unsigned n);
bool now_and_then(unsigned one_in);
size_t pick_recent(size_t n); /* mostly n - 1 */
void say_words(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* edge_peers.c: one step each */
void peers_reset(void);
void step_call(void);
void step_answer(void);
void step_ack(void);
void step_request(void);
void step_cancel(void);
void step_repeat(void);
void step_garble(void);
void step_outside(void);
void step_polite(void);

/* edge_around.c */
void names_resolve(const struct still_lookup *k, unsigned what);
void step_streams(void);
void step_names(void);
void step_webhook(void);

/* edge_checks.c */
void checks_begin(void);
bool checks_must_answer(const struct line *l);        /* for the next message of the line */
void checks_said(const struct sip_msg *m, bool must); /* the message was sent */
void checks_spoiled(const struct sip_msg *m);         /* a garbled copy of it is sent */
void checks_answers(const struct edge_packet *request, int status, const char *tag); /* before */
const char *checks_end(void); /* NULL, or what is wrong */
