/* One HTTP exchange of a command with a daemon, over TCP or TLS: a request out, an answer in, as
 * long as it may get. Thread of its loop; callbacks come later, never from within a call. */
#pragma once
#include "net/http/response_reader.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/url.h"

struct fetch;

struct fetch_config {
    struct loop *loop;
    const struct url *url; /* whose host; copied */
    struct tls *tls;       /* NULL: plain; the caller's, as long as the fetch */
    const char *method, *path;
    struct str headers; /* whole lines, without Host and Content-Length */
    struct str body;    /* absent: none */
    int64_t silence_ms; /* nothing heard for so long is an end */
    void (*on_head)(void *arg, const struct response_reader *r); /* may be NULL */
    void (*on_body)(void *arg, struct str bytes);                /* valid during the call */
    /* The last. OK: the answer is whole (r->status). Otherwise why not, for people in `detail`; r
     * is what came. fetch_free is due, and allowed inside. */
    void (*on_end)(void *arg, enum err why, const char *detail, const struct response_reader *r);
    void *arg;
};
/* Looks the name up as this machine does, and waits for that. ERR_DNS, ERR_UNREACHABLE. */
MUST_USE enum err fetch_start(const struct fetch_config *c, struct fetch **ret);
void fetch_free(struct fetch *f);               /* NULL-safe */
void fetch_fail(struct fetch *f, enum err why); /* ends it: what came is not wanted. Anywhere */
void fetch_pause(struct fetch *f, bool pause);  /* nothing is read meanwhile */
