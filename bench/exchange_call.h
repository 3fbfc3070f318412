/* One call as the two sides of an exchange see it. Inside the exchange: its thread alone. */
#pragma once
#include <netinet/in.h>
#include <pthread.h>

#include "base/wheel.h"
#include "exchange.h"
#include "scenes.h"
#include "sip_peer.h"

enum call_state { CALL_SENT, CALL_CANCELED, CALL_UP, CALL_OPENED, CALL_HANGING, CALL_OVER };

struct scene_call {
    struct timer timer;
    struct exchange *x;
    size_t i;
    const struct scene *scene;
    enum call_state state;
    bool heard;      /* some answer to what it waits for */
    int64_t wait_ms; /* until the next repeat of that */
    unsigned cseq, agent_cseq;
    char *to, *target;           /* of the carrier's dialog */
    char *agent_from, *agent_to; /* of the agent's, as its own requests have them */
    char *agent_call_id, *agent_target;
};

enum { AGENT_CONNECTIONS = 64, AGENT_IN_MAX = 32768 };
struct agent_connection {
    int fd; /* -1: none */
    size_t n;
    char *in;
};

struct exchange {
    struct exchange_config c;
    int ep, carrier, agent, listener;
    struct sockaddr_in daemon_at;
    struct agent_connection connection[AGENT_CONNECTIONS];
    struct wheel *wheel;
    struct scene_call **call; /* by number; NULL once forgotten */
    int64_t start_us;
    _Atomic size_t open;
    atomic_bool quiet, stop;
    pthread_t thread;
};

void agent_open(struct exchange *x);
void agent_leave(struct exchange *x); /* closes its connections, which the daemon would keep */
void agent_close(struct exchange *x);
void agent_on_datagrams(struct exchange *x);
void agent_on_connection(struct exchange *x, struct agent_connection *c);
void agent_accept(struct exchange *x);
/* A request of the agent's own in its dialog. */
void agent_ask(struct scene_call *c, const char *method);
