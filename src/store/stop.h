/* Where a list stopped. Lists look at a bounded number of rows: they may stop before they have as
 * many as were wanted, even before they have any, and the caller goes on from there. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct list_stop {
    int64_t at_n; /* what is older has not been looked at: where the next list begins */
    bool at_end;  /* there is nothing behind it */
};
