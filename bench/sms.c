/* sms: measures the cost and the speed of text messages from the carrier to the customer, for
 * `./dev bench sms`. The carrier (smsc) and the receiver are two threads of this process. The
 * server runs on the same cores: the daemon, or the two processes of Kannel.
 *
 *   bench_sms ceiling smpp= seconds= window=
 *   bench_sms ours    pid= http= hook= smpp= by=link|listener seconds= half_seconds= window= binds=
 *                     long= submit= bar= out=
 *   bench_sms kannel  pid= pid2= hook= smpp= seconds= half_seconds= window= out=
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "figures.h"
#include "receiver.h"
#include "responder.h"
#include "smsc.h"
#include "tenants.h"
#include "text_setup.h"

enum {
    TEXTS_MAX = 4000000, /* of one run */
    UNDELIVERED = 10000, /* acknowledged and not at the receiver, at most */
    SETTLE_US = 30000000,
};
static const char key[] = "hsk_bench";

struct stage {
    int pid, pid2, http; /* of Kannel: both, and no http */
    unsigned window, endpoints;
    bool submit;
    struct texts texts;
    struct smsc *smsc;
    struct receiver *receiver;
};

static int on_post_received(void *arg, struct str request, int64_t now_us)
{
    texts_arrived(arg, request, now_us);
    return 200;
}

/* ---- one load ---- */

struct load_figures {
    struct smsc_result r;
    struct histogram jobs, commits; /* of the daemon's store */
    size_t first;                   /* message */
    struct cpu before, after;
    double cpu_before, receiver_before;
    bool settled;
    double took; /* seconds, until the last was delivered */
};

static double cpu_both_us(const struct stage *s)
{
    return cpu_of_process_us(s->pid) + (s->pid2 ? cpu_of_process_us(s->pid2) : 0);
}

static bool load_is_settled(const struct stage *s, size_t first)
{
    if (s->texts.arrived < s->texts.n || texts_missing(&s->texts, first))
        return false;
    return !s->http || metrics_one(s->http, "hookswitch_deliveries_pending") == 0;
}

/* Reads the counts of the daemon's store: the first time since the start, the second time since
 * the first. */
static void commits_sample(const struct stage *s, struct load_figures *m, bool again)
{
    struct buf text;
    struct histogram jobs, commits;
    if (!s->http)
        return;
    buf_init(&text, 1 << 20);
    metrics_take(s->http, &text);
    histogram_read(buf_str(&text), "hookswitch_store_batch_jobs", &jobs);
    histogram_read(buf_str(&text), "hookswitch_store_commit_seconds", &commits);
    if (again) {
        histogram_minus(&jobs, &m->jobs);
        histogram_minus(&commits, &m->commits);
    }
    m->jobs = jobs;
    m->commits = commits;
    buf_fini(&text);
}

static void load_measure(struct stage *s, double per_sec, int64_t run_us, struct load_figures *ret)
{
    struct smsc_load load = {.texts = &s->texts,
                             .window = s->window,
                             .submit = s->submit,
                             .per_sec = per_sec,
                             .undelivered_max = UNDELIVERED,
                             .run_us = run_us};
    ret->first = s->texts.n;
    commits_sample(s, ret, false);
    cpu_take(s->pid, &ret->before);
    ret->cpu_before = cpu_both_us(s);
    ret->receiver_before = receiver_cpu_us(s->receiver);
    int64_t start = clock_mono_us();
    smsc_run(s->smsc, &load, &ret->r);
    int64_t until = clock_mono_us() + SETTLE_US;
    while (!(ret->settled = load_is_settled(s, ret->first)) && clock_mono_us() < until)
        smsc_turn(s->smsc, 10000);
    ret->took = (double)(clock_mono_us() - start) / 1e6;
    cpu_take(s->pid, &ret->after);
    commits_sample(s, ret, true);
}

