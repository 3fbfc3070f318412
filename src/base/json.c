/* json: reads JSON by jansson, and writes it by our own code.
 *
 * A `struct json` is jansson's value under another name, which only this file knows. Documents are
 * immutable after parsing and may be read by several threads. Depth is bounded before jansson
 * recurses. */
#include "base/json.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/json_plain.h"
#include "base/log.h"

enum {
    DEPTH_MAX = 64,
    MEMORY_MIN = 512,
    MEMORY_PER_BYTE = 8,
    MEMORY_FIRST_MAX = 65536,
    MERGED_FIRST = 4096
};

/* The arena of the document that this thread is reading: all memory that the library takes
 * meanwhile belongs to it. */
static _Thread_local struct arena *reading;

/* Both begin with an int that says their type. */
static const struct plain *plain_of(const struct json *v)
{
    const void *p = v;
    return p && *(const int *)p >= PLAIN_NULL ? p : NULL;
}

static json_t *jansson_of(const struct json *v)
{
    ASSERT(!plain_of(v));          /* a reader's value may be looked at, and no more */
    return (json_t *)(uintptr_t)v; /* jansson's readers take no const; we only read */
}

/* Counts how deep the brackets outside of strings are nested. It is cheap, and bounds the recursion
 * of the real parser. */
static bool is_too_deep(struct str text)
{
    size_t depth = 0;
    bool string = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                string = false;
        } else if (c == '"')
            string = true;
        else if (c == '{' || c == '[') {
            if (++depth > DEPTH_MAX)
                return true;
        } else if ((c == '}' || c == ']') && depth)
            depth--;
    }
    return false;
}

/* Ends the process when an allocation failed. The library would take that for a shorter text, and
 * might read past its end. Stored data is safe, and the supervisor starts the process again. */
static void *memory_or_end(void *memory)
{
    if (memory)
        return memory;
    log_error("json", "out of memory: ending now");
    _exit(70);
}

static void *arena_alloc_hook(size_t n)
{
    return memory_or_end(reading ? arena_take(reading, n) : malloc(n));
}

static void arena_free_hook(void *p)
{
    if (!reading)
        free(p);
}

static void memory_hooks_set(void)
{
    json_set_alloc_funcs(arena_alloc_hook, arena_free_hook);
}

/* True for true, false and null, which are the library's own and belong to no document. */
static bool is_shared(const json_t *v)
{
    return json_is_boolean(v) || json_is_null(v);
}

static json_t *read_document(struct str text, json_error_t *error)
{
    size_t first = text.n < MEMORY_FIRST_MAX / MEMORY_PER_BYTE
                       ? text.n * MEMORY_PER_BYTE + MEMORY_MIN
                       : MEMORY_FIRST_MAX;
    struct arena *memory = reading = memory_or_end(arena_new(first));
    json_t *root =
        json_loadb(text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, error);
    reading = NULL;
    if (!root || is_shared(root))
        arena_free(memory);
    return root;
}

/* Gives the library's text for a fault, except where that text speaks of its flags. */
static const char *fault_text(const json_error_t *e)
{
    return json_error_code(e) == json_error_null_character ? "\\u0000 is not taken" : e->text;
}

enum err json_parse(struct str text, struct json **ret_root, char *ret_where, size_t where_cap)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    json_error_t error;
    pthread_once(&once, memory_hooks_set);
    if (is_too_deep(text)) {
        if (ret_where)
            snprintf(ret_where, where_cap, "nested more than %d deep", DEPTH_MAX);
        return ERR_SYNTAX;
    }
    if (text.n && memchr(text.p, '\0', text.n)) { /* the library overlooks one behind a number */
        if (ret_where)
            snprintf(ret_where, where_cap, "a NUL byte");
        return ERR_SYNTAX;
    }
    json_t *root = read_document(text, &error);
    if (!root) {
        if (ret_where)
            snprintf(ret_where, where_cap, "%s (line %d, column %d)", fault_text(&error),
                     error.line, error.column);
        return ERR_SYNTAX;
    }
    *ret_root = (struct json *)root;
    return OK;
}

static void object_member_set(json_t *object, struct str key, const struct json *v)
{
    if (json_object_setn_new_nocheck(object, key.p, key.n, json_incref(jansson_of(v))) != 0)
        memory_or_end(NULL);
}

