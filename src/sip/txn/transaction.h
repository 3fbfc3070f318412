/* SIP transactions (RFC 3261 §17, RFC 6026): a client transaction sends a request until it is
 * answered, a server transaction answers a repeated request again. Their user hears of each message
 * once. Edge's thread.  From the moment a transaction begins, a timer runs in every state that ends
 * it: no peer, and no mistake of its user, makes one stay. */
#pragma once
#include "sip/txn/blocks.h"
#include "sip/wire/message.h"
#include "sip/wire/token.h"
#include "sip/net/transport.h"
#include "trace/record.h"

struct transactions;

enum txn_state {             /* of all four machines */
                 TXN_TRYING, /* client: sent, nothing heard (INVITE: "calling"); server: no answer
                                yet */
                 TXN_PROCEEDING, /* a provisional answer came or went */
                 TXN_COMPLETED,  /* a final answer came or went, repeats are absorbed */
                 TXN_CONFIRMED,  /* server INVITE: the ACK came */
                 TXN_ACCEPTED,   /* INVITE: a 2xx came or went (RFC 6026) */
};

/* To tags of unwanted answers, as hashes: each is hung up once. */
struct strays {
    uint32_t tag[4];
    uint8_t next;
};
bool strays_add(struct strays *s, struct str tag); /* false: it was there */

struct txn {
    handle self;
    bool server, invite;
    uint8_t state;
    /* The user's: */
    uint8_t leg;           /* 'a' or 'b' */
    uint8_t purpose;       /* the user's enum */
    handle call, other;    /* whose it is; the transaction at the other leg */
    struct trace_id trace; /* of the call, which may end before it; 0: none */
    uint64_t account;      /* in whose share it counts, by txn_charge; 0: in none */
    /* Ours: */
    struct transactions *table;
    bool fails_at_once; /* client: the user asks somebody else when it cannot be sent */
    bool waits;         /* its message leaves when the connection stands */
    bool unreachable;   /* the connection could not be made, or is gone */
    char *why;          /* it failed at once: in words; NULL: not known */
    bool unwanted; /* client INVITE: to be cancelled, now or with its first provisional answer */
    bool overdue;  /* server INVITE: the user was told that it is still unanswered */
    struct path path;
    uint64_t key;         /* server: hash of what identifies it */
    uint64_t random;      /* client: the other half of the branch; adopted: the branch's hash */
    handle cancel;        /* client INVITE: its CANCEL's transaction */
    struct strays strays; /* client INVITE: the answers that were hung up */
    int32_t interval_ms;  /* of the next repeat */
    int32_t patience_ms;  /* client INVITE: how long it may ring; the user may give it more */
    struct block parting; /* client INVITE: header lines of its CANCEL, while that is due */
    struct block message; /* client: the request, later the ACK; server: the last answer */
    struct block request; /* server, when kept: as it came */
    char *host;           /* TLS: the certificate's name; NULL otherwise */
    struct timer repeat, timeout;
};

struct transaction_user {
    /* A client transaction has a new response: provisional, final, or one more 2xx. */
    void (*on_response)(void *arg, struct txn *t, const struct sip_msg *m);
    /* A client transaction that ends without an answer: `err` ERR_TIMEOUT or ERR_UNREACHABLE. Or
     * a server transaction that nobody answered in its time: now is the last moment. */
    void (*on_failure)(void *arg, struct txn *t, enum err err);
    /* A message of it was sent, for the first time or again. */
    void (*on_sent)(void *arg, const struct txn *t, struct str bytes);
    void *arg;
};

enum {
    TIMER_C_MS = 200 * 1000,           /* an INVITE that only rings, §16.6 item 11: > 3 minutes */
    UNANSWERED_MAX_MS = 60 * 60 * 1000 /* an INVITE that came in */
};

/* `max` at once. t1_ms: 500; T2 is 8 × T1, T4 10 × T1. */
MUST_USE enum err transactions_new(struct loop *l, struct transport *tp, struct blocks *blocks,
                                   size_t max, int64_t t1_ms, const struct transaction_user *u,
                                   struct transactions **ret);
void transactions_free(struct transactions *ts);
struct txn *txn_at(struct transactions *ts, handle h); /* NULL when it is over */
size_t transactions_count(const struct transactions *ts);
/* May the account begin something new? An account holds an eighth of all transactions at the most,
 * and more only while three quarters are free. What has begun may always be brought to its end. */
