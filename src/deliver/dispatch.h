/* Chooses the lanes whose next attempt starts now. Inside deliver/. */
#pragma once
#include "deliver/courier.h"

void dispatch(struct courier *c); /* at the turn's end */