struct json *json_merged(const struct json *old, const struct json *patch, const char *but)
{
    struct str key;
    const struct json *v;
    void *it = NULL;
    reading = memory_or_end(arena_new(MERGED_FIRST)); /* json_free finds it by the object in it */
    json_t *ret = memory_or_end(json_object());
    while (json_next(old, &it, &key, &v))
        if (!str_eq(key, str_of(but)) &&
            (!patch || !json_object_getn(jansson_of(patch), key.p, key.n)))
            object_member_set(ret, key, v);
    for (it = NULL; json_next(patch, &it, &key, &v);)
        if (!json_is_null(jansson_of(v)) && !str_eq(key, str_of(but)))
            object_member_set(ret, key, v);
    reading = NULL;
    return (struct json *)ret;
}

void json_free(struct json *root)
{
    if (root && !is_shared((json_t *)root))
        arena_free(arena_of(root));
}

struct json_reader {
    struct plain_reader plain;
    struct json *other; /* of the last document, when it was not plain */
};

enum err json_reader_new(struct json_reader **ret)
{
    *ret = calloc(1, sizeof **ret);
    return *ret ? OK : ERR_NOMEM;
}

void json_reader_free(struct json_reader *r)
{
    if (!r)
        return;
    plain_reader_fini(&r->plain);
    json_free(r->other);
    free(r);
}

enum err json_read(struct json_reader *r, struct str text, const struct json **ret_root,
                   char *ret_where, size_t where_cap)
{
    json_free(r->other);
    r->other = NULL;
    *ret_root = (const struct json *)plain_read(&r->plain, text);
    if (*ret_root)
        return OK;
    enum err err = json_parse(text, &r->other, ret_where, where_cap);
    *ret_root = r->other;
    return err;
}

enum json_kind json_kind(const struct json *v)
{
    static const enum json_kind plain_kind[] = {JSON_IS_NULL,   JSON_IS_BOOL,  JSON_IS_INT,
                                                JSON_IS_STRING, JSON_IS_ARRAY, JSON_IS_OBJECT};
    const struct plain *p = plain_of(v);
    if (p)
        return plain_kind[p->type - PLAIN_NULL];
    switch (json_typeof(jansson_of(v))) {
    case JSON_OBJECT: return JSON_IS_OBJECT;
    case JSON_ARRAY: return JSON_IS_ARRAY;
    case JSON_STRING: return JSON_IS_STRING;
    case JSON_INTEGER: return JSON_IS_INT;
    case JSON_REAL: return JSON_IS_REAL;
    case JSON_TRUE:
    case JSON_FALSE: return JSON_IS_BOOL;
    default: return JSON_IS_NULL;
    }
}

const char *json_kind_name(enum json_kind k)
{
    static const char *const name[] = {"null",     "true or false", "a whole number", "a number",
                                       "a string", "an array",      "an object"};
    return name[k];
}

bool json_str(const struct json *v, struct str *ret)
{
    const struct plain *p = plain_of(v);
    if (p && p->type == PLAIN_STRING)
        *ret = (struct str){p->text, p->n};
    if (p)
        return p->type == PLAIN_STRING;
    if (!json_is_string(jansson_of(v)))
        return false;
    *ret = (struct str){json_string_value(jansson_of(v)), json_string_length(jansson_of(v))};
    return true;
}

bool json_int(const struct json *v, int64_t *ret)
{
    const struct plain *p = plain_of(v);
    if (p && p->type == PLAIN_INT)
        *ret = p->i;
    if (p)
        return p->type == PLAIN_INT;
    if (!json_is_integer(jansson_of(v)))
        return false;
    *ret = json_integer_value(jansson_of(v));
    return true;
}

bool json_bool(const struct json *v, bool *ret)
{
    const struct plain *p = plain_of(v);
    if (p && p->type == PLAIN_BOOL)
        *ret = p->i;
    if (p)
        return p->type == PLAIN_BOOL;
    if (!json_is_boolean(jansson_of(v)))
        return false;
    *ret = json_is_true(jansson_of(v));
    return true;
}

const struct json *json_get(const struct json *object, const char *key)
{
    const struct plain *p = plain_of(object);
    if (p)
        return (const struct json *)plain_get(p, str_of(key));
    return (const struct json *)json_object_get(jansson_of(object), key);
}

const struct json *json_member(const struct json *object, struct str key)
{
    const struct plain *p = plain_of(object);
    if (p)
        return (const struct json *)plain_get(p, key);
    return (const struct json *)json_object_getn(jansson_of(object), key.p, key.n);
}

size_t json_len(const struct json *v)
{
    const struct plain *p = plain_of(v);
    if (p)
        return p->type == PLAIN_ARRAY || p->type == PLAIN_OBJECT ? p->n : 0;
    return json_is_array(jansson_of(v)) ? json_array_size(jansson_of(v))
                                        : json_object_size(jansson_of(v));
}

bool json_same(const struct json *a, const struct json *b)
{
    return json_equal(jansson_of(a), jansson_of(b));
}

