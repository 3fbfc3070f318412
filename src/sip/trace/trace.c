/* trace: copies messages into a batch, which leaves when it is full or FLUSH_MS old. The edge does
 * no more: the thread that writes decides what to keep of a message, and how many messages of a
 * call. */
#include "sip/trace/trace.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"

enum { FLUSH_MS = 10 };

struct trace {
    struct loop *loop;
    struct transport *transport;
    struct trace_log *log;
    struct trace_batch *batch; /* NULL: nothing waits */
    struct timer timer;
};

enum err trace_new(struct loop *l, struct transport *tp, struct trace_log *log, struct trace **ret)
{
    struct trace *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    t->loop = l;
    t->transport = tp;
    t->log = log;
    *ret = t;
    return OK;
}

void trace_free(struct trace *t)
{
    if (!t)
        return;
    timer_stop(&t->timer);
    free(t->batch);
    free(t);
}

void trace_flush(struct trace *t)
{
    if (!t || !t->batch)
        return;
    timer_stop(&t->timer);
    trace_log_put(t->log, &t->batch);
}

static void trace_on_flush(struct timer *timer)
{
    trace_flush(timer->arg);
}

/* Gives the batch, with room for `size` more; NULL: no memory. */
static struct trace_batch *batch_with_room(struct trace *t, size_t size)
{
    if (t->batch && t->batch->n + size > TRACE_BATCH_BYTES)
        trace_flush(t);
    if (!t->batch) {
        t->batch = malloc(sizeof *t->batch);
        if (!t->batch)
            return NULL;
        t->batch->n = t->batch->count = 0;
        loop_timer(t->loop, &t->timer, FLUSH_MS, trace_on_flush, t);
    }
    return t->batch;
}

static struct trace_addr addr_of(const struct addr *a)
{
    struct trace_addr r = {.family = a->family, .port = a->port};
    memcpy(r.ip, a->ip, sizeof r.ip);
    return r;
}

void trace_put(struct trace *t, const struct trace_label *whose, bool sent, const struct path *path,
               struct str message)
{
    if (!t || !trace_id_is_set(&whose->call))
        return;
    struct str kept = str_slice(message, 0, TRACE_MESSAGE_MAX);
    struct addr own = transport_from(t->transport, path);
    struct trace_record r = {.magic = TRACE_MAGIC,
                             .size = trace_record_size((uint32_t)kept.n),
                             .call = whose->call,
                             .at_ms = clock_wall_ms(),
                             .n = (uint32_t)kept.n,
                             .whole = (uint32_t)message.n,
                             .local = addr_of(&own),
                             .remote = addr_of(&path->peer),
                             .leg = whose->leg,
                             .sent = sent,
                             .transport = path->transport};
    struct trace_batch *b = batch_with_room(t, r.size);
    if (!b) {
        metric_add(METRIC_TRACE_DROPPED, 1);
        return;
    }
    memcpy(b->bytes + b->n, &r, sizeof r);
    memcpy(b->bytes + b->n + sizeof r, kept.p, kept.n);
    b->n += r.size;
    b->count++;
}
