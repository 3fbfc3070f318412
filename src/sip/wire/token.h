/* Makes our own tags and branches: a handle and 64 random bits as 26 characters of base32. A
 * look-up is an index and a comparison; a stale or forged token finds nothing. Pure. */
#pragma once
#include "base/pool.h"

enum { TOKEN_SIZE = 27 };

void token_print(handle h, uint64_t random, char out[TOKEN_SIZE]);
/* False when the text does not begin with a token. */
bool token_parse(struct str text, handle *ret, uint64_t *ret_random);
