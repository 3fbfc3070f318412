/* response_reader: reads an answer as it comes in (RFC 9112), by llhttp. Called by the clients of
 * deliver/http and cli/client for every piece of bytes.
 *
 * The parser alone says where the answer ends; nothing here computes that from a header. It tells
 * names, values and bodies, not every byte (blank lines before the status, blanks before a value,
 * zeros before a chunk's size), so the reader counts the bytes it was fed. Going over a limit
 * before the head is complete is an error; after it, the answer ends there: its status is known,
 * and the connection is not used again. */
#include "net/http/response_reader.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"

static struct response_reader *reader_of(llhttp_t *p)
{
    return p->data;
}

static bool reader_has_no_end(const struct response_reader *r)
{
    return r->begun && !r->max.body_max;
}

static int reader_count_head(llhttp_t *p, size_t n)
{
    struct response_reader *r = reader_of(p);
    if (reader_has_no_end(r))
        return 0;
    r->head_bytes += n;
    if (r->head_bytes <= r->max.head_max)
        return 0;
    *(r->begun ? &r->is_cut : &r->too_big) = true; /* begun: chunk extensions, trailers */
    return HPE_USER;
}

static int reader_count_body(struct response_reader *r, size_t n)
{
    if (reader_has_no_end(r))
        return 0;
    r->body_bytes += n;
    r->is_cut |= r->body_bytes > r->max.body_max;
    return r->is_cut ? HPE_USER : 0;
}

static int on_status(llhttp_t *p, const char *at, size_t n)
{
    return reader_count_head(p, n);
}

static int on_field(llhttp_t *p, const char *at, size_t n)
{
    struct response_reader *r = reader_of(p);
    for (size_t i = 0; i < n && r->name_n < sizeof r->name; i++)
        r->name[r->name_n++] = at[i];
    return reader_count_head(p, n);
}

static int on_field_complete(llhttp_t *p)
{
    struct response_reader *r = reader_of(p);
    r->in_retry_after = !r->begun && r->name_n == 11 && !strncasecmp(r->name, "retry-after", 11);
    r->name_n = 0;
    if (r->in_retry_after)
        r->retry_after_n = 0; /* the last one counts */
    return reader_count_head(p, 4);
}

static int on_value(llhttp_t *p, const char *at, size_t n)
{
    struct response_reader *r = reader_of(p);
    for (size_t i = 0; i < n && r->in_retry_after && r->retry_after_n < sizeof r->retry_after; i++)
        r->retry_after[r->retry_after_n++] = at[i];
    return reader_count_head(p, n);
}

static bool is_interim(const struct response_reader *r)
{
    return r->status >= 100 && r->status < 200 && r->status != 101;
}

static int on_status_complete(llhttp_t *p)
{
    struct response_reader *r = reader_of(p);
    bool is_final = p->status_code >= 200 && p->status_code < 600;
    r->line_status = p->http_major == 1 && is_final ? p->status_code : 0;
    return reader_count_head(p, 0);
}

/* llhttp waits for a body when a 204 or 304 names a length or a coding; 1 tells it that none comes.
 * Bytes of it may come all the same, so the connection carries nothing more. */
enum { HEAD_IS_ALL = 1 };
static int reader_skip_body(struct response_reader *r)
{
    const llhttp_t *p = &r->parser;
    if (r->status != 204 && r->status != 304)
        return 0;
    r->is_cut |= (p->flags & F_TRANSFER_ENCODING) || p->content_length > 0;
    return HEAD_IS_ALL;
}

static int on_headers_complete(llhttp_t *p)
{
    struct response_reader *r = reader_of(p);
    if (p->http_major != 1) /* 0.9 and 2.0 have no such lines */
        return -1;
    r->begun = true;
    r->status = p->status_code;
    r->is_coded = (p->flags & F_TRANSFER_ENCODING) && !(p->flags & F_CHUNKED);
    if (r->on_head && !is_interim(r))
        r->on_head(r->arg);
    return reader_skip_body(r);
}

