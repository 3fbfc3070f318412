/* soak: runs all kinds of load at once for a long time, for `./dev bench soak`: calls with every
 * fault that calls can have, texts by SMPP and by SIP, events posted for webhooks that fail and
 * hang for a part of each minute, event streams that come and go, lists read. Then it waits until
 * the daemon is idle. It says whether anything grew and whether anything accepted was lost; status
 * 1 when one of them did.
 *
 *   bench_soak pid= dir= minutes= calls= texts= events= pushes= reads= [names=IP]
 *              http= sip= agent= hook= smpp=     ports; hook + 1 is a second receiver's
 *
 * calls=, texts=, events=, pushes=, reads=: a second, 0: none. A quarter of the texts is SIP
 * MESSAGE.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asker.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "exchange.h"
#include "figures.h"
#include "generator.h"
#include "names.h"
#include "receiver.h"
#include "scenes.h"
#include "smsc.h"
#include "streams.h"
#include "text_setup.h"
#include "watch.h"

enum {
    /* endpoints: of the account whose events are posted */
    POSTED_ENDPOINTS = 4,
    FAILS = 2, /* answers 503 for a part of each minute */
    HANGS = 3, /* answers nothing then */
    TROUBLE_FROM_S = 10,
    TROUBLE_UNTIL_S = 20,
    HANG_TIMEOUT_MS = 2000,
    /* and of the default account */
    TEXT_ENDPOINTS = 4,
    SIP_TEXT_ENDPOINT = TEXT_ENDPOINTS,
    CALL_ENDPOINT,
    REFUSING_ENDPOINT, /* every second delivery, which is given up */
    STREAMS = 20,
    ROUND_US = 10000000, /* of texts and events */
    STREAMS_ROUND_US = 20000000,
    READ_CONNECTIONS = 2,
    SMPP_WINDOW = 100,
    SAMPLE_US = 5000000,
    ARRIVED_MAX_US = 30000000,
    IDLE_MAX_US = 420000000, /* a probe, 64 × T1, a failing endpoint's next knock */
    SLOW_NAME_US = 1400000,  /* beyond SLOW_RING_S of the scenes */
};
enum { TEXTS_THREAD, POSTS_THREAD, STREAMS_THREAD, READS_THREAD, THREADS };
static const char key[] = "hsk_bench";

struct soak {
    int pid, http, sip, agent, hook, smpp;
    double calls, texts, events, pushes, reads;
    int64_t run_us, start_us;
    struct callbook book;
    struct texts by_smpp, by_sip;
    struct ledger posted, pushed;
    struct tenants posters, pushers;
    struct receiver *events_at, *calls_at;
    struct exchange *exchange;
    struct smsc *smsc;
    struct names *names;
    struct watch watch;
    struct watch_sample idle_before, idle_after;
    size_t refused; /* the receiver's */
    _Atomic size_t posted_ok, pushed_ok, read_sent, read_ok;
    atomic_bool over, calm, idle; /* no load begins; no receiver fails; no work is under way */
    pthread_t thread[THREADS];
};

/* ---- receivers ---- */

static bool is_trouble(const struct soak *s, int64_t now_us)
{
    int64_t sec = (now_us - s->start_us) / 1000000 % 60;
    return !s->calm && sec >= TROUBLE_FROM_S && sec < TROUBLE_UNTIL_S;
}

static int receiver_on_posted(void *arg, unsigned endpoint, struct str id, int64_t now_us)
{
    struct soak *s = arg;
    if (endpoint >= FAILS && is_trouble(s, now_us))
        return endpoint == FAILS ? 503 : 0;
    (void)ledger_arrived(&s->posted, endpoint, id, now_us);
    return 200;
}

static int receiver_on_call_or_text(void *arg, struct str request, int64_t now_us)
{
    struct soak *s = arg;
    if (!str_starts(request, STR("POST /h/")))
        return 0; /* the webhook that is asked where a call goes */
    unsigned endpoint = (unsigned)(request.p[8] - '0');
    if (endpoint < TEXT_ENDPOINTS)
        texts_arrived(&s->by_smpp, request, now_us);
    else if (endpoint == SIP_TEXT_ENDPOINT)
        texts_arrived(&s->by_sip, request, now_us);
    else if (endpoint == CALL_ENDPOINT)
        callbook_arrived(&s->book, request);
    else
        return s->refused++ % 2 ? 500 : 200;
    return 200;
}

