/* Inside hub/: lists the endpoints that want events of a number. There is one list for each account
 * and number that endpoints name, and one for those of the account that want all ("*"). A list is
 * immutable and counted; a change makes a new one. */
#pragma once
#include "hub/book_entry.h"

struct watch_key {
    uint64_t account;
    char number[NUMBER_SIZE]; /* filled up with NULs; "": all numbers */
};

struct watch {
    _Atomic int refs;
    uint32_t n;
    struct watch_key key;
    struct entry *endpoint[]; /* oldest first, by row number */
};

extern const struct trie_type watches; /* found by their key */

/* Enters an endpoint in the lists of all its numbers, or takes it out. After an error some lists
 * have it and some don't. */
MUST_USE enum err watch_add(struct trie *t, struct entry *endpoint);
MUST_USE enum err watch_remove(struct trie *t, struct entry *endpoint);
/* For a book that is read as a whole: watch_each gives `take` a list of the endpoint alone for each
 * of its numbers; watch_join makes of the lists of one number the one that has all their endpoints
 * (a trie_join). */
MUST_USE enum err watch_each(struct entry *endpoint, enum err (*take)(void *arg, struct watch *w),
                             void *arg);
void *watch_join(void **lists, size_t n);
const struct watch *watch_get(const struct trie *t, uint64_t account, struct str number);
