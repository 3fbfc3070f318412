/* Uses the daemon's API before and after a load: accounts with their keys and endpoints, /metrics,
 * /readyz. One blocking connection for each request. Any thread. */
#pragma once
#include <stdint.h>

#include "base/buf.h"
#include "ledger.h"

enum { KEY_SIZE = 128, ENDPOINT_ID_SIZE = 64, ACCOUNTS_MAX = 64 };

struct tenants {
    int port;
    const char *admin_key;
    unsigned n, from; /* accounts; the number in the first one's name */
    char key[ACCOUNTS_MAX][KEY_SIZE];
};

/* Returns the status, and the body of the answer in *out (reset before; may be NULL); 0: nobody
 * answered. */
int api_call(int port, const char *method, const char *path, const char *key, const char *body,
             struct buf *out);
/* POSTs, and must get 201; another status ends the process. `ret_answer` may be NULL. */
void api_create(int port, const char *key, const char *path, const struct buf *body,
                struct buf *ret_answer);
/* Copies a string member of an answer of ours; ends the process when it is missing. */
void answer_member(const struct buf *answer, const char *name, char *out, size_t cap);

/* Makes as many accounts as the ledger has, each with a key that may ingest and read. */
void tenants_make(struct tenants *t, const struct ledger *l, int port, unsigned from,
                  const char *admin_key);
struct endpoint_make {
    unsigned account, number; /* number: among the account's own */
    const char *url;
    unsigned concurrency; /* 0: the daemon's default */
    const char *more;     /* further members, ",\"timeout_ms\":1000"; NULL: none */
};
/* `id` may be NULL. The endpoint gets the events of its number alone when the ledger says so. */
void tenants_endpoint(const struct tenants *t, const struct ledger *l,
                      const struct endpoint_make *m, char id[ENDPOINT_ID_SIZE]);
/* Waits until a server takes a POST at that port; ends the process when `pid` is gone. */
void server_wait(int port, int pid);
void metrics_take(int port, struct buf *out);
double metrics_one(int port, const char *name);
