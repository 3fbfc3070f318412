/* Inside hub/: what a book is made of. Entries are immutable and counted; tables of them are too,
 * and are copied when one entry changes. Numbers, of which there may be a million, lie in 256
 * tables. */
#pragma once
#include <stdatomic.h>

#include "base/map.h"
#include "hub/book.h"

enum { NUMBER_SHARDS = 256 };

struct entry { /* one setting, parsed and compiled */
    _Atomic int refs;
    enum setting_kind kind;
    uint64_t n, account;
    char *id, *key;
    union {
        struct book_account as_account;
        struct book_number as_number;
        struct book_endpoint as_endpoint;
        struct book_trunk as_trunk;
        struct book_key as_key;
        struct book_user as_user;
        struct book_smpp_link as_smpp_link;
    };
};

/* NULL, after a line in the log, when the document cannot be read or its URL or CIDR is no good. */
struct entry *entry_of_setting(const struct setting *s);
struct entry *entry_hold(struct entry *e);
void entry_drop(struct entry *e); /* NULL-safe */

struct table {
    _Atomic int refs;
    struct map *by_n, *by_id, *by_key;
    struct map *by_account; /* struct account_list; endpoints alone */
};
struct account_list {
    uint64_t account;
    size_t n, cap;
    const struct book_endpoint **at;
};

struct table *table_new(void);
struct table *table_copy(const struct table *t);
struct table *table_hold(struct table *t);
void table_drop(struct table *t); /* NULL-safe */
/* While the table has one owner. Takes the entry; replaces the one with its n. */
MUST_USE enum err table_put(struct table *t, struct entry *e);
void table_remove(struct table *t, uint64_t n);
