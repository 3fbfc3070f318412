/* resolver_sip: finds the addresses of a SIP URI's host by RFC 3263 §4. NAPTR chooses the
 * transport, SRV the servers, A and AAAA their addresses. Each answer leads to the next question,
 * one at a time; when a step finds nothing, the next step falls back to less. Thread of the loop.
 */
#include <arpa/nameser.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "net/resolver_ares.h"

static void lookup_ask_srv(struct lookup *k);
static void lookup_ask_next_server(struct lookup *k);

static const struct {
    uint8_t transport;
    const char *prefix, *service;
} services[] = {
    {RESOLVE_TLS, "_sips._tcp.", "SIPS+D2T"},
    {RESOLVE_UDP, "_sip._udp.", "SIP+D2U"},
    {RESOLVE_TCP, "_sip._tcp.", "SIP+D2T"},
};

static void lookup_name_add(struct lookup *k, const char *prefix, const char *host,
                            uint8_t transport)
{
    struct buf b;
    if (k->n_names == 3)
        return;
    buf_wrap(&b, k->name[k->n_names].name, sizeof k->name[0].name - 1);
    buf_puts(&b, prefix);
    buf_puts(&b, host);
    if (b.err != OK)
        return;
    k->name[k->n_names].name[b.n] = 0;
    k->name[k->n_names++].transport = transport;
}

static void server_on_addresses(struct lookup_addresses *q, enum err err)
{
    struct lookup *k = q->k;
    for (size_t i = 0; i < q->n; i++)
        lookup_add(k, &q->addr[i], q->transport);
    if (q->n == 0 && k->answer.n == 0)
        k->answer.err = err;
    free(q);
    if (k->told)
        lookup_finish(k);
    else
        lookup_ask_next_server(k);
}

static void server_ask_addresses(struct lookup *k, const char *host, uint16_t port,
                                 uint8_t transport)
{
    struct lookup_addresses *q = calloc(1, sizeof *q);
    if (!q) {
        k->answer.err = ERR_NOMEM;
        lookup_finish(k);
        return;
    }
    *q = (struct lookup_addresses){
        .k = k, .port = port, .transport = transport, .done = server_on_addresses};
    lookup_ask_addresses(q, host);
}

/* Asks for the addresses of the next server, in order of priority. */
static void lookup_ask_next_server(struct lookup *k)
{
    if (k->step < k->n_srv && k->answer.n < RESOLVED_MAX) {
        const struct srv *s = &k->srv[k->step++];
        server_ask_addresses(k, s->host, s->port, s->transport);
        return;
    }
    if (k->answer.n)
        k->answer.err = OK;
    lookup_finish(k);
}

/* Orders the servers by RFC 2782: lower priority first, and among equals a random draw by weight.
 * Each gets one key, random / (weight + 1), which favours heavier servers and needs one pass. */
static void lookup_order_servers(struct lookup *k)
{
    for (size_t i = 0; i < k->n_srv; i++)
        for (size_t j = i + 1; j < k->n_srv; j++) {
            const struct srv *a = &k->srv[i], *b = &k->srv[j];
            bool swap = b->priority < a->priority;
            if (b->priority == a->priority && a->transport == b->transport) {
                uint64_t total = (uint64_t)a->weight + b->weight + 2;
                swap = crypto_random_u64() % total > a->weight;
            }
            if (swap) {
                struct srv t = k->srv[i];
                k->srv[i] = k->srv[j];
                k->srv[j] = t;
            }
        }
}

