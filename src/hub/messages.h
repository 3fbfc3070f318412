/* The door for text messages: whole ones become events at once, parts wait in the store until all
 * have come or their time is over. Before anybody says "accepted" to the carrier, what he sent is
 * on disk. Any thread may come; the answer goes home. */
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
    int64_t max_bytes; /* of an account's waiting parts; the same */
};
MUST_USE enum err messages_new(const struct messages_config *c, struct messages **ret);
void messages_free(struct messages *m); /* NULL-safe */

struct message_in { /* borrowed for the call */
    uint64_t account;
    struct str link;       /* id of the link or trunk: references are its own */
    struct str from, to;   /* as CONTRACT §2 writes them */
    struct str message_id; /* the carrier's, that comes again when he repeats it; empty: none */
    struct sms_part part;
    bool simulated;
};

/* err OK: it is durable, as an event, as a part that waits, or because it was there before
 * (`duplicate`). message_id: of the whole message it is (or will be) part of; valid during the
 * call. Otherwise nothing was written. On home's thread, exactly once. */
typedef void messages_on_taken(void *arg, uint64_t token, enum err err, bool duplicate,
                               struct str message_id);

/* Copies what it needs. ERR_FULL, ERR_STORE (try later), ERR_INVALID (text that cannot be). */
MUST_USE enum err messages_take(struct messages *m, const struct book *book,
                                const struct message_in *in, struct mailbox *home,
                                messages_on_taken *on_taken, void *arg, uint64_t token);
