/* replaces: reads and writes the name of a dialog. Called on the edge's thread. */
#include "sip/wire/replaces.h"

#include <string.h>

#include "sip/wire/uri.h"

enum err replaces_parse(struct str value, struct replaces *ret)
{
    struct str params;
    *ret = (struct replaces){0};
    str_cut(value, ';', &ret->call_id, &params);
    ret->call_id = str_trim(ret->call_id);
    bool whole = param_find(params, STR("to-tag"), &ret->to_tag) &&
                 param_find(params, STR("from-tag"), &ret->from_tag);
    return whole && ret->call_id.n && ret->to_tag.n && ret->from_tag.n ? OK : ERR_SYNTAX;
}

struct str replaces_of_uri(struct str headers)
{
    struct str one, name, value;
    while (headers.n) {
        str_cut(headers, '&', &one, &headers);
        if (str_cut(one, '=', &name, &value) && str_eq_nocase(name, STR("Replaces")))
            return value;
    }
    return (struct str){0};
}

static void put_escaped(struct buf *b, struct str s)
{
    static const char plain[] = "-_.!~*'()[]/?:+$"; /* hnv-unreserved and unreserved, §25.1 */
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter || (c && strchr(plain, c)))
            buf_putc(b, (char)c);
        else
            buf_printf(b, "%%%02X", c);
    }
}

void replaces_put_escaped(struct buf *b, const struct replaces *r)
{
    put_escaped(b, r->call_id);
    put_escaped(b, STR(";to-tag="));
    put_escaped(b, r->to_tag);
    put_escaped(b, STR(";from-tag="));
    put_escaped(b, r->from_tag);
}
