/* Says where a list stopped. A list reads a bounded number of rows. It may stop before it has as
 * many as were wanted, even before it has any, and the caller goes on from there. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct list_stop {
    int64_t at_n; /* older rows were not read: the next list begins here */
    bool at_end;  /* there is nothing behind it */
};
