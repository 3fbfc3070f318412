/* Inside sip/call: a call, two legs of one (leg a: who called us, leg b: whom we call), and all of
 * them. The edge knows sip/call/calls.h alone. Edge's thread.
 *
 * The table of states (states.c) says which inputs a state takes, which states may follow, what is
 * done on entering and which timer belongs to it; docs/sip.md shows it. call_set_state alone moves
 * a call, and call_wait alone sets its timer. */
#pragma once
#include "sip/call/calls.h"
#include "sip/call/dialog.h"
#include "sip/core/identity.h"
#include "sip/core/limits.h"
#include "sip/core/reply.h"
#include "sip/wire/print.h"
#include "sip/wire/privacy.h"

enum {
    FORKS_MAX = 16,       /* early dialogs with the present target; 18x of others do not pass */
    CALL_EVENTS_MAX = 40, /* of one call, in all */
    STORE_RETRY_MS = 1000,
    STORE_PATIENCE_MS = 3000, /* then the call goes on, and the event keeps being tried */
    QUEUE_AGE_MAX_MS =
        2000, /* an INVITE that lay in the socket for longer is not worth answering */
    HOP_MAX = 70,
    OPEN_MAX = 16, /* requests of one leg that pass, or were refused, and are not over yet */
};

enum call_state {
    CALL_RESTORED,  /* unanswered before a restart: waits for its INVITE to be repeated */
    CALL_TAKING,    /* incoming_call is being stored */
    CALL_DECIDING,  /* a webhook's answer may say where the call goes */
    CALL_ROUTING,   /* a target is looked up */
    CALL_RINGING,   /* a target has our INVITE */
    CALL_ANSWERING, /* call_answered is being stored */
    CALL_UP,
    CALL_ENDING,  /* call_ended is being stored */
    CALL_CLOSING, /* all are told; an event is stored late, or the caller's ACK is due */
    CALL_OVER,    /* freed at the end of the loop's turn */
    CALL_STATES
};

/* What a state may take; everything else is not for it. */
enum call_input {
    INPUT_COMMIT,       /* the event that the state waits for is stored */
    INPUT_WEBHOOK,      /* an answer that decides */
    INPUT_TARGET,       /* the target's answer, or its failure */
    INPUT_ACK,          /* of the caller's 200, or of a re-INVITE's */
    INPUT_REQUEST,      /* within a dialog */
    INPUT_REINVITE,     /* the same, an INVITE; UPDATE's target refresh */
    INPUT_CANCEL,       /* or a hang-up of ours before an answer */
    INPUT_BYE,          /* or a hang-up of ours behind one */
    INPUT_END,          /* anything that ends the call */
    INPUT_INVITE_AGAIN, /* the caller's, with a new transaction */
    CALL_INPUTS
};

struct call;
struct call_names { /* as the caller's leg told them; each "" for none */
    struct str trunk_id, trunk, caller, caller_name;
};

struct state_rule { /* one state's line of the table */
    const char *name, *waits_for;
    unsigned inputs, next;           /* bits of enum call_input, of enum call_state */
    void (*enter)(struct call *c);   /* NULL: nothing */
    void (*on_time)(struct call *c); /* the wait is over; NULL: it has no timer */
    bool keeps_time;                 /* the wait of the state before goes on */
    const char *timer, *at_time;     /* for the page: how long, and what then */
};

/* What a client transaction of a call is for. */
enum purpose {
    FOR_NOBODY, /* CANCEL, BYE, stray answers: nobody waits */
    FOR_ROUTE,  /* the INVITE to the present target */
    FOR_RELAY,  /* a request of one leg, passed to the other; txn.other answers it */
    FOR_REINVITE,
    FOR_PROBE,   /* OPTIONS */
    FOR_OPINION, /* the probe's re-INVITE, or UPDATE */
};

/* What waits for an event to be stored. err OK: it is, or the people on the line have waited long
 * enough; then it comes again when the event is stored. Otherwise it is not, or nobody knows. */
typedef void call_then(struct call *c, enum err err);

