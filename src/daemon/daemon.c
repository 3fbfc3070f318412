/* daemon: starts all parts of the daemon from a configuration, and stops them.
 *
 *     store ← books ← intake ← messages ← { sip and smpp edges (one loop), api (its threads) }
 *                        ├→ deliver (its couriers)
 *                        ├→ feed (its thread)
 *                        └→ housekeeper (its thread)
 *
 * Parts that must not know each other meet here: the arrows that go up are the function pointers
 * set below. A part starts after those that it uses. At the stop the doors close first, the store
 * last.
 * Thread: the main one. */
#include "daemon/daemon.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "daemon/options.h"
#include "daemon/edge_config.h"
#include "daemon/web_config.h"
#include "daemon/trace_open.h"
#include "deliver/deliver.h"
#include "hub/messages.h"
#include "net/guard.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "sip/trace/hide.h"

enum {
    EDGE_MAILS_MAX = 262144,
    ATTEMPTS_END_MS = 5000,
};

struct daemon {
    const struct config *config;
    struct store *store;
    struct books *books;
    struct intake *intake;
    struct messages *messages;
    struct simulations *simulations;
    struct guard *guard, *sip_guard; /* webhooks; SIP targets of accounts */
    struct link_states *link_states;
    struct loop *edge_loop;
    struct resolver *resolver;
    struct trace_log *trace; /* NULL: none is kept */
    struct sip_edge *sip;
    struct smpp_edge *smpp;
    struct deliver *deliver;
    struct feed *feed;
    struct housekeeper *housekeeper;
    struct api *api;
    size_t n_sip;
    char setup_token[41]; /* "": there is an operator */
    /* The end of the drain, announced by the thread of the edge. The one lock here, for waiting
     * alone. */
    pthread_mutex_t lock;
    pthread_cond_t idle;
    unsigned busy; /* edges that are not idle yet */
};

/* After a failed sync acknowledged events are safe, and later ones would not be. The process ends
 * at once. Its supervisor starts it again, and the recovery reads what the disk really holds. */
static void on_broken(void *arg)
{
    log_error("store", "the disk failed to sync: ending now, so that nothing unsafe is accepted");
    _exit(70);
}

static void on_stored(void *arg, const struct stored *s)
{
    struct daemon *d = arg;
    deliver_on_stored(d->deliver, s);
    feed_told(d->feed, s);
}

static void on_nudge(void *arg, uint64_t endpoint)
{
    struct daemon *d = arg;
    deliver_nudge(d->deliver, endpoint);
}

static void on_control(void *arg, struct str call_id, uint64_t asked, int status, struct str body)
{
    struct daemon *d = arg;
    if (d->sip)
        sip_edge_control(d->sip, call_id, asked, status, body);
    simulations_control(d->simulations, call_id, asked, status, body);
}

static enum err on_early(void *arg, const struct event *e, uint64_t endpoint, unsigned sequence)
{
    struct daemon *d = arg;
    return deliver_early(d->deliver, e, endpoint, sequence);
}

static enum err on_ask(void *arg, const struct event *e, struct str url, int64_t timeout_ms,
                       uint64_t asked)
{
    struct daemon *d = arg;
    return deliver_ask(d->deliver, e, url, timeout_ms, asked);
}

static void on_erase(void *arg, uint64_t account, struct str number)
{
    struct daemon *d = arg;
    deliver_forget(d->deliver, account, number);
    feed_forget(d->feed);
}

static void on_calls_gone(void *arg, const struct trace_id *call, size_t n)
{
    struct daemon *d = arg;
    if (d->trace)
        trace_log_forget(d->trace, call, n);
}

static enum err on_hangup(void *arg, struct str call_id)
{
    struct daemon *d = arg;
    return d->n_sip ? sip_edge_hangup(d->sip, call_id) : ERR_NOT_FOUND;
}

static enum err open_store(struct daemon *d, char *why, size_t cap)
{
    char url[1024];
    if (config_store_url(d->config, url, sizeof url) != OK) {
        snprintf(why, cap, "store.url is too long");
        return ERR_TOO_BIG;
    }
    struct store_config c = {.url = url, .on_broken = on_broken};
    enum err err = store_open(&c, &d->store, why, cap);
    if (err == OK && (err = books_open(d->store, &d->books)) != OK)
        snprintf(why, cap, "the settings cannot be read: %s", err_text(err));
    return err;
}

