/* id: makes ids, random or derived, and the two hashes. Pure, apart from the randomness. Base32
 * uses Crockford's alphabet in lower case, without i, l, o, u, so that people can read an id out on
 * a telephone. */
#include "base/id.h"

#include <sodium.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"

static const char digit[] = "0123456789abcdefghjkmnpqrstvwxyz";

void id_print(const char *prefix, const uint8_t bits[16], char out[ID_SIZE])
{
    size_t n = strlen(prefix);
    ASSERT(n <= 12);
    memcpy(out, prefix, n);
    out[n++] = '_';
    for (unsigned i = 0; i < 26; i++) {
        unsigned at = i * 5, byte = at / 8, shift = at % 8;
        unsigned pair = (unsigned)bits[byte] << 8 | (byte < 15 ? bits[byte + 1] : 0);
        out[n++] = digit[pair >> (11 - shift) & 31];
    }
    out[n] = '\0';
}

enum err id_parse(const char *prefix, struct str id, uint8_t ret_bits[16])
{
    struct str head = str_of(prefix);
    if (id.n != head.n + 27 || !str_starts(id, head) || id.p[head.n] != '_')
        return ERR_SYNTAX;
    memset(ret_bits, 0, 16);
    for (unsigned i = 0; i < 26; i++) {
        const char *d = memchr(digit, id.p[head.n + 1 + i], sizeof digit - 1);
        if (!d)
            return ERR_SYNTAX;
        unsigned at = i * 5, byte = at / 8, shift = at % 8;
        unsigned pair = (unsigned)(d - digit) << (11 - shift);
        ret_bits[byte] |= (uint8_t)(pair >> 8);
        if (byte < 15)
            ret_bits[byte + 1] |= (uint8_t)pair;
        else if (pair & 0xff)
            return ERR_SYNTAX; /* the last two of 130 bits are not used */
    }
    return OK;
}

void id_new(const char *prefix, char out[ID_SIZE])
{
    uint8_t bits[16];
    uint64_t ms = (uint64_t)clock_wall_ms()
                  << 19; /* the upper 45 of 64 bits: until the year 3084 */
    uint64_t random[2] = {crypto_random_u64(), crypto_random_u64()};
    memcpy(bits, random, sizeof bits);
    for (unsigned i = 0; i < 5; i++)
        bits[i] = (uint8_t)(ms >> (56 - 8 * i));
    bits[5] = (uint8_t)((ms >> 16 & 0xf8) | (bits[5] & 0x07));
    id_print(prefix, bits, out);
}

void id_derive(const char *prefix, const struct str *parts, size_t n, char out[ID_SIZE])
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state s;
    crypto_hash_sha256_init(&s);
    for (size_t i = 0; i < n; i++) {
        uint64_t size =
            parts[i].n; /* in the machine's byte order; we support little endian alone */
        crypto_hash_sha256_update(&s, (const unsigned char *)&size, sizeof size);
        crypto_hash_sha256_update(&s, (const unsigned char *)parts[i].p, parts[i].n);
    }
    crypto_hash_sha256_final(&s, hash);
    id_print(prefix, hash, out);
}

uint64_t hash_keyed(struct str s, const uint8_t key[16])
{
    uint64_t v;
    uint8_t out[crypto_shorthash_BYTES];
    crypto_shorthash(out, (const unsigned char *)s.p, s.n, key);
    memcpy(&v, out, sizeof v);
    return v;
}

uint64_t hash64(struct str s)
{
    static const uint8_t key[16] = "hookswitch-hash"; /* part of stored rows: never change it */
    return hash_keyed(s, key);
}
