/* Reads one HTTP answer as it comes in, by llhttp and within limits: its status, its Retry-After,
 * and its body in pieces. The reader finds where the answer ends, and tells the bytes behind it.
 * 204 and 304 end at their head, whatever lengths it names (RFC 9112 §6.3).
 * Pure. */
#pragma once
#include <llhttp.h>

#include "base/str.h"

struct response_limits {
    size_t head_max; /* bytes of its head, and of trailers and chunk extensions: ERR_TOO_BIG */
    size_t body_max; /* of its body: the answer ends there; 0: it may last for ever */
};
enum { RESPONSE_INTERIM_MAX = 8 };

struct response_reader {
    llhttp_t parser;
    struct response_limits max;
    void (*on_head)(void *arg);                   /* of the final answer; may be NULL */
    void (*on_body)(void *arg, struct str bytes); /* valid during the call */
    void *arg;
    size_t fed_bytes, head_bytes, body_bytes;
    unsigned interim;              /* 1xx answers before it */
    bool begun, complete;          /* its head is there; all of it is */
    bool too_big, is_cut;          /* by the limits */
    bool in_retry_after, is_coded; /* is_coded: a Transfer-Encoding other than chunked */
    int status;                    /* of the answer whose head is there; 0: not read yet */
    int line_status;               /* of the status line that came whole, of a final answer; or 0 */
    char name[16], retry_after[40];
    uint8_t name_n, retry_after_n;
};

void response_reader_init(struct response_reader *r, const struct response_limits *max,
                          void (*on_body)(void *arg, struct str bytes), void *arg);
/* OK: more is needed or it is complete. ERR_SYNTAX, ERR_TOO_BIG. *ret_rest: bytes behind the
 * complete answer. */
MUST_USE enum err response_reader_feed(struct response_reader *r, struct str bytes,
                                       size_t *ret_rest);
/* The connection ended: completes an answer whose body lasts until then. */
bool response_reader_end(struct response_reader *r);
/* Bytes of the body that may still be read, when it has an end. */
size_t response_reader_body_left(const struct response_reader *r);
bool response_reader_keeps_alive(const struct response_reader *r);
/* In seconds from now_ms (wall), rounded up; a date (RFC 9110 §10.2.3) that is over gives 0. -1:
 * none, or neither a number nor a date. */
int64_t response_reader_retry_after_sec(const struct response_reader *r, int64_t now_ms);
