/* Inside api/: defines numbers as a kind of setting. */
#pragma once
#include "api/core/resource.h"

extern const struct resource numbers;
uint64_t did_pool(const struct request *r); /* the account `pool`; 0: there is none */
