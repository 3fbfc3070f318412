/* The audit log: one row for each change of a setting, written in the transaction of the change:
 * both are there or neither. Documents come without their secrets. Inside a job's run. */
#pragma once
#include "base/id.h"
#include "store/rows/settings.h"
#include "store/stop.h"

struct audit {
    int64_t n;     /* of the row; lists go by it */
    struct str id; /* "aud_…": of this change, the same when its job runs again */
    int64_t at_ms;
    uint64_t account;    /* whose setting it is */
    uint64_t by_account; /* of who changed it; 0: the daemon itself */
    struct str who;      /* "key_…", "user_…", "system" */
    struct str who_name; /* as the key or user was called then */
    struct str address;  /* where the request came from; "" */
    enum setting_kind kind;
    struct str target;        /* the setting's id */
    struct str action;        /* "created", "changed", "deleted", … */
    struct str changed;       /* names of members, commas between */
    struct str before, after; /* JSON objects; "" when there is none */
};
/* Written once: the same id again does nothing. */
MUST_USE enum err audit_put(struct db *db, const struct audit *a);

struct audit_filter {
    uint64_t account;                     /* 0: all */
    struct str target;                    /* "": any */
    struct str who;                       /* "": anybody */
    int kind;                             /* -1: any */
    int64_t since_ms, until_ms, before_n; /* 0: any */
    unsigned rows_max;                    /* to look at; 0: all */
};
typedef bool audit_row(void *arg, const struct audit *a); /* false: not this one, stop */
/* Newest first. */
MUST_USE enum err audit_list(struct db *db, const struct audit_filter *f, audit_row *row, void *arg,
                             struct list_stop *ret);
/* Forgets the oldest, at most `limit` rows: those before `ms`, and what is more than `keep` rows.
 */
MUST_USE enum err audit_forget(struct db *db, int64_t ms, int64_t keep, unsigned limit);
