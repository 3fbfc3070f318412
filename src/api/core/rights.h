/* Inside api/: what an asker may do, change, and give to others. Nobody gives more than he has:
 * fewer or the same rights, for as long as his own at most. */
#pragma once
#include "api/core/problem.h"

/* From here on r may do what `rights` (enum right) say. */
void rights_take(struct request *r, unsigned rights);
bool rights_cover(const struct request *r, unsigned rights);
/* Has the asker what is the operator's to say of numbers? The operator, his own account `default`,
 * and with `accounts.own_numbers` everybody. */
bool rights_own_numbers(const struct request *r);
/* Of a setting's document as it was (NULL: it is new) and as it is to be: what only the operator
 * may change (`reserved`, ends in NULL; may be NULL) is what it was. ERR_INVALID, which names the
 * member. */
MUST_USE enum err rights_check_reserved(struct request *r, const char *const *reserved,
                                        const struct json *before, const struct json *after);
/* A key as it is to be, after `old` (NULL: it is new). `says_expiry`: the request says when it
 * ends; a new key ends with the asker where it does not. ERR_INVALID. */
MUST_USE enum err rights_check_key(struct request *r, const struct api_key *old,
                                   struct api_key *now, bool says_expiry);
/* The maker of a new thing, for `account`: an id, or "operator" where that was nobody of the
 * account's own. */
void rights_put_maker(const struct request *r, uint64_t account, char out[ID_SIZE]);
/* The user with whom a key that r makes in `account` ends; 0: none. */
uint64_t rights_user_of_key(const struct request *r, uint64_t account, const struct api_key *k);
