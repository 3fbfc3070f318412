/* Transactions over a network and a clock that stand still: what the tests of this folder share.
 *
 *     txn_kit_begin();
 *     t = kit_client("INVITE", SIP_UDP);            our request leaves
 *     kit_advance(32000);                           timers fire, each at its own time
 *     kit_expect_sent(7, (int64_t[]){0, 500, …});   ms since txn_kit_begin
 *     kit_respond(t, "INVITE", 486);                the peer's answer, by our branch
 *     txn_kit_end();                                nothing may be left behind
 *
 * We listen at 5.0.0.1:5060 by UDP and TCP; the peer is 5.0.2.1:5060. */
#pragma once
#include "check.h"
#include "sip/txn/transaction.h"
#include "still.h"

enum { T1 = 500, TXNS_MAX = 64, SENT_MAX = 256 };

struct kit_sent {    /* a message that left */
    int64_t at_ms;   /* since txn_kit_begin */
    uint32_t stream; /* 0: UDP */
    char *text;
};

struct txn_kit {
    struct loop *loop;
    struct transport *transport;
    struct blocks *blocks;
    struct transactions *all;
    struct addr peer;
    size_t n_sent;
    struct kit_sent sent[SENT_MAX];
    /* What the user of the transactions was told: */
    unsigned responses, failures, on_sent, gone;
    struct path from;                  /* of the last message that came */
    int status;                        /* of the last response */
    enum err failure;                  /* the last */
    int64_t failed_ms;                 /* since txn_kit_begin */
    void (*on_failure)(struct txn *t); /* NULL: nothing is done about it */
};
extern struct txn_kit kit;

void txn_kit_begin(void);
void txn_kit_end(void); /* asserts that no transaction, block or connection is left behind */
void kit_advance(int64_t ms);
int64_t kit_now_ms(void); /* since txn_kit_begin */
/* All that was sent since the last call: how many, and when. */
void kit_expect_sent(size_t n, const int64_t at_ms[]);
void kit_expect_silence(void);
void kit_forget_sent(void);
const char *kit_last(void); /* the text of the last message */

struct path kit_path(enum sip_transport how);
/* Begins a client transaction and sends its request; NULL at the limit. An INVITE fails_at_once, as
 * one outside of a dialog does. */
struct txn *kit_client(const char *method, enum sip_transport how);
void kit_branch(const struct txn *client, char ret[TOKEN_SIZE + 8]);
/* The peer answers by that branch; its CSeq names `method`. */
void kit_respond_to(const char *branch, const char *method, int status);
void kit_respond(const struct txn *client, const char *method, int status);

/* A request of the peer's, parsed: valid until the next. `via` "5.0.2.1:5060", `branch` with the
 * cookie or without. */
struct kit_request {
    const char *method, *via, *branch, *call_id, *tag, *ruri;
    unsigned cseq; /* 0: 1 */
};
const struct sip_msg *kit_request(const struct kit_request *r);
/* The peer opens a connection: its number in the still network. */
uint32_t kit_connect(void);
/* The request comes on it and begins a server transaction. */
struct txn *kit_server_on(uint32_t stream, const struct kit_request *r);
/* The same as a server transaction that keeps it. */
struct txn *kit_server(const char *method, const char *branch, enum sip_transport how);
void kit_answer(struct txn *server, int status);
