/* answer: what is kept of an endpoint's answer: heads of 16 KiB are read, bodies of 64 KiB of which
 * 4 are kept (net/http/response_reader), and when it is known how the request went. Pure. */
#include <string.h>

#include "deliver/http/conn.h"

static void on_body(void *arg, struct str bytes)
{
    struct http_answer *a = arg;
    struct str kept = str_slice(bytes, 0, HTTP_BODY_KEPT - a->kept_n);
    memcpy(a->kept + a->kept_n, kept.p, kept.n);
    a->kept_n = (uint16_t)(a->kept_n + kept.n);
}

void answer_start(struct http_answer *a)
{
    static const struct response_limits max = {.head_max = HTTP_HEAD_MAX,
                                               .body_max = HTTP_BODY_MAX};
    a->kept_n = 0;
    response_reader_init(&a->in, &max, on_body, a);
}

enum err answer_feed(struct http_answer *a, struct str bytes, size_t *ret_rest)
{
    enum err err = response_reader_feed(&a->in, bytes, ret_rest);
    if (err != ERR_SYNTAX || !a->in.line_status)
        return err;
    a->in.status = a->in.line_status;
    a->in.complete = a->in.is_cut = true;
    return OK;
}
