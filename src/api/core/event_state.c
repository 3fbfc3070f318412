/* event_state: one word for all deliveries of an event. On the store's threads. */
#include "api/core/event_state.h"

struct states { /* so many deliveries are in each */
    unsigned n[4];
};

static bool on_state(void *arg, const struct delivery *d)
{
    struct states *s = arg;
    s->n[d->state & 3]++;
    return true;
}

enum err event_state(struct db *db, int64_t n, const char **ret)
{
    struct states s = {{0}};
    enum err err = delivery_list_of_event(db, n, on_state, &s);
    *ret = s.n[DELIVERY_PENDING]     ? "pending"
           : s.n[DELIVERY_GIVEN_UP]  ? "given_up"
           : s.n[DELIVERY_DELIVERED] ? "delivered"
           : s.n[DELIVERY_CANCELED]  ? "canceled"
                                     : "none";
    return err;
}
