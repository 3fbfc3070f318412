/* answer: what is kept of an endpoint's answer: heads of 16 KiB are read, bodies of 64 KiB of which
 * 4 are kept (net/http/response_reader). Pure. */
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
