/* Tells who is on the other side of a message: a trunk, by the address it comes from, or nobody
 * yet. Everything that differs from kind to kind is asked here; another kind of party is one more
 * line in the enum and one in each of these functions. A party is a value, valid as long as the
 * book it was read from. Pure. */
#pragma once
#include "hub/book.h"

enum party_kind { PARTY_NOBODY, PARTY_TRUNK };

struct party {
    enum party_kind kind;
    const struct book_trunk *trunk; /* PARTY_TRUNK's; else NULL */
};

/* PARTY_NOBODY: no setting has the source address. */
struct party party_from(const struct book *b, const struct addr *source);
struct party party_named(const struct book *b, struct str id_or_name);

/* These need a party that is somebody. */
uint64_t party_number(const struct party *p); /* its setting's, which no other setting ever has */
struct str party_id(const struct party *p);   /* "trk_…", as in rows and events */
struct str party_name(const struct party *p);
uint32_t party_max_calls(const struct party *p); /* at once; 0: no limit */
uint32_t party_max_cps(const struct party *p);   /* calls, and texts, a second; 0: no limit */
/* How it writes numbers, and which of its headers are believed. */
const struct trunk *party_ways(const struct party *p);
