/* numbers_config: reads tables of keys that hold whole numbers. Called by those who read a part of
 * the configuration at the start. */
#include "daemon/numbers_config.h"

#include <stdio.h>

enum err config_numbers(const struct config *c, const struct config_number *number, size_t n,
                        int64_t *value, char *why, size_t cap)
{
    for (size_t i = 0; i < n; i++) {
        enum err err = config_int(c, number[i].key, number[i].min, number[i].max, &value[i]);
        if (err != OK) {
            snprintf(why, cap, "%s: a whole number from %lld to %lld is needed",
                     config_name(number[i].key), (long long)number[i].min,
                     (long long)number[i].max);
            return err;
        }
    }
    return OK;
}
