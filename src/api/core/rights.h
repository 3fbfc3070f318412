/* Inside api/: checks what an asker may do, change, and give to others. An asker gives no more than
 * it has: fewer or the same rights, for as long as its own at most. */
#pragma once
#include "api/core/problem.h"

/* Gives r the rights of `rights` (enum right). */
void rights_take(struct request *r, unsigned rights);
bool rights_cover(const struct request *r, unsigned rights);
/* May the asker make and price numbers? The operator may, its own account `default`, and with
 * `accounts.own_numbers` every account. */
bool rights_own_numbers(const struct request *r);
/* Checks that members that only the operator may change (`reserved`, ends in NULL; may be NULL) are
 * the same in a setting's document before (NULL: it is new) and after. ERR_INVALID, which names the
 * member. */
MUST_USE enum err rights_check_reserved(struct request *r, const char *const *reserved,
                                        const struct json *before, const struct json *after);
/* Checks a key as it will be, after `old` (NULL: it is new). `says_expiry`: the request gives its
 * end; otherwise a new key ends with the asker. ERR_INVALID. */
MUST_USE enum err rights_check_key(struct request *r, const struct api_key *old,
                                   struct api_key *now, bool says_expiry);
/* Gives the maker of a new setting, for `account`: an id, or "operator" when it is not one of the
 * account's own. */
void rights_put_maker(const struct request *r, uint64_t account, char out[ID_SIZE]);
/* The user with whom a key that r makes in `account` ends; 0: none. */
uint64_t rights_user_of_key(const struct request *r, uint64_t account, const struct api_key *k);
