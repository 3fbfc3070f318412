/* Wraps the few cryptographic calls we need, over OpenSSL (hashes) and libsodium (randomness,
 * comparison). Thread-safe; the program calls crypto_start once, at its start. */
#pragma once
#include "base/buf.h"

enum { SHA256_SIZE = 32, MD5_SIZE = 16 };

MUST_USE enum err crypto_start(void);
void crypto_random(void *out, size_t n);
uint64_t crypto_random_u64(void);
void crypto_sha256(struct str data, uint8_t out[SHA256_SIZE]);
void crypto_md5(struct str data, uint8_t out[MD5_SIZE]); /* SIP digest only (RFC 8760) */
/* Computes HMAC-SHA256 over the parts, one after another. */
void crypto_hmac_sha256(struct str key, const struct str *parts, size_t n_parts,
                        uint8_t out[SHA256_SIZE]);
bool crypto_equal(struct str a, struct str b); /* constant time for equal lengths */
void crypto_wipe(void *p, size_t n);

/* Authenticated encryption (XChaCha20-Poly1305): a random nonce, then the sealed bytes. `bound` is
 * not part of the result, but must be the same when it is opened. ERR_DENIED: another key, another
 * `bound`, or changed bytes. */
enum { SEAL_KEY_SIZE = 32 };
void buf_put_sealed(struct buf *b, const uint8_t key[SEAL_KEY_SIZE], struct str bound,
                    struct str plain);
MUST_USE enum err sealed_open(struct str sealed, const uint8_t key[SEAL_KEY_SIZE], struct str bound,
                              struct buf *out);

/* Hash passwords with argon2id (RFC 9106) and a random salt; the text holds salt and costs. Each
 * call takes PASSWORD_MEMORY_BYTES while it runs, some 100 ms of a core. It must not run on a
 * thread that others wait for, and only few calls may run at once (the API's hasher). ERR_NOMEM. */
enum { PASSWORD_HASH_SIZE = 128, PASSWORD_MEMORY_BYTES = 64 << 20 };
MUST_USE enum err password_hash(struct str password, char out[PASSWORD_HASH_SIZE]);
bool password_matches(struct str password, const char *hash); /* false also for a bad hash */

void buf_put_base64(struct buf *b, struct str bytes);              /* RFC 4648 §4, padded */
MUST_USE enum err base64_decode(struct str text, struct buf *out); /* strict */
void buf_put_hex(struct buf *b, struct str bytes);                 /* lower case */
