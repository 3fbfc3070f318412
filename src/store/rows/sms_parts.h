/* Keeps parts of text messages that wait for the rest: a set is a message, and its parts are rows
 * of their own. When all have come (or no more will) its parts are deleted, and the set's row stays
 * for a while with digests of them, so that a repeated part is known. Inside a job's run. */
#pragma once
#include "base/id.h"
#include "model/sms.h"
#include "store/store.h"

enum sms_set_state { SMS_SET_WAITING, SMS_SET_DONE }; /* stored as numbers */

enum {
    SMS_LINK_MAX = 64,
    SMS_PARTY_MAX = 256,
    SMS_PART_COST = 64, /* octets that each part counts beside its data */
};

struct sms_set {
    int64_t n;
    char id[ID_SIZE]; /* of what has the same reference: join.c derives it */
    uint64_t account;
    char link[SMS_LINK_MAX + 1], from[SMS_PARTY_MAX + 1], to[SMS_PARTY_MAX + 1];
    char message_id[ID_SIZE];
    unsigned parts, have; /* how many there should be, and were put */
    int64_t bytes;        /* of those that wait, with what each costs */
    enum sms_set_state state;
    bool simulated;
    int64_t last_at_ms; /* wall: when its last part came */
    int64_t ends_at_ms; /* steady (base/clock.h): when it goes as it is, or is forgotten */
    /* When it is done: what part n was, at n − 1; 0: it never came. */
    uint64_t digest[SMS_PARTS_MAX];
};

/* ERR_NOT_FOUND. By id, by row; the row of the account's oldest that waits. */
MUST_USE enum err sms_set_find(struct db *db, struct str id, struct sms_set *ret);
MUST_USE enum err sms_set_get(struct db *db, int64_t n, struct sms_set *ret);
MUST_USE enum err sms_set_oldest(struct db *db, uint64_t account, int64_t *ret_n);
/* Inserts a waiting one without parts; s->n is set. */
MUST_USE enum err sms_set_put(struct db *db, struct sms_set *s);
/* Inserts; *ret_new false when there is one with that number. The set counts it. */
MUST_USE enum err sms_part_put(struct db *db, struct sms_set *s, const struct sms_part *p,
                               int64_t at_ms, bool *ret_new);
/* Ends the set: its parts and repeats are deleted, and s->digest identifies the parts. */
MUST_USE enum err sms_set_end(struct db *db, struct sms_set *s, int64_t ends_at_ms);
MUST_USE enum err sms_set_delete(struct db *db, const struct sms_set *s); /* with its parts */

typedef bool sms_part_row(void *arg, const struct sms_part *p); /* false: enough */
/* In the order of their numbers; parts, reference and wide are 0. */
MUST_USE enum err sms_part_list(struct db *db, int64_t set_n, sms_part_row *row, void *arg);
/* Tells whether the set's part of that number is the same. ERR_NOT_FOUND. */
MUST_USE enum err sms_part_same(struct db *db, int64_t set_n, const struct sms_part *p, bool *ret);

/* Keeps a part that the set had already, beside it: it may be the first of another message. It does
 * not count as held, and goes with its set. */
MUST_USE enum err sms_repeat_put(struct db *db, int64_t set_n, const struct sms_part *p);
MUST_USE enum err sms_repeat_list(struct db *db, int64_t set_n, sms_part_row *row, void *arg);
MUST_USE enum err sms_repeats_delete(struct db *db, const struct sms_set *s); /* of a done one */

struct sms_held { /* of an account, waiting */
    int64_t sets, bytes;
};
/* Kept by the functions above; 0, 0 reads it. */
MUST_USE enum err sms_held_get(struct db *db, uint64_t account, struct sms_held *ret);

typedef bool sms_set_due(void *arg, int64_t n, int64_t ends_at_ms);
/* Those of one state in the order of their ends. */
MUST_USE enum err sms_set_list_due(struct db *db, enum sms_set_state state, unsigned limit,
                                   sms_set_due *row, void *arg);
typedef bool sms_set_walked(void *arg, int64_t n, uint64_t account, struct str number);
/* after_n < n <= last_n, oldest first. */
MUST_USE enum err sms_set_walk(struct db *db, int64_t after_n, int64_t last_n, unsigned limit,
                               sms_set_walked *row, void *arg);
