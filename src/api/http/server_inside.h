/* Inside server*.c, connection.c and answering.c: the server, its workers, and exchanges. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "net/http/request_reader.h"
#include "api/http/server.h"
#include "net/stream.h"

enum { QUERY_PARAMETERS_MAX = 64 };

/* A thread with its loop, and the connections that were given to it. All but `connections` is for
 * the loop's own thread. */
struct worker {
    struct server *server;
    struct loop *loop;
    atomic_uint n_connections; /* as the accepting worker sees it */
    struct connection *connections, *closed;
    size_t exchanges; /* handed over, or being answered */
    size_t waiting;   /* of them: the next word comes from another thread, by mail */
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
    pthread_mutex_t lock; /* the stop's wait */
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
    struct peer *client; /* who is counted for it, behind a proxy */
    int64_t whole_us;    /* mono: when the last byte of it was here */
    bool is_head, keeps_alive, crowded;
    bool waits;         /* another thread's word comes by mail */
    bool is_counted;    /* among the worker's */
    bool is_unanswered; /* among the requests in hand, for /metrics */
    size_t sent;        /* bytes of r->out that the stream has */
    /* Whose turn it is: */
    atomic_int turn;
    struct mail mail;
    /* A stream's: */
    http_read_fn *read_more;
    void (*on_end)(struct http_request *r);
    /* The struct of who handles it: server_config.request_size. */
    max_align_t request[];
};

/* RUNS: our thread is in the handler or the reader of a stream. WAITS: it has left, somebody else
 * calls. CALLED: that came. Whoever finds RUNS need not send mail, whoever finds WAITS must. */
enum turn { TURN_RUNS, TURN_WAITS, TURN_CALLED };

/* connection.c. An accepted socket, which it closes too. */
void connection_open(struct worker *w, int fd, const struct addr *from, struct peer *peer);
void connections_close(struct worker *w); /* all of them; nothing waits any more */
void connections_sweep(struct worker *w); /* frees the closed ones, at the end of a turn */

/* server_input.c. Whose the request is, by its connection or what a trusted proxy says; and is he
 * one too many? */
void exchange_find_client(struct exchange *x, struct peers *peers, const struct addr *from);
/* After the head: method, path, parameters. False: r has the refusal, and the connection must be
 * closed after it. */
bool exchange_read_head(struct exchange *x);
void exchange_refuse_fault(struct exchange *x); /* the same, for what the reader found */

/* server_answer.c. Makes a refusal r's answer. */
void server_refuse(struct http_request *r, int status, const char *code, const char *detail);
/* The status line and all lines up to the body. `body_n` -1: chunks follow, or
 * bytes until the end. */
void answer_print_head(struct exchange *x, int64_t body_n, struct buf *out);