static void receivers_start(struct soak *s)
{
    struct receiver_config c = {
        .port = s->hook, .hosts = POSTED_ENDPOINTS, .on_request = receiver_on_posted, .arg = s};
    s->events_at = receiver_start(&c);
    c = (struct receiver_config){.port = s->hook + 1,
                                 .hosts = TEXT_ENDPOINTS,
                                 .on_whole = receiver_on_call_or_text,
                                 .arg = s};
    s->calls_at = receiver_start(&c);
}

/* ---- the daemon's settings ---- */

static void accounts_make(struct soak *s, size_t seconds)
{
    char url[64], more[64];
    ledger_init(&s->posted, 1, POSTED_ENDPOINTS, false,
                (size_t)(s->events * (double)seconds / CALL_EVENTS) + 1000);
    ledger_init(&s->pushed, 1, STREAMS, true,
                (size_t)(s->pushes * (double)seconds / CALL_EVENTS) + 1000);
    tenants_make(&s->posters, &s->posted, s->http, 0, key);
    tenants_make(&s->pushers, &s->pushed, s->http, 1, key);
    snprintf(more, sizeof more, ",\"timeout_ms\":%d", HANG_TIMEOUT_MS);
    for (unsigned e = 0; e < POSTED_ENDPOINTS; e++) {
        snprintf(url, sizeof url, "http://127.0.1.%u:%d/h/%u", e + 1, s->hook, e);
        const struct endpoint_make m = {0, e, url, 16, more};
        tenants_endpoint(&s->posters, &s->posted, &m, NULL);
    }
}

static void setting_create(const struct soak *s, const char *path, const char *json)
{
    char mem[1024];
    struct buf body;
    buf_wrap(&body, mem, sizeof mem);
    buf_puts(&body, json);
    api_create(s->http, key, path, &body, NULL);
}

static void settings_make(struct soak *s, const char *names_ip, size_t seconds)
{
    char text[256];
    const struct text_link link = {.smpp = s->smpp, .window = SMPP_WINDOW, .binds = 1};
    const struct smsc_config smsc = {.port = s->smpp};
    accounts_make(s, seconds);
    text_numbers_make(s->http, key, s->hook + 1, TEXT_ENDPOINTS);
    setting_create(s, "/v1/trunks", "{\"name\":\"bench\",\"sources\":[\"127.0.0.2\"]}");
    setting_create(s, "/v1/numbers", "{\"number\":\"+" EXCHANGE_TEXT_NUMBER "\",\"sms\":true}");
    snprintf(text, sizeof text,
             "{\"url\":\"http://127.0.1.1:%d/h/%d\",\"events\":[\"sms_received\"],"
             "\"concurrency\":64,\"numbers\":[\"+" EXCHANGE_TEXT_NUMBER "\"]}",
             s->hook + 1, SIP_TEXT_ENDPOINT);
    setting_create(s, "/v1/endpoints", text);
    snprintf(text, sizeof text,
             "{\"url\":\"http://127.0.1.2:%d/h/%d\",\"events\":[\"call_ended\"],"
             "\"retry\":{\"schedule_s\":[1],\"give_up_after_s\":0}}",
             s->hook + 1, REFUSING_ENDPOINT);
    setting_create(s, "/v1/endpoints", text);
    scenes_make(s->http, key, s->agent, s->hook + 1, CALL_ENDPOINT, s->names);
    s->smsc = smsc_open(&smsc);
    text_link_make(s->http, key, &link);
    smsc_wait_bound(s->smsc, 1);
    if (!s->names)
        say("names", "%s: port 53 is not to be had; those calls go by address", names_ip);
}

/* ---- the loads: each in rounds until the end ---- */

static void *send_texts(void *arg)
{
    struct soak *s = arg;
    struct smsc_load load = {.texts = &s->by_smpp,
                             .window = SMPP_WINDOW,
                             .per_sec = s->texts * 3 / 4,
                             .run_us = ROUND_US};
    while (!s->over && load.per_sec > 0) {
        struct smsc_result r;
        smsc_run(s->smsc, &load, &r);
        free(r.answer_us);
    }
    while (!s->idle)
        smsc_turn(s->smsc, 100000); /* enquire_link is answered */
    return NULL;
}

