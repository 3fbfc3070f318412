/* A small carrier on an SMPP link of its own: it binds to the daemon and submits texts, in parts
 * where they are long. `hookswitch demo` uses it. It speaks to the daemon over the wire. Thread of
 * its loop. */
#pragma once
#include "net/addr.h"
#include "net/loop.h"

struct carrier;

struct carrier_answer { /* to one part; valid during the call */
    uint64_t text;      /* what carrier_send returned */
    unsigned part, parts;
    uint32_t status; /* ESME_* */
    struct str message_id;
    int64_t took_us;
};

struct carrier_config {
    struct addr to;
    const char *system_id, *password;
    /* It is bound, or not: `status` is ESME_ROK or the reason. */
    void (*on_bound)(void *arg, uint32_t status);
    void (*on_answer)(void *arg, const struct carrier_answer *a);
    /* The connection is over; answers that are due never come. Once, the last. */
    void (*on_end)(void *arg, enum err why);
    void *arg;
};

struct carrier_text {
    struct str from; /* "+19175550100", a short code, or a name */
    struct str to;   /* "+447911123456" */
    struct str text; /* UTF-8; GSM 7 bit where it can be, else UCS-2 */
};
enum { CARRIER_PARTS_MAX = 16, CARRIER_WINDOW = 64 };

MUST_USE enum err carrier_open(struct loop *l, const struct carrier_config *c,
                               struct carrier **ret);
/* ERR_AGAIN before it is bound, ERR_TOO_BIG over CARRIER_PARTS_MAX parts, ERR_FULL when more than
 * CARRIER_WINDOW parts would wait for their answers, ERR_INVALID: no addresses or no UTF-8. */
MUST_USE enum err carrier_send(struct carrier *c, const struct carrier_text *t, uint64_t *ret_text);
void carrier_close(struct carrier *c); /* unbinds, without waiting; NULL-safe */
