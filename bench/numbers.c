/* numbers: what a call, a change and a start cost with few and with many numbers in one account,
 * for `./dev bench numbers`. All daemons run side by side, each on its own store, and take turns:
 * each round measures each of them, and the figures are medians of the rounds.
 *
 *   bench_numbers dir=FOLDER sizes=10,10000,1000000 [rounds=5] [each=400] [fill=0]
 *
 * fill=0: the stores are in the folder from a run before.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asker.h"
#include "base/clock.h"
#include "meter.h"
#include "number_store.h"
#include "receiver.h"
#include "sip_peer.h"
#include "tenants.h"

enum {
    STORES_MAX = 8,
    ROUNDS_MAX = 64,
    STARTS = 3,
    CONNECTIONS = 4, /* requests, or calls, under way */
    HOOK = 7190,
    FIRST_HTTP = 7200,
    FIRST_SIP = 7250,
    SETTLE_US = 20000000,
    WARM_UP = 20,
};

enum what { CALL, PATCH, FORWARD, WHAT_COUNT };
static const struct {
    const char *title;
    double bar; /* of the largest beside the smallest */
} whats[WHAT_COUNT] = {
    [CALL] = {"a call: INVITE to its last answer, two events stored and delivered", 1.2},
    [PATCH] = {"PATCH of an endpoint", 1.2},
    [FORWARD] = {"DID forward", 1.2},
};

struct figure { /* a value a round */
    size_t n;
    double v[ROUNDS_MAX];
};

struct subject {
    struct number_store store;
    struct figure start_ms, resident, ms[WHAT_COUNT], cpu_us[WHAT_COUNT];
};

static struct {
    size_t n, rounds, each, n_sizes, size[STORES_MAX];
    struct subject subject[STORES_MAX];
    const char *dir;
    uint64_t random, calls;
    int carrier;
} b;

static void figure_put(struct figure *f, double v)
{
    if (f->n < ROUNDS_MAX)
        f->v[f->n++] = v;
}

static int by_value(const void *x, const void *y)
{
    double a = *(const double *)x, c = *(const double *)y;
    return (a > c) - (a < c);
}

static double median(const struct figure *f)
{
    struct figure s = *f;
    qsort(s.v, s.n, sizeof s.v[0], by_value);
    return s.n % 2 ? s.v[s.n / 2] : s.n ? (s.v[s.n / 2 - 1] + s.v[s.n / 2]) / 2 : 0;
}

/* The lower half are called and have no target; the upper half are forwarded. */
static size_t any_number(const struct subject *s, bool upper)
{
    size_t half = s->store.n / 2;
    b.random = b.random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (upper ? half : 0) + (size_t)(b.random >> 33) % (half ? half : 1);
}

/* ---- requests ---- */

static void put_request(struct buf *out, const char *method, const char *path, const char *body)
{
    buf_printf(out,
               "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer hsk_bench\r\n"
               "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
               method, path, strlen(body), body);
}

static void print_patch(void *arg, size_t k, struct buf *out)
{
    const struct subject *s = arg;
    char id[ID_SIZE], path[80], body[64];
    number_endpoint_id(&s->store, any_number(s, false), id);
    snprintf(path, sizeof path, "/v1/endpoints/%s", id);
    snprintf(body, sizeof body, "{\"concurrency\":%d}", 8 + (int)(b.random >> 40 & 31));
    put_request(out, "PATCH", path, body);
}

/* The number's own endpoint gets another URL, or, where there is none, its call another target. */
static void print_forward(void *arg, size_t k, struct buf *out)
{
    const struct subject *s = arg;
    char number[NUMBER_TEXT_SIZE], body[256];
    size_t i = any_number(s, true);
    number_text(i, number);
    if (s->store.one_for_all)
        snprintf(
            body, sizeof body,
            "{\"did_id\":\"%s\",\"type\":\"sip\",\"destination\":\"sip:agent%d@127.0.0.3:7199\"}",
            number, (int)(b.random >> 40 & 1023));
    else
        snprintf(body, sizeof body,
                 "{\"did_id\":\"%s\",\"type\":\"webhook\",\"destination\":"
                 "\"http://127.0.0.1:%d/h/%zu?%d\"}",
                 number, HOOK, i, (int)(b.random >> 40 & 1023));
    put_request(out, "POST", "/api/did/forward", body);
}

static double ask_all(struct subject *s, enum what what, size_t n)
{
    struct asker_answer a;
    const struct asker_config c = {.port = s->store.http,
                                   .connections = CONNECTIONS,
                                   .count = n,
                                   .print = what == PATCH ? print_patch : print_forward,
                                   .arg = s,
                                   .status = 200};
    ask(&c, &a);
    double ms = asked_ms(&a, 0.5);
    free(a.answer_us);
    return ms;
}

/* ---- calls ---- */

struct call_wait {  /* of calls under way */
    uint64_t first; /* their indexes go on from here */
    size_t sent, over;
    int64_t *sent_us;
    uint32_t *took_us;
    struct sockaddr_in to;
    int port;
    struct subject *s;
};

