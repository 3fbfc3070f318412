/* Inside api/: who asks. A credential is an API key ("hsk_…") or the token of a log-in ("hst_…");
 * both come as `Authorization: Bearer …`, and in the DID API in the body. */
#pragma once
#include "api/core/request.h"

enum { CREDENTIAL_SIZE = 45 }; /* "hst_" and 20 random bytes in hex, with NUL */

/* Fills in r's who-asks part by the present book, which r->book becomes; false: nobody we know. */
MUST_USE bool access_by(struct request *r, struct str credential);
/* The same, by the request's Authorization header: Bearer (RFC 6750); where programs ask that can
 * do nothing else, the password of HTTP Basic. On a thread that may read r's headers. */
MUST_USE bool access_by_header(struct request *r, bool takes_basic);
/* A new credential with that prefix, and the hash by which it is found. */
void credential_new(const char *prefix, char out[CREDENTIAL_SIZE], char ret_hash[65]);
void credential_hash(struct str credential, char out[65]);
/* Whether the key that the request came with is still good for what it was, by the present book,
 * which r->book becomes. On the thread that may read r's headers. */
bool request_is_still_allowed(struct request *r);
