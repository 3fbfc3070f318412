/* The HTTP server, behind this header alone: workers take requests, handlers answer at once or
 * after the store has spoken. */
#pragma once
#include "api/api.h"
#include "api/rate.h"
#include "base/json.h"
#include "store/rows/settings.h"

struct server;
struct request;

enum { REQUEST_BODY_MAX = 256 * 1024, ANSWER_MAX = 32 << 20 };

struct asker {        /* who asks */
    char id[ID_SIZE]; /* "key_…" or "user_…" */
    char name[NAME_MAX_BYTES + 1];
    unsigned rights;       /* enum right */
    int64_t expires_at_ms; /* when it ends as a key; 0: never, and of users */
    uint64_t user;         /* row; 0: it is a key */
    uint64_t maker;        /* row of the user that it is, or with whom the key ends; 0 */
};

struct request {
    struct server *server;
    struct api *api;
    const char *method;           /* HEAD is GET here */
    char path[1024];              /* for people and comparisons: decoded, but for %00 and %2F */
    char *raw_path;               /* as it came, for routes: a %2F is no slash there */
    char address[ADDR_TEXT_SIZE]; /* the client's (peers.h), without port; "" unknown */
    char arg[128];                /* what stood for {…} in the route */
    struct buf body;              /* as it came */
    struct json *json;            /* the body, for routes that take one */
    /* Who asks, filled in before the handler: */
    const struct book *book;
    struct asker asker;
    uint64_t account; /* the key's or user's */
    bool is_operator; /* sees all accounts */
    uint64_t key;     /* its row, or the user's */
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
    bool writes; /* it is the writer's */
    struct buf mem, doc;
    struct setting setting;
    bool deleted;
    uint64_t move_to;      /* the account that r->setting goes to when it is changed; 0: it stays */
    char made_id[ID_SIZE]; /* of what is created: the same in each run of the job */
    char audit_seed[ID_SIZE]; /* of the rows that this request leaves in the audit log */
    uint16_t n_audits;        /* so many in this run */
    unsigned retry_after_s;   /* with a 429; 0: nothing is said */
    char secret[96];          /* shown once */
    struct delivery delivery;
    const struct event *event;
    int64_t n;
    struct field_error fault;
    const char *fault_code; /* of a 409 (NULL: "exists"; fault.why then says why), or of a 422
                             * that names no field */
    const char *challenge;  /* of a 401; NULL: "Bearer" */
    struct keyed *keyed;    /* its Idempotency-Key; NULL: none */
    bool replayed;          /* answered before, and here again */
    struct db *db;          /* while `work` runs */
    void *room;             /* a handler's own, on the heap; freed with the request */
    void *http;             /* the server's own */
};

typedef void request_handler(struct request *r);

struct server_config {
    struct addr listen;
    unsigned threads;
    struct peers *peers;     /* borrowed */
    unsigned stall_s;        /* a stream whose client takes nothing for so long is cut off */
    request_handler *handle; /* answers by request_done, now or later, on any thread */
    struct api *api;
};
MUST_USE enum err server_start(const struct server_config *c, struct server **ret, char *ret_why,
                               size_t why_cap);
/* New requests get 503, those under way are waited for; streams must have been told to end. Its
 * threads have ended afterwards. NULL-safe. */
void server_stop(struct server *s);
/* When no other thread can be inside request_done or request_wake any more. NULL-safe. */
void server_free(struct server *s);
struct addr server_local(const struct server *s);

/* Sends r->status and r->out. Exactly once for each request; r is gone afterwards. Any thread. */
void request_done(struct request *r);

/* Instead of request_done: an answer without a known end. `read` is called on the server's threads,
 * one at a time: it gives bytes (at most `cap`), STREAM_SLEEPS when it has none now (it is called
 * again after request_wake, which may come before it has returned), or STREAM_ENDS. `on_end` comes
 * once, when nothing more can be sent; r is gone afterwards. */
enum { STREAM_SLEEPS = 0, STREAM_ENDS = -1 };
typedef long request_read_fn(struct request *r, char *out, size_t cap);
void request_stream(struct request *r, request_read_fn *read, void (*on_end)(struct request *r));
void request_wake(struct request *r); /* any thread, until on_end */
/* "" when absent. Valid while the request is. */
struct str request_header(const struct request *r, const char *name);
struct str request_query(const struct request *r, const char *name);
/* Does the query hold nothing but `names` ("limit cursor"), each once? Else which, in ret_other. */
enum query_check { QUERY_FITS, QUERY_UNKNOWN, QUERY_REPEATED, QUERY_HAS_NUL };
enum query_check request_query_check(const struct request *r, const char *names, char *ret_other,
                                     size_t cap);
