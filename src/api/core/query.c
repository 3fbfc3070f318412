/* query: reads pages, cursors and times of lists, and refuses input that is not allowed. Pure but
 * for the request it reads. */
#include "api/core/query.h"

#include <stdio.h>
#include <string.h>

#include "net/url.h"

static enum err request_refuse_member(struct request *r, const char *name, const char *names)
{
    char why[sizeof r->fault.why];
    snprintf(why, sizeof why, *names ? "no such field; known: %s" : "no such field", names);
    return request_refuse(r, name, why);
}

enum err request_members(struct request *r, const char *names)
{
    void *it = NULL;
    struct str key, rest, one;
    const struct json *v;
    if (json_kind(r->json) != JSON_IS_OBJECT)
        return request_refuse(r, "body", "one object");
    while (json_next(r->json, &it, &key, &v)) {
        bool known = false;
        for (rest = str_of(names); rest.n && !known; known = str_eq(str_trim(one), key))
            str_cut(rest, ',', &one, &rest);
        if (!known)
            return request_refuse_member(r, key.p, names);
    }
    return OK;
}

enum err request_list_scope(struct request *r, uint64_t *ret)
{
    struct str name = request_query(r, "account");
    const struct book_account *a = NULL;
    *ret = request_scope(r);
    if (!name.p)
        return OK;
    if (!r->is_operator)
        return request_refuse(r, "account", "asked for by the operator alone");
    if (!(a = book_account_named(r->book, name)))
        return ERR_NOT_FOUND;
    *ret = a->n;
    return OK;
}

enum err request_limit(struct request *r, unsigned *ret)
{
    struct str limit = request_query(r, "limit");
    uint64_t v = 50;
    if (limit.n && (str_to_u64(limit, 500, &v) != OK || v == 0))
        return request_refuse(r, "limit", "a whole number from 1 to 500");
    *ret = (unsigned)v;
    return OK;
}

enum err request_page(struct request *r, enum cursor_of of, unsigned *ret_limit,
                      int64_t *ret_cursor)
{
    struct cursor c = {.of = of, .owner = request_scope(r)};
    struct str text = request_query(r, "cursor");
    enum err err = request_limit(r, ret_limit);
    if (err == OK && text.n && cursor_parse(r->api->cursor_key, text, &c) != OK)
        err = request_refuse(r, "cursor", "a next_cursor from an answer to this list");
    *ret_cursor = c.n;
    return err;
}

void list_begin(struct request *r, struct json_writer *w)
{
    r->http.status = 200;
    *w = (struct json_writer){&r->http.out, false};
    json_obj(w, NULL);
    json_arr(w, "data");
}

void list_end(struct request *r, struct json_writer *w, enum cursor_of of, int64_t next)
{
    struct cursor c = {.of = of, .owner = request_scope(r), .n = next};
    char text[CURSOR_SIZE];
    json_end_arr(w);
    cursor_print(r->api->cursor_key, &c, text);
    json_put_str(w, "next_cursor", next ? str_of(text) : (struct str){0});
    json_end_obj(w);
}

/* A `+` in a query arrives as a blank. */
struct str request_number(struct request *r, const char *name, char out[NUMBER_SIZE])
{
    struct str s = request_query(r, name);
    if (!s.n || str_copy(s, out, NUMBER_SIZE) != OK)
        return s;
    if (out[0] == ' ')
        out[0] = '+';
    return str_of(out);
}

struct str request_did(struct request *r, char out[NUMBER_SIZE])
{
    struct str s = request_number(r, "number", out);
    if (!s.n || s.p[0] < '0' || s.p[0] > '9' || s.n + 2 > NUMBER_SIZE)
        return s;
    memmove(out + 1, out, s.n + 1);
    out[0] = '+';
    return str_of(out);
}

static enum err request_parse_time(struct request *r, const char *name, struct str text,
                                   int64_t *ret_ms)
{
    uint64_t v;
    *ret_ms = 0;
    if (!text.n)
        return OK;
    if (str_to_u64(text, 1ull << 52, &v) == OK) {
        *ret_ms = (int64_t)v;
        return OK;
    }
    if (clock_parse(text, ret_ms) != OK)
        return request_refuse(r, name,
                              "a time like 2024-11-15T14:32:00Z, or milliseconds since 1970");
    return OK;
}

enum err request_time(struct request *r, const char *name, int64_t *ret_ms)
{
    return request_parse_time(r, name, request_query(r, name), ret_ms);
}

enum err request_body_time(struct request *r, const char *name, int64_t *ret_ms)
{
    const struct json *v = json_get(r->json, name);
    struct str text;
    *ret_ms = 0;
    if (!v || json_kind(v) == JSON_IS_NULL)
        return OK;
    if (json_int(v, ret_ms) && *ret_ms > 0)
        return OK;
    if (!json_str(v, &text) || !text.n)
        return request_refuse(r, name,
                              "a time like 2024-11-15T14:32:00Z, or milliseconds since 1970");
    return request_parse_time(r, name, text, ret_ms);
}

void put_time(struct json_writer *w, const char *key, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];
    if (ms)
        json_put_str(w, key, (struct str){text, clock_print_ms(ms, text)});
    else
        json_put_null(w, key);
}

enum err request_check_url(struct request *r, const char *field, struct str text)
{
    struct url url;
    const char *why = "";
    if (url_parse(text, &url, &why) == OK)
        return OK;
    snprintf(r->fault.field, sizeof r->fault.field, "%s", field);
    snprintf(r->fault.why, sizeof r->fault.why, "an http or https URL (%s)", why);
    return ERR_INVALID;
}
