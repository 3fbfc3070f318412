/* Character sets that are not worth tables of our own, by iconv(3) of the C library. */
#pragma once
#include "model/text_out.h"

/* `name` as iconv knows it. What is no character of the set becomes U+FFFD, octet by octet (half
 * of one at the end: once); so does everything where this system's C library came without the set.
 */
void charset_read(const char *name, struct str bytes, struct text_out *out);
