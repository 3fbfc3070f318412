/* Inside api/: finds the asker by a credential. A credential is an API key ("hsk_…") or the token
 * of a log-in ("hst_…"); both come as `Authorization: Bearer …`, and in the DID API in the body. */
#pragma once
#include "api/core/request.h"

enum { CREDENTIAL_SIZE = 45 }; /* "hst_" and 20 random bytes in hex, with NUL */

/* Fills in r's asker by the present book, which r->book becomes. False: the credential is unknown,
 * or good no more. */
MUST_USE bool access_by(struct request *r, struct str credential);
/* Does the same by the request's Authorization header: Bearer (RFC 6750); with `takes_basic` also
 * the password of HTTP Basic, for programs that can do nothing else. On a thread that may read r's
 * headers. */
MUST_USE bool access_by_header(struct request *r, bool takes_basic);
/* Makes a credential with that prefix, and the hash by which it is found. */
void credential_new(const char *prefix, char out[CREDENTIAL_SIZE], char ret_hash[65]);
void credential_hash(struct str credential, char out[65]);
/* May the request's key still read the same account, by the present book, which r->book becomes? On
 * the thread that may read r's headers. */
bool request_is_still_allowed(struct request *r);
