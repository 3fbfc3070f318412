/* event_state: finds the one word for all deliveries of an event. On the store's threads. */
#include "api/core/event_state.h"

struct state_counts { /* the number of deliveries in each state */
    unsigned n[4];
};

static bool state_counts_on_delivery(void *arg, const struct delivery *d)
{
    struct state_counts *s = arg;
    s->n[d->state & 3]++;
    return true;
}

enum err event_state(struct db *db, int64_t n, const char **ret)
{
    struct state_counts s = {{0}};
    enum err err = delivery_list_of_event(db, n, state_counts_on_delivery, &s);
    *ret = s.n[DELIVERY_PENDING]     ? "pending"
           : s.n[DELIVERY_GIVEN_UP]  ? "given_up"
           : s.n[DELIVERY_DELIVERED] ? "delivered"
           : s.n[DELIVERY_CANCELED]  ? "canceled"
                                     : "none";
    return err;
}
