/* Reads one HTTP request as it comes in, by llhttp and within limits: the head as lines of text,
 * the body as bytes. The reader finds the end of the request; the bytes behind it stay the
 * caller's. Pure. */
#pragma once
#include <llhttp.h>

#include "base/buf.h"

enum {
    HEAD_BYTES_MAX = 32 * 1024, /* request line and header lines */
    HEAD_LINES_MAX = 100,
    TARGET_BYTES_MAX = 8 * 1024,
    BODY_WIRE_EXTRA = 2 << 20, /* what chunk sizes, extensions and trailers may add to a body */
};

struct head_line { /* places in request_reader.text */
    uint32_t name, name_n, value, value_n;
};

enum http_fault {
    HTTP_SOUND,
    HTTP_SYNTAX,         /* request_reader_reason says more */
    HTTP_METHOD,         /* one that llhttp does not know */
    HTTP_VERSION,        /* neither 1.0 nor 1.1 */
    HTTP_TARGET_TOO_BIG, /* the request line */
    HTTP_HEAD_TOO_BIG,
    HTTP_BODY_TOO_BIG,
    HTTP_NO_MEMORY,
    HTTP_REFUSED, /* by on_head */
};

struct request_reader {
    llhttp_t parser;
    /* Called when the head is there and the body is not. False: the request is refused, and read no
     * further. */
    bool (*on_head)(struct request_reader *r);
    void *arg;
    struct buf text; /* the target and a NUL, then names and values */
    struct buf *body;
    size_t target_n, n_lines, head_bytes, wire_bytes;
    struct head_line line[HEAD_LINES_MAX];
    bool target_done, has_line, has_end, has_head, whole, after_lf;
    char last; /* byte of the head */
    enum http_fault fault;
};

/* `body` is the caller's; its maximum is the body's. */
void request_reader_init(struct request_reader *r, struct buf *body,
                         bool (*on_head)(struct request_reader *r), void *arg);
void request_reader_fini(struct request_reader *r);

enum http_read { HTTP_READ_MORE, HTTP_READ_WHOLE, HTTP_READ_FAULT };
/* Takes the request's bytes off *bytes. MORE: all of it was taken, and more is needed. */
enum http_read request_reader_feed(struct request_reader *r, struct str *bytes);

/* These are called after the head; the method also before. */
const char *request_reader_method(const struct request_reader *r);
char *request_reader_target(struct request_reader *r); /* ends in NUL */
struct str request_reader_name(const struct request_reader *r, size_t line);
struct str request_reader_value(const struct request_reader *r, size_t line);
struct str request_reader_header(const struct request_reader *r,
                                 struct str name);              /* the first of them */
bool request_reader_is_too_big(const struct request_reader *r); /* by its Content-Length */
bool request_reader_is_1_0(const struct request_reader *r);
bool request_reader_keeps_alive(const struct request_reader *r); /* once it is whole */
const char *request_reader_reason(const struct request_reader *r);
