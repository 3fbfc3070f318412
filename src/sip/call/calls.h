/* The calls as the edge sees them: what comes in goes through here to the call whose it is. Edge's
 * thread, but for what is posted. */
#pragma once
#include "base/pool.h"
#include "sip/core/core.h"
#include "sip/core/party.h"

struct admission;
struct call;
struct dialog;
struct event;
struct leg;
struct state_rule;

enum { BROKEN_MAX = 64 };
struct broken { /* connections that broke, until the calls on them are asked */
    struct path path[BROKEN_MAX];
    uint8_t n;
    int64_t walked_ms; /* the loop's time; 0: never */
    struct timer timer;
};

/* All calls. */
struct calls {
    struct sip_core *core;
    struct pool *pool;
    struct map *by_id, *restored;    /* by call_id; by token, legs from before a restart */
    int64_t began_ms;                /* mono: when this process took over */
    uint32_t starts;                 /* which start of the daemon this is: CSeqs grow with it */
    const struct state_rule *states; /* the table, one rule a state */
    struct call *over;               /* freed at the end of the turn */
    struct broken broken;
    /* An incoming_call is about to be stored: whoever may be asked is asked beside the commit. */
    void (*announce)(struct call *c, const struct event *incoming, const struct admission *a);
    /* The ids of its INVITE are those of a call that is over. True: it is a call of its own, and its
     * incoming_call is to be made again. */
    bool (*begin_again)(struct call *c);
    void (*on_none)(void *arg); /* the last one is over */
    void *arg;
};

/* `max`: with those that are open in the store. calls_fini is due after a failure, too. */
MUST_USE enum err calls_init(struct calls *calls, struct sip_core *core, size_t max);
void calls_fini(struct calls *calls);
MUST_USE enum err calls_count(const struct sip_config *c, size_t *ret); /* open in the store */
MUST_USE enum err calls_restore(struct calls *calls);

/* Where a message within a dialog belongs. */
struct call_place {
    struct leg *leg; /* NULL: the tag is no leg's, or it is in another's mouth */
    struct dialog *dialog;
    uint16_t fork; /* of our tag */
};
/* By our tag, which names the leg, and the peer's, which names its dialog. The leg that our tag
 * names, even when ret->leg is NULL. */
struct leg *calls_at(struct calls *calls, struct str tag, struct str call_id, struct str peer_tag,
                     struct call_place *ret);
void calls_packet_at_hand(struct calls *calls, const struct leg *leg, const struct path *from,
                          struct str raw);

/* The INVITE of `t` is from before a restart, of a call that goes on when it is repeated, as `m`. */
bool calls_want_again(struct calls *calls, const struct txn *t, const struct sip_msg *m);
/* A provisional answer to an INVITE of ours that has no transaction, with the tag of that leg. */
void call_on_late_ringing(struct leg *leg, const struct sip_msg *m, const struct path *from);
/* An INVITE outside of dialogs. */
void call_on_invite(struct calls *calls, const struct sip_msg *m, const struct path *from,
                    struct str raw, const struct party *party);
void calls_on_cancel(struct calls *calls, const struct sip_msg *m, const struct path *from);
/* `invite`: the transaction that has the ACK's branch; NULL: none. Its 2xx is acknowledged whatever
 * the ACK's To tag says (§17.2.3, RFC 6026 §7.1). */
void calls_on_ack(struct calls *calls, const struct call_place *at, const struct txn *invite,
                  const struct sip_msg *m);
void calls_on_request(const struct call_place *at, const struct sip_msg *m, const struct path *from,
                      struct str raw);
/* False: what it says belongs to no dialog of the transaction's call. */
bool calls_answer_fits(struct calls *calls, const struct txn *t, const struct sip_msg *m);
void calls_on_response(struct calls *calls, struct txn *t, const struct sip_msg *m);
void calls_on_failure(struct calls *calls, struct txn *t, enum err err);
/* A connection over which calls talked broke: their legs are probed at once. */
void calls_on_broken(struct calls *calls, const struct path *lost);
void calls_broken_stop(struct calls *calls);
/* A 2xx to INVITE whose transaction is over: acknowledged again, or hung up when it is a
 * stranger's. */
void call_on_late_answer(struct calls *calls, const struct sip_msg *m, const struct path *from);

/* Mail to the loop, from any thread: a webhook's answer for the call; a hang-up from our side. */
void call_post_control(struct calls *calls, struct str call_id, uint64_t asked, int status,
                       struct str body);
MUST_USE enum err calls_post_hangup(struct calls *calls, struct str call_id);
