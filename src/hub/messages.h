/* Takes text messages from carriers. A whole message becomes an event at once; parts wait in the
 * store until all have come or their time is over. The carrier hears "accepted" only after what it
 * sent is on disk. Any thread may call; the answer goes to the mailbox that the caller names. */
#pragma once
#include "hub/intake.h"
#include "model/sms.h"

struct messages;

struct messages_config {
    struct store *store;
    struct books *books;
    struct intake *intake;
    int64_t join_ms; /* how long a set of parts waits for the rest; then it is a partial message */
    unsigned max_sets; /* incomplete sets an account may have; the oldest goes out as partial */
    int64_t max_bytes; /* that an account's waiting parts may have; beyond, the same happens */
};
MUST_USE enum err messages_new(const struct messages_config *c, struct messages **ret);
void messages_free(struct messages *m); /* NULL-safe */

struct message_in { /* borrowed for the call */
    uint64_t account;
    struct str link;       /* id of the link or trunk; each link counts its references by itself */
    struct str from, to;   /* as CONTRACT §2 writes them */
    struct str message_id; /* the carrier's own, which comes again when it repeats the message;
                              empty: none */
    struct sms_part part;
    bool simulated;
};

/* Tells the outcome, on home's thread, exactly once. err OK: the message is durable, as an event,
 * as a part that waits, or because it was there before (`duplicate`); on any other error nothing
 * was written. message_id is that of the whole message which the part belongs to; it is valid
 * during the call. */
typedef void messages_on_taken(void *arg, uint64_t token, enum err err, bool duplicate,
                               struct str message_id);

/* Takes one message or part, and copies what it needs. ERR_FULL, ERR_STORE: try later. ERR_INVALID:
 * no message can look like this. */
MUST_USE enum err messages_take(struct messages *m, const struct book *book,
                                const struct message_in *in, struct mailbox *home,
                                messages_on_taken *on_taken, void *arg, uint64_t token);
