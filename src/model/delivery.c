/* delivery: names the states, and gives the verdict on an attempt (CONTRACT §3). Pure. */
#include "model/delivery.h"

static const char *const name[] = {"pending", "delivered", "given_up", "canceled"};

const char *delivery_state_name(enum delivery_state s)
{
    return (unsigned)s <= DELIVERY_CANCELED ? name[s] : "unknown";
}

bool delivery_state_parse(struct str text, enum delivery_state *ret)
{
    for (unsigned i = 0; i <= DELIVERY_CANCELED; i++)
        if (str_eq(text, str_of(name[i]))) {
            *ret = (enum delivery_state)i;
            return true;
        }
    return false;
}

bool outcome_refuses_event(const struct outcome *o)
{
    static const int status[] = {400, 406, 409, 411, 412, 413, 414, 415, 416, 417, 422, 428, 431};
    for (size_t i = 0; o->err == OK && i < sizeof status / sizeof *status; i++)
        if (o->status == status[i])
            return true;
    return false;
}

struct verdict verdict_of(const struct outcome *o, const struct retry *r, unsigned attempt,
                          int64_t age_ms, uint64_t random)
{
    bool answered = o->err == OK;
    if (answered && o->status >= 200 && o->status < 300)
        return (struct verdict){.kind = VERDICT_DELIVERED};
    if (answered && o->status == 410)
        return (struct verdict){.kind = VERDICT_GIVE_UP, .disable_endpoint = true};
    bool asked = answered && (o->status == 429 || o->status == 503);
    int64_t wait_ms = retry_wait_ms(r, attempt, age_ms, asked ? o->retry_after_sec : -1, random);
    if (wait_ms < 0)
        return (struct verdict){.kind = VERDICT_GIVE_UP};
    return (struct verdict){.kind = VERDICT_RETRY, .wait_ms = wait_ms};
}