static size_t receiver_post(struct ledger *l, const struct tenants *t, double per_sec,
                            int64_t run_us)
{
    struct load_result r;
    struct load load = {.tenants = t,
                        .ledger = l,
                        .connections = 4,
                        .group = 1,
                        .events_per_sec = per_sec,
                        .run_us = run_us};
    load_run(&load, &r);
    free(r.answer_us);
    return r.events;
}

static void *post_events(void *arg)
{
    struct soak *s = arg;
    while (!s->over && s->events > 0)
        s->posted_ok += receiver_post(&s->posted, &s->posters, s->events, ROUND_US);
    return NULL;
}

/* Keeps streams open for a round, and closes them when all their events have come. */
static void *push_events(void *arg)
{
    struct soak *s = arg;
    while (!s->over && s->pushes > 0) {
        size_t first = s->pushed.calls;
        struct streams *streams = streams_open(&s->pushers, &s->pushed);
        s->pushed_ok += receiver_post(&s->pushed, &s->pushers, s->pushes, STREAMS_ROUND_US);
        int64_t until = clock_mono_us() + ARRIVED_MAX_US;
        while (ledger_missing(&s->pushed, first, NULL) && clock_mono_us() < until)
            usleep(10000);
        streams_close(streams);
    }
    return NULL;
}

static void print_read(void *arg, size_t k, struct buf *out)
{
    static const char *const path[] = {"/v1/events?limit=50",
                                       "/v1/events?state=pending",
                                       "/v1/calls?limit=50",
                                       "/v1/messages?limit=50",
                                       "/v1/numbers?limit=100",
                                       "/v1/events?type=call_ended",
                                       "/v1/messages/threads?limit=20",
                                       "/v1/accounts",
                                       "/v1/endpoints"};
    struct soak *s = arg;
    size_t turn = s->read_sent++;
    buf_printf(out, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n",
               path[turn % (sizeof path / sizeof *path)], key);
}

static void *read_lists(void *arg)
{
    struct soak *s = arg;
    int64_t due = clock_mono_us();
    while (!s->over && s->reads > 0) {
        struct asker_answer a;
        const struct asker_config c = {.port = s->http,
                                       .connections = READ_CONNECTIONS,
                                       .count = (size_t)s->reads,
                                       .print = print_read,
                                       .arg = s,
                                       .status = 200};
        ask(&c, &a);
        s->read_ok += a.n;
        free(a.answer_us);
        due += 1000000;
        while (clock_mono_us() < due && !s->over)
            usleep(10000);
    }
    return NULL;
}

/* ---- the watch ---- */

static void print_minute(struct soak *s, unsigned minute)
{
    const struct watch_tally tally[WATCH_TALLIES] = {
        {"calls", s->book.n, s->book.taken, s->book.ended},
        {"texts by SMPP", s->by_smpp.n, s->by_smpp.acknowledged, s->by_smpp.arrived},
        {"texts by SIP", s->by_sip.n, s->by_sip.acknowledged, s->by_sip.arrived},
        {"events", s->posted.calls * CALL_EVENTS, s->posted_ok, s->posted.arrived},
        {"pushes", s->pushed.calls * CALL_EVENTS * STREAMS, s->pushed_ok * STREAMS,
         s->pushed.arrived},
        {"reads", s->read_sent, s->read_ok, s->read_ok},
    };
    watch_say_minute(&s->watch, minute, tally, WATCH_TALLIES);
}

static void watch_load(struct soak *s)
{
    int64_t next_us = s->start_us + SAMPLE_US;
    unsigned minute = 0;
    while (next_us <= s->start_us + s->run_us) {
        while (clock_mono_us() < next_us)
            usleep(10000);
        watch_take(&s->watch);
        if ((next_us - s->start_us) / 60000000 > minute)
            print_minute(s, ++minute);
        next_us += SAMPLE_US;
    }
}