/* How far an INVITE under way has come. exchange_enter alone moves it. */
enum exchange_state {
    EXCHANGE_NONE,     /* none is under way: there was none, or the last one failed */
    EXCHANGE_ASKED,    /* the other leg has it, or will get it, and said nothing final */
    EXCHANGE_ACCEPTED, /* the other leg said 2xx; ours has not left */
    EXCHANGE_ANSWERED, /* ours left, and is repeated until its ACK comes (§13.3.1.4) */
    EXCHANGE_ACKED,    /* by who asked */
    EXCHANGE_GIVEN_UP, /* that ACK never came */
    EXCHANGE_STATES
};

/* Our ACK to the other leg's 2xx. */
enum exchange_ack {
    ACK_AT_ONCE,  /* as soon as that comes */
    ACK_OF_ASKER, /* the 2xx has an offer: the asker's ACK brings the answer */
    ACK_SENT
};

/* An INVITE under way, from one leg through us to the other: the first, or a re-INVITE. */
struct exchange {
    struct leg *from;   /* who asked; NULL in NONE */
    uint8_t state, ack; /* enum exchange_state, enum exchange_ack */
    bool first;         /* the one that began the call */
    handle server, client;
    uint64_t key; /* a re-INVITE's server transaction, which ends with the ACK */
    uint32_t cseq_in, cseq_out;
    struct block
        answer; /* our 2xx, repeated until the ACK (§13.3.1.4); or the refusal that is due */
    struct block said; /* an ACK that said more than that it came, sent again for a repeated 2xx; */
    uint32_t said_cseq; /* of this INVITE, or of one before, */
    char said_leg;      /* to that leg */
    int64_t interval_ms, since_ms;
    struct timer timer;                       /* repeats our 2xx */
    void (*over)(struct call *c, bool acked); /* the ACK came, or comes no more */
};

enum leg_bye {
    BYE_NONE,
    BYE_DUE, /* the caller has its 200: BYE once it acknowledged that (§15) */
    BYE_SENT
};

/* One side of a call. */
struct leg {
    struct call *call;
    struct leg *other;
    char name;     /* 'a': the caller's; 'b': the target's */
    bool withheld; /* its party withholds who it is */
    uint8_t bye;   /* enum leg_bye */
    /* The loop's time, its low half, of its peer's last message, and of the last one that only a
     * peer in this dialog sends. */
    uint32_t heard_ms, proved_ms;
    struct dialog dialog; /* the answered one; of a until then: its INVITE, for our own answers */
    struct secrets *secrets;    /* numbers of a's, when it withholds; NULL: not at hand */
    struct block bye_rest;      /* of its BYE: what stands behind the dialog's headers */
    struct open_requests *open; /* within its dialogs; NULL: none yet */
};

/* An early dialog with one telephone of the present target, and the caller's own beside it: each
 * To tag of a target is a dialog to the caller, with a tag, CSeqs and RSeqs of its own. */
struct fork {
    struct fork *next;
    struct dialog a, b;
};

/* Held calls are many: what only some need, or only for a while, is allocated then, and small members
 * stand together. */
struct call {
    struct sip_core *core;
    struct calls *calls;
    handle self;
    uint8_t state; /* enum call_state; call_set_state alone writes it */
    bool simulated;
    bool restored;    /* from before a restart */
    bool began_again; /* its call_id has the branch in it (call_begin_again) */
    char verified;
    bool headers_cut;      /* there was more than is kept of the X-* headers */
    uint8_t n_events;      /* told or waiting, in all */
    uint8_t reason, by;    /* how it ends: enum end_reason, enum ended_by */
    int16_t sip_status;    /* the same */
    int16_t target_status; /* of the target that failed last, when that ended the call; 0: none */
    uint16_t n_forks;      /* so far, of all targets */
    uint16_t session_expires_s; /* while it is up: RFC 4028; 0: no session timer runs */
    uint32_t session_hash;      /* of the present SDPs; 0: not known */
    char token[TOKEN_SIZE];     /* in our Call-ID towards leg b */
    char call_id[ID_SIZE];      /* "call_…" */
    char number[NUMBER_SIZE];
    struct trace_id trace; /* call_id, for the trace */
    uint64_t account;
    uint64_t party; /* whose limits count it; 0: its setting is gone */
    char *trunk_id, *trunk_name, *caller, *caller_name; /* one block, trunk_id its start */
    char *headers;                                      /* "name\nvalue\n…" of X-*; NULL */
    char *destination;  /* of the target that rings or answered; NULL */
    const char *detail; /* why the last target failed or the call ended so; NULL: nothing to add */
    char *phrase;       /* a target's own words, when they are the detail */
    struct leg a, b;
    struct fork *forks; /* the newest first; NULL: none, or one of them answered */
    struct exchange x;
    struct refers *refers; /* passed on, for the ids of their NOTIFYs; NULL: none */
    uint64_t invite_key;   /* of the transaction of the INVITE that began it */
    struct strays strays;
    struct sequences sequences;
    struct outbox *outbox; /* events that wait to be stored; NULL: none do */
    int64_t started_at_ms, answered_at_ms, ended_at_ms; /* wall, as people read it; 0: not yet */
    int64_t started_ms, answered_ms, ended_ms;          /* the same moments, mono: durations */
    handle bye; /* the BYE's server transaction, answered after the commit */
    /* Routing, dropped once it is up: */
    const struct book *book;
    struct decision *decision; /* who takes it; NULL: not asked yet */
    struct route *route;
    struct timer timer; /* of its state */
    struct call *next_over;
    struct probe *probe;     /* while it is up: a question is open; NULL: none is */
    struct session *session; /* SDPs that the row has not yet; NULL: it has them */
};

