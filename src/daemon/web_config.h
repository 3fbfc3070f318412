/* The keys of the API and its streams, as these take them. Pure. */
#pragma once
#include "api/api.h"
#include "daemon/config.h"
#include "hub/feed.h"

/* Fill in what has a key; the rest is the caller's. Texts point into `c`. */
void web_config_api(const struct config *c, struct api_config *ret);
void web_config_feed(const struct config *c, struct feed_config *ret);
