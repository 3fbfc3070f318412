/* fill: posts batches of FILL_BATCH over a few connections. Four numbers of the big account have
 * an endpoint: one takes all, one refuses every second delivery (given up at once), one is not
 * there (deliveries wait), one is deleted at the end (deliveries are canceled). */
#include "fill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asker.h"
#include "base/clock.h"
#include "figures.h"
#include "receiver.h"
#include "traffic.h"

enum {
    CONNECTIONS = 8,
    BODY_MAX = 1 << 20,
    SETTLE_US = 120000000,
    TAKES = 1, /* numbers of FILL_BIG */
    REFUSES,
    WAITS,
    GOES,
    IS_IDLE,
};

struct fill_run {
    struct fill *f;
    struct buf body;
    size_t waits;     /* deliveries that nobody takes, and that stay */
    size_t simulated; /* calls */
    atomic_size_t refused;
};

unsigned fill_account_of(size_t event)
{
    size_t share = event / FILL_BATCH % 100;
    return share < 91 ? FILL_BIG : FILL_SMALL + (unsigned)(share - 91) / 3;
}

static void print_batch(void *arg, size_t k, struct buf *out)
{
    struct fill_run *g = arg;
    size_t first = k * FILL_BATCH;
    unsigned account = fill_account_of(first);
    g->f->at_ms[first * 100 / g->f->n] = clock_wall_ms();
    for (size_t i = 0; i < FILL_BATCH; i++)
        g->waits += account == FILL_BIG && traffic_number_of(first + i) == WAITS;
    buf_reset(&g->body);
    traffic_print_events(account, first, FILL_BATCH, &g->body);
    traffic_print_post("/v1/events", g->f->tenants.key[account], 0, buf_str(&g->body), out);
}

static void print_simulation(void *arg, size_t k, struct buf *out)
{
    static const char *const outcome[] = {"answered", "busy", "no_answer", "canceled"};
    struct fill_run *g = arg;
    char number[24], peer[24];
    size_t turn = k * TRAFFIC_TURN;
    g->waits += traffic_number_of(turn) != WAITS ? 0 : k % 4 ? 2 : 3;
    ledger_print_number(NULL, FILL_BIG, traffic_number_of(turn), number);
    traffic_print_peer(turn, peer);
    buf_reset(&g->body);
    buf_printf(&g->body,
               "{\"kind\":\"call\",\"number\":\"%s\",\"from\":\"%s\",\"outcome\":\"%s\","
               "\"ring_sec\":0%s}",
               number, peer, outcome[k % 4], k % 4 ? "" : ",\"duration_sec\":0");
    traffic_print_post("/v1/simulate", g->f->tenants.admin_key, 0, buf_str(&g->body), out);
}

static void simulation_on_answer(void *arg, size_t k, int status, struct str body)
{
    struct fill_run *g = arg;
    struct buf answer;
    buf_init(&answer, 65536);
    buf_put_str(&answer, body);
    answer_member(&answer, "call_id", g->f->call_id[g->simulated++], ID_SIZE);
    buf_fini(&answer);
}

static int on_post_received(void *arg, unsigned endpoint, struct str id, int64_t now_us)
{
    struct fill_run *g = arg;
    return endpoint == REFUSES && atomic_fetch_add(&g->refused, 1) % 2 ? 500 : 200;
}

static void endpoint_make_with(struct fill *f, unsigned number, const char *host, int port,
                               const char *more, char id[ENDPOINT_ID_SIZE])
{
    char url[96];
    snprintf(url, sizeof url, "http://%s:%d/h/%u", host, port, number);
    struct endpoint_make m = {FILL_BIG, number, url, 64, more};
    tenants_endpoint(&f->tenants, &f->ledger, &m, id);
}

/* Numbers of the big account: calls can be simulated there. */
static void numbers_make(const struct fill *f)
{
    for (unsigned i = 0; i < TRAFFIC_NUMBERS; i++) {
        char number[24], body[160];
        ledger_print_number(NULL, FILL_BIG, i, number);
        snprintf(body, sizeof body, "{\"number\":\"%s\",\"sms\":true,\"account\":\"account 0\"}",
                 number);
        int status = api_call(f->http, "POST", "/v1/numbers", f->tenants.admin_key, body, NULL);
        if (status != 201 && status != 409) {
            fprintf(stderr, "POST /v1/numbers %s: %d\n", body, status);
            exit(1);
        }
    }
}

