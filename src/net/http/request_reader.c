/* request_reader: reads a request as it comes in (RFC 9112), by llhttp. Called by connection.c for
 * every piece of bytes.
 *
 * llhttp alone says where a request ends; nothing here computes that from a header. It is strict
 * already: a bare CR, a blank before a colon, a Content-Length that is no plain number or comes
 * twice, one beside a Transfer-Encoding, chunk sizes with anything around them. The reader refuses
 * what llhttp lets through: a line that ends in a bare LF (RFC 9112 §2.2), a folded one (§5.2), one
 * without a name, another version than 1.0 and 1.1, CONNECT. llhttp's calls for names and values
 * leave bytes out (blanks, line ends), so the reader counts the bytes it was fed. After a fault
 * nothing is read any more. */
#include "net/http/request_reader.h"

static struct request_reader *reader_of(llhttp_t *p)
{
    return p->data;
}

static int reader_fail(struct request_reader *r, enum http_fault fault)
{
    if (r->fault == HTTP_SOUND)
        r->fault = fault;
    return HPE_USER;
}

static int reader_keep_text(struct request_reader *r, const char *at, size_t n)
{
    buf_put(&r->text, at, n);
    return r->text.err == OK
               ? 0
               : reader_fail(r, r->text.err == ERR_NOMEM ? HTTP_NO_MEMORY : HTTP_HEAD_TOO_BIG);
}

static int on_url(llhttp_t *p, const char *at, size_t n)
{
    struct request_reader *r = reader_of(p);
    if (r->text.n + n > TARGET_BYTES_MAX)
        return reader_fail(r, HTTP_TARGET_TOO_BIG);
    return reader_keep_text(r, at, n);
}

static int reader_end_target(struct request_reader *r)
{
    if (r->target_done)
        return 0;
    r->target_done = true;
    r->target_n = r->text.n;
    return reader_keep_text(r, "", 1);
}

/* Trailers come by the same calls, and are passed over. */
static int on_field(llhttp_t *p, const char *at, size_t n)
{
    struct request_reader *r = reader_of(p);
    if (r->has_head)
        return 0;
    if (reader_end_target(r))
        return HPE_USER;
    if (r->n_lines == HEAD_LINES_MAX)
        return reader_fail(r, HTTP_HEAD_TOO_BIG);
    struct head_line *line = &r->line[r->n_lines];
    if (!line->name_n)
        line->name = (uint32_t)r->text.n;
    line->name_n += (uint32_t)n;
    return reader_keep_text(r, at, n);
}

static int on_value(llhttp_t *p, const char *at, size_t n)
{
    struct request_reader *r = reader_of(p);
    if (r->has_head || r->n_lines == HEAD_LINES_MAX)
        return 0;
    struct head_line *line = &r->line[r->n_lines];
    if (!line->value_n)
        line->value = (uint32_t)r->text.n;
    line->value_n += (uint32_t)n;
    return reader_keep_text(r, at, n);
}

static int on_value_complete(llhttp_t *p)
{
    struct request_reader *r = reader_of(p);
    if (r->has_head)
        return 0;
    if (r->n_lines == HEAD_LINES_MAX || !r->line[r->n_lines].name_n)
        return reader_fail(r, r->n_lines == HEAD_LINES_MAX ? HTTP_HEAD_TOO_BIG : HTTP_SYNTAX);
    r->n_lines++;
    return 0;
}

bool request_reader_is_too_big(const struct request_reader *r)
{
    return (r->parser.flags & F_CONTENT_LENGTH) && r->parser.content_length > r->body->max;
}

static int on_headers_complete(llhttp_t *p)
{
    struct request_reader *r = reader_of(p);
    if (reader_end_target(r))
        return HPE_USER;
    if (p->http_major != 1 || p->http_minor > 1)
        return reader_fail(r, HTTP_VERSION);
    if (p->method == HTTP_CONNECT)
        return reader_fail(r, HTTP_METHOD);
    r->has_head = true;
    p->upgrade = 0; /* an upgrade is not done (RFC 9110 §7.8), and what follows is a body */
    if (!r->on_head(r))
        reader_fail(r, HTTP_REFUSED);
    else if (request_reader_is_too_big(r))
        reader_fail(r, HTTP_BODY_TOO_BIG);
    return r->fault == HTTP_SOUND ? 0 : -1;
}

static int on_body(llhttp_t *p, const char *at, size_t n)
{
    struct request_reader *r = reader_of(p);
    buf_put(r->body, at, n);
    return r->body->err == OK          ? 0
           : r->body->err == ERR_NOMEM ? reader_fail(r, HTTP_NO_MEMORY)
                                       : reader_fail(r, HTTP_BODY_TOO_BIG);
}

/* A chunk that cannot fit is refused before its bytes come. */
static int on_chunk_header(llhttp_t *p)
{
    struct request_reader *r = reader_of(p);
    return p->content_length > r->body->max ? reader_fail(r, HTTP_BODY_TOO_BIG) : 0;
}

