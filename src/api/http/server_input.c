/* server_input: reads a request's head for its handler and the server: method and path, header
 * lines, the parameters of its query, its client, and whether it is sound. The head is read on the
 * connection's thread; header lines and parameters may be asked for on another one. */
#include <stdio.h>
#include <string.h>

#include "api/http/head.h"
#include "api/http/peers.h"
#include "api/http/server_inside.h"

struct str http_header(const struct http_request *r, const char *name)
{
    return request_reader_header(&r->exchange->in, str_of(name));
}

struct str http_query(const struct http_request *r, const char *name)
{
    const struct exchange *x = r->exchange;
    for (size_t i = 0; i < x->n_parameters; i++)
        if (str_eq(x->parameter[i].name, str_of(name)))
            return x->parameter[i].value;
    return (struct str){0};
}

/* The bit of `name` among names parted by blanks; 0: it is not there. */
static uint32_t name_bit(struct str names, struct str name)
{
    struct str one;
    for (uint32_t bit = 1; names.n; bit <<= 1) {
        str_cut(names, ' ', &one, &names);
        if (str_eq(one, name))
            return bit;
    }
    return 0;
}

enum query_check http_query_check(const struct http_request *r, const char *names, char *ret_other,
                                  size_t cap)
{
    const struct exchange *x = r->exchange;
    uint32_t seen = 0;
    for (size_t i = 0; i < x->n_parameters; i++) {
        struct str name = x->parameter[i].name, value = x->parameter[i].value;
        uint32_t bit = name_bit(str_of(names), name);
        enum query_check found = !bit                              ? QUERY_UNKNOWN
                                 : seen & bit                      ? QUERY_REPEATED
                                 : str_find(value, '\0') < value.n ? QUERY_HAS_NUL
                                                                   : QUERY_FITS;
        seen |= bit;
        if (found == QUERY_FITS)
            continue;
        snprintf(ret_other, cap, "%.*s", (int)(name.n < cap ? name.n : cap), name.p);
        return found;
    }
    return QUERY_FITS;
}

/* ---- the client ---- */

/* Prints IPv6 without brackets: it is for people and tables, not for URLs. */
static void client_print(const struct addr *a, char out[ADDR_TEXT_SIZE])
{
    size_t n = addr_print_host(a, out);
    if (out[0] != '[' || n < 2)
        return;
    memmove(out, out + 1, n - 2);
    out[n - 2] = '\0';
}

void exchange_find_client(struct exchange *x, struct peers *peers, const struct addr *from)
{
    struct hops hops = {0};
    const struct trust *t = peers_trust(peers);
    struct addr client = *from;
    if (proxies_has(&t->proxies, from)) {
        for (size_t i = 0; i < x->in.n_lines; i++)
            if (str_eq_nocase(request_reader_name(&x->in, i), str_of(t->header_name)))
                hops_put(&hops, t->header, request_reader_value(&x->in, i));
        client = proxies_client(&t->proxies, from, &hops);
    }
    client_print(&client, x->r->address);
    if (addr_eq_host(&client, from))
        return; /* its connections count, or it is a proxy */
    x->crowded = peers_full(peers, &client);
    if (!x->crowded)
        x->client = peers_enter(peers, &client);
}

/* ---- the head ---- */

/* Reads "a=b&c" into names and values in x->query, which never moves: decoded text is never longer.
 */
static bool exchange_read_query(struct exchange *x, struct str query)
{
    buf_init(&x->query, query.n + QUERY_PARAMETERS_MAX * 2 + 1);
    if (query.n && !buf_room(&x->query, x->query.max))
        return false;
    while (query.n) {
        struct str one, name, value;
        str_cut(query, '&', &one, &query);
        if (!one.n)
            continue;
        if (x->n_parameters == QUERY_PARAMETERS_MAX)
            return false;
        str_cut(one, '=', &name, &value);
        struct parameter *p = &x->parameter[x->n_parameters++];
        p->name = head_unescape_form(name, &x->query);
        p->value = head_unescape_form(value, &x->query);
    }
    return true;
}

/* Reads the target as path and query (RFC 9112 §3.2), the path without its host. */
static bool exchange_read_target(struct exchange *x)
{
    struct http_request *r = x->r;
    char *target = request_reader_target(&x->in);
    struct str path, query;
    str_cut(str_of(target), '?', &path, &query);
    path = head_path(path);
    r->raw_path = target + (path.p - target);
    r->raw_path[path.n] = '\0';
    if (str_copy(path, r->path, sizeof r->path) != OK) {
        r->raw_path = r->path; /* "" */
        server_refuse(r, 414, "uri_too_long", "A path may have 1,023 bytes at the most.");
        return false;
    }
    head_unescape_path(r->path, false);
    if (exchange_read_query(x, query))
        return true;
    server_refuse(r, 400, "bad_request", "A query may have 64 parameters at the most.");
    return false;
}

bool exchange_read_head(struct exchange *x)
{
    struct http_request *r = x->r;
    const char *method = request_reader_method(&x->in);
    struct head h = {.is_1_0 = request_reader_is_1_0(&x->in)};
    struct http_refusal why;
    x->is_head = !strcmp(method, "HEAD");
    r->method = x->is_head ? "GET" : method;
    if (!exchange_read_target(x))
        return false;
    for (size_t i = 0; i < x->in.n_lines; i++)
        head_take(&h, request_reader_name(&x->in, i), request_reader_value(&x->in, i));
    if (head_is_sound(&h, &why))
        return true;
    server_refuse(r, why.status, why.code, why.detail);
    return false;
}

void exchange_refuse_fault(struct exchange *x)
{
    struct http_request *r = x->r;
    char detail[160];
    const char *reason = request_reader_reason(&x->in);
    switch (x->in.fault) {
    case HTTP_SOUND:
    case HTTP_REFUSED: break; /* r has it */
    case HTTP_SYNTAX:
        snprintf(detail, sizeof detail, "This is not HTTP/1.1: %s.",
                 *reason ? reason : "a line ends in a bare LF, is folded, or has no name");
        server_refuse(r, 400, "bad_request", detail);
        break;
    case HTTP_METHOD:
        server_refuse(r, 501, "not_implemented", "That method is not known here.");
        break;
    case HTTP_VERSION:
        server_refuse(r, 505, "http_version", "HTTP/1.1 and HTTP/1.0 are spoken here.");
        break;
    case HTTP_TARGET_TOO_BIG:
        server_refuse(r, 414, "uri_too_long", "A request line may have 8 KiB at the most.");
        break;
    case HTTP_HEAD_TOO_BIG:
        server_refuse(r, 431, "head_too_large",
                      "A head may have 32 KiB and 100 header lines at the most.");
        break;
    case HTTP_BODY_TOO_BIG:
        server_refuse(r, 413, "too_large", "The body may have 256 KiB at the most.");
        break;
    case HTTP_NO_MEMORY:
        server_refuse(r, 503, "store_unavailable", "It was not taken; try again soon.");
        break;
    }
}
