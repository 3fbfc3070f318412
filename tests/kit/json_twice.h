/* A text read twice, by json_parse and by json_read: both must say the same. For the unit test and
 * the fuzz target. */
#pragma once
#include <string.h>

#include "base/json.h"

static bool json_twice_same(const struct json *a, const struct json *b);

static bool json_twice_same_members(const struct json *a, const struct json *b)
{
    void *at_a = NULL, *at_b = NULL;
    struct str key_a, key_b;
    const struct json *v_a, *v_b;
    while (json_next(a, &at_a, &key_a, &v_a)) {
        char name[256];
        if (!json_next(b, &at_b, &key_b, &v_b) || !str_eq(key_a, key_b) ||
            !json_twice_same(v_a, v_b))
            return false;
        if (key_a.n < sizeof name && str_copy(key_a, name, sizeof name) == OK &&
            json_get(b, name) != v_b)
            return false;
    }
    return !json_next(b, &at_b, &key_b, &v_b) && !json_get(b, "no such member");
}

static bool json_twice_same(const struct json *a, const struct json *b)
{
    struct str s = {0}, t = {0};
    int64_t i = 0, j = 0;
    bool x = false, y = false;
    if (json_kind(a) != json_kind(b) || json_len(a) != json_len(b))
        return false;
    if (json_str(a, &s) != json_str(b, &t) || !str_eq(s, t) || (s.p && t.p && t.p[t.n]))
        return false;
    if (json_int(a, &i) != json_int(b, &j) || i != j || json_bool(a, &x) != json_bool(b, &y) ||
        x != y)
        return false;
    if (json_kind(a) == JSON_IS_OBJECT)
        return json_twice_same_members(a, b);
    for (size_t k = 0; json_kind(a) == JSON_IS_ARRAY && k < json_len(a); k++)
        if (!json_twice_same(json_at(a, k), json_at(b, k)))
            return false;
    return json_kind(a) != JSON_IS_ARRAY || !json_at(b, json_len(b));
}

/* Text with no bytes behind it, so that a reader that goes too far is seen. */
static inline bool json_twice(struct json_reader *r, struct str text)
{
    struct json *parsed = NULL;
    const struct json *read = NULL;
    char why[2][160] = {"", ""};
    enum err a = json_parse(text, &parsed, why[0], sizeof why[0]);
    enum err b = json_read(r, text, &read, why[1], sizeof why[1]);
    bool same = a == b && !strcmp(why[0], why[1]) && (a != OK || json_twice_same(parsed, read));
    json_free(parsed);
    return same;
}
