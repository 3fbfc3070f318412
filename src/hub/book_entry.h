/* Inside hub/: makes a book's entries: settings, each parsed, immutable and counted, in one block
 * of memory with its setting. */
#pragma once
#include <stdatomic.h>

#include "base/trie.h"
#include "hub/book_kinds.h"

struct entry {
    _Atomic int refs;
    uint8_t kind; /* enum setting_kind */
    const char *key;
    union {
        struct book_any as_any; /* the members that all kinds begin with */
        struct book_account as_account;
        struct book_number as_number;
        struct book_endpoint as_endpoint;
        struct book_trunk as_trunk;
        struct book_key as_key;
        struct book_user as_user;
        struct book_smpp_link as_smpp_link;
    };
};

/* Makes an entry. NULL, after a line in the log, when the document cannot be read or its URL or
 * CIDR is no good. `reader` may be NULL. */
struct entry *entry_of_setting(const struct setting *s, struct json_reader *reader);
struct entry *entry_hold(struct entry *e);
void entry_drop(struct entry *e); /* NULL-safe */

/* Tries of entries: by their public id, by their row's number, by their key. */
extern const struct trie_type entries_by_id, entries_by_n, entries_by_key;