/* Waits, without new load, until the work under way ends and the waiting events are delivered. */
static void wait_idle(struct soak *s)
{
    s->calm = true;
    exchange_quiet(s->exchange);
    int64_t until = clock_mono_us() + IDLE_MAX_US;
    do {
        usleep(1000000);
        watch_look(&s->watch, &s->idle_after);
    } while (!watch_is_idle(&s->idle_before, &s->idle_after) && clock_mono_us() < until);
    s->idle = true;
}

static bool print_verdict(struct soak *s)
{
    bool good = watch_say_flat(&s->watch);
    good &= watch_say_idle(&s->idle_before, &s->idle_after);
    good &= callbook_say(&s->book);
    good &= texts_say(&s->by_smpp, 0);
    good &= texts_say(&s->by_sip, 0);
    good &= ledger_say(&s->posted, 0);
    good &= ledger_say(&s->pushed, 0);
    say("verdict", "%s", good ? "flat, and nothing accepted was lost" : "NOT met");
    return good;
}

static void thread_start(struct soak *s)
{
    static void *(*const load[THREADS])(void *) = {[TEXTS_THREAD] = send_texts,
                                                   [POSTS_THREAD] = post_events,
                                                   [STREAMS_THREAD] = push_events,
                                                   [READS_THREAD] = read_lists};
    const struct exchange_config xc = {.agent = s->agent,
                                       .sip = s->sip,
                                       .calls_per_sec = s->calls,
                                       .texts_per_sec = s->texts / 4,
                                       .book = &s->book,
                                       .texts = &s->by_sip};
    watch_look(&s->watch, &s->idle_before);
    s->start_us = clock_mono_us();
    s->exchange = exchange_start(&xc);
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&s->thread[i], NULL, load[i], s) != 0) {
            perror("a load's thread");
            exit(1);
        }
}

static int soak_run(struct soak *s, char **argv)
{
    const char *names_ip = arg_text(argv, "names", "");
    size_t seconds = (size_t)(s->run_us / 1000000) + 60;
    callbook_init(&s->book, (size_t)(s->calls * (double)seconds) + 1000);
    texts_init(&s->by_smpp, (size_t)(s->texts * (double)seconds) + 1000, 20);
    texts_init(&s->by_sip, (size_t)(s->texts * (double)seconds) + 1000, 0);
    watch_init(&s->watch, s->pid, s->http, arg_text(argv, "dir", "."));
    s->names = *names_ip ? names_start(names_ip, SLOW_NAME_US) : NULL;
    receivers_start(s);
    settings_make(s, names_ip, seconds);
    thread_start(s);
    watch_load(s);
    s->over = true;
    for (size_t i = TEXTS_THREAD + 1; i < THREADS; i++)
        pthread_join(s->thread[i], NULL);
    wait_idle(s);
    pthread_join(s->thread[TEXTS_THREAD], NULL);
    exchange_stop(s->exchange);
    receiver_stop(s->events_at);
    receiver_stop(s->calls_at);
    smsc_close(s->smsc);
    names_stop(s->names);
    bool good = print_verdict(s);
    watch_fini(&s->watch);
    callbook_fini(&s->book);
    texts_fini(&s->by_smpp);
    texts_fini(&s->by_sip);
    ledger_fini(&s->posted);
    ledger_fini(&s->pushed);
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    static struct soak s;
    signal(SIGPIPE, SIG_IGN);
    if (crypto_start() != OK)
        return 1;
    s.pid = (int)arg_int(argv, "pid", 0);
    s.http = (int)arg_int(argv, "http", 7183);
    s.sip = (int)arg_int(argv, "sip", 7050);
    s.agent = (int)arg_int(argv, "agent", 7070);
    s.hook = (int)arg_int(argv, "hook", 7190);
    s.smpp = (int)arg_int(argv, "smpp", 7184);
    s.calls = (double)arg_int(argv, "calls", 200);
    s.texts = (double)arg_int(argv, "texts", 200);
    s.events = (double)arg_int(argv, "events", 100);
    s.pushes = (double)arg_int(argv, "pushes", 20);
    s.reads = (double)arg_int(argv, "reads", 20);
    s.run_us = arg_int(argv, "minutes", 30) * 60000000;
    return soak_run(&s, argv);
}
