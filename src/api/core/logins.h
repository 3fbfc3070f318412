/* Holds the log-ins: the store's tokens, in memory, so that a request costs a look-up. A token is
 * good while its user is there with the password it was made under. Any thread. */
#pragma once
#include "hub/book.h"
#include "store/rows/tokens.h"

struct logins;

enum {
    LOGINS_MAX = 100000,  /* log-ins at once, over all users: more are refused */
    LOGINS_OF_USER = 100, /* the next log-in ends the oldest */
    LOGIN_HASH_SIZE = 65,
};

/* Reads the store's tokens. */
MUST_USE enum err logins_open(struct store *s, struct logins **ret);
void logins_free(struct logins *s); /* NULL-safe */
/* The user that a token is for, in the present book; NULL: there is no such token, or it is good no
 * more. */
const struct book_user *logins_user(struct logins *s, const struct book *b, struct str hash);
/* Asks for room before a token is stored. ERR_FULL. `ret_end` gets the hash of a token that must
 * end for it, or "". */
MUST_USE enum err logins_room(struct logins *s, uint64_t user, char ret_end[LOGIN_HASH_SIZE]);
/* Adds and removes a token, after its commit. */
void logins_add(struct logins *s, const struct token *t);
void logins_remove(struct logins *s, struct str hash);
uint64_t login_stamp(const struct user *u);