static void lookup_on_srv(void *arg, int status, int timeouts, unsigned char *reply, int n)
{
    struct lookup *k = arg;
    struct ares_srv_reply *list = NULL;
    uint8_t transport = k->name[k->step].transport;
    resolver_question_end(k->r);
    k->waiting--;
    if (k->told) {
        lookup_finish(k);
        return;
    }
    if (status == ARES_SUCCESS && ares_parse_srv_reply(reply, n, &list) == ARES_SUCCESS)
        for (struct ares_srv_reply *s = list; s && k->n_srv < SRV_MAX; s = s->next) {
            struct srv *to = &k->srv[k->n_srv];
            if (str_copy(str_of(s->host), to->host, sizeof to->host) != OK || !*s->host)
                continue;
            to->port = s->port;
            to->priority = s->priority;
            to->weight = s->weight;
            to->transport = transport;
            k->n_srv++;
        }
    if (list)
        ares_free_data(list);
    k->step++;
    if (k->n_srv == 0 && k->step < k->n_names) {
        lookup_ask_srv(k);
        return;
    }
    if (k->n_srv == 0) {
        k->step = 0;
        server_ask_addresses(k, k->host, k->fallback_port, k->fallback_transport);
        return;
    }
    lookup_order_servers(k);
    k->step = 0;
    lookup_learn_ttl(k, 30);
    lookup_ask_next_server(k);
}

static void lookup_ask_srv(struct lookup *k)
{
    k->waiting++;
    resolver_question_begin(k->r);
    ares_query(resolver_channel(k->r), k->name[k->step].name, ns_c_in, ns_t_srv, lookup_on_srv, k);
}

static void lookup_on_naptr(void *arg, int status, int timeouts, unsigned char *reply, int n)
{
    struct lookup *k = arg;
    struct ares_naptr_reply *list = NULL;
    resolver_question_end(k->r);
    k->waiting--;
    if (k->told) {
        lookup_finish(k);
        return;
    }
    if (status == ARES_SUCCESS && ares_parse_naptr_reply(reply, n, &list) == ARES_SUCCESS) {
        /* Take the records by order and preference; three rounds, each with the least that is left,
         * suffice. */
        unsigned floor = 0;
        for (int round = 0; round < 3; round++) {
            const struct ares_naptr_reply *best = NULL;
            unsigned best_rank = 0;
            for (const struct ares_naptr_reply *p = list; p; p = p->next) {
                unsigned rank = ((unsigned)p->order << 16 | p->preference) + 1;
                if (rank > floor && (!best || rank < best_rank)) {
                    best = p;
                    best_rank = rank;
                }
            }
            if (!best)
                break;
            floor = best_rank;
            for (size_t i = 0; i < 3; i++)
                if (!strcasecmp((const char *)best->service, services[i].service) &&
                    (!k->sips || services[i].transport == RESOLVE_TLS))
                    lookup_name_add(k, "", best->replacement, services[i].transport);
        }
    }
    if (list)
        ares_free_data(list);
    if (k->n_names == 0)
        for (size_t i = 0; i < 3; i++) {
            size_t s = k->sips ? 0 : (i + 1) % 3; /* UDP, TCP, TLS */
            lookup_name_add(k, services[s].prefix, k->host, services[s].transport);
            if (k->sips)
                break;
        }
    lookup_ask_srv(k);
}

enum err resolver_sip(struct resolver *r, struct str host, uint16_t port, int transport, bool sips,
                      resolver_on_answer *on_answer, void *arg, struct lookup **ret)
{
    enum err err = lookup_new(r, host, on_answer, arg, ret);
    if (err != OK)
        return err;
    struct lookup *k = *ret;
    k->sips = sips;
    k->fallback_transport = (uint8_t)(sips ? RESOLVE_TLS : transport ? transport : RESOLVE_UDP);
    k->fallback_port = port ? port : k->fallback_transport == RESOLVE_TLS ? 5061 : 5060;
    if (lookup_literal(k, k->fallback_port, k->fallback_transport))
        return OK;
    struct buf key;
    buf_wrap(&key, k->key, sizeof k->key - 1);
    buf_printf(&key, "sip %s %u %d %d", k->host, port, transport, sips);
    if (lookup_is_cached(k))
        return OK;
    if (port) {
        server_ask_addresses(k, k->host, port, k->fallback_transport);
    } else if (transport || sips) {
        for (size_t i = 0; i < 3; i++)
            if (services[i].transport == k->fallback_transport)
                lookup_name_add(k, services[i].prefix, k->host, services[i].transport);
        lookup_ask_srv(k);
    } else {
        k->waiting++;
        resolver_question_begin(r);
        ares_query(resolver_channel(r), k->host, ns_c_in, ns_t_naptr, lookup_on_naptr, k);
    }
    return OK;
}
