/* Inside hub/: defines the struct of a book. */
#pragma once
#include "hub/book_entry.h"

struct sources { /* of all trunks, the narrowest first; NULL: there are none */
    _Atomic int refs;
    size_t n;
    struct source {
        struct cidr cidr;
        struct entry *trunk; /* held */
    } at[];
};

struct book {
    _Atomic int refs;
    struct trie by_id[SETTING_KIND_COUNT];
    struct trie by_n[SETTING_KIND_COUNT];   /* of the kinds that are looked up so */
    struct trie by_key[SETTING_KIND_COUNT]; /* likewise */
    struct trie watches;
    struct sources *sources;
};

/* Is the kind looked up by its row's number, or by its key? */
static inline bool book_has_n(enum setting_kind kind)
{
    return kind == SETTING_ACCOUNT || kind == SETTING_ENDPOINT || kind == SETTING_USER ||
           kind == SETTING_SMPP_LINK;
}

static inline bool book_has_key(enum setting_kind kind)
{
    return kind == SETTING_ACCOUNT || kind == SETTING_TRUNK || kind == SETTING_KEY ||
           kind == SETTING_USER;
}
