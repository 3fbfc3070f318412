/* An HTTP/1.1 answer without a known end, as it comes in: its head once, then its body in pieces.
 * Pure; bytes may come in any pieces. */
#pragma once
#include "base/buf.h"

enum { RESPONSE_HEAD_MAX = 32 * 1024 };

struct response {
    struct buf line;
    int status;              /* 0: not read yet */
    int64_t retry_after_sec; /* -1: none */
    bool head_done, ended;   /* ended: the body said so itself */
    bool chunked;
    int64_t length; /* of the body, or of the present chunk, what is left; -1: until the end */
    size_t head_n;
    enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_END, CHUNK_TRAILER } at;
};

typedef void response_on_body(void *arg, struct str bytes); /* valid during the call */

void response_init(struct response *r);
void response_fini(struct response *r);
/* ERR_SYNTAX: not HTTP/1.x; ERR_TOO_BIG: a head beyond RESPONSE_HEAD_MAX. What comes after the end
 * is passed over. */
MUST_USE enum err response_feed(struct response *r, struct str bytes, response_on_body *on_body,
                                void *arg);
