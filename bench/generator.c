/* generator: runs one epoll loop over connections, each with one request under way. A connection
 * keeps its calls: request k carries the calls that begin, the answers of the calls of request k -
 * 1 and the ends of those of k - 2. So a call's events are accepted in order, and its three events
 * are not there at once. A refused request (503, 507) is sent again with the same ids.
 *
 * The time of an event is the moment its request was due: in the open loop a request that waits
 * for a connection counts that as well. */
#include "generator.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "figures.h"
#include "line.h"

enum { BODY_MAX = 1 << 20, ANSWERS_KEPT = 4 << 20, SOURCES_MAX = 1024 };

struct group { /* calls first … first + n - 1 */
    size_t first, n;
};

struct source { /* a connection */
    struct line line;
    unsigned account;
    bool busy;
    struct group begun, answered; /* whose next event is call_answered; call_ended */
    size_t events;                /* in the request under way */
    int64_t due_us;
    struct buf body;
};

struct generator {
    const struct load *c;
    struct load_result *r;
    struct source *source;
    size_t n_sources, next; /* next: whose turn it is */
    int ep;
    int64_t start_us;
    size_t requests; /* begun, flushes not counted */
    size_t first_call;
    size_t sent_deliveries, arrived_before;
};

/* ---- one request ---- */

static void group_put_events(struct generator *g, struct source *s, const struct group *calls,
                             size_t kind)
{
    for (size_t i = 0; i < calls->n; i++) {
        size_t event = (calls->first + i) * CALL_EVENTS + kind;
        g->c->ledger->sent_us[event] = s->due_us;
        buf_putc(&s->body, s->body.n ? ',' : '[');
        ledger_print_event(g->c->ledger, event, &s->body);
        s->events++;
    }
}

/* Begins `fresh` calls and goes on with those of before. False: there is nothing to send. */
static bool request_send(struct generator *g, struct source *s, size_t fresh, int64_t due_us)
{
    struct group new = {0, fresh};
    if (fresh)
        new.first = ledger_new_calls(g->c->ledger, s->account, fresh);
    s->due_us = due_us;
    s->events = 0;
    buf_reset(&s->body);
    group_put_events(g, s, &new, 0);
    group_put_events(g, s, &s->begun, 1);
    group_put_events(g, s, &s->answered, 2);
    s->answered = s->begun;
    s->begun = new;
    if (!s->events)
        return false;
    buf_putc(&s->body, ']');
    struct buf *request = &s->line.request;
    buf_reset(request);
    buf_printf(request,
               "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
               "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
               g->c->tenants->key[s->account], s->body.n);
    buf_put_str(request, buf_str(&s->body));
    if (s->body.err != OK) {
        fprintf(stderr, "a request is too large: a smaller group is needed\n");
        exit(1);
    }
    s->busy = true;
    g->sent_deliveries += s->events * g->c->ledger->width;
    line_send(&s->line, s);
    return true;
}

static void source_on_answer(struct generator *g, struct source *s, int status)
{
    if (status == 503 || status == 507) {
        g->r->refused++;
        line_send(&s->line, s);
        return;
    }
    if (status != 202) {
        fprintf(stderr, "ingest: %d %.*s\n", status, STR_FMT(line_body(&s->line)));
        exit(1);
    }
    int64_t took = clock_mono_us() - s->due_us;
    g->r->events += s->events;
    if (g->r->n_answers < ANSWERS_KEPT)
        g->r->answer_us[g->r->n_answers++] = (uint32_t)(took < UINT32_MAX ? took : UINT32_MAX);
    s->busy = false;
}

/* ---- the loop ---- */

/* Waits for the daemon, for a bounded time. */
static void generator_turn(struct generator *g, int64_t wait_us)
{
    struct epoll_event got[64];
    struct timespec wait = {.tv_nsec = (wait_us > 1000 ? 1000 : wait_us > 0 ? wait_us : 0) * 1000};
    int n = epoll_pwait2(g->ep, got, 64, &wait, NULL);
    for (int i = 0; i < n; i++) {
        struct source *s = got[i].data.ptr;
        int status = line_turn(&s->line, got[i].events, s);
        if (status)
            source_on_answer(g, s, status);
    }
}

