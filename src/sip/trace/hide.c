/* hide: masks what the reader of a call's trace may not learn. A caller that withholds its identity
 * is masked in all messages of both legs: headers by the table of sip/wire/privacy, its own
 * addresses by their place, its numbers wherever else they are. The records on the disk stay whole;
 * they are the operator's. The API's thread calls it for each trace that is read. Pure. */
#include "sip/trace/hide.h"

#include <string.h>

#include "sip/wire/lines.h"
#include "sip/wire/privacy.h"
#include "sip/wire/relayed.h"
#include "trace/record.h"

static const struct str dots = STR("\xe2\x80\xa6"); /* … */

struct hiding {
    bool withheld;
    struct secrets secrets;
};

/* True for the caller's own message, or ours in its name. */
static bool is_from_caller(const struct trace_record *r)
{
    return (r->leg == 'a') != (r->sent != 0);
}

static bool is_response(struct str message)
{
    return str_starts(message, STR("SIP/2.0 "));
}

/* True when this header, on leg a, holds the caller's address. */
static bool is_callers(const struct trace_record *r, enum sip_header_id id)
{
    bool his_request = is_response(trace_record_bytes(r)) == (r->sent != 0);
    return r->leg == 'a' && (id == SIP_H_FROM      ? his_request
                             : id == SIP_H_TO      ? !his_request
                             : id == SIP_H_CONTACT ? !r->sent
                                                   : false);
}

static bool header_read(struct str h, enum sip_header_id *ret_id, struct str *ret_name,
                        struct str *ret_value)
{
    if (!str_cut(h, ':', ret_name, ret_value))
        return false;
    *ret_name = str_trim(*ret_name);
    *ret_value = str_trim(*ret_value);
    *ret_id = sip_header_of(*ret_name);
    return true;
}

static void numbers_collect(const struct trace_record *r, struct secrets *s)
{
    struct str message = trace_record_bytes(r), h = line_take(&message), name, value;
    enum sip_header_id id;
    while (message.n && !line_is_blank(h)) {
        h = header_take(&message);
        if (!header_read(h, &id, &name, &value))
            continue;
        bool says = !r->sent && (id == SIP_H_P_ASSERTED_IDENTITY || id == SIP_H_REMOTE_PARTY_ID ||
                                 id == SIP_H_P_PREFERRED_IDENTITY);
        if (r->leg == 'a' && (says || is_callers(r, id)))
            secrets_add(s, value);
    }
}

/* Writes the text with dots for each of the numbers and the digits before it. */
static void put_masked(struct buf *out, struct str text, const struct secrets *s)
{
    while (text.n) {
        size_t n, at = secrets_find(s, text, &n), from = at;
        while (at < text.n && from && strchr("+0123456789", text.p[from - 1]) && text.p[from - 1])
            from--;
        buf_put_str(out, str_slice(text, 0, from));
        if (at < text.n)
            buf_put_str(out, dots);
        text = str_from(text, at < text.n ? at + n : at);
    }
}

static void put_first_line(const struct trace_record *r, struct str line, const struct hiding *h,
                           struct buf *out)
{
    struct str method, rest;
    if (h->withheld && r->leg == 'a' && r->sent && !is_response(line) &&
        str_cut(line, ' ', &method, &rest))
        buf_printf(out, "%.*s sip:%.*s SIP/2.0\r\n", STR_FMT(method), STR_FMT(dots));
    else
        put_masked(out, line, &h->secrets);
}

static void put_header(const struct trace_record *r, struct str line, const struct hiding *h,
                       struct buf *out)
{
    struct str name, value;
    enum sip_header_id id;
    struct name_addr na;
    bool his = h->withheld && is_from_caller(r);
    if (!header_read(line, &id, &name, &value)) {
        put_masked(out, line, &h->secrets);
    } else if (!header_leaves(id, name, value, TO_TRACE, his ? &h->secrets : NULL)) {
        buf_printf(out, "%.*s: %.*s\r\n", STR_FMT(name), STR_FMT(dots));
    } else if (h->withheld && is_callers(r, id)) {
        bool tagged = id != SIP_H_CONTACT && name_addr_parse(value, &na) == OK && na.tag.p;
        buf_printf(out, "%.*s: <sip:%.*s>%s%.*s\r\n", STR_FMT(name), STR_FMT(dots),
                   tagged ? ";tag=" : "", STR_FMT(tagged ? na.tag : STR("")));
    } else {
        put_masked(out, line, &h->secrets);
    }
}

static void put_message(const struct trace_record *r, const struct hiding *h, struct buf *out)
{
    struct str message = trace_record_bytes(r), line = line_take(&message);
    put_first_line(r, line, h, out);
    while (message.n && !line_is_blank(line)) {
        line = header_take(&message);
        put_header(r, line, h, out);
    }
    if (h->withheld && is_from_caller(r) && str_starts(message, STR("v=")))
        sdp_put_hidden(out, message, &h->secrets);
    else
        put_masked(out, message, &h->secrets);
}

enum err trace_hide(struct str records, bool withheld, struct buf *out)
{
    static const char zeros[8] = "";
    struct hiding h = {.withheld = withheld};
    const struct trace_record *r;
    for (size_t at = 0; withheld && at < records.n; at += r->size) {
        r = (const void *)(records.p + at);
        numbers_collect(r, &h.secrets);
    }
    for (size_t at = 0; at < records.n; at += r->size) {
        r = (const void *)(records.p + at);
        struct trace_record head = *r;
        size_t from = out->n;
        buf_put(out, &head, sizeof head);
        put_message(r, &h, out);
        if (out->err != OK)
            return out->err;
        head.n = (uint32_t)(out->n - from - sizeof head);
        head.size = trace_record_size(head.n);
        buf_put(out, zeros, head.size - sizeof head - head.n);
        if (out->err != OK)
            return out->err;
        memcpy(out->p + from, &head, sizeof head);
    }
    return out->err;
}
