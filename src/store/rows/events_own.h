/* Inside store/: reads an event from the EVENT_COLUMNS of a row; its slices point into the row. */
#pragma once
#include "model/event.h"
#include "store/engine.h"

void event_of_row(const struct value *c, struct event *e);
