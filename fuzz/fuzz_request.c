/* Fuzzes requests as they come over the wire: whole or byte by byte, the reader sees the same one.
 */
#include "net/http/request_reader.h"

enum { BODY_MAX = 4096 };

struct request_view {
    enum http_read read;
    enum http_fault fault;
    size_t rest, lines;
    bool keeps;
};

static bool reader_on_head(struct request_reader *r)
{
    return request_reader_target(r) && request_reader_method(r);
}

static struct request_view reader_feed(struct request_reader *r, struct buf *body, struct str text,
                                       size_t piece)
{
    struct request_view s = {.read = HTTP_READ_MORE};
    request_reader_init(r, body, reader_on_head, NULL);
    for (size_t at = 0; at < text.n && s.read == HTTP_READ_MORE;) {
        struct str bytes = str_slice(text, at, piece);
        at += bytes.n;
        s.read = request_reader_feed(r, &bytes);
        s.rest = bytes.n + text.n - at;
    }
    s.fault = r->fault;
    s.lines = r->n_lines;
    s.keeps = s.read == HTTP_READ_WHOLE && request_reader_keeps_alive(r);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct request_reader whole, single;
    struct str text = str_of_bytes(bytes, n);
    struct buf a, b;
    if (n && (bytes[0] == '\r' || bytes[0] == '\n'))
        return 0; /* the connection skips those */
    buf_init(&a, BODY_MAX);
    buf_init(&b, BODY_MAX);
    struct request_view once = reader_feed(&whole, &a, text, n),
                        drip = reader_feed(&single, &b, text, 1);
    ASSERT(once.read == drip.read && once.keeps == drip.keeps);
    if (once.read == HTTP_READ_WHOLE) {
        ASSERT(once.rest == drip.rest && once.lines == drip.lines);
        ASSERT(str_eq(buf_str(&a), buf_str(&b)));
        ASSERT(str_eq(buf_str(&whole.text), buf_str(&single.text)));
    }
    if (once.read == HTTP_READ_FAULT)
        ASSERT(once.fault != HTTP_SOUND && drip.fault != HTTP_SOUND);
    request_reader_fini(&whole);
    request_reader_fini(&single);
    buf_fini(&a);
    buf_fini(&b);
    return 0;
}
