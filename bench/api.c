/* api: measures the cost of a request to the API, for `./dev bench api`. Here: events and messages
 * taken in, closed loop, each answered after its commit, without endpoints, so that nothing is
 * delivered. The same requests go to servers that are not ours. Lists are in reads.c, streams in
 * pushes.c.
 *
 *   bench_api ingest  pid= http= from= connections= seconds= batch=1|100
 *                     [keyed=1] [longest_ms=] [out=FILE]
 *   bench_api message pid= http= from= connections= seconds= [out=FILE]
 *   bench_api foreign pid= http= connections= seconds= batch=1|100 [out=FILE]
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asker.h"
#include "figures.h"
#include "meter.h"
#include "tenants.h"
#include "traffic.h"

enum { BODY_MAX = 1 << 20, LOOKED_UP = 200, WARM_UP_US = 1000000 };

struct run {
    struct meter meter;
    const char *key; /* the API key */
    size_t batch, first;
    bool keyed, messages;
    struct buf body;
    struct asker_answer asked;
};

static void print_events(void *arg, size_t k, struct buf *out)
{
    struct run *run = arg;
    buf_reset(&run->body);
    traffic_print_events(0, run->first + k * run->batch, run->batch, &run->body);
    traffic_print_post("/v1/events", run->key, run->keyed ? run->first + k + 1 : 0,
                       buf_str(&run->body), out);
}

/* Prints a message as an SMS provider would post it. */
static void print_message(void *arg, size_t k, struct buf *out)
{
    struct run *run = arg;
    char number[24], peer[24];
    size_t turn = k * TRAFFIC_TURN;
    ledger_print_number(NULL, 0, traffic_number_of(turn), number);
    traffic_print_peer(turn, peer);
    buf_reset(&run->body);
    buf_printf(&run->body,
               "{\"from\":\"%s\",\"to\":\"%s\",\"text\":\"Hello, is this line active? My order "
               "is %zu.\",\"message_id\":\"provider-%zu\"}",
               peer, number, k, run->first + k);
    traffic_print_post("/v1/ingest/sms", run->key, 0, buf_str(&run->body), out);
}

static void rate_measure(struct run *run, char **argv)
{
    struct asker_config c = {.port = (int)arg_int(argv, "http", 7180),
                             .connections = (unsigned)arg_int(argv, "connections", 64),
                             .run_us = arg_int(argv, "seconds", 4) * 1000000,
                             .print = run->messages ? print_message : print_events,
                             .arg = run,
                             .status = 202};
    struct asker_config warm_up = c;
    warm_up.run_us = WARM_UP_US;
    buf_init(&run->body, BODY_MAX);
    ask(&warm_up, &run->asked); /* connections, caches, somebody else's compiler */
    run->first += run->asked.n * run->batch;
    free(run->asked.answer_us);
    meter_begin(&run->meter);
    ask(&c, &run->asked);
    meter_end(&run->meter);
    buf_fini(&run->body);
}

static void print_rate(const struct run *run, unsigned connections)
{
    const struct asker_answer *a = &run->asked;
    say("requests/s answered",
        "%.0f, over %u connections; %zu in %.1f s; refused and sent again: %zu", asked_per_sec(a),
        connections, a->n, (double)a->took_us / 1e6, a->again);
    if (run->batch > 1)
        say("events/s", "%.0f", asked_per_sec(a) * (double)run->batch);
    say("202 after", "p50 %.2f ms, p99 %.2f ms, the longest %.1f ms", asked_ms(a, 0.5),
        asked_ms(a, 0.99), asked_ms(a, 1));
}

static void print_cpu(const struct run *run)
{
    const struct meter *m = &run->meter;
    double n = (double)run->asked.n, all = meter_cpu_us(m, "");
    double store = meter_cpu_us(m, "writer"), web = meter_cpu_us(m, "web");
    double answers = meter_cpu_us(m, "answers");
    if (m->http)
        say("CPU us per request", "%.1f: store %.1f, web %.1f, answers %.1f, others %.1f", all / n,
            store / n, web / n, answers / n, (all - store - web - answers) / n);
    else
        say("CPU us per request", "%.1f", all / n);
    say("  beside it, of this benchmark", "%.1f", run->asked.cpu_us / n);
    meter_say_cores(m, run->asked.cpu_us);
}

