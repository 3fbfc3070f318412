/* Reads the two clocks. Wall time is UTC milliseconds since 1970. It serves for timestamps and for
 * comparison with times that people gave. People and NTP set it now and then, even by hours. Mono
 * time counts from some start and never jumps. It serves for every wait, deadline and duration. A
 * time that must outlive the process is stored as wall time and converted to mono time once, when
 * it is read. Tests replace both clocks by `clock_fake`, and move them by `clock_advance` and
 * `clock_step`. Thread-safe. */
#pragma once
#include "base/str.h"

int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void); /* for durations in metrics */

/* Convert a moment to the other clock, by the present difference of the two. 0 means "none" and
 * stays 0; no other value becomes 0. */
int64_t clock_mono_of(int64_t wall_ms); /* for a stored time, once, when it is read */
int64_t clock_wall_of(int64_t mono_ms); /* for times that are stored or shown */
/* Tells how far people or NTP moved the wall clock since the process started. Wall time less this
 * is steady. It serves for deadlines that stand only in rows, and that mostly one process writes
 * and reads. A restart begins with 0. */
int64_t clock_moved_ms(void);

void clock_fake(int64_t wall_ms); /* from now on both clocks stand still; mono starts at 0 */
void clock_advance(int64_t ms);   /* only while faked */
void clock_step(int64_t ms);      /* only while faked: sets the wall clock, as a person would */
void clock_real(void);            /* back to the machine's */

#define CLOCK_TEXT_SIZE 32
/* "2024-11-15T14:32:00Z" and "2024-11-15T14:32:00.123Z"; return the length. */
size_t clock_print_sec(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]);
size_t clock_print_ms(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]);
/* Parses such a text, and RFC 3339 as others write it: "t", "z", an offset ("+01:00"; a query may
 * have turned its `+` into a blank), a fraction of up to nine digits (digits below milliseconds are
 * dropped). Only real dates of the years 1970 to 9999 are accepted; second 60, a leap second, is
 * read as the first second of the next minute. ERR_SYNTAX. */
MUST_USE enum err clock_parse(struct str text, int64_t *ret_wall_ms);
/* Parses a date of HTTP in its three forms (RFC 9110 §5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT",
 * "Sunday, 06-Nov-94 08:49:37 GMT" and "Sun Nov  6 08:49:37 1994". ERR_SYNTAX. */
MUST_USE enum err clock_parse_http(struct str text, int64_t *ret_wall_ms);
