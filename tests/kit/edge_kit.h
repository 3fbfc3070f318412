/* The SIP edge in one thread, for tests and fuzzers: the real edge, store front, SQLite (in
 * memory), intake and book; a network, a resolver, webhooks and a clock that do only what the test
 * says (still.h). A test reads like a story:
 *
 *     edge_kit_begin(1);                            an empty store, the clock at its start
 *     struct line caller, agent;
 *     line_invite(&caller, CARRIER, "+447911120001");
 *     line_of_invite(&agent, edge_kit_last(AGENT_1, "INVITE"), "t1");
 *     line_answer(&agent, …, 200);                  (lines: line.h)
 *     edge_kit_advance(500);                        timers fire, one after another
 *     edge_kit_restart();                           killed, and started on the same store
 *     edge_kit_end();                               asserts that nothing is left
 *
 * Each call of the kit's and of a line's that lets something happen ends with edge_kit_turn: mail
 * is opened, the store works (unless it is held), until nothing is left to do at the present time.
 * Behind those of still.h the test calls it.
 *
 * The numbers that can be called stand below. The carrier's trunk is 5.0.1.0/24, the edge listens
 * at 5.0.0.1:5060 (UDP and TCP), agents are anywhere. All state is the process's own: one kit. */
#pragma once
#include "hub/messages.h"
#include "sip/call/call.h"
#include "sip/edge_own.h"
#include "still.h"
#include "faulty_engine.h"

#define EDGE    "5.0.0.1:5060"
#define CARRIER "5.0.1.1:5060"
#define AGENT_1 "5.0.2.1:5060"
#define AGENT_2 "5.0.2.2:5060"
#define AGENT_3 "5.0.2.3:5060"

/* number, account, its targets. Account 1 has two endpoints: one wants all that a call may tell,
 * one the usual. Account 2 has one whose answers decide (control), and one that is a target. */
#define EDGE_KIT_NUMBERS(X)                                                                        \
    X("+447911120001", 1, "{\"type\":\"sip\",\"destination\":\"sip:one@5.0.2.1\"}")                \
    X("+447911120002", 1,                                                                          \
      "{\"type\":\"sip\",\"destination\":\"sip:one@5.0.2.1\",\"ring_timeout_s\":5},"               \
      "{\"type\":\"sip\",\"destination\":\"sip:two@5.0.2.2;transport=tcp\"}")                      \
    X("+447911120003", 1,                                                                          \
      "{\"type\":\"sip\",\"destination\":\"sip:one@agents.example\",\"ring_timeout_s\":3},"        \
      "{\"type\":\"sip\",\"destination\":\"sip:two@others.example\",\"ring_timeout_s\":20}")       \
    X("+447911120004", 1, "{\"type\":\"direct_ip\",\"destination\":\"5.0.2.3:5080\"}")             \
    X("+447911120005", 1,                                                                          \
      "{\"type\":\"webhook\",\"destination\":\"https://a.example/ask\"},"                          \
      "{\"type\":\"sip\",\"destination\":\"sip:one@5.0.2.1\",\"ring_timeout_s\":4}")               \
    X("+447911120006", 1,                                                                          \
      "{\"type\":\"access_number\",\"destination\":\"+447911120002\"},"                            \
      "{\"type\":\"access_number\",\"destination\":\"+447911120006\"},"                            \
      "{\"type\":\"sip\",\"destination\":\"sip:two@5.0.2.2\",\"when\":\"failed\"}")                \
    X("+447911120007", 1, "")                                                                      \
    X("+447911120008", 1,                                                                          \
      "{\"type\":\"sip\",\"destination\":\"sip:one@5.0.2.1\",\"ring_timeout_s\":2,"                \
      "\"headers\":{\"X-Queue\":\"one\"}},"                                                        \
      "{\"type\":\"sip\",\"destination\":\"sip:two@5.0.2.2\",\"when\":\"busy\"},"                  \
      "{\"type\":\"sip\",\"destination\":\"sip:two@agents.example\",\"when\":\"no_answer\","       \
      "\"ring_timeout_s\":6},"                                                                     \
      "{\"type\":\"pstn\",\"destination\":\"+12025550100\",\"when\":\"no_answer\"},"               \
      "{\"type\":\"sip\",\"destination\":\"sips:three@5.0.2.3\",\"when\":\"failed\"},"             \
      "{\"type\":\"sip\",\"destination\":\"sip:one@5.0.2.1:5070\",\"when\":\"no_answer\"}")        \
    X("+447911120009", 2, "{\"type\":\"sip\",\"destination\":\"sip:one@5.0.2.1\"}")                \
    X("+447911120010", 2,                                                                          \
      "{\"type\":\"webhook\",\"destination\":\"https://b.example/target\"},"                       \
      "{\"type\":\"webhook\",\"destination\":\"https://b.example/other\"},"                        \
      "{\"type\":\"sip\",\"destination\":\"sip:two@agents.example\"}")

