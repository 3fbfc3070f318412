/* answering: writes answers into a connection: a whole one, in pieces when it is large, or a
 * stream, block by block. Called by connection.c, and again when the client has taken what was
 * written. At most one piece or block of an answer is in the memory of the connection's stream.
 *
 * A stream that has nothing to send waits for http_wake, which may come before the wait begins:
 * `turn` tells. */
#include "api/http/connection.h"
#include "base/clock.h"
#include "base/metrics.h"

enum {
    ANSWER_PIECE = 64 * 1024, /* of a large answer; a client must take so much in a minute */
    STREAM_BLOCK = 16 * 1024,
    STREAM_TURN_MAX = 1 << 20, /* bytes of one stream before the others' turn */
};

/* Ends the exchange, after the last byte of the answer has left. */
static void answer_over(struct connection *c)
{
    struct exchange *x = c->x;
    bool stays = x->keeps_alive && !c->worker->stopping;
    if (!x->read_more)
        metric_observe_us(METRIC_API_WAIT, clock_mono_us() - x->whole_us);
    c->x = NULL;
    exchange_free(x);
    if (stays) {
        connection_enter(c, STATE_IDLE);
    } else if (c->eof) {
        connection_close(c);
    } else {
        buf_fini(&c->behind);
        stream_shut(c->stream);
        connection_enter(c, STATE_LINGERING);
    }
}

void connection_send_rest(struct connection *c)
{
    struct exchange *x = c->x;
    while (x->sent < x->r->out.n && !stream_unsent(c->stream)) {
        struct str piece = str_slice(buf_str(&x->r->out), x->sent, ANSWER_PIECE);
        if (stream_write(c->stream, piece) != OK) {
            connection_close(c);
            return;
        }
        x->sent += piece.n;
    }
    if (!stream_unsent(c->stream))
        answer_over(c);
}

static void answer_send_whole(struct connection *c)
{
    struct exchange *x = c->x;
    struct http_request *r = x->r;
    struct buf *out = &c->worker->out;
    bool has_body = !x->is_head && r->status != 204 && r->status != 304;
    connection_enter(c, STATE_ANSWERING);
    buf_reset(out);
    answer_print_head(x, (int64_t)r->out.n, out);
    if (!has_body || r->out.n <= ANSWER_PIECE) {
        if (has_body)
            buf_put_str(out, buf_str(&r->out));
        x->sent = r->out.n;
    }
    if (out->err != OK || stream_write(c->stream, buf_str(out)) != OK)
        connection_close(c);
    else
        connection_send_rest(c);
}

bool exchange_is_passed_on(struct exchange *x)
{
    int runs = TURN_RUNS;
    if (!atomic_compare_exchange_strong(&x->turn, &runs, TURN_WAITS))
        return false;
    x->waits = true;
    x->worker->waiting++;
    return true;
}

/* Sends one block of a stream: as a chunk, except to HTTP/1.0 (RFC 9112 §7.1). */
static bool stream_send_block(struct connection *c, const char *bytes, size_t n)
{
    struct buf *out = &c->worker->out;
    bool chunked = !request_reader_is_1_0(&c->x->in);
    buf_reset(out);
    if (chunked)
        buf_printf(out, "%zx\r\n", n);
    buf_put(out, bytes, n);
    if (chunked)
        buf_puts(out, "\r\n");
    return out->err == OK && stream_write(c->stream, buf_str(out)) == OK;
}

static void stream_send_end(struct connection *c)
{
    if (!request_reader_is_1_0(&c->x->in) && stream_write(c->stream, STR("0\r\n\r\n")) != OK)
        connection_close(c);
    else
        answer_over(c);
}

/* Sends the stream's bytes, until it sleeps, ends, or the client takes no more. */
void connection_pump(struct connection *c)
{
    char block[STREAM_BLOCK];
    struct exchange *x = c->x;
    connection_enter(c, STATE_STREAMING);
    for (size_t sent = 0; !stream_unsent(c->stream);) {
        if (sent > STREAM_TURN_MAX) {
            connection_pause(c);
            return;
        }
        atomic_store(&x->turn, TURN_RUNS);
        long n = x->read_more(x->r, block, sizeof block);
        if (n == STREAM_SLEEPS) {
            if (!exchange_is_passed_on(x))
                continue;
            timer_stop(&c->timer);
            return;
        }
        if (n < 0) {
            stream_send_end(c);
            return;
        }
        if (!stream_send_block(c, block, (size_t)n)) {
            connection_close(c);
            return;
        }
        sent += (size_t)n;
    }
}

void connection_answer(struct connection *c)
{
    struct exchange *x = c->x;
    metric_add(METRIC_API_IN_HAND, -x->is_unanswered);
    x->is_unanswered = false;
    if (!x->read_more) {
        answer_send_whole(c);
        return;
    }
    x->keeps_alive = x->keeps_alive && !request_reader_is_1_0(&x->in);
    buf_reset(&c->worker->out);
    answer_print_head(x, -1, &c->worker->out);
    if (c->worker->out.err != OK || stream_write(c->stream, buf_str(&c->worker->out)) != OK)
        connection_close(c);
    else if (x->is_head)
        answer_over(c);
    else
        connection_pump(c);
}
