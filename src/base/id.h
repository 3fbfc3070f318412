/* Ids as people see them: a prefix, `_`, and 26 characters of Crockford base32 in lower case (130
 * bits, of which 128 are used). New ids begin with the time, so that an index over them grows at
 * its end; derived ids hash what makes a thing the same thing. */
#pragma once
#include "base/str.h"

enum { ID_SIZE = 40 }; /* with NUL, for prefixes up to 12 characters */

/* 45 bits of milliseconds since 1970, then 83 random ones: "ep_1jkq2…". Later ids sort behind
 * earlier ones, to the millisecond. */
void id_new(const char *prefix, char out[ID_SIZE]);
/* From SHA-256 over the parts, each preceded by its length: the same parts, the same id. */
void id_derive(const char *prefix, const struct str *parts, size_t n, char out[ID_SIZE]);
/* The 128 bits that such an id is, and back. ERR_SYNTAX: it is none with that prefix. */
MUST_USE enum err id_parse(const char *prefix, struct str id, uint8_t ret_bits[16]);
void id_print(const char *prefix, const uint8_t bits[16], char out[ID_SIZE]);
/* 64 bits of SipHash with a fixed key, for lanes and shards (stable across restarts). */
uint64_t hash64(struct str s);
/* The same under a key of 16 bytes (SipHash-2-4), for tables that hold what the network sent. */
uint64_t hash_keyed(struct str s, const uint8_t key[16]);
