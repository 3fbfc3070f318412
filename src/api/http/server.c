/* server: accepts connections and runs the workers. The first worker's loop accepts on one
 * listening socket and gives each connection to the worker with the fewest; from there on it
 * belongs to that worker's thread alone (connection.c). No request can be forgotten in its socket:
 * sockets stay readable until they are read, and other threads' calls come by mail.
 *
 * To stop, workers refuse new requests, wait for those that other threads have in hand, give
 * answers and streams that are being sent LAST_WORDS_MS, and close the rest. server_stop joins the
 * threads; server_free frees the memory, because a thread that has just sent a worker mail may
 * still be inside the loop's wake-up. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/http/peers.h"
#include "api/http/server_inside.h"
#include "base/log.h"
#include "base/metrics.h"

enum {
    CONNECTIONS_MAX = 4096,
    MAILS_MAX = 1 << 20,  /* of a worker: exchanges, and sockets, which are fewer */
    LAST_WORDS_MS = 2000, /* that a stop gives answers that are being sent */
    OUT_MAX = 1 << 20,
};

/* ---- calls of other threads ---- */

static void exchange_call(struct exchange *x)
{
    struct loop *l = x->worker->loop; /* x may be gone when its worker sees the call */
    if (atomic_exchange(&x->turn, TURN_CALLED) == TURN_WAITS)
        loop_post_answer(l, &x->mail);
}

void http_done(struct http_request *r)
{
    if (r->out.err != OK)
        server_refuse(r, 500, "internal", "The answer is too large.");
    exchange_call(r->exchange);
}

void http_stream(struct http_request *r, http_read_fn *read, void (*on_end)(struct http_request *r))
{
    struct exchange *x = r->exchange;
    x->read_more = read;
    x->on_end = on_end;
    exchange_call(x);
}

void http_wake(struct http_request *r)
{
    exchange_call(r->exchange);
}

/* ---- sockets ---- */

struct arrival { /* an accepted socket on its way to its worker */
    struct mail mail;
    struct worker *worker;
    int fd;
    struct addr from;
    struct peer *peer;
};

static void worker_turn_away(struct worker *w, int fd, struct peer *peer)
{
    close(fd);
    peers_leave(w->server->c.peers, peer);
    atomic_fetch_sub(&w->n_connections, 1);
    atomic_fetch_sub(&w->server->n_connections, 1);
}

static void on_arrival(struct mail *m)
{
    struct arrival *a = (struct arrival *)m;
    if (a->worker->ended)
        worker_turn_away(a->worker, a->fd, a->peer);
    else
        connection_open(a->worker, a->fd, &a->from, a->peer);
    free(a);
}

static struct worker *server_idlest_worker(struct server *s)
{
    struct worker *best = &s->worker[0];
    for (unsigned i = 1; i < s->n_workers; i++)
        if (atomic_load(&s->worker[i].n_connections) < atomic_load(&best->n_connections))
            best = &s->worker[i];
    return best;
}

static void server_give_socket(struct server *s, int fd, const struct addr *from, struct peer *peer)
{
    struct worker *w = server_idlest_worker(s);
    struct arrival *a = NULL;
    atomic_fetch_add(&s->n_connections, 1);
    atomic_fetch_add(&w->n_connections, 1);
    if (w == &s->worker[0]) {
        connection_open(w, fd, from, peer);
        return;
    }
    if (!(a = malloc(sizeof *a))) {
        worker_turn_away(w, fd, peer);
        return;
    }
    *a = (struct arrival){{.open = on_arrival}, w, fd, *from, peer};
    loop_post_answer(w->loop, &a->mail);
}

/* On the first worker's thread. A proxy's connections are not counted (peers.h). */
static void server_on_socket(void *arg, int fd, const struct addr *from)
{
    struct server *s = arg;
    bool is_proxy = proxies_has(&peers_trust(s->c.peers)->proxies, from);
    if (atomic_load(&s->n_connections) >= CONNECTIONS_MAX) {
        log_sparse(LOG_WARN, 1000, "api", "a connection was refused: there are %d already",
                   CONNECTIONS_MAX);
        close(fd);
    } else if (!is_proxy && peers_full(s->c.peers, from)) {
        close(fd);
    } else {
        server_give_socket(s, fd, from, is_proxy ? NULL : peers_enter(s->c.peers, from));
    }
}

