/* names: answers questions of DNS in one thread on one socket. Delayed answers stand in a ring,
 * since the delay is the same for all. A full ring forgets the question, as a busy server does. */
#include "names.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "sip_peer.h"

enum { PORT = 53, PACKET_MAX = 512, HEADER = 12, RING = 4096, TURN_MS = 20, TYPE_A = 1 };

struct late_answer {
    int64_t at_us;
    struct sockaddr_in to;
    size_t n;
    unsigned char packet[PACKET_MAX];
};

struct names {
    int fd;
    int64_t slow_us;
    size_t from, n;
    struct late_answer ring[RING];
    pthread_t thread;
    atomic_bool stop;
};

/* Turns the question (RFC 1035 §4) into its answer. Returns the length, 0: it gets no answer. */
static size_t name_answer(unsigned char *p, size_t n, bool *ret_slow)
{
    static const unsigned char address[] = {0xc0, HEADER, 0, TYPE_A, 0,   1, 0, 0,
                                            0,    1,      0, 4,      127, 0, 0, 3};
    size_t end = HEADER;
    while (end < n && p[end])
        end += p[end] + 1u;
    if (end + 5 > n || end + 5 + sizeof address > PACKET_MAX)
        return 0;
    const char *name = (const char *)p + HEADER + 1;
    bool is_a = p[end + 1] == 0 && p[end + 2] == TYPE_A, slow = !strncmp(name, "slow", 4);
    if (!strncmp(name, "never", 5))
        return 0;
    *ret_slow = slow;
    n = end + 5;
    p[2] = 0x84;
    p[3] = slow ? 0 : 3; /* no such name */
    memset(p + 6, 0, 6);
    if (slow && is_a) {
        p[7] = 1;
        memcpy(p + n, address, sizeof address);
        n += sizeof address;
    }
    return n;
}

static void names_on_question(struct names *s)
{
    struct late_answer *late = &s->ring[(s->from + s->n) % RING], spare;
    struct late_answer *a = s->n < RING ? late : &spare;
    socklen_t size = sizeof a->to;
    bool slow = false;
    ssize_t k = recvfrom(s->fd, a->packet, PACKET_MAX, 0, (struct sockaddr *)&a->to, &size);
    a->n = k > HEADER ? name_answer(a->packet, (size_t)k, &slow) : 0;
    a->at_us = clock_mono_us() + s->slow_us;
    if (a->n && !slow)
        sendto(s->fd, a->packet, a->n, 0, (struct sockaddr *)&a->to, sizeof a->to);
    else if (a->n && s->n < RING)
        s->n++;
}

static void *names_run(void *arg)
{
    struct names *s = arg;
    struct pollfd p = {s->fd, POLLIN, 0};
    while (!s->stop) {
        if (poll(&p, 1, TURN_MS) > 0)
            names_on_question(s);
        for (; s->n && s->ring[s->from].at_us <= clock_mono_us(); s->n--) {
            struct late_answer *a = &s->ring[s->from];
            sendto(s->fd, a->packet, a->n, 0, (struct sockaddr *)&a->to, sizeof a->to);
            s->from = (s->from + 1) % RING;
        }
    }
    return NULL;
}

struct names *names_start(const char *ip, int64_t slow_us)
{
    struct sockaddr_in a = sip_at(ip, PORT);
    struct names *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->fd = socket(AF_INET, SOCK_DGRAM, 0);
    s->slow_us = slow_us;
    if (bind(s->fd, (struct sockaddr *)&a, sizeof a) == 0 &&
        pthread_create(&s->thread, NULL, names_run, s) == 0)
        return s;
    close(s->fd);
    free(s);
    return NULL;
}

void names_stop(struct names *s)
{
    if (!s)
        return;
    s->stop = true;
    pthread_join(s->thread, NULL);
    close(s->fd);
    free(s);
}