static void print_answers(const char *name, const struct smsc_result *r)
{
    say(name, "p50 %.1f ms, p99 %.1f ms", quantile(r->answer_us, r->n_answers, 0.5) / 1e3,
        quantile(r->answer_us, r->n_answers, 0.99) / 1e3);
    for (size_t i = 0; i < SMSC_STATUSES && r->status[i].n; i++)
        if (r->status[i].status)
            say("", "%zu answered with 0x%08x, and sent again", r->status[i].n,
                r->status[i].status);
}

static void print_webhooks(const struct stage *s, size_t first)
{
    uint32_t *late;
    size_t n = texts_latencies(&s->texts, first, &late);
    say("message to its webhook's request", "p50 %.1f ms, p99 %.1f ms",
        quantile(late, n, 0.5) / 1e3, quantile(late, n, 0.99) / 1e3);
    free(late);
}

static void print_commits(const struct stage *s, const struct load_figures *m)
{
    if (s->http)
        say("commits", "%.0f; jobs in one: mean %.0f; ms: mean %.1f, p50 %.1f, p99 %.1f",
            m->jobs.all, histogram_mean(&m->jobs), histogram_mean(&m->commits) * 1e3,
            histogram_quantile(&m->commits, 0.5) * 1e3,
            histogram_quantile(&m->commits, 0.99) * 1e3);
}

static void print_cpu(const struct stage *s, const struct load_figures *m, double n)
{
    double all = cpu_both_us(s) - m->cpu_before;
    double receiver = receiver_cpu_us(s->receiver) - m->receiver_before;
    double whole = m->after.whole_us - m->before.whole_us;
    double others = m->after.busy_us - m->before.busy_us - all - receiver - m->r.cpu_us;
    if (s->pid2)
        say("CPU us per message, both processes", "%.1f", all / n);
    else
        say("CPU us per message", "%.1f: store %.1f, edge %.1f, courier %.1f", all / n,
            cpu_between(&m->before, &m->after, "writer") / n,
            cpu_between(&m->before, &m->after, "edge") / n,
            cpu_between(&m->before, &m->after, "courier") / n);
    say("  beside it, of this benchmark", "carrier %.1f, receiver %.1f", m->r.cpu_us / n,
        receiver / n);
    say("  the machine's cores meanwhile", "%.0f %% with all this, %.0f %% with others",
        100 * (all + receiver + m->r.cpu_us) / whole, others > 0 ? 100 * others / whole : 0);
}

/* Runs as fast as it goes, then at half of that. */
static void run_both(struct stage *s, char **argv, double bar)
{
    struct load_figures m;
    int64_t half_us = arg_int(argv, "half_seconds", 5) * 1000000;
    load_measure(s, 0, arg_int(argv, "seconds", 10) * 1000000, &m);
    double n = (double)(s->texts.n - m.first), rate = n / m.took;
    const char *name = "messages/s acknowledged and delivered";
    if (bar > 0)
        say_at_least(name, rate, bar, "/s");
    else
        say(name, "%.0f /s", rate);
    say("", "%.0f messages, %zu PDUs in %.1f s, at most %d undelivered%s", n, m.r.sent, m.took,
        UNDELIVERED, m.settled ? "" : "; NOT SETTLED");
    (void)texts_say(&s->texts, m.first);
    print_answers("at full load: response after", &m.r);
    if (bar > 0)
        say_at_most("  p99", quantile(m.r.answer_us, m.r.n_answers, 0.99) / 1e3, 20, "ms");
    print_webhooks(s, m.first);
    print_cpu(s, &m, n);
    print_commits(s, &m);
    free(m.r.answer_us);
    FILE *f = fopen(arg_text(argv, "out", "/dev/null"), "w");
    if (f && fprintf(f, "%.0f %.1f\n", rate, (cpu_both_us(s) - m.cpu_before) / n) > 0)
        fclose(f);
    if (!half_us)
        return;
    load_measure(s, rate / 2, half_us, &m);
    char title[64];
    snprintf(title, sizeof title, "at %.0f/s: response after", rate / 2);
    print_answers(title, &m.r);
    say("", "%zu messages found no window free when due", m.r.late);
    print_commits(s, &m);
    print_webhooks(s, m.first);
    (void)texts_say(&s->texts, m.first);
    free(m.r.answer_us);
}

