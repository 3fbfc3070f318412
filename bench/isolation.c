/* isolation: measures whether one endpoint or call delays another, for `./dev bench isolation`.
 * Every figure stands beside the same load without the trouble.
 *
 *   bench_isolation steady  http= hook= from= hang=0|10 refuse=0|10 rate= seconds= [out=FILE]
 *       100 endpoints, events at a fixed rate. hang: so many of 100 endpoints never answer.
 *       refuse: so many of 100 calls have a first event that is never taken (500).
 *   bench_isolation outage  http= hook= events= by=enable|probe
 *       an endpoint that was away, while its events gathered.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "figures.h"
#include "generator.h"
#include "receiver.h"

enum {
    ACCOUNTS = 10,
    ENDPOINTS = 10, /* of each account */
    CALLS_MAX = 300000,
    /* the delay of the receiver that is back, so that the requests under way show */
    ANSWER_LATE_US = 20000,
    SLICE_US = 25000,
    SLICES_SHOWN = 24,
    WAIT_US = 40000000,
    TIMELINE_MAX = 100000,
};

static struct ledger ledger;
static unsigned hang, refuse; /* of 100 */

/* ---- steady load with trouble beside it ---- */

static bool call_hangs(const struct ledger *l, size_t call)
{
    return ledger_endpoint_of(l, call) * 10 + l->account[call] < hang;
}

static bool call_is_refused(size_t call)
{
    return (call * 2246822519u >> 12) % 100 < refuse; /* spread over accounts and endpoints */
}

static bool call_is_healthy(const struct ledger *l, size_t call)
{
    return !call_hangs(l, call) && !call_is_refused(call);
}

static int on_post_received(void *arg, unsigned endpoint, struct str id, int64_t now_us)
{
    size_t event = ledger_arrived(&ledger, endpoint, id, now_us);
    if (event == SIZE_MAX)
        return 200;
    size_t call = event / CALL_EVENTS;
    if (call_hangs(&ledger, call))
        return 0;
    return call_is_refused(call) && event % CALL_EVENTS == 0 ? 500 : 200;
}

static bool wait_healthy(size_t first)
{
    int64_t until = clock_mono_us() + WAIT_US;
    while (ledger_missing(&ledger, first, call_is_healthy))
        if (clock_mono_us() > until)
            return false;
        else
            usleep(10000);
    return true;
}

/* Prints the daemon's account of events that should have come. */
static void print_lost(int http, size_t first)
{
    enum { SHOWN = 3 };
    char path[96];
    struct buf answer;
    size_t shown = 0;
    buf_init(&answer, 1 << 20);
    for (size_t call = first; call < ledger.calls && shown < SHOWN; call++)
        for (size_t i = call * CALL_EVENTS; i < (call + 1) * CALL_EVENTS && shown < SHOWN; i++) {
            if (!call_is_healthy(&ledger, call) || ledger.late_us[i])
                continue;
            snprintf(path, sizeof path, "/v1/events/evt_%026zu", i);
            int status = api_call(http, "GET", path, "hsk_bench", NULL, &answer);
            say("an event that never came", "%d %.*s", status, STR_FMT(buf_str(&answer)));
            shown++;
        }
    buf_fini(&answer);
}

static int run_steady(char **argv)
{
    struct tenants t;
    struct load_result r;
    uint32_t *late;
    int hook = (int)arg_int(argv, "hook", 7190);
    hang = (unsigned)arg_int(argv, "hang", 0);
    refuse = (unsigned)arg_int(argv, "refuse", 0);
    ledger_init(&ledger, ACCOUNTS, ENDPOINTS, false, CALLS_MAX);
    tenants_make(&t, &ledger, (int)arg_int(argv, "http", 7181), 0, "hsk_bench");
    for (unsigned i = 0; i < ACCOUNTS * ENDPOINTS; i++) {
        char url[96];
        snprintf(url, sizeof url, "http://127.0.1.%u:%d/h/%u", i + 1, hook, i);
        struct endpoint_make m = {i / ENDPOINTS, i % ENDPOINTS, url, 0, NULL};
        tenants_endpoint(&t, &ledger, &m, NULL);
    }
    struct receiver_config rc = {hook, ACCOUNTS * ENDPOINTS, NULL, on_post_received, NULL};
    struct receiver *receiver = receiver_start(&rc);
    struct load load = {.tenants = &t,
                        .ledger = &ledger,
                        .connections = 2,
                        .group = 2,
                        .events_per_sec = (double)arg_int(argv, "rate", 2000),
                        .run_us = 2000000};
    load_run(&load, &r); /* connections, and the first failures */
    free(r.answer_us);
    size_t first = ledger.calls;
    load.run_us = arg_int(argv, "seconds", 8) * 1000000;
    load_run(&load, &r);
    free(r.answer_us);
    bool whole = wait_healthy(first);
    if (!whole)
        print_lost(t.port, first);
    size_t n = ledger_latencies(&ledger, first, call_is_healthy, &late);
    double p50 = quantile(late, n, 0.5) / 1e3, p99 = quantile(late, n, 0.99) / 1e3;
    say(arg_text(argv, "name", "steady"), "p50 %.2f ms, p99 %.2f ms of %zu deliveries%s", p50, p99,
        n, whole ? "" : "; SOME NEVER CAME");
    FILE *f = fopen(arg_text(argv, "out", "/dev/null"), "a");
    if (f && fprintf(f, "%.3f %.3f\n", p50, p99) > 0)
        fclose(f);
    receiver_stop(receiver);
    free(late);
    ledger_fini(&ledger);
    return 0;
}

