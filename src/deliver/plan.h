/* Chooses the lanes that are brought back from the store, and when to look again. Inside deliver/.
 */
#pragma once
#include "deliver/courier.h"

void plan(struct courier *c); /* at the turn's end */