static int64_t join_ms(const struct config *c)
{
    return config_number(c, CONFIG_SMS_JOIN_TIMEOUT_S) * 1000;
}

static enum err open_intake(struct daemon *d, char *why, size_t cap)
{
    enum err err = intake_new(d->store, on_stored, d, &d->intake);
    struct messages_config mc = {.store = d->store,
                                 .books = d->books,
                                 .intake = d->intake,
                                 .join_ms = join_ms(d->config),
                                 .max_sets =
                                     (unsigned)config_number(d->config, CONFIG_SMS_MAX_SETS),
                                 .max_bytes = config_number(d->config, CONFIG_SMS_MAX_BYTES)};
    return err == OK ? messages_new(&mc, &d->messages) : err;
}

/* No webhook or target reaches our own listeners. */
static enum err refuse_own(struct daemon *d, struct addr own)
{
    enum err err = guard_refuse(d->guard, &own);
    return err == OK ? guard_refuse(d->sip_guard, &own) : err;
}

/* The networks that accounts' SIP targets may reach: those of sip.allow, else those of webhooks. */
static const char *sip_allow(const struct config *c)
{
    const char *own = config_get(c, CONFIG_SIP_ALLOW);
    return !strcmp(own, "none") ? "" : *own ? own : config_get(c, CONFIG_HTTP_CLIENT_ALLOW);
}

/* The API's own address is refused before anyone can ask for it. */
static enum err open_guards(struct daemon *d, char *why, size_t cap)
{
    struct addr own;
    enum err err = guard_new(config_get(d->config, CONFIG_HTTP_CLIENT_ALLOW), &d->guard);
    if (err != OK) {
        snprintf(why, cap, "http_client.allow: not a list of CIDRs");
        return err;
    }
    if ((err = guard_new(sip_allow(d->config), &d->sip_guard)) != OK) {
        snprintf(why, cap, "sip.allow: not a list of CIDRs, nor none");
        return err;
    }
    const char *listen = config_get(d->config, CONFIG_HTTP_LISTEN);
    if ((err = addr_parse(str_of(listen), 8080, &own)) != OK) {
        snprintf(why, cap, "http.listen: \"%s\" is not an address with a port", listen);
        return err;
    }
    return own.port ? refuse_own(d, own) : OK;
}

void daemon_reload(struct daemon *d, const struct config *now)
{
    if (guard_allow(d->guard, config_get(now, CONFIG_HTTP_CLIENT_ALLOW)) != OK)
        log_error("config", "http_client.allow: not a list of CIDRs: it stays as it was");
    if (guard_allow(d->sip_guard, sip_allow(now)) != OK)
        log_error("config", "sip.allow: not a list of CIDRs, nor none: it stays as it was");
    char why[256];
    struct api_config ac = {0};
    web_config_api(now, &ac);
    if (api_reload(d->api, &ac, why, sizeof why) != OK)
        log_error("config", "%s: it stays as it was", why);
}

/* Opens the loop of SIP and SMPP. */
static enum err open_edge_loop(struct daemon *d, char *why, size_t cap)
{
    struct resolver_config rc = {0};
    enum err err = loop_new(&d->edge_loop, "edge", EDGE_MAILS_MAX);
    if (err == OK)
        err = resolver_new(d->edge_loop, &rc, &d->resolver);
    if (err == OK)
        err = link_states_new(&d->link_states);
    const struct simulations_config sc = {
        .loop = d->edge_loop, .intake = d->intake, .askers = {on_early, on_ask, d}};
    if (err == OK)
        err = simulations_new(&sc, &d->simulations);
    if (err != OK)
        snprintf(why, cap, "the edge's loop: %s", err_text(err));
    return err;
}

/* Also with an empty sip.listen: the edge then ends the calls that were open when SIP was switched
 * off. */
static enum err start_sip(struct daemon *d, char *why, size_t cap)
{
    struct sip_config sc = {.store = d->store,
                            .books = d->books,
                            .intake = d->intake,
                            .messages = d->messages,
                            .early = on_early,
                            .ask = on_ask,
                            .ask_arg = d};
    enum err err = edge_config_sip(d->config, &sc, why, cap);
    if (err != OK)
        return err;
    sc.loop = d->edge_loop;
    sc.resolver = d->resolver;
    sc.guard = d->sip_guard;
    sc.trace_log = d->trace;
    if ((err = sip_edge_new(&sc, &d->sip, why, cap)) != OK)
        return err;
    d->n_sip = sc.listens.n;
    for (size_t i = 0; err == OK && i < d->n_sip; i++)
        err = refuse_own(d, sip_edge_local(d->sip, i));
    return err;
}

