/* signature: signs and verifies by Standard Webhooks 1.0. The signature covers `id.timestamp.body`,
 * with the exact bytes sent. Any thread. */
#include "model/signature.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"

enum { KEY_MIN = 24, KEY_NEW = 32, MAC_TEXT_SIZE = 64 };
static const char prefix[] = "whsec_";

void secret_new(char out[SECRET_SIZE])
{
    uint8_t key[KEY_NEW];
    struct buf b;
    crypto_random(key, sizeof key);
    buf_wrap(&b, out, SECRET_SIZE - 1);
    buf_puts(&b, prefix);
    buf_put_base64(&b, str_of_bytes(key, sizeof key));
    out[b.n] = '\0';
    crypto_wipe(key, sizeof key);
}

enum err secret_parse(struct str text, struct secret *ret)
{
    char mem[SECRET_KEY_MAX + 8];
    struct buf b;
    if (!str_starts(text, STR("whsec_")) || text.n >= SECRET_SIZE)
        return ERR_SYNTAX;
    buf_wrap(&b, mem, sizeof mem);
    enum err err = base64_decode(str_from(text, sizeof prefix - 1), &b);
    if (err != OK || b.n < KEY_MIN || b.n > SECRET_KEY_MAX)
        return ERR_SYNTAX;
    memcpy(ret->key, mem, b.n);
    ret->n = (uint8_t)b.n;
    crypto_wipe(mem, sizeof mem);
    return OK;
}

static struct str signature_compute(const struct secret *s, struct str id, int64_t timestamp_sec,
                                    struct str body, char out[MAC_TEXT_SIZE])
{
    uint8_t mac[SHA256_SIZE];
    char time[24];
    struct buf b;
    int n = snprintf(time, sizeof time, ".%lld.", (long long)timestamp_sec);
    struct str parts[] = {id, {time, (size_t)n}, body};
    crypto_hmac_sha256(str_of_bytes(s->key, s->n), parts, 3, mac);
    buf_wrap(&b, out, MAC_TEXT_SIZE);
    buf_puts(&b, "v1,");
    buf_put_base64(&b, str_of_bytes(mac, sizeof mac));
    return buf_str(&b);
}

void signature_print(const struct secret *secrets, size_t n, struct str id, int64_t timestamp_sec,
                     struct str body, struct buf *out)
{
    char text[MAC_TEXT_SIZE];
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_putc(out, ' ');
        buf_put_str(out, signature_compute(&secrets[i], id, timestamp_sec, body, text));
    }
}

bool signature_verify(const struct secret *secrets, size_t n, struct str id, int64_t timestamp_sec,
                      struct str body, struct str header)
{
    char text[MAC_TEXT_SIZE];
    bool fits = false;
    while (header.n) {
        struct str one;
        str_cut(header, ' ', &one, &header);
        for (size_t i = 0; i < n; i++)
            fits |=
                crypto_equal(one, signature_compute(&secrets[i], id, timestamp_sec, body, text));
    }
    return fits;
}