/* call.c: life */
/* NULL without memory. Calls that the store knows already may be more than sip.max_calls, which
 * limits new ones: calls_are_full. */
struct call *call_new(struct calls *calls);
bool calls_are_full(const struct calls *calls);
void call_set_state(struct call *c, enum call_state to);
bool call_takes(const struct call *c, enum call_input input);
/* The state waits for so long, and not for what it waited before. */
void call_wait(struct call *c, int64_t ms);
void call_wait_no_more(struct call *c);
/* Of the trunk that it came by, and of its caller; once. */
MUST_USE enum err call_keep_names(struct call *c, const struct call_names *n);
void call_reap_later(struct call *c); /* on entering OVER */
void call_free(struct call *c);
struct leg *call_leg(struct call *c, char name);

/* in.c: as struct calls says */
bool call_begin_again(struct call *c);

/* leg.c */
void leg_init(struct leg *leg, struct call *c, char name);
void leg_fini(struct leg *leg);
/* `ret_fork`: that of our tag. */
struct leg *leg_of_tag(struct calls *calls, struct str tag, uint16_t *ret_fork);
/* The dialog of the leg in which the peer with that tag speaks, an early one too; `fork` is that
 * of our tag. NULL: there is none. */
struct dialog *leg_dialog_of(struct leg *leg, uint16_t fork, struct str call_id,
                             struct str peer_tag);
/* The dialogs that it had before a restart are over; it gets another token. */
void leg_forget_tags(struct leg *leg);
/* From here on the transaction's messages are in the trace as the leg's, and it counts in the
 * account's share, for as long as it lasts, even if the call has ended. */
void leg_trace(const struct leg *leg, struct txn *t);
void leg_heard(struct leg *leg);  /* something came from its peer */
void leg_proved(struct leg *leg); /* something that only a peer in this dialog sends */

/* fork.c: the early dialogs */
/* That of the answer's To tag, made when it is new. NULL: too large, no memory, or there are
 * FORKS_MAX and `m` is provisional. */
struct fork *fork_of_answer(struct call *c, const struct txn *t, const struct sip_msg *m);
struct dialog *fork_dialog_of(struct leg *leg, uint16_t fork, struct str call_id,
                              struct str peer_tag);
/* The dialog of the other leg that belongs to `own`, early or not. */
struct dialog *fork_other(struct call *c, const struct dialog *own);
/* It answered: its dialogs are the call's, the others are over. */
void fork_choose(struct call *c, struct fork *chosen);
void forks_end(struct call *c);

/* states.c: the table, one rule a state */
extern const struct state_rule call_states[CALL_STATES];
void call_states_print(struct buf *out); /* as docs/sip.md shows it */

/* in.c: an INVITE that begins a call */
/* The call that an INVITE of the party with the Call-ID, From tag and CSeq of `m` began; NULL: none. */
struct call *call_of_invite(struct calls *calls, const struct sip_msg *m,
                            const struct party *party);