static int on_body(llhttp_t *p, const char *at, size_t n)
{
    struct response_reader *r = reader_of(p);
    r->on_body(r->arg, str_of_bytes(at, n));
    return reader_count_body(r, n);
}

/* An interim answer (RFC 9110 §15.2) is followed by another; the final one stops the parser, so
 * that the bytes behind it are seen. */
static int on_complete(llhttp_t *p)
{
    struct response_reader *r = reader_of(p);
    if (is_interim(r)) {
        r->begun = false;
        r->status = 0;
        r->too_big |= ++r->interim > RESPONSE_INTERIM_MAX;
        return r->too_big ? -1 : 0;
    }
    r->complete = true;
    return HPE_PAUSED;
}

static int on_chunk(llhttp_t *p)
{
    return reader_count_body(reader_of(p), 8) ? -1 : 0; /* a body of empty chunks never ends, too */
}

static const llhttp_settings_t settings = {
    .on_status = on_status,
    .on_status_complete = on_status_complete,
    .on_header_field = on_field,
    .on_header_field_complete = on_field_complete,
    .on_header_value = on_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_complete,
    .on_chunk_header = on_chunk,
    .on_chunk_extension_name = on_status,
    .on_chunk_extension_value = on_status,
};

void response_reader_init(struct response_reader *r, const struct response_limits *max,
                          void (*body)(void *arg, struct str bytes), void *arg)
{
    *r = (struct response_reader){.max = *max, .on_body = body, .arg = arg};
    llhttp_init(&r->parser, HTTP_RESPONSE, &settings);
    r->parser.data = r;
}

enum err response_reader_feed(struct response_reader *r, struct str bytes, size_t *ret_rest)
{
    *ret_rest = 0;
    r->fed_bytes += bytes.n;
    llhttp_errno_t e = llhttp_execute(&r->parser, bytes.p, bytes.n);
    if (r->complete) {
        const char *end = llhttp_get_error_pos(&r->parser);
        if (e == HPE_PAUSED && end)
            *ret_rest = (size_t)(bytes.p + bytes.n - end);
        return r->status == 101 ? ERR_SYNTAX : OK;
    }
    if (e == HPE_OK && !reader_has_no_end(r)) {
        r->too_big |= !r->begun && r->fed_bytes > r->max.head_max;
        r->is_cut |= r->begun && r->fed_bytes > r->max.head_max + r->max.body_max;
    }
    if (r->too_big)
        return ERR_TOO_BIG;
    r->complete = r->is_cut; /* enough was read to know the outcome */
    return e == HPE_OK || r->complete ? OK : ERR_SYNTAX;
}

bool response_reader_end(struct response_reader *r)
{
    if (!r->complete && r->begun && llhttp_message_needs_eof(&r->parser)) {
        (void)llhttp_finish(&r->parser);
        r->complete = true;
        r->is_cut = true; /* the answer ends here */
    }
    return r->complete;
}

size_t response_reader_body_left(const struct response_reader *r)
{
    size_t fed_max = r->max.head_max + r->max.body_max;
    size_t all = r->fed_bytes < fed_max ? fed_max - r->fed_bytes : 0;
    size_t body = r->max.body_max - r->body_bytes;
    return body < all ? body : all;
}

bool response_reader_keeps_alive(const struct response_reader *r)
{
    llhttp_t parser = r->parser;
    return r->complete && !r->is_cut && llhttp_should_keep_alive(&parser);
}

int64_t response_reader_retry_after_sec(const struct response_reader *r, int64_t now_ms)
{
    uint64_t v;
    int64_t at_ms;
    struct str text = str_trim(str_of_bytes(r->retry_after, r->retry_after_n));
    if (text.n && str_to_u64(text, 1000000000, &v) == OK)
        return (int64_t)v;
    if (clock_parse_http(text, &at_ms) != OK)
        return -1;
    return at_ms > now_ms ? (at_ms - now_ms + 999) / 1000 : 0;
}
