/* Fuzzes the answer of an event stream, whole and in pieces: the same events, and the same end.
 * The first byte gives the length of the pieces. */
#include <stdlib.h>
#include <string.h>

#include "cli/client/sse.h"
#include "net/http/response_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct sse_reader {
    struct response_reader response;
    struct sse sse;
    struct buf seen;
    enum err err;
};

static void reader_on_event(void *arg, struct str event, struct str id, struct str data)
{
    struct sse_reader *r = arg;
    buf_printf(&r->seen, "%zu %zu %zu|", event.n, id.n, data.n);
    buf_put_str(&r->seen, event);
    buf_put_str(&r->seen, id);
    buf_put_str(&r->seen, data);
}

static void reader_on_body(void *arg, struct str bytes)
{
    struct sse_reader *r = arg;
    if (r->err == OK)
        r->err = sse_feed(&r->sse, bytes, reader_on_event, r);
}

static void reader_run(struct sse_reader *r, struct str s, size_t piece)
{
    response_reader_init(&r->response, &(struct response_limits){.head_max = 32768}, reader_on_body,
                         r);
    sse_init(&r->sse);
    buf_init(&r->seen, 64 << 20);
    r->err = OK;
    while (r->err == OK && s.n && !r->response.complete) {
        size_t k = piece < s.n ? piece : s.n;
        size_t rest;
        enum err err = response_reader_feed(&r->response, str_slice(s, 0, k), &rest);
        if (r->err == OK)
            r->err = err;
        s = str_from(s, k);
    }
}

static void reading_end(struct sse_reader *r)
{
    sse_fini(&r->sse);
    buf_fini(&r->seen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct sse_reader whole, pieces;
    if (n < 2)
        return 0;
    struct str s = {(const char *)data + 1, n - 1};
    reader_run(&whole, s, s.n);
    reader_run(&pieces, s, data[0] % 16 + 1u);
    if (whole.err != pieces.err || !str_eq(buf_str(&whole.seen), buf_str(&pieces.seen)) ||
        (whole.err == OK && strcmp(whole.sse.last_id, pieces.sse.last_id)))
        abort();
    reading_end(&whole);
    reading_end(&pieces);
    return 0;
}