/* control.c: does a webhook's answer decide? */
/* Asks whoever may be asked before the incoming_call is stored; `t` as it will be submitted. */
void call_ask_ahead(struct call *c, const struct event *incoming, const struct admission *t);

/* route.c: where it goes */
/* What its decision says next: incoming_call is stored, the present target had nothing to say, or
 * an answer came that it waits for. */
void call_next_target(struct call *c);
void call_target_failed(struct call *c, int status, struct str reason);
void call_target_refused(struct call *c, const struct sip_msg *m); /* by a final response */
void call_on_ring_timeout(struct call *c); /* the target's turn has lasted long enough */
/* Nothing was heard from it, or 503: the next one of the target. `why`: in words, or empty. */
void call_address_failed(struct call *c, int status, struct str why);
void call_route_drop(struct call *c);   /* frees it; says nothing to anybody */
void call_stop_ringing(struct call *c); /* ends the target's turn; no more targets */

/* exchange.c: an INVITE under way through us: its answer, its ACK */
/* Answers leg a's INVITE, in that dialog of the leg; `status` ≥ 300 ends its transaction. */
void call_answer_invite(struct call *c, int status, struct str reason, const struct sip_msg *from_b,
                        const struct dialog *in);
/* Writes into scratch the answer to leg a's INVITE that says what the target's refusal `m`, or its
 * BYE, says: all of it with the same status, only why when the status is another one. False: it does not fit. */
bool call_put_refusal(struct call *c, int status, const struct sip_msg *m, struct buf *ret);
/* Takes the block: it is the answer when the INVITE is refused. */
void call_refuse_with(struct call *c, struct block *answer);
/* It is ASKED, instead of the one before, whose 2xx is not repeated any more. */
void exchange_begin(struct call *c, const struct exchange *x);
void exchange_enter(struct call *c, enum exchange_state to);
/* The other leg's 2xx came: it gets its ACK at once, unless that must bring the answer to its offer
 * (§13.2.2.4). */
void call_on_accepted(struct call *c);
/* The exchange's 2xx, when there is one and it has no ACK yet, gets it, with what `m` says. `m`, the
 * asker's ACK, may be NULL; when it says more than that it came, it goes on behind an ACK of ours. */
void call_confirm(struct call *c, const struct sip_msg *m);
void call_acknowledged(struct call *c, const struct sip_msg *m); /* by who asked; `m` as above */
/* Our 2xx went out: repeats it until the ACK comes, or comes no more; `over` is told, NULL-safe. */
void call_repeat_answer(struct call *c, void (*over)(struct call *c, bool acked));
void leg_on_ack(struct leg *leg, const struct sip_msg *m);
bool call_is_exchanging(const struct call *c); /* an INVITE is under way, or its ACK is due */
/* A re-INVITE of our own to that leg begins, and is over: meanwhile none passes (491). */
void call_begin_own(struct call *c, struct leg *to, const struct txn *client);
void call_end_own(struct call *c, const struct txn *client);
/* A 2xx to INVITE that came again, in the dialog of that leg. */
void leg_on_repeated_answer(struct leg *leg, uint32_t cseq);
void call_hang_up_stray(struct sip_core *core, struct txn *t, struct strays *known,
                        const struct sip_msg *m);

/* answer.c: the target's answers to the first INVITE */
void call_on_route_response(struct call *c, struct txn *t, const struct sip_msg *m);
void call_on_ring_time(struct call *c); /* the target's turn: its row is due, or its end */
void call_send_answer(struct call *c, enum err err); /* call_answered is stored */

/* relay.c: requests within a dialog */
void leg_on_request(struct leg *leg, struct dialog *own, const struct sip_msg *m,
                    const struct path *from, struct str raw);
void leg_pass_held(struct leg *leg); /* what waited for the 200 goes on */
void call_on_relay_response(struct call *c, struct txn *t, const struct sip_msg *m);
void call_on_relay_failure(struct call *c, struct txn *t, enum err err);

