/* receiver: the demo's own webhook endpoint.
 *
 * The daemon's client always sends Content-Length and never pipelines, so a request is a head, a
 * blank line and so many bytes; anything else closes the connection. At most RECEIVER_CONNS
 * connections and REQUEST_MAX bytes each. Caller: play/demo. Thread: the demo's loop. */
#include "play/receiver.h"

#include <stdlib.h>
#include <string.h>

#include "net/stream.h"

enum { REQUEST_MAX = 256 * 1024, RECEIVER_CONNS = 64 };

struct connection {
    struct receiver *receiver;
    struct stream *stream;
    struct connection *next;
    struct buf in;
};

struct receiver {
    struct receiver_config c;
    struct listener *listener;
    struct connection *connections;
    size_t n_connections;
};

static void connection_close(struct connection *c)
{
    struct connection **at = &c->receiver->connections;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    c->receiver->n_connections--;
    stream_close(c->stream);
    buf_fini(&c->in);
    free(c);
}

static struct str request_header(struct str head, struct str name)
{
    struct str line, value;
    while (head.n) {
        size_t end = str_find(head, '\n');
        line = str_slice(head, 0, end);
        head = str_from(head, end + 1);
        struct str key;
        if (str_cut(line, ':', &key, &value) && str_eq_nocase(key, name))
            return str_trim(value);
    }
    return (struct str){0};
}

static size_t request_head_end(struct str in)
{
    for (size_t i = 3; i < in.n; i++)
        if (!memcmp(in.p + i - 3, "\r\n\r\n", 4))
            return i + 1;
    return 0;
}

/* Answers one whole request at the start of `in`. Returns its size, 0 when more bytes are needed,
 * or REQUEST_MAX + 1 when it is no valid request. */
static size_t request_take(struct connection *c)
{
    struct str in = buf_str(&c->in), rest, method;
    struct webhook r = {0};
    uint64_t length, timestamp = 0;
    char text[RECEIVER_ANSWER_MAX + 128], answer[RECEIVER_ANSWER_MAX];
    struct buf out, said;
    size_t at = request_head_end(in);
    if (!at)
        return 0;
    struct str head = str_slice(in, 0, at);
    if (str_to_u64(request_header(head, STR("content-length")), REQUEST_MAX, &length) != OK ||
        !str_cut(head, ' ', &method, &rest) || !str_eq(method, STR("POST")) ||
        !str_cut(rest, ' ', &r.path, &rest))
        return REQUEST_MAX + 1;
    if (in.n < at + length)
        return 0;
    r.body = str_slice(in, at, length);
    r.id = request_header(head, STR("webhook-id"));
    r.attempt = request_header(head, STR("webhook-attempt"));
    r.signature = request_header(head, STR("webhook-signature"));
    r.content_type = request_header(head, STR("content-type"));
    if (str_to_u64(request_header(head, STR("webhook-timestamp")), INT64_MAX, &timestamp) == OK)
        r.timestamp_sec = (int64_t)timestamp;
    buf_wrap(&said, answer, sizeof answer);
    int status = c->receiver->c.on_received(c->receiver->c.arg, &r, &said);
    buf_wrap(&out, text, sizeof text);
    buf_printf(&out,
               "HTTP/1.1 %d x\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
               status, said.n);
    buf_put_str(&out, buf_str(&said));
    if (stream_write(c->stream, buf_str(&out)) != OK)
        return REQUEST_MAX + 1;
    return at + length;
}

static void connection_on_bytes(struct stream *s, void *arg, struct str bytes)
{
    struct connection *c = arg;
    size_t n;
    buf_put_str(&c->in, bytes);
    while (c->in.err == OK && (n = request_take(c)) > 0) {
        if (n > c->in.n) {
            connection_close(c);
            return;
        }
        buf_cut(&c->in, n);
    }
    if (c->in.err != OK)
        connection_close(c);
}

static void connection_on_end(struct stream *s, void *arg, enum err why)
{
    connection_close(arg);
}

static void receiver_on_accept(void *arg, struct stream *s)
{
    static const struct stream_events events = {.on_bytes = connection_on_bytes,
                                                .on_end = connection_on_end};
    struct receiver *r = arg;
    if (r->n_connections >= RECEIVER_CONNS)
        return; /* not taken: closed */
    struct connection *c = calloc(1, sizeof *c);
    if (!c)
        return;
    c->receiver = r;
    c->stream = s;
    buf_init(&c->in, REQUEST_MAX);
    c->next = r->connections;
    r->connections = c;
    r->n_connections++;
    stream_take(s, &events, c);
}

enum err receiver_open(struct loop *l, const struct receiver_config *c, struct receiver **ret)
{
    struct receiver *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->c = *c;
    enum err err = listener_open(l, &c->at, NULL, receiver_on_accept, r, &r->listener);
    if (err != OK)
        free(r);
    else
        *ret = r;
    return err;
}

void receiver_close(struct receiver *r)
{
    if (!r)
        return;
    while (r->connections)
        connection_close(r->connections);
    listener_close(r->listener);
    free(r);
}

struct addr receiver_local(const struct receiver *r)
{
    return listener_local(r->listener);
}