static void endpoint_delete(const struct fill *f, const char *id)
{
    char path[96];
    snprintf(path, sizeof path, "/v1/endpoints/%s", id);
    if (api_call(f->http, "DELETE", path, f->tenants.admin_key, NULL, NULL) == 204)
        return;
    fprintf(stderr, "DELETE %s failed\n", path);
    exit(1);
}

static void simulate_calls(struct fill_run *g, size_t n)
{
    struct asker_answer a;
    struct asker_config c = {.port = g->f->http,
                             .connections = CONNECTIONS,
                             .count = n,
                             .print = print_simulation,
                             .on_answer = simulation_on_answer,
                             .arg = g,
                             .status = 202};
    ask(&c, &a);
    say("calls, simulated", "%zu in %.1f s, %.0f/s", a.n, (double)a.took_us / 1e6,
        asked_per_sec(&a));
    free(a.answer_us);
}

static void post_events(struct fill_run *g)
{
    struct asker_answer a;
    struct fill *f = g->f;
    struct asker_config c = {.port = f->http,
                             .connections = CONNECTIONS,
                             .count = f->n / FILL_BATCH,
                             .print = print_batch,
                             .arg = g,
                             .status = 202};
    ask(&c, &a);
    f->at_ms[100] = clock_wall_ms();
    say("taken in",
        "%zu events in %.1f s, %.0f/s: %d a request, %d connections; 202 after p50 %.1f ms, p99 "
        "%.1f ms",
        f->n, (double)a.took_us / 1e6, asked_per_sec(&a) * FILL_BATCH, FILL_BATCH, CONNECTIONS,
        asked_ms(&a, 0.5), asked_ms(&a, 0.99));
    free(a.answer_us);
}

static void wait_settled(const struct fill_run *g)
{
    int64_t start = clock_mono_us();
    double pending;
    while ((pending = metrics_one(g->f->http, "hookswitch_deliveries_pending")) >
           (double)g->waits) {
        if (clock_mono_us() - start > SETTLE_US) {
            fprintf(stderr, "%.0f deliveries pending, not %zu\n", pending, g->waits);
            exit(1);
        }
        usleep(20000);
    }
    say("deliveries", "settled %.1f s later; %.0f wait for an endpoint that is not there",
        (double)(clock_mono_us() - start) / 1e6, pending);
}

void fill_make(struct fill *f, size_t events)
{
    char gone[ENDPOINT_ID_SIZE];
    struct fill_run g = {.f = f};
    f->n_calls = events / 100 < FILL_CALLS_MAX ? events / 100 / 8 * 8 : FILL_CALLS_MAX;
    size_t told = f->n_calls / 4 * 9; /* a call has two events, each fourth is answered: three */
    f->n = (events - told) / FILL_BATCH * FILL_BATCH;
    buf_init(&g.body, BODY_MAX);
    ledger_init(&f->ledger, FILL_ACCOUNTS, TRAFFIC_NUMBERS, false, 1);
    tenants_make(&f->tenants, &f->ledger, f->http, 0, "hsk_bench");
    numbers_make(f);
    struct receiver_config rc = {
        .port = f->hook, .hosts = 2, .on_request = on_post_received, .arg = &g};
    struct receiver *receiver = receiver_start(&rc);
    endpoint_make_with(f, TAKES, "127.0.1.1", f->hook, NULL, f->taker);
    endpoint_make_with(f, REFUSES, "127.0.1.2", f->hook,
                       ",\"retry\":{\"schedule_s\":[1],\"give_up_after_s\":0}", NULL);
    endpoint_make_with(f, WAITS, "127.0.0.1", 7199, NULL, NULL); /* nobody is there */
    endpoint_make_with(f, GOES, "127.0.0.1", 7199, NULL, gone);
    simulate_calls(&g, f->n_calls / 2);
    post_events(&g);
    simulate_calls(&g, f->n_calls / 2);
    endpoint_delete(f, gone);
    wait_settled(&g);
    endpoint_make_with(f, IS_IDLE, "127.0.1.1", f->hook, NULL, f->idle);
    receiver_stop(receiver);
    buf_fini(&g.body);
}
