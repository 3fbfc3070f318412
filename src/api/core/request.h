/* Inside api/: holds a request of the API: its HTTP part, its asker, and its work on the store. */
#pragma once
#include "api/core/parts.h"
#include "api/http/server.h"
#include "base/json.h"
#include "store/rows/settings.h"

struct asker {        /* the key or user behind a request */
    char id[ID_SIZE]; /* "key_…" or "user_…" */
    char name[NAME_MAX_BYTES + 1];
    unsigned rights;       /* enum right */
    int64_t expires_at_ms; /* when it ends as a key; 0: never, and of users */
    uint64_t user;         /* row; 0: it is a key */
    uint64_t maker;        /* row of the user itself, or of the one with whom the key ends; 0 */
};

struct request {
    struct http_request http; /* first */
    struct api *api;
    char arg[128];     /* the path's part for {…} in the route */
    struct json *json; /* the body, for routes that take one */
    /* The asker, filled in before the handler: */
    const struct book *book;
    struct asker asker;
    uint64_t account; /* the key's or user's */
    bool is_operator; /* sees all accounts */
    uint64_t key;     /* its row, or the user's */
    bool can_read, can_write, can_ingest;
    /* Its job on the store: */
    struct store_job job;
    enum err (*work)(struct request *r, struct db *db);
    void (*committed)(struct request *r);
    bool writes;                     /* its job is the writer's */
    struct buf mem;                  /* of rows that `work` reads; empty in each run */
    struct db *db;                   /* while `work` runs */
    char audit_seed[ID_SIZE];        /* of the rows that this request leaves in the audit log */
    uint16_t n_audits;               /* the number of them in this run */
    struct idempotency *idempotency; /* its Idempotency-Key; NULL: none */
    bool replayed;                   /* its answer is one that was given before */
    /* The reason of a refusal: */
    struct field_error fault;
    const char *fault_code; /* of a 409 (NULL: "exists"; fault.why then says why), or of a 422
                             * that names no field */
    /* A handler's own, in the request's arena: */
    void *room;
    void (*over)(struct request *r); /* frees the members of the room; NULL: nothing */
    struct record *record;           /* the setting that it is about */
    struct record *records;          /* all that it made */
    struct arena *arena;
};

typedef void request_handler(struct request *r);

static inline struct request *request_of(struct http_request *r)
{
    return (struct request *)r;
}

/* Sends r->http.status and r->http.out. Exactly once for each request; r is gone afterwards. Any
 * thread. */
static inline void request_done(struct request *r)
{
    http_done(&r->http);
}

static inline struct str request_header(const struct request *r, const char *name)
{
    return http_header(&r->http, name);
}

static inline struct str request_query(const struct request *r, const char *name)
{
    return http_query(&r->http, name);
}
