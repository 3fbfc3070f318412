/* print: writes SIP messages as bytes. All text from outside goes through clean_put, so that no
 * value can smuggle in a header. Pure. */
#include "sip/wire/print.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sip/wire/syntax.h"

static void clean_put(struct buf *b, struct str s)
{
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == '\0') {
            buf_put(b, s.p + from, i - from);
            from = i + 1;
        }
    buf_put_str(b, str_from(s, from));
}

void sip_put_request_line(struct buf *b, struct str method, struct str ruri)
{
    clean_put(b, method);
    buf_putc(b, ' ');
    clean_put(b, ruri);
    buf_puts(b, " SIP/2.0\r\n");
}

void sip_put_status_line(struct buf *b, int status, struct str reason)
{
    buf_puts(b, "SIP/2.0 ");
    buf_put_u64(b, (uint64_t)status);
    buf_putc(b, ' ');
    clean_put(b, reason.n ? reason : str_of(sip_reason(status)));
    buf_puts(b, "\r\n");
}

void sip_put_named(struct buf *b, struct str name, struct str value)
{
    clean_put(b, name);
    buf_puts(b, ": ");
    clean_put(b, value);
    buf_puts(b, "\r\n");
}

void sip_put(struct buf *b, enum sip_header_id id, struct str value)
{
    sip_put_named(b, str_of(sip_header_name(id)), value);
}

void sip_putf(struct buf *b, enum sip_header_id id, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof text)
        b->err = b->err != OK ? b->err : ERR_TOO_BIG;
    else
        sip_put(b, id, str_of_bytes(text, (size_t)n));
}

void sip_put_body(struct buf *b, struct str body)
{
    buf_puts(b, "Content-Length: ");
    buf_put_u64(b, body.n);
    buf_puts(b, "\r\n\r\n");
    buf_put_str(b, body);
}

const char *sip_reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } known[] = {
        {100, "Trying"},
        {180, "Ringing"},
        {181, "Call Is Being Forwarded"},
        {182, "Queued"},
        {183, "Session Progress"},
        {200, "OK"},
        {202, "Accepted"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {413, "Request Entity Too Large"},
        {415, "Unsupported Media Type"},
        {416, "Unsupported URI Scheme"},
        {420, "Bad Extension"},
        {422, "Session Interval Too Small"},
        {480, "Temporarily Unavailable"},
        {481, "Call/Transaction Does Not Exist"},
        {482, "Loop Detected"},
        {483, "Too Many Hops"},
        {484, "Address Incomplete"},
        {486, "Busy Here"},
        {487, "Request Terminated"},
        {488, "Not Acceptable Here"},
        {491, "Request Pending"},
        {500, "Server Internal Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Server Time-out"},
        {505, "Version Not Supported"},
        {513, "Message Too Large"},
        {600, "Busy Everywhere"},
        {603, "Decline"},
        {604, "Does Not Exist Anywhere"},
        {606, "Not Acceptable"},
    };
    static const char *const by_class[] = {"",       "Progress",          "OK", "Moved", "Refused",
                                           "Failed", "Refused Everywhere"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].status == status)
            return known[i].text;
    return status >= 100 && status < 700 ? by_class[status / 100] : "";
}

void sip_put_name_addr(struct buf *b, struct str display, struct str uri)
{
    size_t escapes = 0; /* one that was not quoted may end in a backslash */
    while (escapes < display.n && display.p[display.n - 1 - escapes] == '\\')
        escapes++;
    display.n -= escapes % 2;
    if (display.n) {
        buf_putc(b, '"');
        clean_put(b, display);
        buf_puts(b, "\" ");
    }
    buf_putc(b, '<');
    clean_put(b, uri);
    buf_putc(b, '>');
}

/* Writes the top Via with the address from which the request really came (RFC 3261 §18.2.1, RFC
 * 3581 §4); the sender's own parameters of these names are dropped. */
static void put_top_via(struct buf *b, const struct via *v, const struct addr *source)
{
    char host[ADDR_TEXT_SIZE];
    struct str params = v->params;
    struct param p;
    size_t n = addr_print_host(source, host);
    struct str bare = host[0] == '[' ? str_of_bytes(host + 1, n - 2) : str_of_bytes(host, n);
    buf_puts(b, "Via: SIP/2.0/");
    clean_put(b, v->transport);
    buf_putc(b, ' ');
    clean_put(b, v->host);
    if (v->port)
        buf_printf(b, ":%u", v->port);
    while (param_next(&params, &p) == OK) {
        if (str_eq_nocase(p.name, STR("rport")) || str_eq_nocase(p.name, STR("received")))
            continue;
        buf_putc(b, ';');
        clean_put(b, p.text);
    }
    if (v->rport)
        buf_printf(b, ";rport=%u", source->port);
    if (v->rport || !(str_eq_nocase(v->host, bare) || str_eq_nocase(v->host, str_of(host))))
        buf_printf(b, ";received=%.*s", STR_FMT(bare));
    buf_puts(b, "\r\n");
}

static void put_vias(struct buf *b, const struct sip_msg *req, const struct addr *source)
{
    const struct sip_header *h;
    put_top_via(b, &req->via, source);
    for (size_t i = 0; (h = sip_header(req, SIP_H_VIA, i)); i++) {
        struct str rest = h->value, first;
        if (i == 0 && !value_next(&rest, &first))
            continue;
        rest = str_trim(rest);
        if (rest.n)
            sip_put(b, SIP_H_VIA, rest);
    }
}

void sip_put_reply(struct buf *b, const struct sip_msg *req, const struct addr *source, int status,
                   struct str reason, struct str to_tag, bool record_route)
{
    sip_put_status_line(b, status, reason);
    put_vias(b, req, source);
    sip_put(b, SIP_H_FROM, sip_value(req, SIP_H_FROM));
    struct str to = sip_value(req, SIP_H_TO);
    buf_puts(b, "To: ");
    clean_put(b, to);
    if (to_tag.n && !req->to.tag.p)
        buf_printf(b, ";tag=%.*s", STR_FMT(to_tag));
    buf_puts(b, "\r\n");
    sip_put(b, SIP_H_CALL_ID, sip_value(req, SIP_H_CALL_ID));
    sip_put(b, SIP_H_CSEQ, sip_value(req, SIP_H_CSEQ));
    const struct sip_header *h;
    for (size_t i = 0; record_route && (h = sip_header(req, SIP_H_RECORD_ROUTE, i)); i++)
        sip_put(b, SIP_H_RECORD_ROUTE, h->value);
    if (status == 100 && (h = sip_header(req, SIP_H_TIMESTAMP, 0)))
        sip_put(b, SIP_H_TIMESTAMP, h->value);
}
