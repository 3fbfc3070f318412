/* Decides who takes a call, by the called number, the webhooks' answers to its incoming_call
 * (CONTRACT §4), and the number's targets, one after another. Each call has one, the SIP edge's and
 * simulated ones alike, so that a simulated call goes where a real one would.
 *
 *     ask ahead ─┬─ commit ◆ ─→ next: the first control endpoint that says forward or reject wins;
 *                └─ answers           all said something else, or are late: the number's targets
 *
 * It knows no SIP, keeps no timer and sends nothing: its driver says what time it is (mono), hands
 * in the answers and the fate of each target, and calls decision_next until the call is taken or
 * over. */
#pragma once
#include "hub/target_walk.h"
#include "model/control.h"
#include "store/rows/deliveries.h"

enum {
    ASKED_AHEAD_MAX = 8,   /* endpoints of one call; further ones get their deliveries, and are not
                              asked */
    ASKED_TARGETS_MAX = 4, /* webhooks that are targets of one call; further ones are passed */
    ASKED_URL_TIMEOUT_MS = 3000 /* for a URL that is no endpoint */
};

struct decision;

/* The ways to ask webhooks: an endpoint by its delivery of incoming_call, a URL by a question. Each
 * may be NULL: there is no such way. `mark` comes back with the answer. */
struct askers {
    enum err (*early)(void *arg, const struct event *incoming, uint64_t endpoint,
                      unsigned sequence);
    enum err (*ask)(void *arg, const struct event *incoming, struct str url, int64_t timeout_ms,
                    uint64_t mark);
    void *arg;
};

/* The number that takes the call. NULL: no account has it, or its calls are switched off. */
const struct book_number *decision_called(const struct book *book, struct str e164);

/* Makes the decision of a call of that account to that number; `book` must outlive it. */
MUST_USE enum err decision_new(const struct book *book, uint64_t account, struct str e164,
                               struct decision **ret);
void decision_free(struct decision *d); /* NULL-safe */

/* Called before incoming_call is stored, whose deliveries are `to`. Asks the endpoints with
 * `control`, those that are a target of the number by their URL, and a webhook that is the first
 * target. */
void decision_ask_ahead(struct decision *d, const struct askers *by, const struct event *incoming,
                        const struct delivery *to, size_t n, int64_t now_ms);
/* Would anybody be asked, now or before the first target that can take the call? */
bool decision_asks(const struct decision *d, const struct delivery *to, size_t n);

enum decision_kind {
    DECISION_WAIT,    /* for an answer, wait_ms at the most; then decision_next again */
    DECISION_WEBHOOK, /* the turn of a target that is a webhook: decision_ask when `must_ask` */
    DECISION_TARGET,  /* the call is put through to `target`: sip or direct_ip */
    DECISION_NO_WAY,  /* `target` cannot be reached: it failed like any other */
    DECISION_END      /* rejected, or there is no further target */
};
struct decision_step {
    int64_t wait_ms;
    const struct target *target; /* valid until the next step */
    bool must_ask;
    const char *detail; /* DECISION_NO_WAY and _END: why, for people; NULL: nothing to add */
    /* DECISION_END: the reason that events tell, and the status that the caller gets. */
    enum end_reason reason;
    enum ended_by by;
    int sip_status;
};
enum decision_kind decision_next(struct decision *d, int64_t now_ms, struct decision_step *ret);
/* Asks a webhook, after DECISION_WEBHOOK. When it cannot be asked, the next target is due. */
void decision_ask(struct decision *d, const struct askers *by, const struct event *incoming,
                  struct str url, int64_t now_ms);
/* Takes the status of a target that did not take the call; targets with conditions look at it. */
void decision_failed(struct decision *d, int status);
int decision_last_status(const struct decision *d); /* of the target before; 0: none yet */
/* The status that the caller gets for a target's (docs/sip.md). Pure. */
int decision_status_for_caller(int status);
/* Gives the end of a call that tries no further target. */
void decision_end(const struct decision *d, struct decision_step *ret);

/* Takes an answer to a question; late, unasked and second answers are passed over. */
void decision_answer(struct decision *d, uint64_t mark, int status, struct str body,
                     int64_t now_ms);
/* The action of the answer that the call follows so far. */
enum control_action decision_action(const struct decision *d);
/* The same with the reason of a default: why the first answer that does not count does not. Borrowed
 * texts are static; it holds no targets. */
struct control decision_outcome(const struct decision *d);
