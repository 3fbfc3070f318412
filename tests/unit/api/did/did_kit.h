/* The DID API as its clients ask it: by the owner of an account, with the token of his log-in. */
#pragma once
#include "core/api_kit.h"

extern char did_token[128]; /* of the owner of the account acme, once he has logged in */

void did_kit_log_in(void);
/* Asks /api/did/VERB with the token and further members ("\"limit\":4", or ""). */
struct answer *did(const char *verb, const char *members);
bool did_is_good(const struct answer *a); /* "status":true */
void did_pool_has(const char *e164, const char *country);
