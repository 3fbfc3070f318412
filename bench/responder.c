/* responder: reads PDUs and answers each in one write. Every request of a load generator gets its
 * response with status 0 and, where there is one, an empty C-octet string as body. Its own thread;
 * blocking. */
#include "responder.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "figures.h"

enum { MEM = 65536, HEADER = 16, ENQUIRE = 0x15, UNBIND = 6 };

struct responder {
    int listener;
    pthread_t thread;
    _Atomic double cpu_us;
    unsigned char in[MEM], out[2 * MEM];
};

static void responder_die(const char *what)
{
    perror(what);
    exit(1);
}

/* Appends the response to the PDU at `pdu`; returns its length. */
static size_t responder_answer(const unsigned char *pdu, unsigned char *out)
{
    size_t n = pdu[7] == ENQUIRE || pdu[7] == UNBIND ? HEADER : HEADER + 1;
    memset(out, 0, n);
    out[3] = (unsigned char)n;
    out[4] = 0x80;
    memcpy(out + 5, pdu + 5, 3);
    memcpy(out + 12, pdu + 12, 4);
    return n;
}

static void responder_serve(struct responder *r, int fd)
{
    size_t n = 0;
    ssize_t k;
    while ((k = recv(fd, r->in + n, MEM - n, 0)) > 0) {
        size_t at = 0, out = 0;
        n += (size_t)k;
        while (n - at >= HEADER) {
            uint32_t size;
            memcpy(&size, r->in + at, 4);
            size = ntohl(size);
            if (size < HEADER || size > MEM)
                return;
            if (n - at < size)
                break;
            out += responder_answer(r->in + at, r->out + out);
            at += size;
        }
        memmove(r->in, r->in + at, n - at);
        n -= at;
        for (size_t sent = 0; sent < out; sent += (size_t)k)
            if ((k = send(fd, r->out + sent, out - sent, MSG_NOSIGNAL)) <= 0)
                return;
        r->cpu_us = cpu_of_this_thread_us();
    }
}

static void *responder_run(void *arg)
{
    struct responder *r = arg;
    int fd;
    while ((fd = accept(r->listener, NULL, NULL)) >= 0) {
        responder_serve(r, fd);
        close(fd);
    }
    return NULL;
}

struct responder *responder_start(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct responder *r = calloc(1, sizeof *r);
    int one = 1;
    if (!r)
        responder_die("responder");
    r->listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(r->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(r->listener, (struct sockaddr *)&a, sizeof a) != 0 || listen(r->listener, 16) != 0)
        responder_die("the responder's port");
    if (pthread_create(&r->thread, NULL, responder_run, r) != 0)
        responder_die("the responder's thread");
    return r;
}

double responder_cpu_us(const struct responder *r)
{
    return r->cpu_us;
}

void responder_stop(struct responder *r)
{
    shutdown(r->listener, SHUT_RDWR); /* accept returns */
    pthread_join(r->thread, NULL);
    close(r->listener);
    free(r);
}
