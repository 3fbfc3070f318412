/* Inside deliver/: whose lane goes next. */
#pragma once
#include "deliver/courier.h"

void dispatch(struct courier *c); /* at the turn's end */