static void stage_open(struct stage *s, char **argv)
{
    *s = (struct stage){.pid = (int)arg_int(argv, "pid", 0),
                        .pid2 = (int)arg_int(argv, "pid2", 0),
                        .window = (unsigned)arg_int(argv, "window", 100),
                        .endpoints = (unsigned)arg_int(argv, "endpoints", 4),
                        .submit = arg_int(argv, "submit", 0)};
    texts_init(&s->texts, TEXTS_MAX, (unsigned)arg_int(argv, "long", 0));
    struct receiver_config rc = {.port = (int)arg_int(argv, "hook", 7190),
                                 .hosts = s->endpoints,
                                 .arg = &s->texts,
                                 .on_whole = on_post_received};
    s->receiver = receiver_start(&rc);
}

static void stage_close(struct stage *s)
{
    smsc_close(s->smsc);
    receiver_stop(s->receiver);
    texts_fini(&s->texts);
}

static int run_ours(char **argv)
{
    struct stage s;
    bool listener = !strcmp(arg_text(argv, "by", "link"), "listener");
    unsigned binds = (unsigned)arg_int(argv, "binds", 1);
    int smpp = (int)arg_int(argv, "smpp", 7184);
    struct smsc_config c = {
        .port = smpp, .connects = listener, .system_id = "bench", .password = "bench"};
    stage_open(&s, argv);
    s.http = (int)arg_int(argv, "http", 7183);
    text_numbers_make(s.http, key, (int)arg_int(argv, "hook", 7190), s.endpoints);
    if (!listener)
        s.smsc = smsc_open(&c);
    const struct text_link link = {
        .listener = listener, .smpp = smpp, .window = s.window, .binds = binds};
    text_link_make(s.http, key, &link);
    if (listener)
        s.smsc = smsc_open(&c);
    smsc_wait_bound(s.smsc, binds);
    run_both(&s, argv, (double)arg_int(argv, "bar", 0));
    stage_close(&s);
    return 0;
}

static int run_kannel(char **argv)
{
    struct stage s;
    struct smsc_config c = {.port = (int)arg_int(argv, "smpp", 7185)};
    stage_open(&s, argv);
    s.smsc = smsc_open(&c);
    smsc_wait_bound(s.smsc, 1);
    run_both(&s, argv, 0);
    stage_close(&s);
    return 0;
}

static int run_ceiling(char **argv)
{
    struct texts texts;
    struct smsc_result r;
    struct smsc_config c = {.port = (int)arg_int(argv, "smpp", 7184),
                            .connects = true,
                            .system_id = "bench",
                            .password = "bench"};
    struct smsc_load load = {.texts = &texts,
                             .window = (unsigned)arg_int(argv, "window", 100),
                             .run_us = arg_int(argv, "seconds", 3) * 1000000};
    texts_init(&texts, TEXTS_MAX * 4, 0);
    struct responder *responder = responder_start(c.port);
    struct smsc *smsc = smsc_open(&c);
    smsc_wait_bound(smsc, 1);
    smsc_run(smsc, &load, &r);
    double n = (double)texts.n;
    say("the generator and a bare responder", "%.0f messages/s; CPU us each: %.1f and %.1f",
        n * 1e6 / (double)r.took_us, r.cpu_us / n, responder_cpu_us(responder) / n);
    smsc_close(smsc);
    responder_stop(responder);
    free(r.answer_us);
    texts_fini(&texts);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    signal(SIGPIPE, SIG_IGN);
    if (crypto_start() != OK)
        return 1;
    if (!strcmp(what, "ours"))
        return run_ours(argv);
    if (!strcmp(what, "kannel"))
        return run_kannel(argv);
    if (!strcmp(what, "ceiling"))
        return run_ceiling(argv);
    fprintf(stderr, "see bench/sms.sh\n");
    return 2;
}