static enum err start_smpp(struct daemon *d, char *why, size_t cap)
{
    struct smpp_config sc = {.loop = d->edge_loop,
                             .resolver = d->resolver,
                             .store = d->store,
                             .books = d->books,
                             .messages = d->messages,
                             .states = d->link_states};
    enum err err = edge_config_smpp(d->config, &sc, why, cap);
    if (err == OK)
        err = smpp_edge_new(&sc, &d->smpp, why, cap);
    if (err != OK || !sc.listen.family)
        return err;
    return refuse_own(d, smpp_edge_local(d->smpp));
}

static enum err start_deliver(struct daemon *d, char *why, size_t cap)
{
    const char *ca = config_get(d->config, CONFIG_HTTP_CLIENT_CA_FILE);
    const char *dns = config_get(d->config, CONFIG_HTTP_CLIENT_DNS_SERVERS);
    struct deliver_config dc = {
        .store = d->store,
        .books = d->books,
        .intake = d->intake,
        .guard = d->guard,
        .couriers = (unsigned)config_number(d->config, CONFIG_DELIVER_COURIERS),
        .timeout_ms = (uint32_t)config_number(d->config, CONFIG_DELIVER_TIMEOUT_MS),
        .ca_file = *ca ? ca : NULL,
        .dns_servers = dns,
        .on_control = on_control,
        .control_arg = d};
    enum err err = deliver_start(&dc, &d->deliver);
    if (err == ERR_SYNTAX && *dns)
        snprintf(why, cap, "http_client.dns_servers: \"%s\" is no list of address:port", dns);
    else if (err == ERR_INVALID && *ca)
        snprintf(why, cap, "http_client.ca_file: \"%s\" holds no certificates", ca);
    else if (err != OK)
        snprintf(why, cap, "delivery could not start: %s", err_text(err));
    return err;
}

static enum err start_feed(struct daemon *d, char *why, size_t cap)
{
    struct feed_config fc = {.store = d->store};
    web_config_feed(d->config, &fc);
    enum err err = feed_start(&fc, &d->feed);
    if (err != OK)
        snprintf(why, cap, "the feed for streams could not start: %s", err_text(err));
    return err;
}

static enum err start_housekeeper(struct daemon *d, char *why, size_t cap)
{
    struct housekeeper_config hc = {.store = d->store,
                                    .books = d->books,
                                    .intake = d->intake,
                                    .retention_days =
                                        (unsigned)config_number(d->config, CONFIG_RETENTION_DAYS),
                                    .join_ms = join_ms(d->config),
                                    .on_erase = on_erase,
                                    .on_calls_gone = on_calls_gone,
                                    .arg = d};
    enum err err = housekeeper_start(&hc, &d->housekeeper);
    if (err != OK)
        snprintf(why, cap, "the housekeeper could not start: %s", err_text(err));
    return err;
}

static void make_setup_token(struct daemon *d)
{
    uint8_t random[20];
    struct buf b;
    crypto_random(random, sizeof random);
    buf_wrap(&b, d->setup_token, sizeof d->setup_token - 1);
    buf_put_hex(&b, str_of_bytes(random, sizeof random)); /* the room is zeroed */
}

static enum err start_api(struct daemon *d, char *why, size_t cap)
{
    bool has_operator;
    const char *key = config_get(d->config, CONFIG_BOOTSTRAP_ADMIN_KEY);
    enum err err = api_bootstrap(d->store, d->books, key, &has_operator);
    if (err != OK) {
        snprintf(why, cap, "the first accounts could not be made: %s", err_text(err));
        return err;
    }
    if (!has_operator)
        make_setup_token(d);
    struct api_config ac = {.store = d->store,
                            .books = d->books,
                            .intake = d->intake,
                            .housekeeper = d->housekeeper,
                            .feed = d->feed,
                            .guard = d->guard,
                            .link_states = d->link_states,
                            .messages = d->messages,
                            .simulations = d->simulations,
                            .setup_token = d->setup_token[0] ? d->setup_token : NULL,
                            .trace = d->trace,
                            .trace_hide = trace_hide,
                            .nudge = on_nudge,
                            .hangup = on_hangup,
                            .on_stored = on_stored,
                            .arg = d,
                            .on_stored_arg = d};
    web_config_api(d->config, &ac);
    if ((err = api_start(&ac, &d->api, why, cap)) != OK)
        return err;
    return refuse_own(d, api_local(d->api));
}

