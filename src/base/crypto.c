/* crypto: hashes and HMAC over OpenSSL, randomness and constant-time compare over libsodium, base64
 * and hex. Any thread. The invariant: only crypto_equal compares secrets.
 *
 * Each thread keeps an HMAC context, since fetching the algorithm costs more than hashing a whole
 * body. */
#include "base/crypto.h"

#include <openssl/evp.h>
#include <openssl/core_names.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

enum err crypto_start(void)
{
    return sodium_init() < 0 ? ERR_BUG : OK;
}

void crypto_random(void *out, size_t n)
{
    randombytes_buf(out, n);
}

/* Draws 64 numbers with one system call: a call for each would cost as much as all other work of a
 * small request. */
uint64_t crypto_random_u64(void)
{
    static _Thread_local uint64_t ready[64];
    static _Thread_local size_t left;
    if (left == 0) {
        randombytes_buf(ready, sizeof ready);
        left = sizeof ready / sizeof *ready;
    }
    uint64_t v = ready[--left];
    ready[left] = 0;
    return v;
}

void crypto_sha256(struct str data, uint8_t out[SHA256_SIZE])
{
    crypto_hash_sha256(out, (const unsigned char *)data.p, data.n);
}

void crypto_md5(struct str data, uint8_t out[MD5_SIZE])
{
    int ok = EVP_Digest(data.p, data.n, out, NULL, EVP_md5(), NULL);
    ASSERT(ok == 1);
}

/* The algorithm, fetched once: an implicit fetch at each use is a look-up under a lock. */
static EVP_MAC *mac;
static pthread_once_t mac_once = PTHREAD_ONCE_INIT;
static pthread_key_t mac_kept; /* only for its destructor: frees a context with its thread */

static void mac_drop(void *context)
{
    EVP_MAC_CTX_free(context);
}

static void mac_fetch(void)
{
    mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    ASSERT(mac && pthread_key_create(&mac_kept, mac_drop) == 0);
}

/* Gives this thread's context, which lives as long as the thread; it names SHA-256 once. */
static EVP_MAC_CTX *mac_context(void)
{
    static _Thread_local EVP_MAC_CTX *kept;
    if (!kept) {
        char digest[] = "SHA256";
        OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0),
                               OSSL_PARAM_construct_end()};
        pthread_once(&mac_once, mac_fetch);
        kept = EVP_MAC_CTX_new(mac);
        ASSERT(kept && EVP_MAC_CTX_set_params(kept, params) &&
               pthread_setspecific(mac_kept, kept) == 0);
    }
    return kept;
}

void crypto_hmac_sha256(struct str key, const struct str *parts, size_t n_parts,
                        uint8_t out[SHA256_SIZE])
{
    static const unsigned char empty[1];
    EVP_MAC_CTX *c = mac_context();
    size_t n;
    int ok = EVP_MAC_init(c, key.n ? (const unsigned char *)key.p : empty, key.n, NULL);
    for (size_t i = 0; ok && i < n_parts; i++)
        ok = EVP_MAC_update(c, (const unsigned char *)parts[i].p, parts[i].n);
    ok = ok && EVP_MAC_final(c, out, &n, SHA256_SIZE);
    ASSERT(ok);
}

bool crypto_equal(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || sodium_memcmp(a.p, b.p, a.n) == 0);
}

void crypto_wipe(void *p, size_t n)
{
    sodium_memzero(p, n);
}

enum {
    NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_SIZE = crypto_aead_xchacha20poly1305_ietf_ABYTES,
};
_Static_assert(SEAL_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "libsodium's");

void buf_put_sealed(struct buf *b, const uint8_t key[SEAL_KEY_SIZE], struct str bound,
                    struct str plain)
{
    unsigned char *out = (unsigned char *)buf_room(b, NONCE_SIZE + plain.n + TAG_SIZE);
    if (!out)
        return;
    crypto_random(out, NONCE_SIZE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        out + NONCE_SIZE, NULL, (const unsigned char *)plain.p, plain.n,
        (const unsigned char *)bound.p, bound.n, NULL, out, key);
    b->n += NONCE_SIZE + plain.n + TAG_SIZE;
}

enum err sealed_open(struct str sealed, const uint8_t key[SEAL_KEY_SIZE], struct str bound,
                     struct buf *out)
{
    if (sealed.n < NONCE_SIZE + TAG_SIZE)
        return ERR_DENIED;
    size_t n = sealed.n - NONCE_SIZE - TAG_SIZE;
    unsigned char *plain = (unsigned char *)buf_room(out, n ? n : 1);
    if (!plain)
        return out->err;
    const unsigned char *nonce = (const unsigned char *)sealed.p;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            plain, NULL, NULL, nonce + NONCE_SIZE, sealed.n - NONCE_SIZE,
            (const unsigned char *)bound.p, bound.n, nonce, key) != 0)
        return ERR_DENIED;
    out->n += n;
    return OK;
}

_Static_assert(PASSWORD_HASH_SIZE >= crypto_pwhash_STRBYTES, "libsodium's");
_Static_assert(PASSWORD_MEMORY_BYTES == crypto_pwhash_MEMLIMIT_INTERACTIVE, "libsodium's");

enum err password_hash(struct str password, char out[PASSWORD_HASH_SIZE])
{
    return crypto_pwhash_str_alg(out, password.p, password.n, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                 crypto_pwhash_MEMLIMIT_INTERACTIVE,
                                 crypto_pwhash_ALG_ARGON2ID13) == 0
               ? OK
               : ERR_NOMEM;
}

bool password_matches(struct str password, const char *hash)
{
    return crypto_pwhash_str_verify(hash, password.p, password.n) == 0;
}

void buf_put_base64(struct buf *b, struct str bytes)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)bytes.p;
    size_t n = bytes.n;
    for (; n >= 3; n -= 3, p += 3) {
        unsigned v = (unsigned)p[0] << 16 | (unsigned)p[1] << 8 | p[2];
        char text[4] = {digit[v >> 18], digit[v >> 12 & 63], digit[v >> 6 & 63], digit[v & 63]};
        buf_put(b, text, 4);
    }
    if (n) {
        unsigned v = (unsigned)p[0] << 16 | (n == 2 ? (unsigned)p[1] << 8 : 0);
        char text[4] = {digit[v >> 18], digit[v >> 12 & 63], n == 2 ? digit[v >> 6 & 63] : '=',
                        '='};
        buf_put(b, text, 4);
    }
}

enum err base64_decode(struct str text, struct buf *out)
{
    size_t n;
    char *to = buf_room(out, text.n / 4 * 3 + 3);
    if (!to)
        return out->err;
    if (sodium_base642bin((unsigned char *)to, text.n / 4 * 3 + 3, text.p, text.n, NULL, &n, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return ERR_SYNTAX;
    out->n += n;
    return OK;
}

void buf_put_hex(struct buf *b, struct str bytes)
{
    static const char digit[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.n; i++) {
        unsigned char c = (unsigned char)bytes.p[i];
        char text[2] = {digit[c >> 4], digit[c & 15]};
        buf_put(b, text, 2);
    }
}
