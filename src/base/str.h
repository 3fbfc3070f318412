/* Defines slices: a pointer and a length into bytes that someone else owns. A slice may hold any
 * byte, and no code may expect a NUL behind it. An absent string has p == NULL and n == 0. Pure, no
 * allocation apart from str_dup. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){("" literal), sizeof(literal) - 1})
#define STR_FMT(s)   (int)(s).n, (s).p /* for "%.*s"; s.n must be below INT_MAX */

struct str str_of(const char *z);                 /* z may be NULL */
bool str_eq(struct str a, struct str b);          /* bytes */
bool str_eq_nocase(struct str a, struct str b);   /* ASCII case folded */
bool str_starts(struct str s, struct str prefix); /* bytes */
bool str_starts_nocase(struct str s, struct str prefix);
int str_cmp(struct str a, struct str b);                 /* memcmp order, shorter first */
struct str str_trim(struct str s);                       /* space, tab, CR, LF off both ends */
struct str str_from(struct str s, size_t at);            /* s[at..]; empty when at > n */
struct str str_slice(struct str s, size_t at, size_t n); /* clamped */
size_t str_find(struct str s, char byte);                /* index, or s.n when absent */
/* Cuts s at the first `byte`: *ret_head before it, *ret_tail after; false (head = s, tail empty)
 * when there is none. */
bool str_cut(struct str s, char byte, struct str *ret_head, struct str *ret_tail);
/* Reads the whole string as decimal digits, at most `max`; else ERR_SYNTAX or ERR_TOO_BIG. */
MUST_USE enum err str_to_u64(struct str s, uint64_t max, uint64_t *ret);
/* Gives at most the first `max` bytes; UTF-8 is cut at the end of a whole character. */
struct str str_slice_utf8(struct str s, size_t max);
bool str_is_utf8(struct str s);              /* RFC 3629: no overlongs, no surrogates */
size_t str_utf8_at(struct str s, size_t at); /* bytes of the well-formed character there, or 0 */
/* Copies at most cap - 1 bytes and a NUL; ERR_TOO_BIG (dst = "") when s does not fit. */
MUST_USE enum err str_copy(struct str s, char *dst, size_t cap);
/* Makes a NUL-terminated heap copy; NULL when out of memory. */
char *str_dup(struct str s);

static inline struct str str_of_bytes(const void *p, size_t n)
{
    return (struct str){(const char *)p, n};
}
