/* calls: a carrier, an agent and a webhook receiver in one process, for `./dev bench calls`. The
 * calls are real (INVITE, 100, 180, 200, ACK, BYE, 200 on both sides of the daemon: 13 datagrams),
 * offered at a fixed rate whether or not the daemon keeps up; a call that is not over in five
 * seconds failed.
 *
 *   bench_calls run AGENT_PORT HOOK_PORT SIP_PORT RATE SECONDS HOLD_MS    offered load
 *   bench_calls hold AGENT_PORT HOOK_PORT SIP_PORT CALLS PID              memory per held call
 *   bench_calls floor SECONDS                                             13 bare datagrams a call
 */
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "figures.h"
#include "sip_peer.h"

enum { CALLS_MAX = 2000000, GIVE_UP_US = 5000000 };

struct call {
    int64_t sent_us, up_us, bye_us;
    uint8_t state; /* 0 sent, 1 up, 2 hanging up, 3 over, 4 refused */
    char *to, *target;
};
static struct call *calls;
static size_t n_calls, n_over, n_refused;
static int carrier, agent;
static struct sockaddr_in daemon_at;
static _Atomic size_t hooks;
static int64_t hold_us;
static size_t hang_next;

static const char caller[] = "+19175550100";

static void call_invite(size_t i)
{
    char mem[SIP_PACKET_MAX];
    struct buf b;
    buf_wrap(&b, mem, sizeof mem);
    sip_put_caller_head(&b, i, caller, "INVITE", "INVITE", 1, "<sip:+447911123456@127.0.0.1>",
                        "sip:+447911123456@127.0.0.1");
    sip_put_sdp(&b);
    calls[i].sent_us = clock_mono_us();
    sip_send(carrier, &b, &daemon_at);
}

static void request_in_dialog(size_t i, const char *method, unsigned cseq)
{
    char mem[SIP_PACKET_MAX];
    struct buf b;
    buf_wrap(&b, mem, sizeof mem);
    sip_put_caller_head(&b, i, caller, method, method, cseq, calls[i].to, calls[i].target);
    sip_put_no_body(&b);
    sip_send(carrier, &b, &daemon_at);
}

static void call_hang_up(size_t i)
{
    struct call *c = &calls[i];
    c->state = 2;
    c->bye_us = clock_mono_us();
    request_in_dialog(i, "BYE", 2);
    free(c->to);
    free(c->target);
    c->to = c->target = NULL;
}

static void carrier_on_message(void *arg, struct str m, const struct sockaddr_in *from)
{
    struct str rest, cseq = sip_value(m, "\r\nCSeq: ");
    size_t i = sip_call_of(m);
    unsigned status = (unsigned)atoi(m.p + 8);
    if (i >= n_calls || status < 200)
        return;
    struct call *c = &calls[i];
    bool is_invite = cseq.n && cseq.p[0] == '1';
    if (!is_invite && c->state == 2) {
        c->state = 3;
        n_over++;
    } else if (is_invite && status >= 300 && c->state == 0) {
        c->state = 4;
        n_refused++;
    } else if (is_invite && status < 300 && c->state == 0) {
        struct str contact = sip_value(m, "\r\nContact: <"), uri;
        c->up_us = clock_mono_us();
        c->state = 1;
        str_cut(contact, '>', &uri, &rest);
        c->to = str_dup(sip_value(m, "\r\nTo: "));
        c->target = str_dup(uri);
        request_in_dialog(i, "ACK", 1);
        if (hold_us == 0)
            call_hang_up(i);
    }
}

static void agent_answer(struct str m, const char *status, bool with_sdp,
                         const struct sockaddr_in *to)
{
    char mem[SIP_PACKET_MAX];
    struct buf b;
    buf_wrap(&b, mem, sizeof mem);
    sip_print_answer(&b, m, status, "sip:agent@127.0.0.3:7070", with_sdp);
    sip_send(agent, &b, to);
}

static void agent_on_message(void *arg, struct str m, const struct sockaddr_in *from)
{
    if (str_starts(m, STR("INVITE"))) {
        agent_answer(m, "180 Ringing", false, from);
        agent_answer(m, "200 OK", true, from);
    } else if (str_starts(m, STR("BYE")) || str_starts(m, STR("OPTIONS"))) {
        agent_answer(m, "200 OK", false, from);
    }
}

