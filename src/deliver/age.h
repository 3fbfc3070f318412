/* Inside deliver/: how old the oldest pending delivery is, for the metric. */
#pragma once
#include "deliver/courier.h"

void age_watch(struct courier *c); /* the first courier asks, for all */
