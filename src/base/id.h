/* Ids as people see them: a prefix, `_`, and 26 characters of Crockford base32 in lower case (130
 * bits, of which 128 are used). New ids begin with the time, so that an index over them grows at
 * its end; derived ids are a hash of the facts that identify a thing. */
#pragma once
#include "base/str.h"

enum { ID_SIZE = 40 }; /* with NUL, for prefixes up to 12 characters */

/* Makes an id of 45 bits of milliseconds since 1970 and 83 random bits: "ep_1jkq2…". Later ids sort
 * behind earlier ones, to the millisecond. */
void id_new(const char *prefix, char out[ID_SIZE]);
/* Derives an id by SHA-256 over the parts, each preceded by its length: the same parts give the
 * same id. */
void id_derive(const char *prefix, const struct str *parts, size_t n, char out[ID_SIZE]);
/* Convert an id to its 128 bits and back. ERR_SYNTAX: it is no id with that prefix. */
MUST_USE enum err id_parse(const char *prefix, struct str id, uint8_t ret_bits[16]);
void id_print(const char *prefix, const uint8_t bits[16], char out[ID_SIZE]);
/* Gives 64 bits of SipHash with a fixed key, for lanes and shards (stable across restarts). */
uint64_t hash64(struct str s);
/* Does the same under a key of 16 bytes (SipHash-2-4), for tables that hold data from the network.
 */
uint64_t hash_keyed(struct str s, const uint8_t key[16]);
