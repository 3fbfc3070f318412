/* Inside store/: an event as EVENT_COLUMNS give it; its slices are the row's. */
#pragma once
#include "model/event.h"
#include "store/engine.h"

void event_of_row(const struct value *c, struct event *e);
