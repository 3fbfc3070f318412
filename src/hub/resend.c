/* resend: sends an old event to an endpoint once more, because a person asked. The delivery has a
 * lane of its own: it neither waits for the call's other events nor holds them up. Inside a
 * writer's job. */
#include "hub/resend.h"

struct earlier_deliveries {
    uint64_t endpoint;
    unsigned sequence, count;
};

static bool earlier_deliveries_add(void *arg, const struct delivery *d)
{
    struct earlier_deliveries *b = arg;
    b->count++;
    if (d->endpoint == b->endpoint && d->sequence)
        b->sequence = d->sequence;
    return true;
}

enum err resend_put(struct db *db, int64_t event_n, const struct event *e, uint64_t endpoint,
                    struct delivery *ret)
{
    char text[256];
    struct buf b;
    struct earlier_deliveries before = {.endpoint = endpoint};
    enum err err = delivery_list_of_event(db, event_n, earlier_deliveries_add, &before);
    if (err != OK)
        return err;
    buf_wrap(&b, text, sizeof text);
    buf_printf(&b, "resend %llu %u ", (unsigned long long)endpoint, before.count);
    buf_put_str(&b, e->id);
    *ret = (struct delivery){.event_n = event_n,
                             .endpoint = endpoint,
                             .lane = hash64(buf_str(&b)),
                             .sequence = before.sequence,
                             .resend = true};
    return delivery_put(db, ret);
}