/* ---- workers ---- */

static void worker_end(struct worker *w)
{
    struct server *s = w->server;
    w->ended = true;
    timer_stop(&w->last_words);
    connections_close(w);
    connections_sweep(w);
    if (w == &s->worker[0])
        listener_close(s->listener);
    pthread_mutex_lock(&s->lock);
    s->n_ended++;
    pthread_cond_signal(&s->all_ended);
    pthread_mutex_unlock(&s->lock);
}

static void worker_on_last_words(struct timer *t)
{
    worker_end(t->arg);
}

static void worker_on_turn_end(void *arg)
{
    struct worker *w = arg;
    connections_sweep(w);
    if (!w->stopping || w->ended || w->waiting)
        return;
    if (!w->exchanges)
        worker_end(w);
    else if (!timer_is_set(&w->last_words))
        loop_timer(w->loop, &w->last_words, LAST_WORDS_MS, worker_on_last_words, w);
}

static void worker_on_stop(struct mail *m)
{
    struct worker *w = (struct worker *)((char *)m - offsetof(struct worker, stop));
    w->stopping = true;
}

static enum err worker_open(struct worker *w, struct server *s, unsigned i)
{
    char name[16];
    w->server = s;
    buf_init(&w->out, OUT_MAX);
    snprintf(name, sizeof name, "web%u", i);
    enum err err = loop_new(&w->loop, name, MAILS_MAX);
    if (err == OK)
        loop_on_turn_end(w->loop, worker_on_turn_end, w);
    return err;
}

static enum err server_start_workers(struct server *s)
{
    enum err err = OK;
    for (unsigned i = 0; i < s->n_workers && err == OK; i++)
        err = loop_start(s->worker[i].loop);
    return err;
}

/* ---- the server ---- */

static enum err server_open_all(struct server *s, char *why, size_t cap)
{
    const struct server_config *c = &s->c;
    char text[ADDR_TEXT_SIZE];
    enum err err = OK;
    for (; s->n_workers < c->threads && err == OK; s->n_workers++)
        err = worker_open(&s->worker[s->n_workers], s, s->n_workers);
    if (err != OK) {
        snprintf(why, cap, "the HTTP server: %s", err_text(err));
        return err;
    }
    err = listener_open_sockets(s->worker[0].loop, &c->listen, server_on_socket, s, &s->listener);
    if (err != OK) {
        addr_print(&c->listen, text);
        snprintf(why, cap, "http.listen: %s: %s", text,
                 err == ERR_EXISTS ? "in use" : "cannot be listened on");
    }
    return err;
}

enum err server_start(const struct server_config *c, struct server **ret, char *why, size_t cap)
{
    struct server *s = calloc(1, sizeof *s);
    if (!s || !(s->worker = calloc(c->threads, sizeof *s->worker))) {
        free(s);
        return ERR_NOMEM;
    }
    s->c = *c;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->all_ended, NULL);
    enum err err = server_open_all(s, why, cap);
    if (err == OK && (err = server_start_workers(s)) != OK)
        snprintf(why, cap, "the HTTP server's threads: %s", err_text(err));
    if (err != OK) {
        server_free(s);
        return err;
    }
    *ret = s;
    return OK;
}

void *server_arg(const struct server *s)
{
    return s->c.arg;
}

struct addr server_local(const struct server *s)
{
    return listener_local(s->listener);
}

void server_stop(struct server *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->n_workers; i++) {
        s->worker[i].stop.open = worker_on_stop;
        loop_post_answer(s->worker[i].loop, &s->worker[i].stop);
    }
    pthread_mutex_lock(&s->lock);
    while (s->n_ended < s->n_workers)
        pthread_cond_wait(&s->all_ended, &s->lock);
    pthread_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < s->n_workers; i++)
        loop_stop(s->worker[i].loop);
}

void server_free(struct server *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->n_workers; i++) {
        struct worker *w = &s->worker[i];
        loop_stop(w->loop); /* of a start that failed */
        loop_free(w->loop);
        buf_fini(&w->out);
    }
    pthread_cond_destroy(&s->all_ended);
    pthread_mutex_destroy(&s->lock);
    free(s->worker);
    free(s);
}
