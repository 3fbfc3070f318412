/* Reads a settings document field by field. Each call names a field, checks it, and remembers its
 * name; the first fault sticks; fields_end refuses members that no call named. Only model/ includes
 * this. */
#pragma once
#include "base/json.h"
#include "model/settings.h"

struct fields {
    const struct json *doc;
    struct field_error *fault;
    enum err err;
    struct str known[48]; /* each ends with a NUL */
    size_t n_known;
    uint64_t unlisted;  /* bit i: messages do not list known[i] */
    const char *prefix; /* names that begin so are known as well; NULL: none */
};

void fields_start(struct fields *f, const struct json *doc, struct field_error *fault);
MUST_USE enum err fields_end(struct fields *f);
void field_refuse(struct fields *f, const char *name, const char *why);

/* Gives the member, or NULL when it is absent or null, or after an error. */
const struct json *field_any(struct fields *f, const char *name);
/* Does the same for a member of the program's own, which no list of known fields shows. */
const struct json *field_own(struct fields *f, const char *name);
/* Reads a string of at most cap - 1 bytes of UTF-8 without control bytes; `out` stays unchanged
 * when it is absent. */
void field_text(struct fields *f, const char *name, char *out, size_t cap, bool required);
void field_own_text(struct fields *f, const char *name, char *out, size_t cap);
/* Does the same for a text that may stay in the document. */
void field_slice(struct fields *f, const char *name, size_t max, bool required, const char **out);
void field_own_slice(struct fields *f, const char *name, size_t max, const char **out);
void field_bool(struct fields *f, const char *name, bool *out);
void field_own_bool(struct fields *f, const char *name, bool *out);
void field_u32(struct fields *f, const char *name, uint32_t min, uint32_t max, uint32_t *out);
/* Reads a longer text of several lines (PEM); *out stays unchanged when it is absent or empty. */
void field_long(struct fields *f, const char *name, size_t max, const char **out);
/* Reads an array of `min` to 32 addresses or CIDR blocks as texts; net/addr, which model does not
 * know, judges them. */
void field_sources(struct fields *f, size_t min, char out[SOURCES_MAX][SOURCE_SIZE], size_t *ret_n);
/* Reads country, national_prefix, international_prefix and bare_is_e164: how a carrier writes
 * numbers. */
void field_number_rules(struct fields *f, struct number_rules *out);

void put_sources(struct json_writer *w, const char (*source)[SOURCE_SIZE], size_t n);
void put_number_rules(struct json_writer *w, const struct number_rules *r);
