/* The HTTP server, behind this header alone: libmicrohttpd's threads take requests, handlers answer
 * at once or after the store has spoken. */
#pragma once
#include "api/api.h"
#include "api/rate.h"
#include "base/json.h"
#include "store/settings.h"

struct server;
struct request;

enum { REQUEST_BODY_MAX = 256 * 1024, ANSWER_MAX = 32 << 20 };

struct request {
    struct server *server;
    struct api *api;
    const char *method; /* HEAD is GET here */
    char path[1024];
    char arg[128];     /* what stood for {…} in the route */
    struct buf body;   /* as it came */
    struct json *json; /* the body, for routes that take one */
    /* Who asks, filled in before the handler: */
    const struct book *book;
    uint64_t account; /* the key's */
    bool is_operator; /* sees all accounts */
    uint64_t key;     /* its row */
    bool can_read, can_write, can_ingest;
    struct rate rate; /* per_sec 0: none */
    /* The answer: */
    int status;
    struct buf out;
    const char *content_type;
    char etag[32], allow[64], location[160];
    /* A store job of the handler, and its room: */
    struct store_job job;
    enum err (*work)(struct request *r, struct db *db);
    void (*committed)(struct request *r);
    struct buf mem, doc;
    struct setting setting;
    bool deleted;
    char secret[96]; /* shown once */
    struct delivery delivery;
    const struct event *event;
    int64_t n;
    struct field_error fault;
    const char *fault_code; /* of a 409; NULL: "exists" */
    struct db *db;          /* while `work` runs */
    void *room;             /* a handler's own, on the heap; freed with the request */
    void *mhd;              /* the server's own */
};

typedef void request_handler(struct request *r);

struct server_config {
    struct addr listen;
    unsigned threads;
    request_handler *handle; /* answers by request_done, now or later, on any thread */
    struct api *api;
};
MUST_USE enum err server_start(const struct server_config *c, struct server **ret, char *ret_why,
                               size_t why_cap);
void server_stop(struct server *s); /* all requests must be done; NULL-safe */
struct addr server_local(const struct server *s);

/* Sends r->status and r->out. Exactly once for each request; r is gone afterwards. Any thread. */
void request_done(struct request *r);
/* "" when absent. Valid while the request is. */
struct str request_header(const struct request *r, const char *name);
struct str request_query(const struct request *r, const char *name);
