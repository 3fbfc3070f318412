/* generator: one epoll loop over connections, each with one request under way. A connection keeps
 * its calls: request k carries the calls that begin, the answers of the calls of request k - 1 and
 * the ends of those of k - 2, so that a call's events are accepted in order and its three events
 * are not there at once. What is refused (503, 507) is sent again with the same ids.
 *
 * Each event's time is the moment its request was due: in the open loop a request that waits for a
 * connection counts that as well. */
#include "generator.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "figures.h"

enum { ANSWER_MAX = 262144, ANSWERS_KEPT = 4 << 20, SOURCES_MAX = 1024 };

struct group { /* calls first … first + n - 1 */
    size_t first, n;
};

struct source { /* a connection */
    int fd;
    unsigned account;
    bool busy;
    struct group begun, answered; /* whose next event is call_answered; call_ended */
    size_t events;                /* in the request under way */
    int64_t due_us;
    struct buf body, request;
    size_t written, n;
    char *answer;
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

static void source_open(struct generator *g, struct source *s, unsigned account)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)g->c->tenants->port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    *s = (struct source){.fd = socket(AF_INET, SOCK_STREAM, 0), .account = account};
    if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&a, sizeof a) != 0) {
        perror("the daemon's port");
        exit(1);
    }
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(s->fd, F_SETFL, O_NONBLOCK);
    buf_init(&s->body, 1 << 20);
    buf_init(&s->request, 1 << 20);
    s->answer = malloc(ANSWER_MAX);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = s};
    epoll_ctl(g->ep, EPOLL_CTL_ADD, s->fd, &ev);
}

static void source_close(struct source *s)
{
    close(s->fd);
    buf_fini(&s->body);
    buf_fini(&s->request);
    free(s->answer);
}

/* ---- one request ---- */