/* ---- an endpoint that comes back ---- */

static struct {
    int64_t at_us[TIMELINE_MAX];
    uint32_t under_way[TIMELINE_MAX]; /* requests at the receiver when this one came */
    _Atomic size_t n;
} timeline;
static struct receiver *_Atomic back; /* the receiver, once it is there */

static int receiver_on_return(void *arg, unsigned endpoint, struct str id, int64_t now_us)
{
    struct receiver *r = back;
    size_t i = timeline.n;
    (void)ledger_arrived(&ledger, endpoint, id, now_us);
    if (i < TIMELINE_MAX) {
        timeline.at_us[i] = now_us;
        timeline.under_way[i] = (uint32_t)(r ? receiver_unanswered(r) + 1 : 1);
        timeline.n = i + 1;
    }
    return 200;
}

static bool wait_arrived(size_t n, int64_t wait_us)
{
    int64_t until = clock_mono_us() + wait_us;
    while (timeline.n < n)
        if (clock_mono_us() > until)
            return false;
        else
            usleep(500);
    return true;
}

/* Prints the requests that came, and how many at once, in slices of time after the first. */
static void print_curve(void)
{
    char rate[512] = "", window[512] = "";
    size_t i = 0, n = timeline.n;
    for (int slice = 0; slice < SLICES_SHOWN && i < n; slice++) {
        size_t from = i;
        uint32_t most = 0;
        int64_t end = timeline.at_us[0] + (int64_t)(slice + 1) * SLICE_US;
        for (; i < n && timeline.at_us[i] < end; i++)
            most = timeline.under_way[i] > most ? timeline.under_way[i] : most;
        snprintf(rate + strlen(rate), sizeof rate - strlen(rate), " %zu", i - from);
        snprintf(window + strlen(window), sizeof window - strlen(window), " %u", most);
    }
    say("came in each 25 ms", "%s%s", rate, i < n ? " …" : "");
    say("at once at the receiver, most", "%s", window);
}

static int run_outage(char **argv)
{
    struct tenants t;
    struct load_result r;
    char id[ENDPOINT_ID_SIZE], path[128], url[64];
    int hook = (int)arg_int(argv, "hook", 7190), http = (int)arg_int(argv, "http", 7181);
    size_t events = (size_t)arg_int(argv, "events", 2001);
    bool by_probe = !strcmp(arg_text(argv, "by", "enable"), "probe");
    ledger_init(&ledger, 1, 1, true, CALLS_MAX);
    tenants_make(&t, &ledger, http, 0, "hsk_bench");
    snprintf(url, sizeof url, "http://127.0.0.1:%d/h/0", hook);
    struct endpoint_make m = {0, 0, url, 64, NULL};
    tenants_endpoint(&t, &ledger, &m, id);
    struct load load = {.tenants = &t,
                        .ledger = &ledger,
                        .connections = 1,
                        .group = 33,
                        .calls = events / CALL_EVENTS};
    load_run(&load, &r);
    free(r.answer_us);
    usleep(2500000); /* the endpoint fails, and is found failing */
    struct receiver_config rc = {hook, 0, NULL, receiver_on_return, NULL};
    int64_t up = clock_mono_us();
    struct receiver *receiver = receiver_start(&rc);
    receiver_delay(receiver, ANSWER_LATE_US);
    back = receiver;
    snprintf(path, sizeof path, "/v1/endpoints/%s/enable", id);
    if (!by_probe && api_call(http, "POST", path, "hsk_bench", NULL, NULL) / 100 != 2) {
        fprintf(stderr, "enable was refused\n");
        return 1;
    }
    if (!wait_arrived(by_probe ? 2 : 1, WAIT_US))
        fprintf(stderr, "nothing came back\n");
    else if (by_probe)
        say_at_most("from the probe that succeeded to the next event",
                    (double)(timeline.at_us[1] - timeline.at_us[0]) / 1e6, 1, "s");
    else
        say_at_most("from enable to the first waiting event",
                    (double)(timeline.at_us[0] - up) / 1e6, 1, "s");
    if (by_probe)
        say("the probe came", "%.1f s after the receiver was back",
            (double)(timeline.at_us[0] - up) / 1e6);
    bool all = wait_arrived(ledger.calls * CALL_EVENTS, WAIT_US);
    say("all that waited", "%zu of %zu events, %.2f s after the first", (size_t)timeline.n,
        ledger.calls * CALL_EVENTS,
        (double)(timeline.at_us[timeline.n ? timeline.n - 1 : 0] - timeline.at_us[0]) / 1e6);
    print_curve();
    (void)ledger_say(&ledger, 0);
    back = NULL;
    receiver_stop(receiver);
    ledger_fini(&ledger);
    return all ? 0 : 1;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc > 1 && !strcmp(argv[1], "steady"))
        return run_steady(argv);
    if (argc > 1 && !strcmp(argv[1], "outage"))
        return run_outage(argv);
    fprintf(stderr, "see bench/isolation.sh\n");
    return 2;
}
