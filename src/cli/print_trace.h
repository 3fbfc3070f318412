/* Prints a call's SIP messages on a terminal. */
#pragma once
#include "cli/print.h"

/* `answer`: of GET /v1/calls/{id}/trace. `width` 0: f is no terminal. */
void print_trace(FILE *f, const struct json *answer, size_t width);
