/* Inside deliver/: which lanes are brought back from the store, and when to look again. */
#pragma once
#include "deliver/courier.h"

void plan(struct courier *c); /* at the turn's end */
