/* Inside api/: defines endpoints as a kind of setting. */
#pragma once
#include "api/core/resource.h"

extern const struct resource endpoints;
/* Prints the document of an endpoint that was read and changed. */
MUST_USE enum err record_print_endpoint(struct record *rec, const struct endpoint *e);
