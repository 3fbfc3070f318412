/* The keys of the API and its streams, read and judged. Pure. */
#pragma once
#include "api/api.h"
#include "base/config.h"
#include "hub/feed.h"

/* Fill in what has a key; the rest is the caller's. ret_why for people when a value is not allowed.
 */
MUST_USE enum err web_config_api(const struct config *c, struct api_config *ret, char *ret_why,
                                 size_t why_cap);
MUST_USE enum err web_config_feed(const struct config *c, struct feed_config *ret, char *ret_why,
                                  size_t why_cap);