/* refer.c: ids of the subscriptions that REFERs make */
void refer_note(struct leg *asker, uint32_t asked, uint32_t sent); /* CSeqs of a REFER passed on */
/* Event of a request of that leg, as the other leg knows it; nothing when it has none. */
void refer_put_event(const struct leg *from, const struct sip_msg *m, struct buf *b);
/* Refer-To, whose Replaces names another call of the account as the other side of that knows it. */
void refer_put_to(const struct leg *asker, const struct sip_msg *m, struct buf *b);

/* privacy.c: who withholds who he is */
void leg_withhold(struct leg *leg, const struct sip_msg *m); /* m: its party's; may be NULL */
const struct secrets *leg_hidden(const struct leg *leg);     /* NULL: it does not withhold */
/* Ends the message in `b`: the headers and the body of that leg's message which may pass. */
void leg_put_relayed(struct leg *leg, struct buf *b, const struct sip_msg *m);
/* Of them only those that say why something ends, and no body. */
void leg_put_parting(struct leg *leg, struct buf *b, const struct sip_msg *m);

/* open.c: requests within the dialogs that are not over yet */
bool open_has_room(struct leg *leg);
void open_add(struct leg *leg, const struct txn *t);
/* It is open, and passed on later: open_held_next takes the oldest out again. NULL: there is none. */
void open_hold(struct leg *leg, const struct txn *t);
struct txn *open_held_next(struct leg *leg);
void open_refuse(struct leg *leg); /* the call ends: each gets its final answer (§15.1.2) */

/* cancel.c: takes back the target's INVITE, or the re-INVITE under way, with what `m` says of the
 * end: the asker's CANCEL, or the BYE of an early dialog */
void call_cancel_target(struct call *c, const struct sip_msg *m);
void call_cancel_reinvite(struct call *c, const struct sip_msg *m);

/* end.c */
void call_on_cancel(struct call *c, const struct sip_msg *m);
void leg_on_bye(struct leg *leg, const struct sip_msg *m, const struct path *from, struct str raw);
void call_end(struct call *c, enum end_reason reason, enum ended_by by, int sip_status);
void call_enter_ending(struct call *c);
void call_enter_closing(struct call *c);
void call_finish(struct call *c, enum err err); /* call_ended is stored: says so */
/* The caller acknowledged its 200, or did not for 64 × T1. */
void call_on_confirmed(struct call *c, bool acked);
/* BYE to that leg, as soon as §15 lets us: not before its INVITE was answered and acknowledged; an
 * answer of its own is acknowledged first. `m`: the other leg's BYE, whose headers and body pass;
 * NULL: it is ours, with that Reason. */
void leg_hang_up(struct leg *leg, struct str reason, const struct sip_msg *m);

/* outbox.c: events wait here for the store, one after another */
struct call_news {
    enum event_kind kind;
    const char *destination; /* NULL: the call's */
    int status;              /* 0: the call's */
    unsigned ordinal;
    call_then *then;
};
/* False: the call has told as many events as it may, and this kind is not one of its first, its
 * answer and its end, for which there is always room. */
bool call_store(struct call *c, const struct call_news *n);
bool outbox_is_empty(const struct call *c);
bool outbox_is_handed_in(const struct call *c);
void outbox_free(struct call *c); /* what waits is not stored; not while it is handed in */

/* store.c: the event, and the row that is stored with it */
MUST_USE enum err call_event(const struct call *c, const struct call_news *n, struct event **ret);
MUST_USE enum err call_admission(struct call *c, const struct event *of, struct admission **ret);
/* The counters of the call's events to each endpoint; NULL for a call from before a restart, whose
 * numbers the store looks up. */
struct sequences *call_sequences(struct call *c);

/* probe.c: is anybody still there? */
void call_enter_up(struct call *c);
void call_probe_soon(struct call *c, int64_t in_ms); /* both legs, in so long */
/* The leg of a call that is up, unless something is asked already. */
void leg_probe_soon(struct leg *leg, int64_t in_ms);
void call_on_probe_due(struct call *c);
void call_on_probe_answer(struct call *c, struct txn *t, int status);         /* FOR_PROBE */
void call_on_opinion(struct call *c, struct txn *t, const struct sip_msg *m); /* FOR_OPINION */
void call_on_probe_failure(struct call *c, struct txn *t, enum err err);      /* of both */

/* restore.c */
void call_on_not_repeated(struct call *c); /* RESTORED: its time is over */
