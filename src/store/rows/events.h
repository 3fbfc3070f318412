/* Keeps events, whose rows never change. Inside a job's run. */
#pragma once
#include "model/event.h"
#include "store/stop.h"
#include "store/store.h"

/* Inserts; *ret_new false when (account, id) is there already (*ret_n is then the old row's). */
MUST_USE enum err event_put(struct db *db, const struct event *e, int64_t *ret_n, bool *ret_new);
MUST_USE enum err event_get(struct db *db, int64_t n, struct event **ret); /* ERR_NOT_FOUND */
MUST_USE enum err event_find(struct db *db, uint64_t account, struct str id, int64_t *ret_n);

struct event_filter {              /* absent: empty, 0, -1 */
    uint64_t account;              /* 0: all (operator) */
    struct str number, call_id, q; /* q: part of number, peer or a text of the payload; at most
                                      EVENT_QUERY_MAX bytes; ASCII letters of either case */
    int kind;                      /* -1: any */
    int state;                     /* enum delivery_state of one of its deliveries; -1: any;
                                      EVENT_UNDELIVERED: it has none */
    uint64_t endpoint;             /* that has a delivery of it */
    int64_t since_ms, until_ms;    /* occurred_at; until exclusive; 0: open */
    int64_t before_n;              /* cursor: rows older than this; 0: from the newest */
    unsigned rows_max;             /* to look at; 0: all, however long it takes */
};
enum { EVENT_QUERY_MAX = 256, EVENT_UNDELIVERED = -2 };
typedef bool event_row(void *arg, int64_t n, const struct event *e); /* false: not this one, stop */
/* Newest first, along the index that promises most (store/walk). */
MUST_USE enum err event_list(struct db *db, const struct event_filter *f, event_row *row, void *arg,
                             struct list_stop *ret);

struct event_range {          /* for streams: a bounded piece of all rows */
    int64_t after_n, until_n; /* newer than after_n, up to until_n */
    uint64_t account;         /* as above */
    struct str number, call_id;
    int kind;
    int64_t since_ms;
    unsigned limit;
};
/* Oldest first; `row` false: that was the last. */
MUST_USE enum err event_list_after(struct db *db, const struct event_range *range, event_row *row,
                                   void *arg);
