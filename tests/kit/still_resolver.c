/* still_resolver: implements net/resolver.h without DNS. A question waits for the answer of the
 * test, as long as the real one would wait for the servers. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "still.h"

enum { TIMEOUT_MS = 5000 };

struct resolver {
    struct loop *loop;
};

struct lookup {
    struct lookup *next;
    struct still_lookup asked;
    resolver_on_answer *on_answer;
    void *arg;
    struct timer deadline;
};

static struct lookup *lookups;
static uint32_t n_lookups;

enum err resolver_new(struct loop *l, const struct resolver_config *c, struct resolver **ret)
{
    *ret = malloc(sizeof **ret);
    if (!*ret)
        return ERR_NOMEM;
    (*ret)->loop = l;
    return OK;
}

void resolver_free(struct resolver *r)
{
    free(r);
}

void lookup_cancel(struct lookup *k)
{
    for (struct lookup **at = &lookups; k && *at; at = &(*at)->next)
        if (*at == k) {
            *at = k->next;
            timer_stop(&k->deadline);
            free(k);
            return;
        }
}

static void lookup_end(struct lookup *k, const struct resolved *answer)
{
    resolver_on_answer *on_answer = k->on_answer;
    void *arg = k->arg;
    lookup_cancel(k);
    on_answer(arg, answer);
}

static void on_deadline(struct timer *t)
{
    const struct resolved late = {.err = ERR_TIMEOUT, .at_ms = clock_mono_ms()};
    lookup_end(t->arg, &late);
}

enum err resolver_host(struct resolver *r, struct str host, uint16_t port,
                       resolver_on_answer *on_answer, void *arg, struct lookup **ret)
{
    struct lookup *k = calloc(1, sizeof *k);
    if (!k)
        return ERR_NOMEM;
    if (str_copy(host, k->asked.host, sizeof k->asked.host) != OK) {
        free(k);
        return ERR_TOO_BIG;
    }
    k->asked.id = ++n_lookups;
    k->asked.port = port;
    k->on_answer = on_answer;
    k->arg = arg;
    k->next = lookups;
    lookups = *ret = k;
    loop_timer(r->loop, &k->deadline, TIMEOUT_MS, on_deadline, k);
    return OK;
}

enum err resolver_sip(struct resolver *r, struct str host, uint16_t port, int transport, bool sips,
                      resolver_on_answer *on_answer, void *arg, struct lookup **ret)
{
    return resolver_host(r, host, port, on_answer, arg, ret);
}

void still_reset_lookups(void)
{
    n_lookups = 0;
}

size_t still_lookups(struct still_lookup *ret, size_t max)
{
    size_t n = 0;
    for (struct lookup *k = lookups; k && n < max; k = k->next)
        ret[n++] = k->asked;
    return n;
}

bool still_answer(uint32_t id, const struct resolved *r)
{
    struct lookup *k = lookups;
    while (k && k->asked.id != id)
        k = k->next;
    if (k)
        lookup_end(k, r);
    return k != NULL;
}
