/* answer: an answer as it comes in, read by llhttp and bounded: heads of 16 KiB, bodies of 64
 * KiB of which 4 are kept, eight interim answers. Where it ends is the parser's word, never a
 * number that we compute from a header ourselves.
 *
 * The parser tells of names, values and bodies, not of every byte (blank lines before the status,
 * blanks before a value, zeros before a chunk's size), so what was fed is counted beside it. What
 * goes over a bound before the head is complete is an error; after it, the answer ends there: its
 * status is known, and the connection is not used again. Pure. */
#include <string.h>
#include <strings.h>

#include "deliver/http/conn.h"

static struct http_answer *of(llhttp_t *p)
{
    return p->data;
}

static int count_head(llhttp_t *p, size_t n)
{
    struct http_answer *a = of(p);
    a->head_bytes += n;
    if (a->head_bytes <= HTTP_HEAD_MAX)
        return 0;
    *(a->begun ? &a->body_cut : &a->too_big) = true; /* begun: chunk extensions, trailers */
    return -1;
}

static int on_status(llhttp_t *p, const char *at, size_t n)
{
    return count_head(p, n) ? HPE_USER : 0;
}

static int on_field(llhttp_t *p, const char *at, size_t n)
{
    struct http_answer *a = of(p);
    for (size_t i = 0; i < n && a->name_n < sizeof a->name; i++)
        a->name[a->name_n++] = at[i];
    return count_head(p, n) ? HPE_USER : 0;
}

static int on_field_complete(llhttp_t *p)
{
    struct http_answer *a = of(p);
    a->in_retry_after = !a->begun && a->name_n == 11 && !strncasecmp(a->name, "retry-after", 11);
    a->name_n = 0;
    if (a->in_retry_after)
        a->retry_after_n = 0; /* the last one counts */
    return count_head(p, 4);
}

static int on_value(llhttp_t *p, const char *at, size_t n)
{
    struct http_answer *a = of(p);
    for (size_t i = 0; i < n && a->in_retry_after && a->retry_after_n < sizeof a->retry_after; i++)
        a->retry_after[a->retry_after_n++] = at[i];
    return count_head(p, n) ? HPE_USER : 0;
}

static int on_headers_complete(llhttp_t *p)
{
    struct http_answer *a = of(p);
    if (p->http_major != 1) /* 0.9 and 2.0 have no such lines */
        return -1;
    a->begun = true;
    a->status = p->status_code;
    return 0;
}

static int on_body(llhttp_t *p, const char *at, size_t n)
{
    struct http_answer *a = of(p);
    size_t room = HTTP_BODY_KEPT - a->kept_n;
    memcpy(a->kept + a->kept_n, at, n < room ? n : room);
    a->kept_n = (uint16_t)(a->kept_n + (n < room ? n : room));
    a->body_bytes += n;
    a->body_cut |= a->body_bytes > HTTP_BODY_MAX;
    return a->body_cut ? HPE_USER : 0;
}

/* An interim answer (RFC 9110 §15.2) is followed by another; the final one stops the parser, so
 * that what lies behind it is seen. */
static int on_complete(llhttp_t *p)
{
    struct http_answer *a = of(p);
    if (a->status >= 100 && a->status < 200 && a->status != 101) {
        a->begun = false;
        a->status = 0;
        a->too_big |= ++a->interim > INTERIM_MAX;
        return a->too_big ? -1 : 0;
    }
    a->complete = true;
    return HPE_PAUSED;
}

static int on_chunk(llhttp_t *p)
{
    struct http_answer *a = of(p);
    a->body_bytes += 8; /* a body of empty chunks is one that never ends, too */
    a->body_cut |= a->body_bytes > HTTP_BODY_MAX;
    return a->body_cut ? -1 : 0;
}

static const llhttp_settings_t settings = {
    .on_status = on_status,
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

void answer_start(struct http_answer *a)
{
    memset(a, 0, offsetof(struct http_answer, kept));
    llhttp_init(&a->parser, HTTP_RESPONSE, &settings);
    a->parser.data = a;
}

enum err answer_feed(struct http_answer *a, struct str bytes, size_t *ret_rest)
{
    *ret_rest = 0;
    a->fed_bytes += bytes.n;
    llhttp_errno_t e = llhttp_execute(&a->parser, bytes.p, bytes.n);
    if (a->complete) {
        const char *end = llhttp_get_error_pos(&a->parser);
        if (e == HPE_PAUSED && end)
            *ret_rest = (size_t)(bytes.p + bytes.n - end);
        return a->status == 101 ? ERR_SYNTAX : OK;
    }
    if (e == HPE_OK) {
        a->too_big |= !a->begun && a->fed_bytes > HTTP_HEAD_MAX;
        a->body_cut |= a->begun && a->fed_bytes > HTTP_HEAD_MAX + HTTP_BODY_MAX;
    }
    if (a->too_big)
        return ERR_TOO_BIG;
    a->complete = a->body_cut; /* enough was read to know how it went */
    return e == HPE_OK || a->complete ? OK : ERR_SYNTAX;
}

bool answer_end(struct http_answer *a)
{
    if (!a->complete && a->begun && llhttp_message_needs_eof(&a->parser)) {
        (void)llhttp_finish(&a->parser);
        a->complete = true;
        a->body_cut = true; /* and so it ends here */
    }
    return a->complete;
}

size_t answer_body_left(const struct http_answer *a)
{
    size_t fed_max = HTTP_HEAD_MAX + HTTP_BODY_MAX;
    size_t all = a->fed_bytes < fed_max ? fed_max - a->fed_bytes : 0;
    size_t body = HTTP_BODY_MAX - a->body_bytes;
    return body < all ? body : all;
}

bool answer_keeps_alive(const struct http_answer *a)
{
    llhttp_t parser = a->parser;
    return a->complete && !a->body_cut && llhttp_should_keep_alive(&parser);
}

/* Seconds only: a date would believe the receiver's clock. */
int64_t answer_retry_after_sec(const struct http_answer *a)
{
    uint64_t v;
    struct str text = str_trim(str_of_bytes(a->retry_after, a->retry_after_n));
    return text.n && str_to_u64(text, 1000000000, &v) == OK ? (int64_t)v : -1;
}
