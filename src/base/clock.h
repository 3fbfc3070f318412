/* Time. Wall time is UTC milliseconds since 1970, mono time counts from some start and never goes
 * back. Tests replace both by `clock_fake`, and move them by `clock_advance`. Thread-safe. */
#pragma once
#include "base/str.h"

int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void); /* for durations in metrics */

void clock_fake(int64_t wall_ms); /* from now on both stand still; mono starts at 0 */
void clock_advance(int64_t ms);   /* only while faked */
void clock_real(void);            /* back to the machine's */

#define CLOCK_TEXT_SIZE 32
/* "2024-11-15T14:32:00Z" and "2024-11-15T14:32:00.123Z"; return the length. */
size_t clock_print_sec(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]);
size_t clock_print_ms(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]);
/* The inverse, and RFC 3339 as others write it: "t", "z", an offset ("+01:00"; its `+` may be the
 * blank that a query makes of it), a fraction of up to nine digits (what is below milliseconds is
 * dropped). Real dates of the years 1970 to 9999 alone; second 60, a leap second, is the first of
 * the next minute. ERR_SYNTAX. */
MUST_USE enum err clock_parse(struct str text, int64_t *ret_wall_ms);
