/* Hashes and compares passwords on a thread of its own, one after another, because argon2id takes
 * 64 MiB and some 100 ms of a core. Owners take turns: others wait for one password at a time of an
 * address that logs in again and again, or of an account that makes many users. */
#pragma once
#include "base/crypto.h"
#include "base/mailbox.h"

struct hasher;

enum {
    HASHES_WAITING = 64, /* at once, of which each owner has its share */
    HASHES_FIRST = 2,    /* that each owner may always have waiting, however many others have */
    HASHED_PASSWORD_MAX = 256,
};

struct hash_job {     /* embedded in the caller's own struct */
    struct mail mail; /* first */
    char password[HASHED_PASSWORD_MAX];
    size_t password_n; /* wiped before `done` */
    /* In: the hash to compare with; "": one that no password has, which takes as long. Out, when
     * `makes`: the new hash. */
    char hash[PASSWORD_HASH_SIZE];
    bool makes;
    bool matches;                       /* out, when comparing */
    enum err err;                       /* OK, ERR_NOMEM */
    void (*done)(struct hash_job *job); /* on the hasher's thread, exactly once */
};

MUST_USE enum err hasher_start(struct hasher **ret);
void hasher_stop(struct hasher *h); /* after the jobs that wait; NULL-safe */
/* Takes a job. Any thread. `owner`: an address or an account. ERR_AGAIN: it has its share waiting;
 * ERR_FULL: all places are taken. */
MUST_USE enum err hasher_put(struct hasher *h, uint64_t owner, struct hash_job *job,
                             struct str password);