enum err daemon_start(const struct config *c, struct daemon **ret, char *why, size_t cap)
{
    enum err err = ERR_NOMEM;
    struct daemon *d = calloc(1, sizeof *d);
    snprintf(why, cap, "%s", err_text(err));
    if (!d)
        return err;
    d->config = c;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->idle, NULL);
    if ((err = crypto_start()) != OK || (err = open_store(d, why, cap)) != OK ||
        (err = open_guards(d, why, cap)) != OK)
        goto out;
    if ((err = open_intake(d, why, cap)) != OK)
        goto out;
    d->trace = trace_open(d->config, d->store);
    if ((err = start_feed(d, why, cap)) != OK || (err = open_edge_loop(d, why, cap)) != OK ||
        (err = start_sip(d, why, cap)) != OK || (err = start_smpp(d, why, cap)) != OK ||
        (err = start_deliver(d, why, cap)) != OK || (err = start_housekeeper(d, why, cap)) != OK ||
        (err = start_api(d, why, cap)) != OK)
        goto out;
    if ((err = loop_start(d->edge_loop)) != OK) {
        snprintf(why, cap, "the edge's thread: %s", err_text(err));
        goto out;
    }
    *ret = d;
    return OK;
out:
    daemon_stop(d, -1);
    return err;
}

static void on_idle(void *arg)
{
    struct daemon *d = arg;
    pthread_mutex_lock(&d->lock);
    d->busy--;
    pthread_cond_signal(&d->idle);
    pthread_mutex_unlock(&d->lock);
}

static void drain_edges(struct daemon *d, int64_t drain_ms)
{
    d->busy = (d->sip != NULL) + (d->smpp != NULL);
    if (d->sip)
        sip_edge_drain(d->sip, drain_ms, on_idle, d);
    if (d->smpp)
        smpp_edge_drain(d->smpp, drain_ms, on_idle, d);
    pthread_mutex_lock(&d->lock);
    while (d->busy)
        pthread_cond_wait(&d->idle, &d->lock);
    pthread_mutex_unlock(&d->lock);
}

void daemon_stop(struct daemon *d, int64_t drain_ms)
{
    if (!d)
        return;
    if (drain_ms >= 0)
        drain_edges(d, drain_ms);
    api_stop(d->api);
    if (d->edge_loop)
        loop_stop(d->edge_loop);
    housekeeper_stop(d->housekeeper);
    if (d->deliver)
        deliver_stop(d->deliver, drain_ms >= 0 ? ATTEMPTS_END_MS : 0);
    if (d->sip)
        sip_edge_end_trace(d->sip);
    trace_log_close(d->trace);
    store_close(d->store); /* writes what is still queued; answers find their loops stopped */
    if (d->edge_loop)      /* an answer would go on with its call, in a store that is closed */
        loop_drop_mail(d->edge_loop);
    feed_stop(d->feed);
    api_free(d->api);
    smpp_edge_free(d->smpp);
    sip_edge_free(d->sip);
    resolver_free(d->resolver);
    loop_free(d->edge_loop);
    link_states_free(d->link_states);
    simulations_free(d->simulations);
    messages_free(d->messages);
    intake_free(d->intake);
    guard_free(d->guard);
    guard_free(d->sip_guard);
    books_close(d->books);
    pthread_cond_destroy(&d->idle);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

struct addr daemon_http(const struct daemon *d)
{
    return api_local(d->api);
}

struct addr daemon_sip(const struct daemon *d, size_t listen)
{
    return d->sip && listen < d->n_sip ? sip_edge_local(d->sip, listen) : (struct addr){0};
}

struct addr daemon_smpp(const struct daemon *d)
{
    return d->smpp ? smpp_edge_local(d->smpp) : (struct addr){0};
}

const char *daemon_setup_token(const struct daemon *d)
{
    return d->setup_token;
}
