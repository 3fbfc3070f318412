/* request: the API's part of a request, made around what HTTP brought and freed with it. On the
 * HTTP server's threads. */
#include "api/core/request.h"

#include <stdlib.h>

#include "api/core/idempotency.h"

enum { ROOM_MAX = 4 << 20 };

void request_begin(struct request *r, struct api *a)
{
    r->api = a;
    buf_init(&r->mem, ROOM_MAX);
    buf_init(&r->doc, ROOM_MAX);
}

void request_over(struct http_request *h)
{
    struct request *r = request_of(h);
    buf_fini(&r->mem);
    buf_fini(&r->doc);
    keyed_free(r->keyed);
    free(r->room);
    json_free(r->json);
    event_drop(&r->event);
    book_drop(&r->book);
}