struct edge_kit {
    struct store *store;
    struct books *books;
    struct intake *intake;
    struct messages *messages;
    struct loop *loop;
    struct resolver *resolver;
    struct sip_edge *edge; /* NULL while it is not running */
    struct sip_config config;
    bool store_held;     /* the store does not work until it is false again */
    bool network_is_cut; /* what the edge sends is lost */
    bool idle;           /* a drain came to its end */
};
extern struct edge_kit edge_kit;

/* Begins with an empty store, the clock at its start, random numbers from `seed` on, and a running
 * edge. */
void edge_kit_begin(uint64_t seed);
/* Lets all time limits pass, asserts that nothing is left, and ends the edge. */
void edge_kit_end(void);
/* Ends the edge, whatever is left; edge_kit_close ends the store, too. */
void edge_kit_stop(void);
void edge_kit_close(void);
/* Ends the edge as a kill does: uncommitted work is lost, committed work is not heard of. Then
 * starts one on the store, with edge_kit.config as it stands. ERR_*: it could not start;
 * edge_kit.edge is NULL then. */
enum err edge_kit_restart(void);
void edge_kit_turn(void);
void edge_kit_advance(int64_t ms); /* fires what is due on the way at its own time */
int64_t edge_kit_next_ms(void);    /* until the next timer; -1: none */
/* Advances from timer to timer until none is set, at most `max_ms`; false when some still is. */
bool edge_kit_run_out(int64_t max_ms);
/* Drains; edge_kit.idle says when it is over. */
void edge_kit_drain(int64_t wait_ms);

/* ---- messages ---- */

struct edge_packet { /* a message that left the edge, kept until edge_kit_begin */
    struct addr from, to;
    uint32_t stream;  /* 0: UDP */
    uint32_t repeats; /* the same bytes came so often again */
    int64_t at_ms;    /* mono, of the first */
    char *bytes;      /* a private copy, parsed by packet_parse */
    size_t n;
    /* Read already: */
    bool is_request;
    enum sip_method method; /* a response's: CSeq's */
    int status;
    uint32_t cseq;
    uint64_t branch, call_id, from_tag, to_tag; /* hash64 of each; to_tag 0: none */
};
enum { PACKETS_MAX = 4096 };
size_t edge_kit_packets(void);
struct edge_packet *edge_kit_packet(size_t i); /* 0: the first */
/* The newest to `to` (NULL: anybody) whose method or status is `what` ("INVITE", "180"); NULL. */
struct edge_packet *edge_kit_last(const char *to, const char *what);
/* Parses into the kit's own message, valid until the next call. */
const struct sip_msg *packet_parse(const struct edge_packet *p);
/* Called for each packet, when not NULL. */
void edge_kit_watch(void (*on_packet)(void *arg, const struct edge_packet *p, bool again),
                    void *arg);

/* To the edge, by UDP or on a stream; then a turn. `from` "5.0.1.1:5060". */
void edge_kit_send(const struct addr *from, uint32_t stream, struct str bytes);

/* ---- webhooks ---- */

struct question { /* the edge asked where a call goes */
    char call_id[ID_SIZE];
    uint64_t mark;
    char url[128]; /* "" : an endpoint by its number, the mark */
    bool answered;
};
enum { QUESTIONS_MAX = 256 };
size_t edge_kit_questions(void);
struct question *edge_kit_question(size_t i);
void edge_kit_reply(struct question *q, int status, const char *body); /* then a turn */

/* ---- what is stored ---- */

struct stored_call { /* a call by its events, in the order they were stored */
    char call_id[ID_SIZE];
    size_t n;
    enum event_kind kind[64];
    int phase; /* enum call_phase of its row; -1: it has none */
};
/* Lists all of them; returns their number. */
size_t edge_kit_calls(struct stored_call *ret, size_t max);
/* "incoming_call call_answered call_ended" of the only call; valid until the next. */
const char *edge_kit_events(void);

/* How many events deliver was told of since the edge was started. */
size_t edge_kit_told(void);

/* Check a sequence that has ended and whose time limits have passed. NULL, or the fault. */
const char *edge_kit_leftovers(void); /* calls, transactions, look-ups, blocks … */
const char *edge_kit_faults(void);    /* of what is stored: one call_ended each, in order … */
