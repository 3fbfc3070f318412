/* A lean HTTP/1.1 client for webhooks. A connection carries one POST at a time and is kept alive
 * per account, certificates and origin. Every address is judged at connect (net/guard), and every
 * part of an answer is bounded. There are no redirects, no decompression, no proxies. Thread of its
 * loop. */
#pragma once
#include "net/guard.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/url.h"

struct http_client;
struct http_exchange; /* a request under way */

struct http_client_config {
    struct loop *loop;
    const struct guard *guard;
    const char *ca_file;     /* NULL: the system's certificates only; stays the caller's */
    const char *dns_servers; /* NULL: the system's */
};
MUST_USE enum err http_client_new(const struct http_client_config *c, struct http_client **ret);
void http_client_free(struct http_client *h); /* exchanges end without a word; NULL-safe */

enum {
    HTTP_HEAD_MAX = 16 * 1024, /* of an answer */
    HTTP_BODY_MAX = 64 * 1024, /* read at the most, then the connection is closed */
    HTTP_BODY_KEPT = 4 * 1024,
    HTTP_CONNECT_MS = 5000,
};

struct http_post {
    const struct url *url; /* copied */
    struct str headers;    /* whole lines, without Host and Content-Length */
    struct str body;
    int64_t timeout_ms; /* of the whole exchange */
    uint64_t owner;     /* account: connections are not shared between owners */
    /* An endpoint's own certificates (PEM), which no other endpoint's connections show: trusted
     * instead of the system's; ours, and its key. NULL: none. */
    uint64_t endpoint;
    const char *ca_pem, *cert_pem, *key_pem;
};
struct http_result {
    enum err err; /* OK: a complete answer. ERR_BLOCKED, ERR_DNS, ERR_UNREACHABLE, ERR_TIMEOUT,
                     ERR_TLS, ERR_RESET, ERR_SYNTAX (not HTTP), ERR_TOO_BIG (head) */
    int status;   /* 0 without an answer */
    int64_t retry_after_sec; /* -1: none */
    int64_t sent_mono_us;    /* when the request left, 0: never */
    struct str body;         /* at most HTTP_BODY_KEPT, valid during the call */
    const char *detail;      /* for people; "" */
};
typedef void http_on_done(void *arg, const struct http_result *r);

/* Sends one POST. It copies all it needs; on_done is called once, later, unless the exchange is
 * cancelled. */
MUST_USE enum err http_client_post(struct http_client *h, const struct http_post *p,
                                   http_on_done *on_done, void *arg, struct http_exchange **ret);
/* Only connects, by TCP alone, to the first of the name's addresses that takes it, and closes: ERR
 * OK, status 0. Judged, bounded and called back as a POST. */
MUST_USE enum err http_client_knock(struct http_client *h, const struct url *url,
                                    int64_t timeout_ms, http_on_done *on_done, void *arg,
                                    struct http_exchange **ret);
void http_cancel(struct http_exchange *x);            /* NULL-safe */
size_t http_client_idle(const struct http_client *h); /* connections kept */
