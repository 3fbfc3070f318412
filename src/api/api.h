/* Starts and stops the HTTP side for main: API, metrics, health. It has threads of its own. */
#pragma once
#include "api/core/bootstrap.h"
#include "api/core/config.h"
#include "net/addr.h"

struct api;

MUST_USE enum err api_start(const struct api_config *c, struct api **ret, char *ret_why,
                            size_t why_cap);
/* Takes from `now` what may change while it runs: rate_per_sec, connections_per_address,
 * trusted_proxies, proxy_header. On failure the last three stay as they were; *ret_why says why. */
MUST_USE enum err api_reload(struct api *a, const struct api_config *now, char *ret_why,
                             size_t why_cap);
struct addr api_local(const struct api *a); /* with the real port */
/* Closes the feed, so that its streams end, and waits for what is in hand; NULL-safe. */
void api_stop(struct api *a);
void api_free(struct api *a); /* when nobody is left who could answer a request; NULL-safe */