static void sockets_turn(int wait_ms)
{
    struct pollfd p[2] = {{carrier, POLLIN, 0}, {agent, POLLIN, 0}};
    poll(p, 2, wait_ms);
    sip_drain(agent, agent_on_message, NULL);
    sip_drain(carrier, carrier_on_message, NULL);
    int64_t now = clock_mono_us();
    while (hold_us > 0 && hang_next < n_calls) {
        struct call *c = &calls[hang_next];
        if (c->state == 1 && now - c->up_us < hold_us)
            break;
        if (c->state == 0 && now - c->sent_us < GIVE_UP_US)
            break;
        if (c->state == 1)
            call_hang_up(hang_next);
        hang_next++;
    }
}

/* ---- the webhook receiver: 200 to every POST, as cheaply as that goes ---- */

static void *receiver_run(void *arg)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    struct sockaddr_in a = sip_at("127.0.0.1", *(int *)arg);
    struct epoll_event ev = {.events = EPOLLIN}, got[64];
    int one = 1, ep = epoll_create1(0), li = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(li, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(li, (struct sockaddr *)&a, sizeof a) != 0 || listen(li, 512) != 0) {
        perror("hooks");
        exit(1);
    }
    ev.data.fd = li;
    epoll_ctl(ep, EPOLL_CTL_ADD, li, &ev);
    for (;;) {
        int n = epoll_wait(ep, got, 64, -1);
        for (int i = 0; i < n; i++) {
            static char mem[65536];
            int fd = got[i].data.fd;
            if (fd == li) {
                while ((fd = accept4(li, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    ev.data.fd = fd;
                    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
                }
                continue;
            }
            ssize_t k = recv(fd, mem, sizeof mem, 0);
            if (k <= 0) {
                close(fd);
                continue;
            }
            /* The client sends a request in one write and waits for the answer; ours are under 4
             * KiB. */
            if (memmem(mem, (size_t)k, "webhook-signature: v1,", 22))
                atomic_fetch_add(&hooks, 1);
            if (send(fd, ok, sizeof ok - 1, MSG_NOSIGNAL) < 0)
                close(fd);
        }
    }
    return NULL;
}

static int compare_us(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void print_report(double seconds)
{
    int64_t *setup = malloc(n_calls * sizeof *setup);
    size_t n = 0;
    for (size_t i = 0; i < n_calls; i++)
        if (calls[i].up_us)
            setup[n++] = calls[i].up_us - calls[i].sent_us;
    qsort(setup, n, sizeof *setup, compare_us);
    printf("calls %zu  per_second %.0f  failed %zu  refused %zu  setup_ms p50 %.2f p99 %.2f max "
           "%.2f  webhooks %zu\n",
           n_calls, (double)n_over / seconds, n_calls - n_over - n_refused, n_refused,
           n ? (double)setup[n / 2] / 1000 : 0, n ? (double)setup[n * 99 / 100] / 1000 : 0,
           n ? (double)setup[n - 1] / 1000 : 0, atomic_load(&hooks));
    free(setup);
}

static void sockets_open(char **argv)
{
    static int hook_port;
    static pthread_t thread;
    carrier = sip_udp("127.0.0.2", 7060);
    agent = sip_udp("127.0.0.3", atoi(argv[2]));
    hook_port = atoi(argv[3]);
    daemon_at = sip_at("127.0.0.1", atoi(argv[4]));
    calls = calloc(CALLS_MAX, sizeof *calls);
    pthread_create(&thread, NULL, receiver_run, &hook_port);
}

static int run_load(char **argv)
{
    double rate = atof(argv[5]), seconds = atof(argv[6]);
    sockets_open(argv);
    hold_us = atoll(argv[7]) * 1000;
    int64_t start = clock_mono_us(), now = start, end = start + (int64_t)(seconds * 1e6);
    while (now < end) {
        size_t due = (size_t)((double)(now - start) * rate / 1e6);
        for (size_t k = 0; n_calls < due && n_calls < CALLS_MAX && k < 200; k++)
            call_invite(n_calls++);
        sockets_turn(1);
        now = clock_mono_us();
    }
    double took = (double)(now - start) / 1e6;
    while (n_over + n_refused < n_calls && clock_mono_us() - now < GIVE_UP_US)
        sockets_turn(10);
    if (n_over + n_refused < n_calls)
        took += 5;
    size_t seen = 0;
    for (int quiet = 0; quiet < 10; quiet++) { /* webhooks still on their way */
        sockets_turn(100);
        if (atomic_load(&hooks) != seen)
            quiet = 0;
        seen = atomic_load(&hooks);
    }
    print_report(took);
    return n_over == n_calls ? 0 : 1;
}

/* Begins calls up to number `n`, 1,000 a second. */
static void calls_begin_paced(size_t n)
{
    int64_t start = clock_mono_us();
    size_t from = n_calls;
    while (n_calls < n) {
        size_t due = from + (size_t)((clock_mono_us() - start) / 1000);
        while (n_calls < due && n_calls < n)
            call_invite(n_calls++);
        sockets_turn(1);
    }
}

static size_t calls_up(size_t from)
{
    size_t up = 0;
    for (size_t i = from; i < n_calls; i++)
        up += calls[i].state == 1;
    return up;
}

/* Begins calls until there are `n`, and waits until all from `from` on are up. */
static size_t hold_until(size_t from, size_t n)
{
    calls_begin_paced(n);
    for (int i = 0; i < 300 && calls_up(from) < n - from; i++)
        sockets_turn(10);
    return calls_up(from);
}

/* Memory that the daemon keeps whether or not calls are held (page caches, free lists) has grown
 * with the first half of the calls: what one call costs is told by the second. */
static int run_hold(char **argv)
{
    size_t warm = 2000, n = (size_t)atoll(argv[5]) + warm;
    int pid = atoi(argv[6]);
    sockets_open(argv);
    calls_begin_paced(warm);
    for (int i = 0; i < 500 && n_over < warm; i++)
        sockets_turn(10);
    hold_us = INT64_MAX / 2;
    hang_next = n_calls;
    long before = resident_kb(pid);
    size_t half = hold_until(warm, warm + (n - warm) / 2);
    long at_half = resident_kb(pid);
    size_t up = hold_until(warm, n);
    long peak = resident_kb(pid);
    int64_t until = clock_mono_us() + 35000000; /* the transactions' 64 × T1 */
    while (clock_mono_us() < until)
        sockets_turn(100);
    printf("held %zu  resident_kb before %ld half_held %ld all_held %ld after_35_s %ld  "
           "bytes_per_call_of_the_second_half %.0f\n",
           up, before, at_half, peak, resident_kb(pid),
           (double)(peak - at_half) * 1024 / (double)(up > half ? up - half : 1));
    for (size_t i = 0; i < n_calls; i++)
        if (calls[i].state == 1)
            call_hang_up(i);
    for (int i = 0; i < 300 && n_over < n; i++)
        sockets_turn(10);
    return up + warm == n ? 0 : 1;
}

/* Measures the kernel alone: 13 datagrams of the sizes of a call, one after another between two
 * sockets. */
static int run_floor(char **argv)
{
    static char mem[SIP_PACKET_MAX];
    int a = sip_udp("127.0.0.2", 7061), b = sip_udp("127.0.0.3", 7071);
    struct sockaddr_in to = sip_at("127.0.0.3", 7071);
    int64_t start = clock_mono_us(), end = start + (int64_t)(atof(argv[2]) * 1e6);
    size_t n = 0;
    struct timespec cpu;
    for (; clock_mono_us() < end; n++)
        for (int i = 0; i < 13; i++) {
            sendto(a, mem, i % 5 == 0 ? 700 : 420, 0, (struct sockaddr *)&to, sizeof to);
            if (recv(b, mem, sizeof mem, 0) < 0)
                return 1;
        }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    double us = ((double)cpu.tv_sec * 1e6 + (double)cpu.tv_nsec / 1e3) / (double)n;
    printf("exchanges %zu  per_second %.0f  cpu_us_each %.1f\n", n, (double)n / atof(argv[2]), us);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 8 && !strcmp(argv[1], "run"))
        return run_load(argv);
    if (argc == 7 && !strcmp(argv[1], "hold"))
        return run_hold(argv);
    if (argc == 3 && !strcmp(argv[1], "floor"))
        return run_floor(argv);
    fprintf(stderr, "see bench/run.sh\n");
    return 2;
}
