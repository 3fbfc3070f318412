/* cursor: seals by a Feistel network of six rounds over two halves of 64 bits, with SipHash-2-4 as
 * the round function (Luby and Rackoff 1988: four rounds of a pseudorandom function are a strong
 * pseudorandom permutation). It takes some 0.2 µs, without allocation or a context, because a
 * stream prints one with each event. */
#include "api/core/cursor.h"

#include <string.h>

#include "base/id.h"

enum { ROUNDS = 6, CHARS = CURSOR_SIZE - 1 };

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* Crockford's */

struct block {
    uint64_t left, right;
};

static uint64_t round_hash(const uint8_t key[CURSOR_KEY_SIZE], unsigned round, uint64_t half)
{
    uint8_t in[9] = {(uint8_t)round};
    for (int i = 0; i < 8; i++)
        in[i + 1] = (uint8_t)(half >> (8 * i));
    return hash_keyed(str_of_bytes(in, sizeof in), key);
}

static void block_seal(const uint8_t key[CURSOR_KEY_SIZE], struct block *b)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t left = b->right;
        b->right = b->left ^ round_hash(key, i, b->right);
        b->left = left;
    }
}

static void block_unseal(const uint8_t key[CURSOR_KEY_SIZE], struct block *b)
{
    for (unsigned i = ROUNDS; i-- > 0;) {
        uint64_t right = b->left;
        b->left = b->right ^ round_hash(key, i, b->left);
        b->right = right;
    }
}

/* The owner and the list, above the bits of the salt. */
static uint64_t bound_bits(const struct cursor *c)
{
    return (c->owner << 32) | ((uint64_t)(c->of & 0xff) << 24);
}

void cursor_print(const uint8_t key[CURSOR_KEY_SIZE], const struct cursor *c, char out[CURSOR_SIZE])
{
    struct block b = {(uint64_t)c->n, bound_bits(c) | (c->salt & CURSOR_SALT_MAX)};
    block_seal(key, &b);
    for (int i = CHARS; i-- > 0;) {
        out[i] = digits[b.right & 31];
        b.right = b.right >> 5 | b.left << 59;
        b.left >>= 5;
    }
    out[CHARS] = '\0';
}

enum err cursor_parse(const uint8_t key[CURSOR_KEY_SIZE], struct str text, struct cursor *c)
{
    struct block b = {0, 0};
    if (text.n != CHARS || text.p[0] > '7')
        return ERR_INVALID;
    for (size_t i = 0; i < CHARS; i++) {
        const char *at = memchr(digits, text.p[i], 32);
        if (!at)
            return ERR_INVALID;
        b.left = b.left << 5 | b.right >> 59;
        b.right = b.right << 5 | (uint64_t)(at - digits);
    }
    block_unseal(key, &b);
    if ((b.right & ~(uint64_t)CURSOR_SALT_MAX) != bound_bits(c) || b.left > INT64_MAX)
        return ERR_INVALID;
    c->n = (int64_t)b.left;
    c->salt = (uint32_t)(b.right & CURSOR_SALT_MAX);
    return OK;
}
