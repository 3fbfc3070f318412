/* Inside the transport: defines its state, which its two files share. */
#pragma once
#include <stdio.h>

#include "base/map.h"
#include "net/datagram.h"
#include "net/guard.h"
#include "net/stream.h"
#include "sip/wire/message.h"
#include "sip/net/shares.h"
#include "sip/net/transport.h"

enum {
    CONNS_MAX = 4096,
    CONNS_ACCOUNTS = 3072, /* of them to accounts' targets: the others are the carriers' alone */
    CONN_SPARE_MS = 32000, /* nothing waits for an answer on what is silent for so long */
    CONN_CALL_SPARE_MS = 310000, /* of a call that is up: it is probed each sip.probe_s */
    CONN_IDLE_MS = 600000,
    CONN_CONNECT_MS = 5000,
    CONN_UNSENT_MAX = 262144,
    CONN_WHY_MAX = 512,
    CONN_DROPPED_MAX = 16 << 20, /* of a message that is too large; beyond, the connection ends */
    CONN_END_MS = 2000,          /* then: how long what we said last may take */
    OWN_KEPT = 256,
    OWN_MS = 30000
};

struct listening {
    struct transport *t;
    uint8_t index;
    enum sip_transport transport;
    struct datagram *udp;
    struct listener *tcp;
    struct addr at; /* with the real port */
};

struct conn {
    struct transport *t;
    handle self;
    struct stream *stream;
    uint8_t transport, listen;
    bool open, outgoing;
    bool in_call;     /* a call that is up talks over it */
    uint64_t account; /* 0: a carrier's */
    int64_t used_ms;  /* mono: when something came or went last */
    struct addr peer, local;
    char peer_key[ADDR_TEXT_SIZE + 288]; /* "TLS 192.0.2.1:5061 name account" of outgoing ones */
    bool ending;                         /* nothing is read any more */
    uint8_t crlf;                        /* bytes of a keep-alive that came: 0 to 3 */
    uint64_t dropped; /* bytes of a message that was too large, which are still to come */
    struct buf in, unsent;
    struct sip_framing framing; /* of what begins at in.p */
    struct timer idle;
};

struct transport {
    struct loop *loop;
    const struct guard *guard; /* NULL: none */
    struct transport_user user;
    size_t n;
    struct listening listening[SIP_LISTEN_MAX];
    char advertise[256];
    struct pool *conns;
    struct shares *shares; /* connections of accounts */
    struct map *by_peer;   /* outgoing connections by peer_key */
    struct tls *tls;       /* made at the first outgoing TLS connection */
    struct own {
        struct addr peer, own;
        int64_t until_ms; /* mono */
    } own[OWN_KEPT];      /* answers of own_addr_towards, by hash of the peer */
};

void conn_on_accept(void *arg, struct stream *s); /* arg: struct listening */
/* Finds the connection of the path, or makes it. */
MUST_USE enum err conn_reach(struct transport *t, struct path *path, struct str host,
                             struct conn **ret);
MUST_USE enum err conn_send(struct transport *t, struct path *path, struct str host,
                            struct str bytes);
void conns_free(struct transport *t);
