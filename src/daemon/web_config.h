/* Reads the keys of the API and its streams for the parts that use them. Pure. */
#pragma once
#include "api/api.h"
#include "daemon/config.h"
#include "hub/feed.h"

/* Fill in the members that have a key; the caller fills in the others. Texts point into `c`. */
void web_config_api(const struct config *c, struct api_config *ret);
void web_config_feed(const struct config *c, struct feed_config *ret);
