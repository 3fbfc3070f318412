/* Time. Wall time is UTC milliseconds since 1970: for timestamps, and for what must be compared
 * with a time that people gave. It is set now and then, by hours if need be. Mono time counts from
 * some start and never jumps: for every wait, deadline and duration. A time that must outlive the
 * process is stored as wall time, and turned into mono time once, when it is read. Tests replace
 * both by `clock_fake`, and move them by `clock_advance` and `clock_step`. Thread-safe. */
#pragma once
#include "base/str.h"

int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void); /* for durations in metrics */

/* The same moment on the other clock, as the two stand now. 0, which means "none", stays 0, and
 * nothing else becomes 0. */
int64_t clock_mono_of(int64_t wall_ms); /* a stored time, once, when it is read */
int64_t clock_wall_of(int64_t mono_ms); /* for what is stored, or shown */
/* How far the wall clock was moved by hand or by NTP since the process started. Wall time less this
 * is steady: for deadlines that stand in rows alone, and are written and looked at by one process
 * mostly. A restart begins with 0. */
int64_t clock_moved_ms(void);

void clock_fake(int64_t wall_ms); /* from now on both stand still; mono starts at 0 */
void clock_advance(int64_t ms);   /* only while faked */
void clock_step(int64_t ms);      /* only while faked: somebody sets the wall clock */
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
