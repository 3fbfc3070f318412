/* Makes and verifies Standard Webhooks 1.0 signatures (v1, HMAC-SHA256). Pure, apart from the
 * random secret. */
#pragma once
#include "base/buf.h"

enum { SECRET_SIZE = 96, SECRET_KEY_MAX = 64 };

struct secret { /* the decoded key */
    uint8_t key[SECRET_KEY_MAX];
    uint8_t n;
};

void secret_new(char out[SECRET_SIZE]); /* "whsec_" + base64 of 32 bytes */
/* "whsec_" + base64 of 24 to 64 bytes (the standard's range). */
MUST_USE enum err secret_parse(struct str text, struct secret *ret);
/* Writes the value of webhook-signature: "v1,…" for each secret, with a blank between them. */
void signature_print(const struct secret *secrets, size_t n, struct str id, int64_t timestamp_sec,
                     struct str body, struct buf *out);
/* True when one of the header's v1 signatures fits one secret (constant time each). */
bool signature_verify(const struct secret *secrets, size_t n, struct str id, int64_t timestamp_sec,
                      struct str body, struct str header);