bool transactions_admit(const struct transactions *ts, uint64_t account);
/* Counts it in that account's share until it ends. */
void txn_charge(struct transactions *ts, struct txn *t, uint64_t account);
void transactions_check(struct transactions *ts); /* asserts what the top of this file says */

/* Where answers to a request go that came along `from` (§18.2.2): over UDP without rport to the port
 * that its Via says, and always to the address it came from. A Via that says another address than that
 * is behind NAT, where only the source port leads back. */
struct path txn_reply_path(const struct sip_msg *m, const struct path *from);
/* The server transaction of a request: same branch, sent-by, method (§17.2.3); CANCEL and ACK find
 * their INVITE's. NULL when there is none. */
struct txn *txn_server_of(struct transactions *ts, const struct sip_msg *m);
uint64_t txn_server_key(struct transactions *ts, const struct sip_msg *m); /* never 0 */
/* Begins one; keeps the request's bytes when `keep`. NULL at the limit. */
struct txn *txn_server_new(struct transactions *ts, const struct sip_msg *m,
                           const struct path *from, struct str raw, bool keep);
/* Sends the last answer again, if any, because the request came again. */
void txn_server_repeat(struct transactions *ts, struct txn *t);
/* Sends an answer and does what its class asks. 2xx to INVITE is repeated by the call, not here. */
void txn_answer(struct transactions *ts, struct txn *t, int status, struct str bytes);
/* Absorbs an ACK for a final failure. True when it was one. */
bool txn_server_ack(struct transactions *ts, struct txn *t);
/* Parses the request again, as it came, into *m. The transaction must keep it. */
MUST_USE enum err txn_request(struct txn *t, struct sip_msg *m);

/* Begins a client transaction: *ret_branch goes into the Via. Then txn_send with the whole request.
 * to->conn names the connection of a stream from here on. NULL at the limit. */
struct txn *txn_client_new(struct transactions *ts, bool invite, struct path *to, struct str host,
                           char ret_branch[TOKEN_SIZE + 8]);
/* Takes over an INVITE that rang before a restart: `invite` is what its CANCEL repeats, `branch` that
 * of its Via. It is cancelled in the loop's next turn. NULL at the limit, or when it is known. */
struct txn *txn_client_adopt(struct transactions *ts, const struct path *to, struct str host,
                             struct str branch, struct str invite);
/* Parses the request as it was sent, while it may be sent again. */
MUST_USE enum err txn_sent(struct txn *t, struct sip_msg *m);
/* Sends the request. When it cannot be sent, or its connection breaks before the answer came, it is
 * sent again, over a new connection, like a repeat over UDP: after T1, then twice that and so on,
 * every T2 at the latest. Timer F (for an INVITE: B, begun anew) ends that with ERR_UNREACHABLE.
 * What fails_at_once, or would never fit, fails with the first error. */
void txn_send(struct transactions *ts, struct txn *t, struct str bytes);
/* Finds the client transaction that a response belongs to, or NULL. */
struct txn *txn_client_of(struct transactions *ts, const struct sip_msg *m);
/* Does a client transaction that is under way have that branch? */
bool txn_is_own_branch(struct transactions *ts, struct str branch);
void txn_on_response(struct transactions *ts, struct txn *t, const struct sip_msg *m);
/* Takes back a client INVITE: a CANCEL is sent when it is PROCEEDING, and before that as soon as
 * the first provisional answer comes (§9.1). 64 × T1 later it is over, whatever the peer says.
 * `parting`: header lines of the CANCEL, each with its CRLF, or empty (RFC 3326). For other
 * transactions, and after the final answer, nothing. */
void txn_cancel(struct transactions *ts, struct txn *t, struct str parting);
void transactions_on_open(struct transactions *ts, handle conn); /* what waited for it has left */
/* Requests without a final answer go again, over another connection, or fail (txn_send). */
void transactions_on_gone(struct transactions *ts, handle conn, const char *why);
/* A datagram to that address came back. What fails_at_once, and was heard of by nobody, ends with it,
 * when the message quotes its branch: others cannot know that. Whatever else waits is repeated as it would be
 * (RFC 3261 §18.4). */
void transactions_on_icmp(struct transactions *ts, const struct addr *to, int error,
                          struct str quoted);
void txn_end(struct transactions *ts, struct txn *t); /* forgets it, without a word */