static void put_events(struct generator *g, struct source *s, const struct group *calls,
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

static void request_write(struct generator *g, struct source *s)
{
    while (s->written < s->request.n) {
        ssize_t k = send(s->fd, s->request.p + s->written, s->request.n - s->written, MSG_NOSIGNAL);
        if (k < 0 && errno != EAGAIN) {
            perror("ingest");
            exit(1);
        }
        if (k < 0)
            break;
        s->written += (size_t)k;
    }
    struct epoll_event ev = {.events = s->written < s->request.n ? EPOLLIN | EPOLLOUT : EPOLLIN,
                             .data.ptr = s};
    epoll_ctl(g->ep, EPOLL_CTL_MOD, s->fd, &ev);
}

/* `fresh` calls begin, those of before go on. False: there is nothing to say. */
static bool request_send(struct generator *g, struct source *s, size_t fresh, int64_t due_us)
{
    struct group new = {0, fresh};
    if (fresh)
        new.first = ledger_new_calls(g->c->ledger, s->account, fresh);
    s->due_us = due_us;
    s->events = 0;
    buf_reset(&s->body);
    put_events(g, s, &new, 0);
    put_events(g, s, &s->begun, 1);
    put_events(g, s, &s->answered, 2);
    s->answered = s->begun;
    s->begun = new;
    if (!s->events)
        return false;
    buf_putc(&s->body, ']');
    buf_reset(&s->request);
    buf_printf(&s->request,
               "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
               "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
               g->c->tenants->key[s->account], s->body.n);
    buf_put_str(&s->request, buf_str(&s->body));
    if (s->request.err != OK || s->body.err != OK) {
        fprintf(stderr, "a request is too large: a smaller group is needed\n");
        exit(1);
    }
    s->busy = true;
    s->written = s->n = 0;
    g->sent_deliveries += s->events * g->c->ledger->width;
    request_write(g, s);
    return true;
}

static void on_answer(struct generator *g, struct source *s, int status)
{
    if (status == 503 || status == 507) {
        g->r->refused++;
        s->written = s->n = 0;
        request_write(g, s);
        return;
    }
    if (status != 202) {
        fprintf(stderr, "ingest: %.*s\n", (int)s->n, s->answer);
        exit(1);
    }
    int64_t took = clock_mono_us() - s->due_us;
    g->r->events += s->events;
    if (g->r->n_answers < ANSWERS_KEPT)
        g->r->answer_us[g->r->n_answers++] = (uint32_t)(took < UINT32_MAX ? took : UINT32_MAX);
    s->busy = false;
}

static void on_readable(struct generator *g, struct source *s)
{
    ssize_t k = recv(s->fd, s->answer + s->n, ANSWER_MAX - 1 - s->n, 0);
    if (k < 0 && errno == EAGAIN)
        return;
    if (k <= 0) {
        fprintf(stderr, "the daemon closed an ingest connection\n");
        exit(1);
    }
    s->n += (size_t)k;
    s->answer[s->n] = '\0';
    const char *end = strstr(s->answer, "\r\n\r\n");
    const char *length = end ? strcasestr(s->answer, "\r\ncontent-length:") : NULL;
    if (end && length && s->n >= (size_t)(end + 4 - s->answer) + strtoul(length + 17, NULL, 10))
        on_answer(g, s, atoi(s->answer + 9));
}

/* ---- the loop ---- */

/* Waits for the daemon, at most so long. */
static void turn(struct generator *g, int64_t wait_us)
{
    struct epoll_event got[64];
    struct timespec wait = {.tv_nsec = (wait_us > 1000 ? 1000 : wait_us > 0 ? wait_us : 0) * 1000};
    int n = epoll_pwait2(g->ep, got, 64, &wait, NULL);
    for (int i = 0; i < n; i++) {
        struct source *s = got[i].data.ptr;
        if (got[i].events & EPOLLOUT)
            request_write(g, s);
        if (got[i].events & ~(unsigned)EPOLLOUT)
            on_readable(g, s);
    }
}

static struct source *next_idle(struct generator *g)
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

static size_t fresh_calls(const struct generator *g)
{
    size_t begun = g->c->ledger->calls - g->first_call;
    size_t left = g->c->calls ? g->c->calls - begun : g->c->group;
    return left < g->c->group ? left : g->c->group;
}

static bool has_room(const struct generator *g)
{
    size_t arrived = g->c->ledger->arrived - g->arrived_before;
    return !g->c->undelivered_max || g->sent_deliveries < arrived + g->c->undelivered_max;
}

/* When the next request is due, in the open loop. A request has three events of each call. */
static int64_t next_due_us(const struct generator *g)
{
    double events = (double)g->requests * CALL_EVENTS * g->c->group;
    return g->start_us + (int64_t)(events * 1e6 / g->c->events_per_sec);
}

static void send_those_due(struct generator *g, int64_t now_us)
{
    bool open = g->c->events_per_sec > 0;
    for (;;) {
        int64_t due = open ? next_due_us(g) : now_us;
        struct source *s = due <= now_us && (open || has_room(g)) ? next_idle(g) : NULL;
        size_t fresh = s ? fresh_calls(g) : 0;
        if (!fresh)
            return;
        g->r->late += open && now_us - due > 5000;
        g->requests++;
        request_send(g, s, fresh, due);
    }
}

/* The answers and ends of calls that have begun. */
static void finish_calls(struct generator *g)
{
    bool more = true;
    while (more) {
        more = false;
        for (size_t i = 0; i < g->n_sources; i++) {
            struct source *s = &g->source[i];
            more |= s->busy || request_send(g, s, 0, clock_mono_us());
        }
        if (more)
            turn(g, 1000);
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
    for (size_t i = 0; i < g.n_sources; i++)
        source_open(&g, &g.source[i], (unsigned)(i % c->tenants->n));
    g.first_call = c->ledger->calls;
    g.arrived_before = c->ledger->arrived;
    g.start_us = clock_mono_us();
    for (int64_t now = g.start_us; !c->run_us || now - g.start_us < c->run_us;) {
        if (!fresh_calls(&g))
            break;
        send_those_due(&g, now);
        turn(&g, c->events_per_sec > 0 ? next_due_us(&g) - clock_mono_us() : 1000);
        now = clock_mono_us();
    }
    finish_calls(&g);
    ret->took_us = clock_mono_us() - g.start_us;
    ret->cpu_us = cpu_of_this_thread_us() - cpu;
    sort_u32(ret->answer_us, ret->n_answers);
    for (size_t i = 0; i < g.n_sources; i++)
        source_close(&g.source[i]);
    free(g.source);
    close(g.ep);
}
