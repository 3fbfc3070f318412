/* Inside net/: declares the lookups that the resolver's two files share. Only net/resolver*.c
 * includes this. */
#pragma once
#include <ares.h>

#include "net/resolver.h"

enum { SRV_MAX = 8 };

struct srv {
    char host[256];
    uint16_t port, priority, weight;
    uint8_t transport;
};

struct lookup {
    struct resolver *r;
    resolver_on_answer *on_answer; /* NULL once told or cancelled */
    void *arg;
    struct timer tell, deadline;
    bool told;
    unsigned waiting; /* questions out at c-ares; the last answer frees what was told */
    int ttl_sec;      /* the least of all answers; -1: none yet */
    char host[256];
    char key[288]; /* in the cache */
    struct resolved answer;

    /* RFC 3263 (resolver_sip.c) */
    bool sips;
    unsigned step; /* of the names below */
    size_t n_names;
    struct {
        char name[280];
        uint8_t transport;
    } name[3];
    size_t n_srv;
    struct srv srv[SRV_MAX];
    uint16_t fallback_port;
    uint8_t fallback_transport;
};

/* A question for A and AAAA; `done` frees it. */
struct lookup_addresses {
    struct lookup *k;
    uint16_t port;
    uint8_t transport;
    size_t n;
    struct addr addr[RESOLVED_MAX];
    void (*done)(struct lookup_addresses *q, enum err err);
};

ares_channel resolver_channel(struct resolver *r);
void resolver_question_begin(struct resolver *r);
void resolver_question_end(struct resolver *r);

MUST_USE enum err lookup_new(struct resolver *r, struct str host, resolver_on_answer *on_answer,
                             void *arg, struct lookup **ret);
bool lookup_is_cached(struct lookup *k);                             /* then it answers */
bool lookup_literal(struct lookup *k, uint16_t port, int transport); /* then it answers */
void lookup_add(struct lookup *k, const struct addr *a, int transport);
void lookup_learn_ttl(struct lookup *k, int ttl_sec);
void lookup_ask_addresses(struct lookup_addresses *q, const char *host);
void lookup_finish(struct lookup *k); /* k->answer is complete; k may be freed */
