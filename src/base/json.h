/* Reads and writes JSON. Reading uses jansson, which only json.c includes; values are borrowed from
 * the document, which the caller frees. Writing is a few put functions into a buf, since bodies are
 * small, flat and on the hot path. */
#pragma once
#include "base/buf.h"

struct json; /* a value; a document is its root value */

/* Parses a document at most 64 deep; duplicate keys and NUL bytes are refused. On ERR_SYNTAX
 * *ret_where (may be NULL) names the fault and its place, in at most `where_cap` bytes with NUL. */
MUST_USE enum err json_parse(struct str text, struct json **ret_root, char *ret_where,
                             size_t where_cap);
void json_free(struct json *root); /* NULL-safe */

/* Reads one document after another, several times faster: for who reads them by the million. What
 * it says is what json_parse says. A document's values are good until the next one is read; they
 * may be looked at, but neither merged, compared nor written back. Of one thread. */
struct json_reader;
MUST_USE enum err json_reader_new(struct json_reader **ret);
void json_reader_free(struct json_reader *r); /* NULL-safe */
MUST_USE enum err json_read(struct json_reader *r, struct str text, const struct json **ret_root,
                            char *ret_where, size_t where_cap);

enum json_kind {
    JSON_IS_NULL,
    JSON_IS_BOOL,
    JSON_IS_INT,
    JSON_IS_REAL,
    JSON_IS_STRING,
    JSON_IS_ARRAY,
    JSON_IS_OBJECT,
};
enum json_kind json_kind(const struct json *v);
const char *json_kind_name(enum json_kind k); /* "a string" … for messages */
/* Each stores the value in *ret, or returns false when v is NULL or of another type. */
bool json_str(const struct json *v, struct str *ret);
bool json_int(const struct json *v, int64_t *ret);
bool json_bool(const struct json *v, bool *ret);
const struct json *json_get(const struct json *object, const char *key);   /* NULL when absent */
const struct json *json_member(const struct json *object, struct str key); /* the same */
size_t json_len(const struct json *array_or_object);
const struct json *json_at(const struct json *array, size_t i);
/* Walks the members in the order in which they were written: void *it = NULL; while (json_next(o,
 * &it, &key, &v)) */
bool json_next(const struct json *object, void **it, struct str *ret_key,
               const struct json **ret_v);
bool json_same(const struct json *a, const struct json *b); /* members in any order */
/* Makes a new object: the members of `old` (NULL: none) with `patch` (NULL: nothing) merged into
 * them, where a null removes a member (RFC 7396, of the outermost object), and without the member
 * `but`. The new object borrows the values: both must outlive it. The caller frees it by json_free.
 */
struct json *json_merged(const struct json *old, const struct json *patch, const char *but);
/* Writes v back as text, compact. */
void buf_put_json(struct buf *b, const struct json *v);

/* Writes a quoted string: control bytes are escaped, bytes that are not UTF-8 become U+FFFD. */
void buf_put_json_str(struct buf *b, struct str s);

/* A small writer that places the commas: json_obj(&w), json_put_str(&w, "a", s), json_end(&w). */
struct json_writer {
    struct buf *b;
    bool more;
};
void json_obj(struct json_writer *w, const char *key); /* key NULL in arrays and at the root */
void json_arr(struct json_writer *w, const char *key);
void json_end_obj(struct json_writer *w);
void json_end_arr(struct json_writer *w);
void json_put_str(struct json_writer *w, const char *key, struct str s); /* s.p == NULL: null */
void json_put_i64(struct json_writer *w, const char *key, int64_t v);
void json_put_bool(struct json_writer *w, const char *key, bool v);
void json_put_null(struct json_writer *w, const char *key);
void json_put_raw(struct json_writer *w, const char *key, struct str json_text);
