/* server_answer: prints an answer's status line and headers from the members that the handler set
 * in the request. On the connection's thread. */
#include <stdio.h>
#include <time.h>

#include "api/http/server_inside.h"
#include "base/clock.h"

const char *http_reason(int status)
{
    switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "Internal Server Error";
    }
}

static void head_put_line(struct buf *out, const char *name, const char *value)
{
    buf_puts(out, name);
    buf_puts(out, ": ");
    buf_puts(out, value);
    buf_puts(out, "\r\n");
}

static void head_put_number(struct buf *out, const char *name, uint64_t value)
{
    buf_puts(out, name);
    buf_puts(out, ": ");
    buf_put_u64(out, value);
    buf_puts(out, "\r\n");
}

/* Prints the RateLimit headers as most clients read them: the limit, the requests left, the seconds
 * until all are. */
static void head_put_rate(struct buf *out, const struct rate *l)
{
    head_put_number(out, "RateLimit-Limit", l->per_sec);
    head_put_number(out, "RateLimit-Remaining", l->remaining);
    head_put_number(out, "RateLimit-Reset", l->full_in_sec);
    if (!l->allowed)
        head_put_number(out, "Retry-After", l->retry_in_sec);
}

/* The Date header's value (RFC 9110 §5.6.7), printed once a second. */
static const char *date_text(struct worker *w)
{
    struct tm tm;
    time_t now = (time_t)(clock_wall_ms() / 1000);
    if (now != w->date_sec || !w->date[0]) {
        w->date_sec = now;
        gmtime_r(&now, &tm); /* the program runs in the C locale: names are English */
        strftime(w->date, sizeof w->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    }
    return w->date;
}

/* Says where the body ends, and whether another answer may follow it. */
static void head_put_framing(struct exchange *x, int64_t body_n, struct buf *out)
{
    const struct http_request *r = x->r;
    bool is_1_0 = request_reader_is_1_0(&x->in);
    if (body_n >= 0 && r->status != 204 && r->status != 304)
        head_put_number(out, "Content-Length", (uint64_t)body_n);
    else if (body_n < 0 && !is_1_0)
        head_put_line(out, "Transfer-Encoding", "chunked");
    if (!x->keeps_alive)
        head_put_line(out, "Connection", "close");
    else if (is_1_0)
        head_put_line(out, "Connection", "keep-alive");
}

static void head_put_content(const struct http_request *r, struct buf *out)
{
    if (r->status != 204 && r->status != 304)
        head_put_line(out, "Content-Type", r->content_type);
    head_put_line(out, "Cache-Control", "no-store");
    head_put_line(out, "X-Content-Type-Options", "nosniff");
    head_put_line(out, "Content-Security-Policy",
                  "default-src 'self'; style-src 'self' 'unsafe-inline'");
    if (r->etag[0])
        head_put_line(out, "ETag", r->etag);
    if (r->allow[0])
        head_put_line(out, "Allow", r->allow);
    if (r->location[0])
        head_put_line(out, "Location", r->location);
}

void answer_print_head(struct exchange *x, int64_t body_n, struct buf *out)
{
    const struct http_request *r = x->r;
    buf_printf(out, "HTTP/1.1 %d %s\r\n", r->status, http_reason(r->status));
    head_put_line(out, "Date", date_text(x->worker));
    head_put_framing(x, body_n, out);
    head_put_content(r, out);
    if (body_n < 0)
        head_put_line(out, "X-Accel-Buffering", "no"); /* proxies pass it on at once */
    if (r->rate.per_sec)
        head_put_rate(out, &r->rate);
    if (r->more_header) {
        buf_puts(out, r->more_header);
        buf_puts(out, "\r\n");
    }
    if (r->retry_after_s)
        head_put_number(out, "Retry-After", r->retry_after_s);
    else if ((r->status == 429 && r->rate.allowed) || r->status == 503 || r->status == 507)
        head_put_number(out, "Retry-After", 5);
    if (r->status == 401)
        head_put_line(out, "WWW-Authenticate", r->challenge ? r->challenge : "Bearer");
    buf_puts(out, "\r\n");
}

void server_refuse(struct http_request *r, int status, const char *code, const char *detail)
{
    struct http_refusal why = {.status = status, .code = code};
    snprintf(why.detail, sizeof why.detail, "%s", detail);
    r->server->c.refuse(r, &why);
}