static struct source *source_next_idle(struct generator *g)
{
    for (size_t i = 0; i < g->n_sources; i++) {
        struct source *s = &g->source[(g->next + i) % g->n_sources];
        if (!s->busy) {
            g->next = (g->next + i + 1) % g->n_sources;
            return s;
        }
    }
    return NULL;
}

static size_t calls_begin(const struct generator *g)
{
    size_t begun = g->c->ledger->calls - g->first_call;
    size_t left = g->c->calls ? g->c->calls - begun : g->c->group;
    return left < g->c->group ? left : g->c->group;
}

static bool generator_has_room(const struct generator *g)
{
    size_t arrived = g->c->ledger->arrived - g->arrived_before;
    return !g->c->undelivered_max || g->sent_deliveries < arrived + g->c->undelivered_max;
}

/* The time when the next request is due, in the open loop. A request has three events of each
 * call. */
static int64_t request_next_due_us(const struct generator *g)
{
    double events = (double)g->requests * CALL_EVENTS * g->c->group;
    return g->start_us + (int64_t)(events * 1e6 / g->c->events_per_sec);
}

static void send_those_due(struct generator *g, int64_t now_us)
{
    bool open = g->c->events_per_sec > 0;
    for (;;) {
        int64_t due = open ? request_next_due_us(g) : now_us;
        struct source *s =
            due <= now_us && (open || generator_has_room(g)) ? source_next_idle(g) : NULL;
        size_t fresh = s ? calls_begin(g) : 0;
        if (!fresh)
            return;
        g->r->late += open && now_us - due > 5000;
        g->requests++;
        request_send(g, s, fresh, due);
    }
}

/* Sends the answers and ends of the calls that have begun. */
static void calls_finish(struct generator *g)
{
    bool more = true;
    while (more) {
        more = false;
        for (size_t i = 0; i < g->n_sources; i++) {
            struct source *s = &g->source[i];
            more |= s->busy || request_send(g, s, 0, clock_mono_us());
        }
        if (more)
            generator_turn(g, 1000);
    }
}

void load_run(const struct load *c, struct load_result *ret)
{
    struct generator g = {.c = c, .r = ret, .ep = epoll_create1(0)};
    double cpu = cpu_of_this_thread_us();
    *ret = (struct load_result){.answer_us = calloc(ANSWERS_KEPT, sizeof(uint32_t))};
    g.n_sources = (size_t)c->tenants->n * c->connections;
    g.source = calloc(g.n_sources, sizeof *g.source);
    if (!g.source || !ret->answer_us || g.n_sources > SOURCES_MAX) {
        fprintf(stderr, "too many connections\n");
        exit(1);
    }
    for (size_t i = 0; i < g.n_sources; i++) {
        struct source *s = &g.source[i];
        s->account = (unsigned)(i % c->tenants->n);
        buf_init(&s->body, BODY_MAX);
        line_open(&s->line, c->tenants->port, g.ep, s);
    }
    g.first_call = c->ledger->calls;
    g.arrived_before = c->ledger->arrived;
    g.start_us = clock_mono_us();
    for (int64_t now = g.start_us; !c->run_us || now - g.start_us < c->run_us;) {
        if (!calls_begin(&g))
            break;
        send_those_due(&g, now);
        generator_turn(&g,
                       c->events_per_sec > 0 ? request_next_due_us(&g) - clock_mono_us() : 1000);
        now = clock_mono_us();
    }
    calls_finish(&g);
    ret->took_us = clock_mono_us() - g.start_us;
    ret->cpu_us = cpu_of_this_thread_us() - cpu;
    sort_u32(ret->answer_us, ret->n_answers);
    for (size_t i = 0; i < g.n_sources; i++) {
        line_close(&g.source[i].line);
        buf_fini(&g.source[i].body);
    }
    free(g.source);
    close(g.ep);
}