static int on_complete(llhttp_t *p)
{
    reader_of(p)->whole = true;
    return HPE_PAUSED; /* so that the bytes behind it are seen */
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_chunk_header = on_chunk_header,
    .on_message_complete = on_complete,
};

void request_reader_init(struct request_reader *r, struct buf *body,
                         bool (*on_head)(struct request_reader *r), void *arg)
{
    *r = (struct request_reader){.on_head = on_head, .arg = arg, .body = body};
    buf_init(&r->text, HEAD_BYTES_MAX + 1);
    llhttp_init(&r->parser, HTTP_REQUEST, &settings);
    r->parser.data = r;
}

void request_reader_fini(struct request_reader *r)
{
    buf_fini(&r->text);
}

static enum http_fault fault_of_errno(llhttp_errno_t e)
{
    return e == HPE_INVALID_METHOD      ? HTTP_METHOD
           : e == HPE_INVALID_VERSION   ? HTTP_VERSION
           : e == HPE_PAUSED_H2_UPGRADE ? HTTP_VERSION
                                        : HTTP_SYNTAX;
}

/* Counts and checks the head's bytes in `bytes`, up to the empty line, before llhttp gets them.
 * Some servers read a line that begins with a blank as part of the one before, others as a line of
 * its own. */
static void reader_check_head(struct request_reader *r, struct str bytes)
{
    size_t at = 0;
    while (at < bytes.n) {
        char c = bytes.p[at];
        if (r->after_lf && c == '\n')
            reader_fail(r, HTTP_SYNTAX);
        if (r->after_lf && c == '\r') {
            r->has_end = true; /* llhttp looks at the LF behind it */
            break;
        }
        if (r->after_lf && (c == ' ' || c == '\t'))
            reader_fail(r, HTTP_SYNTAX);
        size_t lf = at + str_find(str_from(bytes, at), '\n');
        r->after_lf = lf < bytes.n;
        r->has_line |= r->after_lf;
        if (r->after_lf && (lf ? bytes.p[lf - 1] : r->last) != '\r')
            reader_fail(r, HTTP_SYNTAX);
        at = lf < bytes.n ? lf + 1 : bytes.n;
    }
    r->last = bytes.n ? bytes.p[bytes.n - 1] : r->last;
    r->head_bytes += at;
    if (r->head_bytes > HEAD_BYTES_MAX)
        reader_fail(r, r->has_line ? HTTP_HEAD_TOO_BIG : HTTP_TARGET_TOO_BIG);
}

enum http_read request_reader_feed(struct request_reader *r, struct str *bytes)
{
    struct str fed = *bytes;
    if (r->fault == HTTP_SOUND && !r->has_end)
        reader_check_head(r, fed);
    if (r->fault != HTTP_SOUND)
        return HTTP_READ_FAULT;
    llhttp_errno_t e = llhttp_execute(&r->parser, fed.p, fed.n);
    *bytes = (struct str){0};
    if (r->fault != HTTP_SOUND)
        return HTTP_READ_FAULT;
    if (r->whole && (e == HPE_PAUSED)) {
        const char *end = llhttp_get_error_pos(&r->parser);
        *bytes = str_from(fed, end ? (size_t)(end - fed.p) : fed.n);
        return HTTP_READ_WHOLE;
    }
    if (e != HPE_OK)
        reader_fail(r, fault_of_errno(e));
    r->wire_bytes += r->has_head ? fed.n : 0;
    if (r->wire_bytes > r->body->max + BODY_WIRE_EXTRA)
        reader_fail(r, HTTP_BODY_TOO_BIG);
    return r->fault == HTTP_SOUND ? HTTP_READ_MORE : HTTP_READ_FAULT;
}

const char *request_reader_method(const struct request_reader *r)
{
    return llhttp_method_name(r->parser.method);
}

char *request_reader_target(struct request_reader *r)
{
    return r->text.p;
}

struct str request_reader_name(const struct request_reader *r, size_t line)
{
    return (struct str){r->text.p + r->line[line].name, r->line[line].name_n};
}

struct str request_reader_value(const struct request_reader *r, size_t line)
{
    return str_trim((struct str){r->text.p + r->line[line].value, r->line[line].value_n});
}

struct str request_reader_header(const struct request_reader *r, struct str name)
{
    for (size_t i = 0; i < r->n_lines; i++)
        if (str_eq_nocase(request_reader_name(r, i), name))
            return request_reader_value(r, i);
    return (struct str){0};
}

bool request_reader_is_1_0(const struct request_reader *r)
{
    return r->parser.http_major == 1 && r->parser.http_minor == 0;
}

bool request_reader_keeps_alive(const struct request_reader *r)
{
    return llhttp_should_keep_alive(&r->parser) != 0;
}

const char *request_reader_reason(const struct request_reader *r)
{
    const char *reason = llhttp_get_error_reason(&r->parser);
    return reason && r->fault == HTTP_SYNTAX ? reason : "";
}