static void result_write(const struct run *run, char **argv)
{
    FILE *f = fopen(arg_text(argv, "out", "/dev/null"), "w"); /* for a ratio later */
    if (f && fprintf(f, "%.0f %.1f\n", asked_per_sec(&run->asked),
                     meter_cpu_us(&run->meter, "") / (double)run->asked.n) > 0)
        fclose(f);
}

/* Compares our count with the daemon's, and reads some events by their ids. */
static bool print_stored(const struct run *run, const char *admin_key)
{
    double taken = (double)(run->asked.n * run->batch);
    double stored = meter_counted(&run->meter, "hookswitch_events_total");
    size_t found = 0, n = run->messages ? 0 : LOOKED_UP;
    for (size_t i = 0; i < n; i++) {
        char path[96];
        size_t event = run->first + (size_t)((taken - 1) * (double)i / (LOOKED_UP - 1));
        snprintf(path, sizeof path, "/v1/events/evt_%026zu", event);
        found += api_call(run->meter.http, "GET", path, admin_key, NULL, NULL) == 200;
    }
    bool good = taken == stored && found == n;
    if (n)
        say("every event that was accepted is there",
            "%s (accepted %.0f, stored %.0f; of %zu asked for by id, %zu found)",
            good ? "yes" : "NO", taken, stored, n, found);
    else
        say("every message that was accepted is there", "%s (accepted %.0f, stored %.0f)",
            good ? "yes" : "NO", taken, stored);
    return good;
}

static void put_numbers(const struct tenants *t)
{
    for (unsigned i = 0; i < TRAFFIC_NUMBERS; i++) {
        char number[24], body[160];
        ledger_print_number(NULL, 0, i, number);
        snprintf(body, sizeof body, "{\"number\":\"%s\",\"sms\":true,\"account\":\"account %u\"}",
                 number, t->from);
        if (api_call(t->port, "POST", "/v1/numbers", t->admin_key, body, NULL) != 201) {
            fprintf(stderr, "POST /v1/numbers %s failed\n", body);
            exit(1);
        }
    }
}

static int run_ingest(char **argv, bool messages)
{
    struct ledger one = {.accounts = 1};
    struct tenants t;
    int http = (int)arg_int(argv, "http", 7180);
    unsigned from = (unsigned)arg_int(argv, "from", 0);
    tenants_make(&t, &one, http, from, "hsk_bench");
    struct run run = {.key = t.key[0],
                      .batch = messages ? 1 : (size_t)arg_int(argv, "batch", 1),
                      .first = (size_t)from << 32, /* no event of a run before */
                      .keyed = arg_int(argv, "keyed", 0),
                      .messages = messages};
    if (messages)
        put_numbers(&t);
    meter_init(&run.meter, (int)arg_int(argv, "pid", 0), http);
    rate_measure(&run, argv);
    print_rate(&run, (unsigned)arg_int(argv, "connections", 64));
    if (arg_int(argv, "longest_ms", 0))
        say_at_most("the longest wait of any request", asked_ms(&run.asked, 1),
                    (double)arg_int(argv, "longest_ms", 0), "ms");
    bool good = print_stored(&run, t.admin_key);
    print_cpu(&run);
    meter_say_commits(&run.meter);
    result_write(&run, argv);
    meter_fini(&run.meter);
    free(run.asked.answer_us);
    return good ? 0 : 1;
}

/* Measures another server, which needs no key. */
static int run_foreign(char **argv)
{
    struct run run = {.key = "hsk_0123456789abcdef0123456789abcdef01234567",
                      .batch = (size_t)arg_int(argv, "batch", 1),
                      .first = (size_t)arg_int(argv, "from", 0) << 32};
    meter_init(&run.meter, (int)arg_int(argv, "pid", 0), 0);
    server_wait((int)arg_int(argv, "http", 7181), run.meter.pid);
    rate_measure(&run, argv);
    print_rate(&run, (unsigned)arg_int(argv, "connections", 64));
    print_cpu(&run);
    result_write(&run, argv);
    meter_fini(&run.meter);
    free(run.asked.answer_us);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    signal(SIGPIPE, SIG_IGN);
    if (!strcmp(what, "ingest"))
        return run_ingest(argv, false);
    if (!strcmp(what, "message"))
        return run_ingest(argv, true);
    if (!strcmp(what, "foreign"))
        return run_foreign(argv);
    fprintf(stderr, "see bench/api.sh\n");
    return 2;
}
