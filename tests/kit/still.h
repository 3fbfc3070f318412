/* A network that stands still: loop, sockets and resolver without a kernel behind them. Linked in
 * place of src/net's own (they define the same functions), so that the edge runs in one thread, on
 * a clock that only the test moves (base/clock.h, clock_fake), and sends into the test's hands.
 *
 * Nothing happens by itself: datagrams and connections come when the test says so (still_arrive,
 * still_accept, still_stream_*), names are resolved when it says so (still_answer), timers fire in
 * loop_turn. One network for the process; edges come and go in it. */
#pragma once
#include "net/datagram.h"
#include "net/resolver.h"
#include "net/stream.h"

/* Gets everything that the edge sends: a datagram (`stream` 0) or bytes on a stream; valid during
 * the call. */
typedef void still_on_sent(void *arg, uint32_t stream, const struct addr *from,
                           const struct addr *to, struct str bytes);
void still_sent_to(still_on_sent *on_sent, void *arg); /* NULL: it is lost */

/* Sets the result of every send from now on: ERR_FULL and the like; OK: sends work again.
 * still_reset ends it. */
void still_fail(enum err err);

bool still_is_quiet(void);      /* no socket, connection or look-up is there */
void still_reset(void);         /* counts ids from 1 again, when all is quiet */
void still_reset_lookups(void); /* part of it */

/* Delivers a datagram to the socket at `to`; false when none is open there. The bytes are copied.
 */
bool still_arrive(const struct addr *to, const struct addr *from, struct str bytes,
                  int64_t waited_ms);

/* Tells the socket at `at` that a datagram to `to` came back; false when nobody listens for it. */
bool still_icmp(const struct addr *at, const struct addr *to, int error, struct str quoted);

struct still_stream { /* as the test sees it */
    uint32_t id;      /* 1, 2 … */
    bool outgoing, open;
    struct addr local, peer;
};
size_t still_streams(struct still_stream *ret, size_t max); /* those that are there; how many */
/* Connects to the listener at `to`; returns its id, or 0 when it was refused. */
uint32_t still_accept(const struct addr *to, const struct addr *from);
/* The fate of a connection; each false when there is none of that id (any more). */
bool still_stream_open(uint32_t id); /* the outgoing one is established */
bool still_stream_bytes(uint32_t id, struct str bytes);
bool still_stream_end(uint32_t id, enum err why);

struct still_lookup {
    uint32_t id; /* 1, 2 … */
    char host[256];
    uint16_t port;
};
size_t still_lookups(struct still_lookup *ret, size_t max); /* those that wait; how many */
/* Returns false when it is not waited for any more. */
bool still_answer(uint32_t id, const struct resolved *r);

/* No mail waits. */
bool still_loop_is_idle(struct loop *l);
/* The time until the next timer; -1: none is set. */
int64_t still_next_ms(struct loop *l);
