/* Whole numbers of the configuration, each within its bounds. Pure. */
#pragma once
#include "base/config.h"

struct config_number {
    enum config_key key;
    int64_t min, max;
};

/* Into value[i] those of number[i]. ERR_*: *why says which key, and from what to what it may go. */
MUST_USE enum err config_numbers(const struct config *c, const struct config_number *number,
                                 size_t n, int64_t *value, char *why, size_t cap);
