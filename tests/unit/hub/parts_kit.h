/* What the tests of messages in parts share: a store with an account and an endpoint, parts that
 * are sent in, and the events that came of them. */
#pragma once
#include "check.h"
#include "hub/chores/housekeeper.h"
#include "hub/messages.h"

struct kit {
    char dir[64], url[128];
    struct store *store;
    struct books *books;
    struct intake *intake;
    struct messages *messages;
    struct mailbox *home;
    struct messages_config limits; /* join_ms, max_sets, max_bytes */
    uint64_t account;
    _Atomic unsigned told; /* events that deliver learned of */
};
extern struct kit kit;

void kit_open(const struct engine *engine); /* what is there stays: a restart */
void kit_close(void);
void kit_begin(const struct engine *engine); /* an empty store */
void kit_restart(void);

struct sent { /* what the carrier was told */
    enum err err;
    bool duplicate;
    char message_id[300];
};
/* GSM 7 bit, from +19175550100 to +447911123456, reference 7 of 8 bit, whole. */
struct message_in kit_text(const char *text);
struct message_in kit_part(unsigned parts, unsigned number, const char *text);
struct sent kit_send(const struct message_in *in); /* waits for the answer */
struct sent kit_take(struct message_in in);        /* it must be taken */

struct got { /* an event */
    char id[72], message[16384], message_id[300], encoding[16], timestamp[32], missing[1100],
        raw[9000];
    int64_t parts, data_coding;
    bool partial, raw_truncated, truncated;
    uint64_t account;
    int64_t at_ms, n_deliveries;
};
/* All events of all accounts, newest first; checks that each payload is UTF-8 and that each has one
 * delivery. */
size_t kit_events(struct got *ret, size_t max);
/* Rows there are: of sets that wait and that are done, of parts and their repeats; what the
 * accounts' counters say. */
struct rows {
    int64_t waiting, done, parts, repeats, held_sets, held_bytes;
};
struct rows kit_rows(void);
/* Lets the housekeeper work until no set of that state has its time over. */
void kit_keep_house(void);
void kit_erase(const char *number); /* all that the account has of it; waits */
