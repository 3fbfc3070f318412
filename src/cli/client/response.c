/* response: the little of HTTP/1.1 (RFC 9112) that a client of one long answer needs: status,
 * Retry-After, Content-Length, chunks (§7.1). Lines are read whole, bodies passed on. Caller:
 * cli/stream_client. */
#include "cli/client/response.h"

#include <string.h>

void response_init(struct response *r)
{
    *r = (struct response){.retry_after_sec = -1, .length = -1};
    buf_init(&r->line, RESPONSE_HEAD_MAX);
}

void response_fini(struct response *r)
{
    buf_fini(&r->line);
}

static enum err status_line(struct response *r, struct str line)
{
    uint64_t status;
    if (!str_starts(line, STR("HTTP/1.")) || line.n < 12 || line.p[8] != ' ' ||
        str_to_u64(str_slice(line, 9, 3), 999, &status) != OK || status < 100)
        return ERR_SYNTAX;
    r->status = (int)status;
    return OK;
}

static enum err header_line(struct response *r, struct str line)
{
    struct str name, value;
    uint64_t v;
    if (!str_cut(line, ':', &name, &value))
        return ERR_SYNTAX;
    value = str_trim(value);
    if (str_eq_nocase(name, STR("transfer-encoding"))) {
        if (!str_eq_nocase(value, STR("chunked")))
            return ERR_SYNTAX; /* nothing else was asked for */
        r->chunked = true;
    } else if (str_eq_nocase(name, STR("content-length"))) {
        if (str_to_u64(value, INT64_MAX, &v) != OK)
            return ERR_SYNTAX;
        r->length = (int64_t)v;
    } else if (str_eq_nocase(name, STR("retry-after")) && str_to_u64(value, 86400, &v) == OK) {
        r->retry_after_sec = (int64_t)v;
    }
    return OK;
}

static void head_end(struct response *r)
{
    if (r->status < 200) { /* 100, 103: the real one follows */
        r->status = 0;
        r->chunked = false;
        r->length = -1;
        return;
    }
    r->head_done = true;
    if (r->chunked)
        r->length = 0;
    r->ended = r->status == 204 || r->status == 304 || (!r->chunked && r->length == 0);
}

static enum err chunk_size(struct response *r, struct str line)
{
    size_t n = 0;
    uint64_t v = 0;
    for (; n < line.n && n < 16; n++) {
        char c = line.p[n], low = (char)(c | 0x20);
        unsigned digit = c >= '0' && c <= '9'       ? (unsigned)(c - '0')
                         : low >= 'a' && low <= 'f' ? (unsigned)(low - 'a') + 10
                                                    : 16;
        if (digit == 16)
            break;
        v = v << 4 | digit;
    }
    if (n == 0 || n > 15 || (n < line.n && !strchr("; \t", line.p[n])))
        return ERR_SYNTAX;
    r->length = (int64_t)v;
    r->at = v ? CHUNK_DATA : CHUNK_TRAILER;
    return OK;
}

static enum err on_line(struct response *r, struct str line)
{
    if (line.n && line.p[line.n - 1] == '\r')
        line = str_slice(line, 0, line.n - 1);
    if (!r->head_done) {
        if (!r->status)
            return status_line(r, line);
        if (line.n)
            return header_line(r, line);
        head_end(r);
        return OK;
    }
    if (r->at == CHUNK_SIZE)
        return chunk_size(r, line);
    if (r->at == CHUNK_TRAILER)
        r->ended |= line.n == 0;
    else if (line.n)
        return ERR_SYNTAX; /* behind a chunk's data stands its line's end, nothing else */
    else
        r->at = CHUNK_SIZE;
    return OK;
}

/* Body bytes at the start of `bytes`; how many. */
static size_t take_body(struct response *r, struct str bytes, response_on_body *on_body, void *arg)
{
    size_t n = bytes.n;
    if (r->length >= 0 && (uint64_t)r->length < n)
        n = (size_t)r->length;
    on_body(arg, str_slice(bytes, 0, n));
    if (r->length < 0)
        return n;
    r->length -= (int64_t)n;
    if (r->length == 0 && r->chunked)
        r->at = CHUNK_END;
    r->ended |= r->length == 0 && !r->chunked;
    return n;
}

/* A line's bytes, to its end; how many. */
static size_t take_line(struct response *r, struct str bytes, enum err *err)
{
    size_t end = str_find(bytes, '\n');
    r->head_n += r->head_done ? 0 : end + 1;
    buf_put_str(&r->line, str_slice(bytes, 0, end));
    if (r->line.err != OK || r->head_n > RESPONSE_HEAD_MAX) {
        *err = r->line.err == ERR_NOMEM ? ERR_NOMEM : ERR_TOO_BIG;
        return bytes.n;
    }
    if (end == bytes.n)
        return end;
    *err = on_line(r, buf_str(&r->line));
    buf_reset(&r->line);
    return end + 1;
}

enum err response_feed(struct response *r, struct str bytes, response_on_body *on_body, void *arg)
{
    enum err err = OK;
    while (err == OK && bytes.n && !r->ended) {
        bool body = r->head_done && (!r->chunked || r->at == CHUNK_DATA);
        size_t n = body ? take_body(r, bytes, on_body, arg) : take_line(r, bytes, &err);
        bytes = str_from(bytes, n);
    }
    return err;
}
