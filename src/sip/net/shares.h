/* Counts how much each account holds of something common: connections, transactions. One thread. */
#pragma once
#include "base/str.h"

struct shares;

MUST_USE enum err shares_new(struct shares **ret);
void shares_free(struct shares *s); /* NULL-safe */
/* Counts one more for the account; false without memory. */
bool shares_take(struct shares *s, uint64_t account);
void shares_give(struct shares *s, uint64_t account); /* one less; it must hold one */
size_t shares_of(const struct shares *s, uint64_t account);
size_t shares_all(const struct shares *s); /* over all accounts */
/* Finds the account that holds the most, and how much; 0 and 0 when no account holds any. Walks
 * them all. */
uint64_t shares_most(const struct shares *s, size_t *ret_n);
