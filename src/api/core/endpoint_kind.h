/* Inside api/: endpoints as a kind of setting. */
#pragma once
#include "api/core/resource.h"

extern const struct resource endpoints;
