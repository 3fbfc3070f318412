/* etag: what a client says of the versions it has. Pure but for the request it reads. */
#include "api/core/etag.h"

#include <stdio.h>
#include <string.h>

/* The next of a list of entity tags (RFC 9110 §8.8.3); false: that is none. */
static bool cut_tag(struct str *list, struct str *ret_tag, bool *ret_weak)
{
    size_t n = 1;
    struct str s = str_trim(*list);
    if ((*ret_weak = str_starts(s, STR("W/"))))
        s = str_from(s, 2);
    while (n < s.n && s.p[n] != '"')
        n++;
    if (n >= s.n || s.p[0] != '"')
        return false;
    *ret_tag = str_slice(s, 0, n + 1);
    s = str_trim(str_from(s, n + 1));
    *list = str_from(s, 1);
    return s.n == 0 || (s.p[0] == ',' && str_trim(*list).n > 0);
}

/* OK: the header names this version or "*"; ERR_AGAIN: others; ERR_INVALID: it is no list of tags.
 * Weak tags are as good where one may be wrong by a little. */
static enum err names_version(struct request *r, const char *header, int64_t version, bool weak_too)
{
    char own[32];
    bool weak, found = false;
    struct str tag, list = str_trim(request_header(r, header));
    if (str_eq(list, STR("*")))
        return OK;
    snprintf(own, sizeof own, "\"%lld\"", (long long)version);
    do {
        if (!cut_tag(&list, &tag, &weak))
            return request_refuse(r, header, "*, or ETags like \"3\"");
        found |= str_eq(tag, str_of(own)) && (weak_too || !weak);
    } while (list.n);
    return found ? OK : ERR_AGAIN;
}

enum err request_if_match(struct request *r, int64_t version)
{
    return request_header(r, "If-Match").p ? names_version(r, "If-Match", version, false) : OK;
}

/* A header that is no list of tags asks for nothing. */
void request_if_none_match(struct request *r, int64_t version)
{
    if (!request_header(r, "If-None-Match").p || strcmp(r->http.method, "GET") != 0 ||
        names_version(r, "If-None-Match", version, true) != OK)
        return;
    buf_reset(&r->http.out);
    r->http.status = 304;
}

void request_put_etag(struct request *r, int64_t version)
{
    snprintf(r->http.etag, sizeof r->http.etag, "\"%lld\"", (long long)version);
}
