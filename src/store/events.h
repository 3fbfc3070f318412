/* Events: rows that never change. Inside a job's run. */
#pragma once
#include "model/event.h"
#include "store/store.h"

/* Inserts; *ret_new false when (account, id) is there already (*ret_n is then the old row's). */
MUST_USE enum err event_put(struct db *db, const struct event *e, int64_t *ret_n, bool *ret_new);
MUST_USE enum err event_get(struct db *db, int64_t n, struct event **ret); /* ERR_NOT_FOUND */
MUST_USE enum err event_find(struct db *db, uint64_t account, struct str id, int64_t *ret_n);

struct event_filter {              /* absent: empty, 0, -1 */
    uint64_t account;              /* 0: all (operator) */
    struct str number, call_id, q; /* q: part of number, peer or payload */
    int kind;                      /* -1: any */
    int state;                     /* enum delivery_state of one of its deliveries; -1: any */
    uint64_t endpoint;             /* that has a delivery of it */
    int64_t since_ms, until_ms;    /* occurred_at; until exclusive; 0: open */
    int64_t before_n;              /* cursor: rows older than this; 0: from the newest */
    /* For streams: rows newer than after_n (-1: not a stream) up to until_n (0: open), oldest
     * first; only account, kind, number, call_id and since_ms count besides. */
    int64_t after_n, until_n;
    unsigned limit;
};
typedef bool event_row(void *arg, int64_t n, const struct event *e); /* false: stop */
MUST_USE enum err event_list(struct db *db, const struct event_filter *f, event_row *row,
                             void *arg);
