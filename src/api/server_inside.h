/* Inside server*.c: a request as libmicrohttpd has it, and the one place that includes it. */
#pragma once
#include <microhttpd.h>
#include <stdatomic.h>

#include "api/server.h"

struct exchange { /* what stands behind request.mhd */
    struct request r;
    struct MHD_Connection *connection;
    int64_t began_ms;
    bool read, handed, too_big, long_path, crowded;
    struct peer *client; /* who is counted for it, behind a proxy */
    atomic_bool done;
    /* A stream's: */
    request_read_fn *read_more;
    void (*on_end)(struct request *r);
    atomic_int state;
};

static inline struct exchange *exchange_of(const struct request *r)
{
    return r->mhd;
}

/* server_input.c. Whose the request is, by its connection or what a trusted proxy says; and is he
 * one too many? */
void exchange_find_client(struct exchange *x, struct peers *peers);
/* Whether the head is one that can be answered; false: r has the refusal, and the connection must
 * be closed after it. `version`: "HTTP/1.1". */
bool exchange_is_sound(struct exchange *x, const char *version);

/* server_answer.c. All that goes in front of the body. */
void answer_put_headers(const struct request *r, struct MHD_Response *answer);
