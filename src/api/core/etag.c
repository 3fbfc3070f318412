/* etag: reads the versions that a client has from If-Match and If-None-Match. Pure but for the
 * request it reads. */
#include "api/core/etag.h"

#include <stdio.h>
#include <string.h>

/* Cuts the next entity tag off a list (RFC 9110 §8.8.3). False: there is none. */
static bool etag_cut(struct str *list, struct str *ret_tag, bool *ret_weak)
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
 * `weak_too`: weak tags count (RFC 9110 §13.1.2). */
static enum err header_names_version(struct request *r, const char *header, int64_t version,
                                     bool weak_too)
{
    char own[32];
    bool weak, found = false;
    struct str tag, list = str_trim(request_header(r, header));
    if (str_eq(list, STR("*")))
        return OK;
    snprintf(own, sizeof own, "\"%lld\"", (long long)version);
    do {
        if (!etag_cut(&list, &tag, &weak))
            return request_refuse(r, header, "*, or ETags like \"3\"");
        found |= str_eq(tag, str_of(own)) && (weak_too || !weak);
    } while (list.n);
    return found ? OK : ERR_AGAIN;
}

enum err request_if_match(struct request *r, int64_t version)
{
    return request_header(r, "If-Match").p ? header_names_version(r, "If-Match", version, false)
                                           : OK;
}

/* A header that is no list of tags is passed over. */
void request_if_none_match(struct request *r, int64_t version)
{
    if (!request_header(r, "If-None-Match").p || strcmp(r->http.method, "GET") != 0 ||
        header_names_version(r, "If-None-Match", version, true) != OK)
        return;
    buf_reset(&r->http.out);
    r->http.status = 304;
}

void request_put_etag(struct request *r, int64_t version)
{
    snprintf(r->http.etag, sizeof r->http.etag, "\"%lld\"", (long long)version);
}
