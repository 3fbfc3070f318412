/* Makes one HTTP exchange of a command with a daemon, over TCP or TLS; the answer may have any
 * size. Thread of its loop; callbacks come later, never from within a call. */
#pragma once
#include "net/http/response_reader.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/url.h"

struct fetch;

struct fetch_config {
    struct loop *loop;
    const struct url *url; /* the host is taken from it; copied */
    struct tls *tls;       /* NULL: plain; the caller's, as long as the fetch */
    const char *method, *path;
    struct str headers; /* whole lines, without Host and Content-Length */
    struct str body;    /* absent: none */
    int64_t silence_ms; /* silence for so long ends it */
    void (*on_head)(void *arg, const struct response_reader *r); /* may be NULL */
    void (*on_body)(void *arg, struct str bytes);                /* valid during the call */
    /* The last callback. OK: the answer is whole (r->status). Otherwise `detail` says for people
     * why not, and r is the part that came. fetch_free is due, and allowed inside. */
    void (*on_end)(void *arg, enum err why, const char *detail, const struct response_reader *r);
    void *arg;
};
/* Looks the name up as this machine does, and blocks meanwhile. ERR_DNS, ERR_UNREACHABLE. */
MUST_USE enum err fetch_start(const struct fetch_config *c, struct fetch **ret);
void fetch_free(struct fetch *f);               /* NULL-safe */
void fetch_fail(struct fetch *f, enum err why); /* ends it; the answer is not wanted. Anywhere */
void fetch_pause(struct fetch *f, bool pause);  /* nothing is read meanwhile */
