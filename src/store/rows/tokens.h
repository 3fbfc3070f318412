/* Keeps the log-ins and the last use of each key, which must outlive a restart. Inside a job's run.
 */
#pragma once
#include "base/str.h"
#include "store/store.h"

struct token {
    struct str hash; /* hex SHA-256 of what the client holds */
    uint64_t user;   /* row of the user */
    uint64_t stamp;  /* of the user's password: another password, and the token is void */
    int64_t expires_at_ms;
};
MUST_USE enum err token_put(struct db *db, const struct token *t); /* again: does nothing */
MUST_USE enum err token_delete(struct db *db, struct str hash);    /* also when it is not there */
typedef bool token_row(void *arg, const struct token *t);
MUST_USE enum err token_list(struct db *db, token_row *row, void *arg); /* oldest first */
MUST_USE enum err token_forget(struct db *db, int64_t expired_before_ms);

MUST_USE enum err key_use_put(struct db *db, uint64_t key, int64_t used_at_ms); /* later ones win */
MUST_USE enum err key_use_get(struct db *db, uint64_t key, int64_t *ret_ms);    /* 0: never */
MUST_USE enum err key_use_delete(struct db *db, uint64_t key);
