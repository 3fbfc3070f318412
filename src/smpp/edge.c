/* edge: puts the parts of SMPP together, and takes them apart in order. Main makes it, drains it
 * and frees it; everything else happens on the loop. */
#include "smpp/edge.h"

#include <stdio.h>
#include <stdlib.h>

#include "smpp/inbound.h"
#include "smpp/links.h"
#include "smpp/listener.h"

enum { LINK_SESSIONS_MAX = 4096 }; /* of links that we open */

struct smpp_edge {
    struct smpp_config c;
    struct sessions *sessions;
    struct inbound *inbound;
    struct smpp_listener *listener; /* NULL: nobody binds to us */
    struct links *links;
    unsigned draining; /* parts that are not idle yet */
    struct timer drain;
    void (*on_idle)(void *);
    void *on_idle_arg;
};

static enum err edge_listener_open(struct smpp_edge *e, char *why, size_t cap)
{
    const struct smpp_listener_config lc = {.loop = e->c.loop,
                                            .books = e->c.books,
                                            .states = e->c.states,
                                            .sessions = e->sessions,
                                            .inbound = e->inbound,
                                            .at = e->c.listen,
                                            .max_connections = e->c.max_connections,
                                            .bind_timeout_ms = e->c.bind_timeout_ms};
    return e->c.listen.family ? smpp_listener_new(&lc, &e->listener, why, cap) : OK;
}

static enum err edge_links_open(struct smpp_edge *e, char *why, size_t cap)
{
    const struct links_config lc = {.loop = e->c.loop,
                                    .resolver = e->c.resolver,
                                    .books = e->c.books,
                                    .states = e->c.states,
                                    .sessions = e->sessions,
                                    .inbound = e->inbound,
                                    .ca_file = e->c.ca_file,
                                    .reconnect_ms = e->c.reconnect_ms,
                                    .response_ms = e->c.response_ms};
    enum err err = links_new(&lc, &e->links);
    if (err == ERR_INVALID)
        snprintf(why, cap, "smpp.ca_file: \"%s\" holds no certificates", e->c.ca_file);
    else if (err != OK)
        snprintf(why, cap, "links with carriers: %s", err_text(err));
    return err;
}

enum err smpp_edge_new(const struct smpp_config *c, struct smpp_edge **ret, char *why, size_t cap)
{
    struct smpp_edge *e = calloc(1, sizeof *e);
    snprintf(why, cap, "%s", err_text(ERR_NOMEM));
    if (!e)
        return ERR_NOMEM;
    e->c = *c;
    size_t most = LINK_SESSIONS_MAX + c->max_connections;
    enum err err = sessions_new(c->loop, most, c->response_ms, &e->sessions);
    if (err == OK) {
        const struct inbound_config ic = {c->loop, c->store, c->books, c->messages, e->sessions};
        err = inbound_new(&ic, &e->inbound);
        snprintf(why, cap, "the last messages cannot be read: %s", err_text(err));
    }
    if (err == OK)
        err = edge_listener_open(e, why, cap);
    if (err == OK)
        err = edge_links_open(e, why, cap);
    if (err != OK) {
        smpp_edge_free(e);
        return err;
    }
    *ret = e;
    return OK;
}

void smpp_edge_free(struct smpp_edge *e)
{
    if (!e)
        return;
    timer_stop(&e->drain);
    smpp_listener_free(e->listener);
    links_free(e->links);
    sessions_free(e->sessions);
    inbound_free(e->inbound);
    free(e);
}

struct addr smpp_edge_local(const struct smpp_edge *e)
{
    return e->listener ? smpp_listener_local(e->listener) : (struct addr){0};
}

static void edge_tell_idle(struct smpp_edge *e)
{
    void (*on_idle)(void *) = e->on_idle;
    e->on_idle = NULL;
    timer_stop(&e->drain);
    if (on_idle)
        on_idle(e->on_idle_arg);
}

static void on_part_idle(void *arg)
{
    struct smpp_edge *e = arg;
    if (--e->draining == 0)
        edge_tell_idle(e);
}

static void on_drain_over(struct timer *timer)
{
    edge_tell_idle(timer->arg);
}

struct drain_mail {
    struct mail mail;
    struct smpp_edge *edge;
    int64_t wait_ms;
    void (*on_idle)(void *arg);
    void *arg;
};

static void edge_on_drain(struct mail *m)
{
    struct drain_mail *d = (struct drain_mail *)m;
    struct smpp_edge *e = d->edge;
    e->on_idle = d->on_idle;
    e->on_idle_arg = d->arg;
    loop_timer(e->c.loop, &e->drain, d->wait_ms, on_drain_over, e);
    e->draining = e->listener ? 2 : 1;
    links_drain(e->links, on_part_idle, e);
    if (e->listener)
        smpp_listener_drain(e->listener, on_part_idle, e);
    free(d);
}

void smpp_edge_drain(struct smpp_edge *e, int64_t wait_ms, void (*on_idle)(void *), void *arg)
{
    struct drain_mail *d = malloc(sizeof *d);
    if (!d) {
        on_idle(arg);
        return;
    }
    *d = (struct drain_mail){{NULL, edge_on_drain}, e, wait_ms, on_idle, arg};
    loop_post_answer(e->c.loop, &d->mail);
}
