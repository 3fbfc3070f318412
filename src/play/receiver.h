/* A webhook receiver for the demo: takes POSTs on a loopback port, verifies their signatures, and
 * answers 200 or as its owner says. It speaks just the HTTP that our own client sends. Thread of
 * its loop. */
#pragma once
#include "base/buf.h"
#include "net/addr.h"
#include "net/loop.h"

struct receiver;

enum { RECEIVER_ANSWER_MAX = 1024 };

struct webhook {
    struct str path, id, attempt, signature, content_type, body;
    int64_t timestamp_sec;
};
struct receiver_config {
    struct addr at; /* port 0: any */
    /* Called for each complete POST. Returns the status of the answer, and may write a JSON body
     * (at most RECEIVER_ANSWER_MAX). */
    int (*on_received)(void *arg, const struct webhook *r, struct buf *answer);
    void *arg;
};
MUST_USE enum err receiver_open(struct loop *l, const struct receiver_config *c,
                                struct receiver **ret);
void receiver_close(struct receiver *r);
struct addr receiver_local(const struct receiver *r);
