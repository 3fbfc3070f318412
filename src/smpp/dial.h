/* Makes a bound stream from a link's settings: resolves the name, tries the addresses in turn, runs
 * TLS, sends bind_transceiver or bind_receiver. It is one attempt; link.c tries again. On the
 * edge's loop. */
#pragma once
#include "model/settings.h"
#include "net/resolver.h"
#include "net/stream.h"

struct dial;

enum dial_end {
    DIAL_BOUND,
    DIAL_FAILED,  /* nobody there, no answer, no SMPP, or a status that may pass */
    DIAL_REFUSED, /* the carrier refused our name or password for good */
};

struct dial_result {
    enum dial_end end;
    bool answered;        /* not bound: the carrier itself refused */
    struct stream **take; /* bound: to be taken (stream_take, *take = NULL), or it is closed */
    struct str rest;      /* bytes that came behind the answer */
    const char *detail;   /* why it is not bound, for people; valid during the call */
};
typedef void dial_on_done(void *arg, const struct dial_result *r);

struct dial_config {
    struct loop *loop;
    struct resolver *resolver;
    struct tls *tls;     /* for links over TLS */
    int64_t response_ms; /* for the bind's answer */
};

/* on_done comes once, later, unless dial_cancel did. `set` is copied. ERR_NOMEM. */
MUST_USE enum err dial_start(const struct dial_config *c, const struct smpp_link *set,
                             dial_on_done *on_done, void *arg, struct dial **ret);
bool dial_is_connecting(const struct dial *d); /* false: it waits for the bind's answer */
void dial_cancel(struct dial *d);              /* NULL-safe; frees */
