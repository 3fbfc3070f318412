/* Reading a settings document field by field: each call names a field, checks it, and remembers its
 * name; the first fault sticks; fields_end refuses what nobody named. Only model/ includes this. */
#pragma once
#include "base/json.h"
#include "model/settings.h"

struct fields {
    const struct json *doc;
    struct field_error *fault;
    enum err err;
    struct str known[48]; /* each ends with a NUL */
    size_t n_known;
    uint64_t unlisted;  /* bit i: known[i] is not for people */
    const char *prefix; /* names that begin so are known as well; NULL: none */
};

void fields_start(struct fields *f, const struct json *doc, struct field_error *fault);
MUST_USE enum err fields_end(struct fields *f);
void field_refuse(struct fields *f, const char *name, const char *why);

/* The member, or NULL when it is absent, null, or an error stuck. */
const struct json *field_any(struct fields *f, const char *name);
/* The same of a member that is the program's own: no list of what is known tells of it. */
const struct json *field_own(struct fields *f, const char *name);
/* A string of at most cap - 1 bytes of UTF-8 without control bytes; left alone when absent. */
void field_text(struct fields *f, const char *name, char *out, size_t cap, bool required);
void field_own_text(struct fields *f, const char *name, char *out, size_t cap);
/* The same, where the text may stay in the document; left alone when absent. */
void field_slice(struct fields *f, const char *name, size_t max, bool required, const char **out);
void field_own_slice(struct fields *f, const char *name, size_t max, const char **out);
void field_bool(struct fields *f, const char *name, bool *out);
void field_own_bool(struct fields *f, const char *name, bool *out);
void field_u32(struct fields *f, const char *name, uint32_t min, uint32_t max, uint32_t *out);
/* A longer one of several lines (PEM); left alone when absent or empty. */
void field_long(struct fields *f, const char *name, size_t max, const char **out);
/* An array of `min` to 32 addresses or CIDR blocks, as texts: net/addr judges them, which model
 * does not know. */
void field_sources(struct fields *f, size_t min, char out[SOURCES_MAX][SOURCE_SIZE], size_t *ret_n);
/* country, national_prefix, international_prefix, bare_is_e164: how a carrier writes numbers. */
void field_number_rules(struct fields *f, struct number_rules *out);

void put_sources(struct json_writer *w, const char (*source)[SOURCE_SIZE], size_t n);
void put_number_rules(struct json_writer *w, const struct number_rules *r);