static void put_caller(struct buf *out, const struct call_wait *w, uint64_t i, const char *method,
                       struct str to)
{
    char uri[96], peer[32], to_text[160];
    number_text((size_t)w->took_us[i - w->first], peer); /* the number, until it is over */
    snprintf(uri, sizeof uri, "sip:%s@127.0.0.1:%d", peer, w->port);
    snprintf(to_text, sizeof to_text, "%.*s", STR_FMT(to));
    if (!to.n)
        snprintf(to_text, sizeof to_text, "<%s>", uri);
    sip_put_caller_head(out, i, "+19175550100", method, "INVITE", 1, to_text, uri);
}

static void invite(struct call_wait *w)
{
    char mem[SIP_PACKET_MAX];
    struct buf out;
    size_t k = w->sent++;
    w->took_us[k] = (uint32_t)any_number(w->s, false);
    buf_wrap(&out, mem, sizeof mem);
    put_caller(&out, w, w->first + k, "INVITE", (struct str){0});
    sip_put_sdp(&out);
    w->sent_us[k] = clock_mono_us();
    sip_send(b.carrier, &out, &w->to);
}

/* The number has no target: the call is refused when its events are stored. */
static void on_carrier(void *arg, struct str m, const struct sockaddr_in *from)
{
    struct call_wait *w = arg;
    char mem[SIP_PACKET_MAX];
    struct buf out;
    size_t i = sip_call_of(m), k = i - w->first;
    if (atoi(m.p + 8) < 200 || i < w->first || k >= w->sent)
        return;
    buf_wrap(&out, mem, sizeof mem);
    if (w->sent_us[k])
        put_caller(&out, w, i, "ACK", sip_value(m, "\r\nTo: "));
    else
        return; /* again, and acknowledged before */
    sip_put_no_body(&out);
    sip_send(b.carrier, &out, &w->to);
    w->took_us[k] = (uint32_t)(clock_mono_us() - w->sent_us[k]);
    w->sent_us[k] = 0;
    w->over++;
}

static void wait_delivered(const struct subject *s)
{
    int64_t end = clock_mono_us() + SETTLE_US;
    while (metrics_one(s->store.http, "hookswitch_deliveries_pending") > 0) {
        if (clock_mono_us() > end) {
            fprintf(stderr, "deliveries wait\n");
            exit(1);
        }
        usleep(1000);
    }
}

static double call_all(struct subject *s, size_t n)
{
    struct call_wait w = {.first = b.calls,
                          .sent_us = calloc(n, sizeof(int64_t)),
                          .took_us = calloc(n, sizeof(uint32_t)),
                          .to = sip_at("127.0.0.1", s->store.sip),
                          .port = s->store.sip,
                          .s = s};
    int64_t end = clock_mono_us() + SETTLE_US;
    b.calls += n;
    while (w.over < n && clock_mono_us() < end) {
        struct pollfd p = {b.carrier, POLLIN, 0};
        while (w.sent < n && w.sent - w.over < CONNECTIONS)
            invite(&w);
        poll(&p, 1, 100);
        sip_drain(b.carrier, on_carrier, &w);
    }
    if (w.over < n) {
        fprintf(stderr, "of %zu calls %zu were answered\n", n, w.over);
        exit(1);
    }
    wait_delivered(s);
    sort_u32(w.took_us, n);
    double ms = quantile(w.took_us, n, 0.5) / 1e3;
    free(w.sent_us);
    free(w.took_us);
    return ms;
}

static double work(struct subject *s, enum what what, size_t n)
{
    return what == CALL ? call_all(s, n) : ask_all(s, what, n);
}

static void measure(struct subject *s, enum what what)
{
    struct cpu before, after;
    (void)work(s, what, WARM_UP);
    cpu_take(s->store.pid, &before);
    figure_put(&s->ms[what], work(s, what, b.each));
    cpu_take(s->store.pid, &after);
    figure_put(&s->cpu_us[what], cpu_between(&before, &after, "") / (double)b.each);
}

/* ---- the run ---- */

static void make_subjects(bool fill)
{
    for (size_t i = 0; i < 2 * b.n_sizes; i++) {
        struct number_store *s = &b.subject[b.n].store;
        s->n = b.size[i % b.n_sizes];
        s->one_for_all = i >= b.n_sizes;
        s->http = FIRST_HTTP + (int)b.n;
        s->sip = FIRST_SIP + (int)b.n;
        snprintf(s->dir, sizeof s->dir, "%s/%s%zu", b.dir, s->one_for_all ? "one" : "own", s->n);
        int64_t start = clock_mono_us();
        if (fill)
            number_store_fill(s, HOOK);
        say(s->one_for_all ? "filled, one endpoint for all" : "filled, an endpoint each",
            "%zu numbers in %.1f s", s->n, (double)(clock_mono_us() - start) / 1e6);
        b.n++;
    }
}

