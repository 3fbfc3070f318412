/* Measures how old the oldest pending delivery is, for the metric. Inside deliver/. */
#pragma once
#include "deliver/courier.h"

void age_watch(struct courier *c); /* the first courier does it for all */
