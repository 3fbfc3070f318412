/* The API in the test's process, without a server: a store in a temporary directory, the book, and
 * requests that are read from text and go through the table of routes. The answer of one is there
 * when api_kit_ask returns. */
#pragma once
#include "api/core/resource.h"
#include "check.h"

extern struct api api_kit;
extern char api_kit_operator[]; /* a key that may do everything */
extern unsigned api_kit_nudged; /* deliver was told of an endpoint so often */
extern struct stored_events {   /* deliver was told of these */
    unsigned n;
    size_t n_deliveries; /* of the last */
} api_kit_stored;

void api_kit_begin(void);
void api_kit_end(void);

struct answer { /* valid until the next */
    int status;
    const char *body, *etag, *location, *more_header;
    struct json *json; /* of the body; NULL: it is none */
};
/* `key` NULL: none. `lines`: whole header lines, or "". `body` NULL: none. */
struct answer *api_kit_ask(const char *method, const char *path, const char *key, const char *lines,
                           const char *body);
/* The same by the operator, which must be answered with that status. */
struct answer *api_kit_must(int status, const char *method, const char *path, const char *body);
const char *answer_text(const struct answer *a, const char *member); /* "" when it is not there */

/* A request that no route has: for what takes a struct request. Until the next. */
struct request *api_kit_request(const char *method, const char *path, const char *lines,
                                const char *body);
void api_kit_wait(void); /* until it is answered */
/* Does `work` for it on a reader or the writer, and returns what it did. */
enum err api_kit_read(struct request *r, enum err (*work)(struct request *r, struct db *db));
enum err api_kit_write(struct request *r, enum err (*work)(struct request *r, struct db *db));