static void start_all(void)
{
    for (int k = 0; k < STARTS; k++)
        for (size_t i = 0; i < b.n; i++) {
            struct subject *s = &b.subject[i];
            number_store_kill(&s->store);
            figure_put(&s->start_ms, number_store_start(&s->store));
            figure_put(&s->resident, (double)resident_kb(s->store.pid) * 1024);
        }
}

static void make_trunk(const struct subject *s)
{
    int status = api_call(s->store.http, "POST", "/v1/trunks", "hsk_bench",
                          "{\"name\":\"bench\",\"sources\":[\"127.0.0.2\"]}", NULL);
    if (status == 201 || status == 409)
        return;
    fprintf(stderr, "POST /v1/trunks: %d\n", status);
    exit(1);
}

static void say_cost(const struct subject *s, const struct subject *least, enum what what)
{
    char name[48];
    bool last = s->store.n == b.size[b.n_sizes - 1] && s != least;
    double cpu = median(&s->cpu_us[what]), ms = median(&s->ms[what]);
    double cpu_ratio = cpu / median(&least->cpu_us[what]), ms_ratio = ms / median(&least->ms[what]);
    snprintf(name, sizeof name, "%zu numbers, %s", s->store.n,
             s->store.one_for_all ? "one endpoint for all" : "an endpoint each");
    say(name, "p50 %.2f ms, CPU %.0f us: %.2f and %.2f times those of %zu", ms, cpu, ms_ratio,
        cpu_ratio, least->store.n);
    if (last) {
        say_at_most("  time beside the least", ms_ratio, whats[what].bar, "times");
        say_at_most("  CPU beside the least", cpu_ratio, whats[what].bar, "times");
    }
}

static void say_start(const struct subject *s, const struct subject *least)
{
    char name[48];
    double ms = median(&s->start_ms), bytes = median(&s->resident);
    snprintf(name, sizeof name, "%zu numbers, %s", s->store.n,
             s->store.one_for_all ? "one endpoint for all" : "an endpoint each");
    say(name, "ready after %.0f ms, %.1f MiB resident", ms, bytes / (1 << 20));
    if (s->store.n < 1000 * least->store.n)
        return;
    say_at_most("  start to /readyz", ms / 1e3, 3, "s");
    say_at_most("  resident more than the least, per number",
                (bytes - median(&least->resident)) / (double)(s->store.n - least->store.n), 700,
                "bytes");
}

static void say_all(void)
{
    say_title("start to /readyz and VmRSS then: medians of %d, the files in the page cache",
              STARTS);
    for (size_t i = 0; i < b.n; i++)
        say_start(&b.subject[i], &b.subject[i / b.n_sizes * b.n_sizes]);
    for (int what = 0; what < WHAT_COUNT; what++) {
        say_title("%s: %zu rounds of %zu, %d at once", whats[what].title, b.rounds, b.each,
                  CONNECTIONS);
        for (size_t i = 0; i < b.n; i++)
            say_cost(&b.subject[i], &b.subject[i / b.n_sizes * b.n_sizes], (enum what)what);
    }
}

static void read_sizes(const char *text)
{
    for (char *end; *text && b.n_sizes < STORES_MAX / 2; text = *end ? end + 1 : end)
        b.size[b.n_sizes++] = strtoull(text, &end, 10);
    for (size_t i = 0; i < b.n_sizes; i++)
        if (!b.size[i] || b.size[i] > 10000000) {
            fprintf(stderr, "sizes: up to %d numbers from 1 to 10000000\n", STORES_MAX / 2);
            exit(2);
        }
}

static void kill_all(void)
{
    for (size_t i = 0; i < b.n; i++)
        number_store_kill(&b.subject[i].store);
}

static int take_event(void *arg, unsigned endpoint, struct str id, int64_t now_us)
{
    return 200;
}

int main(int argc, char **argv)
{
    const struct receiver_config rc = {.port = HOOK, .on_request = take_event};
    signal(SIGPIPE, SIG_IGN);
    b.dir = arg_text(argv, "dir", "/tmp");
    b.rounds = (size_t)arg_int(argv, "rounds", 5);
    b.rounds = b.rounds < ROUNDS_MAX ? b.rounds : ROUNDS_MAX;
    b.each = (size_t)arg_int(argv, "each", 400);
    b.calls = (uint64_t)clock_wall_ms() * 1000; /* no call of a run before */
    read_sizes(arg_text(argv, "sizes", "10,10000,1000000"));
    make_subjects(arg_int(argv, "fill", 1));
    atexit(kill_all);
    start_all();
    struct receiver *receiver = receiver_start(&rc);
    b.carrier = sip_udp("127.0.0.2", 7060);
    for (size_t i = 0; i < b.n; i++)
        make_trunk(&b.subject[i]);
    for (size_t k = 0; k < b.rounds; k++)
        for (int what = 0; what < WHAT_COUNT; what++)
            for (size_t i = 0; i < b.n; i++)
                measure(&b.subject[i], (enum what)what);
    say_all();
    receiver_stop(receiver);
    return 0;
}
