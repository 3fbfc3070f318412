/* Inside deliver/: a bare TCP connect, without a request, tells that a receiver whose connections
 * failed is back (CONTRACT §3). */
#pragma once
#include "deliver/queue.h"

/* Learns how an attempt at the queue's endpoint went. `unreached`: no connection came about, so it
 * is knocked at from now on, until an attempt reaches it. */
void knock_learn(struct queue *t, bool unreached);
/* Was it found shut since its connections fail? Then the next success ends an outage. */
bool knock_found_shut(const struct queue *t);
void knock_stop(struct queue *t);
void knocks_free(struct courier *c); /* before the queues */
