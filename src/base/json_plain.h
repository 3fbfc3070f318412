/* Inside base/: documents read without the library, as long as they are plain: objects, arrays,
 * whole numbers, true, false, null, and strings without escapes, as our own printers write them
 * nearly always. Whatever else a text holds, and every fault, is for the library to judge. */
#pragma once
#include "base/str.h"

/* A value. The values within it stand behind it, each followed by its own. */
struct plain {
    int type;       /* enum plain_type, which no type of the library's equals */
    uint32_t n;     /* members, elements, or bytes of a string */
    uint32_t span;  /* values, itself and all within it */
    uint32_t key_n; /* of a member */
    const char *key;
    union {
        const char *text; /* ends with a NUL */
        int64_t i;        /* of a number, or 0 and 1 */
    };
};

enum plain_type {
    PLAIN_NULL = 1000,
    PLAIN_BOOL,
    PLAIN_INT,
    PLAIN_STRING,
    PLAIN_ARRAY,
    PLAIN_OBJECT,
};

struct plain_reader { /* begins zeroed; its memory is used again by each document */
    struct plain *value;
    char *text; /* a copy, whose strings have been ended */
    size_t cap; /* bytes of text that both have room for */
    size_t n_values;
};

/* The document's object, valid until the next; NULL: it is not plain, or there is no memory. */
const struct plain *plain_read(struct plain_reader *r, struct str text);
void plain_reader_fini(struct plain_reader *r);

const struct plain *plain_get(const struct plain *object, struct str key); /* or NULL */
const struct plain *plain_at(const struct plain *array, size_t i);         /* or NULL */
/* The value after `v` among those of `in`; `v` NULL: the first; NULL at the end. */
const struct plain *plain_next(const struct plain *in, const struct plain *v);
