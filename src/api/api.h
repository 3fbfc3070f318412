/* The HTTP side as main sees it: API, metrics, health. Threads of the HTTP server's own. */
#pragma once
#include "api/config.h"
#include "net/addr.h"

struct api;

MUST_USE enum err api_start(const struct api_config *c, struct api **ret, char *ret_why,
                            size_t why_cap);
struct addr api_local(const struct api *a); /* with the real port */
/* Closes the feed, so that its streams end, and waits for what is in hand; NULL-safe. */
void api_stop(struct api *a);
void api_free(struct api *a); /* when nobody is left who could answer a request; NULL-safe */

/* Makes the account `default` and `pool` and the operator key `admin_key` ("" : none) when they are
 * not there; *ret_has_operator: is there any key or user now who may do everything? Before
 * api_start; waits on the store. */
MUST_USE enum err api_bootstrap(struct store *s, struct books *b, const char *admin_key,
                                bool *ret_has_operator);