const struct json *json_at(const struct json *array, size_t i)
{
    const struct plain *p = plain_of(array);
    if (p)
        return (const struct json *)plain_at(p, i);
    return (const struct json *)json_array_get(jansson_of(array), i);
}

bool json_next(const struct json *object, void **it, struct str *ret_key, const struct json **ret_v)
{
    const struct plain *p = plain_of(object);
    if (p) {
        const struct plain *v = p->type == PLAIN_OBJECT ? plain_next(p, *it) : NULL;
        *it = (void *)(uintptr_t)v;
        if (!v)
            return false;
        *ret_key = (struct str){v->key, v->key_n};
        *ret_v = (const struct json *)v;
        return true;
    }
    *it =
        *it ? json_object_iter_next(jansson_of(object), *it) : json_object_iter(jansson_of(object));
    if (!*it)
        return false;
    *ret_key = str_of(json_object_iter_key(*it));
    *ret_v = (const struct json *)json_object_iter_value(*it);
    return true;
}

static int dump_chunk_put(const char *bytes, size_t n, void *arg)
{
    buf_put(arg, bytes, n);
    return 0;
}

void buf_put_json(struct buf *b, const struct json *v)
{
    if (json_dump_callback(jansson_of(v), dump_chunk_put, b, JSON_COMPACT | JSON_ENCODE_ANY) != 0 &&
        b->err == OK)
        b->err = ERR_NOMEM;
}

/* Strings are written as JSON.stringify and Python's json.dumps(ensure_ascii=False) write them, byte
 * for byte: so a receiver that parses a body and prints it again can still verify it. */

/* True for a byte that needs no escape inside a JSON string. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c <= 0x7F && c != '"' && c != '\\';
}

static void put_escaped(struct buf *b, unsigned char c)
{
    switch (c) {
    case '"': buf_put(b, "\\\"", 2); break;
    case '\\': buf_put(b, "\\\\", 2); break;
    case '\b': buf_put(b, "\\b", 2); break;
    case '\f': buf_put(b, "\\f", 2); break;
    case '\n': buf_put(b, "\\n", 2); break;
    case '\r': buf_put(b, "\\r", 2); break;
    case '\t': buf_put(b, "\\t", 2); break;
    default: buf_printf(b, "\\u%04x", c);
    }
}

void buf_put_json_str(struct buf *b, struct str s)
{
    size_t from = 0, i = 0;
    buf_putc(b, '"');
    while (i < s.n) {
        unsigned char c = (unsigned char)s.p[i];
        if (is_plain(c)) {
            i++;
            continue;
        }
        size_t n = c < 0x80 ? 0 : str_utf8_at(s, i);
        if (n) {
            i += n;
            continue;
        }
        buf_put(b, s.p + from, i - from);
        if (c < 0x80)
            put_escaped(b, c);
        else
            buf_puts(b, "\xEF\xBF\xBD"); /* U+FFFD */
        from = ++i;
    }
    buf_put(b, s.p + from, i - from);
    buf_putc(b, '"');
}

static void put_key(struct json_writer *w, const char *key)
{
    if (w->more)
        buf_putc(w->b, ',');
    w->more = true;
    if (key) {
        buf_put_json_str(w->b, str_of(key));
        buf_putc(w->b, ':');
    }
}

void json_obj(struct json_writer *w, const char *key)
{
    put_key(w, key);
    buf_putc(w->b, '{');
    w->more = false;
}

void json_arr(struct json_writer *w, const char *key)
{
    put_key(w, key);
    buf_putc(w->b, '[');
    w->more = false;
}

void json_end_obj(struct json_writer *w)
{
    buf_putc(w->b, '}');
    w->more = true;
}

void json_end_arr(struct json_writer *w)
{
    buf_putc(w->b, ']');
    w->more = true;
}

void json_put_str(struct json_writer *w, const char *key, struct str s)
{
    put_key(w, key);
    if (s.p)
        buf_put_json_str(w->b, s);
    else
        buf_puts(w->b, "null");
}

void json_put_i64(struct json_writer *w, const char *key, int64_t v)
{
    put_key(w, key);
    buf_put_i64(w->b, v);
}

void json_put_bool(struct json_writer *w, const char *key, bool v)
{
    put_key(w, key);
    buf_puts(w->b, v ? "true" : "false");
}

void json_put_null(struct json_writer *w, const char *key)
{
    put_key(w, key);
    buf_puts(w->b, "null");
}

void json_put_raw(struct json_writer *w, const char *key, struct str json_text)
{
    put_key(w, key);
    buf_put_str(w->b, json_text);
}
