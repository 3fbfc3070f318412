/* Sends events to a URL of the developer as the daemon would: one after another, in the order they
 * come, POSTed with the headers, body and signature of a webhook. Thread of its loop. */
#pragma once
#include "model/payload.h"
#include "model/signature.h"
#include "net/loop.h"
#include "net/url.h"

struct poster;

struct post_outcome { /* valid during the call */
    int status;       /* 0: no answer */
    enum err err;
    const char *detail;
    int64_t duration_ms;
    unsigned attempt;
    bool again; /* nobody answered: it is tried again, the others wait */
};
struct poster_config {
    struct loop *loop;
    struct url url;
    char secret[SECRET_SIZE];
    enum body_format format;
    bool sip_headers;
    const char *ca_file; /* NULL: the system's certificates */
    void (*on_posted)(void *arg, const struct post_outcome *f);
    void *arg;
};
MUST_USE enum err poster_open(const struct poster_config *c, struct poster **ret);
void poster_close(struct poster *f); /* NULL-safe */

/* Posts one event at a time; the next when on_posted came without `again`. Copies what it needs.
 * ERR_SYNTAX: the payload is no event. */
MUST_USE enum err poster_post(struct poster *f, struct str payload);
