/* The webhook receiver of the benchmarks: bare epoll, HTTP/1.1 keep-alive, one thread, plain or
 * TLS. It answers 200 at once unless told otherwise. A failure to start ends the process. */
#pragma once
#include <stdint.h>

#include "base/str.h"

struct receiver;

/* On the receiver's thread. `endpoint` is the number in the path, /h/17. Returns the status to
 * answer with, or 0 for never. */
typedef int receiver_on_request(void *arg, unsigned endpoint, struct str id, int64_t now_us);
/* The same for a caller that reads the body: the request as it came, head and body. */
typedef int receiver_on_whole(void *arg, struct str request, int64_t now_us);

struct receiver_config {
    int port;              /* on 127.0.0.1 */
    unsigned hosts;        /* and on 127.0.1.1 … 127.0.1.hosts, as if they were machines */
    const char *cert_file; /* PEM, with the key in it; NULL: plain HTTP */
    receiver_on_request *on_request;
    void *arg;
    receiver_on_whole *on_whole; /* not NULL: instead of on_request */
};

struct receiver *receiver_start(const struct receiver_config *c);
/* Delays answers by so much from now on; 0: at once. */
void receiver_delay(struct receiver *r, int64_t delay_us);
size_t receiver_unanswered(const struct receiver *r); /* requests that wait for their answer */
double receiver_cpu_us(const struct receiver *r);     /* of its thread, as of its last turn */
void receiver_stop(struct receiver *r);               /* closes all, frees */
