/* Parses form bodies (application/x-www-form-urlencoded, WHATWG URL §5.1) into names and values, as
 * browsers, carriers and old HTTP clients write them. Pure, apart from the memory that it
 * allocates. */
#pragma once
#include "base/buf.h"

enum { FORM_MAX = 64 }; /* pairs in one body */

struct form {
    size_t n;
    struct {
        struct str name, value; /* decoded UTF-8, no NUL byte; slices into mem; p is never NULL */
    } at[FORM_MAX];             /* in the order they came; a name may come twice */
    struct buf mem;
};

/* `+` is a blank, %XX a byte; a name without `=` has an empty value, an empty piece is skipped.
 * ERR_SYNTAX: a % without two hex digits, a NUL byte, or text that is not UTF-8; ERR_TOO_BIG: more
 * than FORM_MAX pairs; ERR_NOMEM. On error there is nothing to fini. The caller may free the body
 * afterwards. */
MUST_USE enum err form_parse(struct str body, struct form *ret);
void form_fini(struct form *f);                              /* idempotent */
struct str form_get(const struct form *f, const char *name); /* the first; absent: p == NULL */
