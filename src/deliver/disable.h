/* Inside deliver/: an endpoint that is gone (410), or failing for five days, is switched off. */
#pragma once
#include "deliver/courier.h"

void endpoint_disable(struct courier *c, uint64_t endpoint, const char *why);
