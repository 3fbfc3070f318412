/* The HTTP server: its workers take requests, and handlers answer at once or later, on any thread.
 * It knows nothing of resources, and gives its own refusals to server_config.refuse, which prints
 * them. */
#pragma once
#include "api/http/rate.h"
#include "base/buf.h"
#include "net/addr.h"

struct server;
struct exchange;
struct peers;

enum { REQUEST_BODY_MAX = 256 * 1024, ANSWER_MAX = 32 << 20 };

/* One request and its answer. The handler's side has a struct of its own around it
 * (server_config.request_size). */
struct http_request {
    struct server *server;
    const char *method;           /* HEAD is GET here */
    char path[1024];              /* decoded, but for %00 and %2F: for people and comparisons */
    char *raw_path;               /* not decoded, for routes: a %2F is no slash there */
    char address[ADDR_TEXT_SIZE]; /* the client's (peers.h), without port; "" unknown */
    struct buf body;              /* as it came */
    /* The answer: */
    int status;
    struct buf out;
    const char *content_type;
    char etag[32], allow[64], location[160];
    struct rate rate;          /* per_sec 0: none */
    unsigned retry_after_s;    /* with a 429; 0: no such header */
    const char *challenge;     /* of a 401; NULL: "Bearer" */
    const char *more_header;   /* one line more, without its end; NULL: none */
    struct exchange *exchange; /* the server's own */
};

/* A request that the server itself refuses. Programs go by `code` (docs/errors.md). */
struct http_refusal {
    int status;
    const char *code;
    char detail[160]; /* a sentence */
};

typedef void http_handler(struct http_request *r);

struct server_config {
    struct addr listen;
    unsigned threads;
    struct peers *peers;  /* borrowed */
    unsigned stall_s;     /* a stream is cut off when its client takes nothing for so long */
    size_t request_size;  /* of the handler's struct, whose first member is the http_request; it
                             is zeroed */
    http_handler *handle; /* answers by http_done or http_stream, now or later, on any thread */
    http_handler *over;   /* frees the members of the handler's struct; may be NULL */
    /* Makes the answer of a refusal: status, content_type, out. */
    void (*refuse)(struct http_request *r, const struct http_refusal *why);
    void *arg; /* server_arg */
};
MUST_USE enum err server_start(const struct server_config *c, struct server **ret, char *ret_why,
                               size_t why_cap);
/* Answers new requests with 503 and waits for those under way; streams must have been told to end.
 * Its threads have ended afterwards. NULL-safe. */
void server_stop(struct server *s);
/* Called when no other thread can be inside http_done or http_wake any more. NULL-safe. */
void server_free(struct server *s);
struct addr server_local(const struct server *s);
void *server_arg(const struct server *s);

/* Sends r->status and r->out. Exactly once for each request; r is gone afterwards. Any thread. */
void http_done(struct http_request *r);

/* Begins, instead of http_done, an answer without a known end. `read` is called on the server's
 * threads, one at a time: it gives bytes (at most `cap`), STREAM_SLEEPS when it has none now (it is
 * called again after http_wake, which may come before it has returned), or STREAM_ENDS. `on_end`
 * comes once, when nothing more can be sent; r is gone afterwards. */
enum { STREAM_SLEEPS = 0, STREAM_ENDS = -1 };
typedef long http_read_fn(struct http_request *r, char *out, size_t cap);
void http_stream(struct http_request *r, http_read_fn *read,
                 void (*on_end)(struct http_request *r));
void http_wake(struct http_request *r); /* any thread, until on_end */
/* "" when absent. Valid while the request is. */
struct str http_header(const struct http_request *r, const char *name);
struct str http_query(const struct http_request *r, const char *name);
/* Does the query hold nothing but `names` ("limit cursor"), each once? Otherwise ret_other has the
 * name at fault. */
enum query_check { QUERY_FITS, QUERY_UNKNOWN, QUERY_REPEATED, QUERY_HAS_NUL };
enum query_check http_query_check(const struct http_request *r, const char *names, char *ret_other,
                                  size_t cap);
const char *http_reason(int status); /* "Not Found" */
