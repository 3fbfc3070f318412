/* Passwords hashed and compared off everybody's way: argon2id takes 64 MiB and some 100 ms of a
 * core, so a thread of its own does one after another. Owners take turns: an address that logs in
 * again and again, or an account that makes many users, is waited for once. */
#pragma once
#include "base/crypto.h"
#include "base/mailbox.h"

struct hasher;

enum {
    HASHES_WAITING = 64, /* at once, of which each owner has its share */
    HASHES_FIRST = 2,    /* that each may have waiting, whatever the others have */
    HASHED_PASSWORD_MAX = 256,
};

struct hash_job {     /* embedded in the caller's own struct */
    struct mail mail; /* first */
    char password[HASHED_PASSWORD_MAX];
    size_t password_n; /* wiped before `done` */
    /* In: what to compare with; "": a hash that nobody's password has, which takes as long.
     * Out, when `makes`: the new one. */
    char hash[PASSWORD_HASH_SIZE];
    bool makes;
    bool matches;                       /* out, when comparing */
    enum err err;                       /* OK, ERR_NOMEM */
    void (*done)(struct hash_job *job); /* on the hasher's thread, exactly once */
};

MUST_USE enum err hasher_start(struct hasher **ret);
void hasher_stop(struct hasher *h); /* after what waits; NULL-safe */
/* Any thread. `owner`: an address or an account. ERR_AGAIN: it has its share waiting; ERR_FULL: all
 * is taken. */
MUST_USE enum err hasher_put(struct hasher *h, uint64_t owner, struct hash_job *job,
                             struct str password);
