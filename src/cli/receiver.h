/* A webhook receiver for the demo: takes POSTs on a loopback port, verifies their signatures,
 * answers 200 (or what it is told to). It speaks just the HTTP that our own client sends. Thread of
 * its loop. */
#pragma once
#include "base/str.h"
#include "net/addr.h"
#include "net/loop.h"

struct receiver;

struct received {
    struct str path, id, attempt, signature, content_type, body;
    int64_t timestamp_sec;
};
struct receiver_config {
    struct addr at; /* port 0: any */
    /* Called for each POST, complete; gives the status to answer with. */
    int (*on_received)(void *arg, const struct received *r);
    void *arg;
};
MUST_USE enum err receiver_open(struct loop *l, const struct receiver_config *c,
                                struct receiver **ret);
void receiver_close(struct receiver *r);
struct addr receiver_local(const struct receiver *r);
