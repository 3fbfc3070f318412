/* Switches off an endpoint that is gone (410), or has failed for five days. Inside deliver/. */
#pragma once
#include "deliver/courier.h"

void endpoint_disable(struct courier *c, uint64_t endpoint, const char *why);
