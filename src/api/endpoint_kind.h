/* Inside api/: endpoints as a kind of setting. */
#pragma once
#include "api/resource.h"

extern const struct resource endpoints;
