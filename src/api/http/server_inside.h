/* Inside server*.c, connection.c and answering.c: holds the server, its workers, and exchanges. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "net/http/request_reader.h"
#include "api/http/server.h"
#include "net/stream.h"

enum { QUERY_PARAMETERS_MAX = 64 };

/* A thread with its loop, and the connections that were given to it. All but n_connections is for
 * the loop's own thread. */
struct worker {
    struct server *server;
    struct loop *loop;
    atomic_uint n_connections; /* as the accepting worker sees it */
    struct connection *connections, *closed;
    size_t exchanges; /* handed over, or being answered */
    size_t waiting;   /* of them: a mail of another thread comes next */
    bool stopping, ended;
    struct mail stop;
    struct timer last_words;
    struct buf out; /* an answer on its way into the socket */
    int64_t date_sec;
    char date[40];
};

struct server {
    struct server_config c;
    struct listener *listener;
    struct worker *worker;
    unsigned n_workers;
    atomic_uint n_connections;
    pthread_mutex_t lock; /* of the wait in server_stop */
    pthread_cond_t all_ended;
    unsigned n_ended;
};

struct exchange {                  /* one request, from its first byte to the last of its answer */
    struct http_request *r;        /* in `request` */
    struct connection *connection; /* NULL: the client has gone */
    struct worker *worker;
    struct request_reader in;
    struct buf query; /* names and values, decoded */
    struct parameter {
        struct str name, value;
    } parameter[QUERY_PARAMETERS_MAX];
    size_t n_parameters;
    struct peer *client; /* the client it counts for, behind a proxy */
    int64_t whole_us;    /* mono: when its last byte came */
    bool is_head, keeps_alive, crowded;
    bool waits;         /* a mail of another thread comes */
    bool is_counted;    /* among the worker's */
    bool is_unanswered; /* among the requests in hand, for /metrics */
    size_t sent;        /* bytes of r->out that the connection has */
    /* Whose turn it is: */
    atomic_int turn;
    struct mail mail;
    /* A stream's: */
    http_read_fn *read_more;
    void (*on_end)(struct http_request *r);
    /* The handler's struct: server_config.request_size. */
    max_align_t request[];
};

/* RUNS: the worker's thread is in the handler or in the reader of a stream. WAITS: it has left, and
 * another thread calls. CALLED: the call came. A caller that finds RUNS need not send mail, one
 * that finds WAITS must. */
enum turn { TURN_RUNS, TURN_WAITS, TURN_CALLED };

/* connection.c. Serves an accepted socket, and closes it. */
void connection_open(struct worker *w, int fd, const struct addr *from, struct peer *peer);
void connections_close(struct worker *w); /* when nothing waits any more */
void connections_sweep(struct worker *w); /* frees the closed ones, at the end of a turn */

/* server_input.c. Finds the request's client, by its connection or by a trusted proxy's header, and
 * whether it has too many requests at once. */
void exchange_find_client(struct exchange *x, struct peers *peers, const struct addr *from);
/* Reads method, path and parameters, once the head is there. False: r has the refusal, and the
 * connection must be closed after it. */
bool exchange_read_head(struct exchange *x);
void exchange_refuse_fault(struct exchange *x); /* likewise, of a fault that the reader found */

/* server_answer.c. Makes a refusal r's answer. */
void server_refuse(struct http_request *r, int status, const char *code, const char *detail);
/* Prints the status line and all lines up to the body. `body_n` -1: chunks follow, or bytes until
 * the end. */
void answer_print_head(struct exchange *x, int64_t body_n, struct buf *out);
