/* Keeps settings: every resource that a person sets up (accounts, numbers, endpoints, trunks, keys
 * …) is one row in one table, with the keys by which it is found and a JSON document that model/
 * parses. Inside a job's run. */
#pragma once
#include "base/buf.h"
#include "model/setting_mark.h"
#include "store/store.h"

/* "account", "number", "endpoint", "trunk", "key", "user", "smpp_link", "extension". */
const char *setting_kind_name(enum setting_kind kind);
bool setting_kind_parse(struct str name, enum setting_kind *ret);

struct setting {
    uint64_t n; /* row, never reused; the number other rows refer to */
    enum setting_kind kind;
    struct str id;    /* "ep_…"; for numbers the E.164 itself */
    uint64_t account; /* owner's n; of an account: its own */
    struct str key;   /* unique in its kind: name, E.164, hash of a key, username */
    struct str doc;   /* JSON object */
    int64_t version;  /* 1, 2 … : the ETag */
    int64_t created_at_ms, updated_at_ms;
};

/* Both write the document's mark (model/setting_mark) beside it.
 * Inserts; s->n (0 before the job's first run), version and times are set. ERR_EXISTS when id or
 * key is taken, by another than the row that this very job put in a commit of unknown end. */
MUST_USE enum err setting_put(struct db *db, struct setting *s);
/* Replaces account, key and doc when the version is still s->version (0: whatever it is), and
 * counts it up. ERR_NOT_FOUND, ERR_EXISTS (key taken), ERR_AGAIN (version moved on). */
MUST_USE enum err setting_change(struct db *db, struct setting *s);
MUST_USE enum err setting_delete(struct db *db, enum setting_kind kind, uint64_t n);
/* account 0: any. Slices point into mem. */
MUST_USE enum err setting_get(struct db *db, enum setting_kind kind, uint64_t account,
                              struct str id, struct setting *ret, struct buf *mem);
MUST_USE enum err setting_get_by_key(struct db *db, enum setting_kind kind, struct str key,
                                     struct setting *ret, struct buf *mem);
/* By its row; `account`: whose it must be. */
MUST_USE enum err setting_get_n(struct db *db, enum setting_kind kind, uint64_t account, uint64_t n,
                                struct setting *ret, struct buf *mem);
/* Tells whether the account has no settings besides itself. */
MUST_USE enum err setting_account_is_empty(struct db *db, uint64_t account, bool *ret);
typedef bool setting_row(void *arg, const struct setting *s); /* false: stop */
/* Rows with n > after_n in order of n. account 0: any; limit 0: all. */
MUST_USE enum err setting_list(struct db *db, enum setting_kind kind, uint64_t account,
                               uint64_t after_n, unsigned limit, setting_row *row, void *arg);
/* Those of them whose mark it is, along an index; `mark` is not "". */
MUST_USE enum err setting_list_marked(struct db *db, enum setting_kind kind, struct str mark,
                                      uint64_t account, uint64_t after_n, unsigned limit,
                                      setting_row *row, void *arg);
/* The highest row; 0: there are none. */
MUST_USE enum err setting_last(struct db *db, uint64_t *ret);
/* Rows of all kinds with after_n < n <= last_n in order of n, without version and times. */
MUST_USE enum err setting_walk(struct db *db, uint64_t after_n, uint64_t last_n, setting_row *row,
                               void *arg);
