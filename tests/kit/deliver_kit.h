/* Delivery in one thread, for tests: one real courier, the real intake, book, store front and
 * SQLite (in memory); an HTTP client whose answers the test gives, and a clock that only the test
 * moves. A test reads like a story:
 *
 *     deliver_kit_begin();                       an empty store
 *     uint64_t ep = deliver_kit_endpoint(1, ""); an endpoint of account 1, as usual
 *     deliver_kit_event(1, "call_a", "evt_1");   stored; its POST leaves
 *     post_reply(post_open(ep, "evt_1"), 200);   the receiver took it
 *     deliver_kit_end();
 *
 * Each function that lets something happen ends with deliver_kit_turn: mail is opened and the store
 * works (unless it is held), until nothing is left to do at the present time. The jitter of retries
 * and probes is always the shortest: a wait of 5 s is one of 4. All state is the process's own. */
#pragma once
#include "check.h"
#include "deliver/deliver.h"
#include "deliver/lane.h"
#include "faulty_engine.h"
#include "store/rows/outages.h"

struct deliver_kit {
    struct store *store;
    struct books *books;
    struct intake *intake;
    struct deliver *deliver; /* NULL while it is not running */
    struct guard *guard;
    bool store_held; /* the store does not work until it is false again */
};
extern struct deliver_kit deliver_kit;

void deliver_kit_begin(void);
void deliver_kit_end(void);
/* Starts the courier anew on the store; the work under way is not written down. */
void deliver_kit_restart(void);
void deliver_kit_turn(void);
void deliver_kit_advance(int64_t ms); /* fires what is due on the way at its own time */

/* An endpoint that wants all events of its account. `more`: further members of its document, each
 * with a comma before it ("" for none). */
uint64_t deliver_kit_endpoint(uint64_t account, const char *more);
bool deliver_kit_is_disabled(uint64_t endpoint); /* as the book has it */
/* Stores an event of a call, with a delivery to each endpoint of the account. */
void deliver_kit_event(uint64_t account, const char *call_id, const char *id);
/* The same without a turn: the store has it next. */
void deliver_kit_submit(uint64_t account, const char *call_id, const char *id);

struct kit_post { /* a POST that left */
    uint64_t endpoint;
    char id[ID_SIZE]; /* webhook-id */
    char url[128];
    unsigned attempt; /* webhook-attempt */
    int64_t at_ms;    /* mono */
    bool open;        /* neither answered nor cancelled */
    struct http_exchange *exchange;
};
size_t post_count(void); /* since the beginning */
size_t post_count_open(void);
struct kit_post *post_at(size_t i); /* 0: the first */
/* The open one of that event to that endpoint; NULL: there is none. */
struct kit_post *post_open(uint64_t endpoint, const char *id);
struct kit_post *post_last_open(void);           /* NULL: none is open */
void post_reply(struct kit_post *p, int status); /* 0: the connection was refused */
void post_reply_body(struct kit_post *p, int status, const char *body);
void post_fail_with(struct kit_post *p, enum err err); /* without an answer */

struct kit_knock { /* a bare connect that was tried */
    int64_t at_ms;
    bool open; /* neither answered nor cancelled */
    struct http_exchange *exchange;
};
size_t knock_count(void);
struct kit_knock *knock_last_open(void); /* NULL: none is open */
void knock_end(struct kit_knock *k, enum err err);

/* Reads from the store the state of that event's delivery to that endpoint. */
struct kit_stored {
    enum delivery_state state;
    unsigned attempts; /* as its row says */
    unsigned rows;     /* rows of attempts */
    unsigned schedule_from;
    int64_t next_at_ms; /* wall */
    unsigned numbers;   /* bit i: one with the number i + 1 */
};
struct kit_stored stored_delivery(uint64_t endpoint, const char *id);
struct outage stored_outage(uint64_t endpoint); /* since_ms 0: there is none */

/* What a test of health needs: so many calls, each with an event "fail_<n>"; each POST is answered
 * with 500 as soon as it leaves, until the endpoint is failing. Its present deliveries are pending.
 */
void deliver_kit_make_fail(uint64_t account, uint64_t endpoint);
struct queue *deliver_kit_queue(uint64_t endpoint);
