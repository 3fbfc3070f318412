/* route: through a number's targets, one after another: where each is, how long it may ring,
 * and what its failure means for the next one and for the caller. Edge's thread.
 *
 * The book the call began with decides to the end. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metrics.h"
#include "sip/call/route.h"

static enum err try_address(struct call *c);

/* What the caller hears (docs/sip.md). A target's trouble is not the gateway's: its 5xx, and what
 * nobody can do anything about, become 500, its "unknown" becomes 480. */
static int caller_status(int status)
{
    switch (end_reason_of_status(status)) {
    case END_BUSY: return 486;
    case END_NO_ANSWER: return 480;
    case END_REJECTED: return status;
    default: break;
    }
    switch (status) {
    case 415:
    case 422:
    case 484:
    case 488:
    case 606:                /* about what the caller offered */
    case 482: return status; /* a loop through us: each of its turns hears so */
    case 404:
    case 410:
    case 604: return 480;
    default: return status >= 300 && status < 400 ? 480 : 500;
    }
}

void call_route_drop(struct call *c)
{
    struct route *r = c->route;
    call_control_drop(c);
    if (!r)
        return;
    lookup_cancel(r->lookup);
    forward_free(r->own);
    free(r);
    c->route = NULL;
}

/* The INVITE to the present address is nobody's from now on: what rings is told to stop, what
 * answers is hung up (edge.c). */
static void leave_address(struct call *c)
{
    struct route *r = c->route;
    struct txn *t = txn_at(c->edge->txns, r->client);
    r->client = 0;
    r->rang = false;
    if (t) {
        t->call = 0;
        txn_cancel(c->edge->txns, t);
    }
    for (size_t i = 0; i < c->n_early; i++) {
        dialog_fini(c->early[i]);
        free(c->early[i]);
    }
    c->n_early = 0;
    if (c->state == CALL_RINGING)
        call_set_state(c, CALL_ROUTING);
}

void call_leave_target(struct call *c)
{
    struct route *r = c->route;
    timer_stop(&c->invite_timer);
    call_control_leave(c);
    if (!r)
        return;
    leave_address(c);
    lookup_cancel(r->lookup);
    r->lookup = NULL;
    r->target = NULL;
}

/* Where the INVITE of the present target goes, and its Request-URI. */
static enum err destination_read(struct call *c, const struct target *t, struct uri *ret)
{
    struct route *r = c->route;
    struct buf b;
    buf_wrap(&b, r->ruri, sizeof r->ruri - 1);
    if (t->type == TARGET_DIRECT_IP)
        buf_printf(&b, "sip:%s@%.*s", c->number, STR_FMT(t->destination));
    else if (t->type == TARGET_SIP)
        buf_put_str(&b, t->destination);
    else
        return ERR_UNSUPPORTED;
    if (b.err != OK)
        return b.err;
    r->ruri[b.n] = '\0';
    enum err err = uri_parse(buf_str(&b), ret);
    if (err == OK && ret->scheme != URI_SIP && ret->scheme != URI_SIPS)
        err = ERR_UNSUPPORTED;
    return err == OK ? str_copy(ret->host, r->host, sizeof r->host) : err;
}

/* What it means for the target that none of its addresses was to be had. */
static int address_failure(struct call *c, enum err why)
{
    if (why == ERR_DENIED)
        c->detail = "the target leads back to this system";
    else if (why == ERR_BLOCKED)
        c->detail = "the target's address is blocked: not a public address";
    return why == ERR_DENIED ? 482 : 503;
}

static void on_resolved(void *arg, const struct resolved *at)
{
    struct route *r = arg;
    r->lookup = NULL;
    r->at = *at;
    if (at->err == OK) {
        enum err err = try_address(r->call);
        if (err != OK)
            call_target_failed(r->call, address_failure(r->call, err), STR("Cannot Be Reached"));
        return;
    }
    log_sparse(LOG_WARN, 1000, "sip", "%s: %s: %s", r->call->call_id, r->host, err_text(at->err));
    call_target_failed(r->call, 503, STR("Cannot Be Resolved"));
}

static int transport_hint(const struct uri *u)
{
    struct str v;
    if (!param_find(u->params, STR("transport"), &v))
        return 0;
    return str_eq_nocase(v, STR("tcp"))   ? RESOLVE_TCP
           : str_eq_nocase(v, STR("tls")) ? RESOLVE_TLS
           : str_eq_nocase(v, STR("udp")) ? RESOLVE_UDP
                                          : 0;
}

/* An INVITE, or a look-up that will lead to one, is under way. */
static enum err find_addresses(struct call *c, const struct uri *u)
{
    struct route *r = c->route;
    struct addr a;
    int hint = transport_hint(u);
    bool sips = u->scheme == URI_SIPS;
    r->at = (struct resolved){0};
    r->next_address = 0;
    if (addr_parse(u->host, 0, &a) != OK)
        return resolver_sip(c->edge->c.resolver, u->host, u->port, hint, sips, on_resolved, r,
                            &r->lookup);
    int how = sips ? RESOLVE_TLS : hint ? hint : RESOLVE_UDP;
    a.port = u->port ? u->port : how == RESOLVE_TLS ? 5061 : 5060;
    r->at.addr[0] = a;
    r->at.transport[0] = (uint8_t)how;
    r->at.n = 1;
    return try_address(c);
}

static void on_ring_timeout(struct timer *timer)
{
    call_target_failed(timer->arg, 408, (struct str){0});
}

/* OK: an INVITE is under way. Otherwise why the last address that could have been tried was not. */
static enum err try_address(struct call *c)
{
    struct route *r = c->route;
    struct sip_edge *e = c->edge;
    enum err why = ERR_UNREACHABLE;
    while (r->next_address < r->at.n) {
        size_t i = r->next_address++;
        enum sip_transport how = r->at.transport[i] == RESOLVE_TLS   ? SIP_TLS
                                 : r->at.transport[i] == RESOLVE_TCP ? SIP_TCP
                                                                     : SIP_UDP;
        r->path = (struct path){.transport = (uint8_t)how,
                                .unguarded = c->account == e->operators,
                                .account = c->account,
                                .peer = addr_unwrap(&r->at.addr[i])};
        enum err err = transport_route(e->transport, &r->path);
        if (err == OK && route_invite(c))
            return OK;
        if (err != OK)
            why = err;
    }
    return why;
}

/* False: it failed at once. */
static bool start_target(struct call *c, const struct target *t)
{
    struct route *r = c->route;
    struct uri uri;
    unsigned ring_s = t->ring_timeout_s ? t->ring_timeout_s : c->edge->c.ring_timeout_s;
    r->target = t;
    c->detail = NULL;
    free(c->destination);
    c->destination = str_dup(t->destination);
    enum err err = destination_read(c, t, &uri);
    if (err == OK) {
        loop_timer(c->edge->c.loop, &c->invite_timer, (int64_t)ring_s * 1000, on_ring_timeout, c);
        err = find_addresses(c, &uri);
    }
    if (err == OK)
        return true;
    log_sparse(LOG_WARN, 1000, "sip", "%s: target %s \"%.*s\": %s", c->call_id,
               target_type_name(t->type), STR_FMT(t->destination), err_text(err));
    r->last_status = err == ERR_UNREACHABLE || err == ERR_DENIED || err == ERR_BLOCKED
                         ? address_failure(c, err)
                         : 500;
    return false;
}

/* There is no further target, or a limit keeps the call from it. */
static void give_up(struct call *c, const char *limit)
{
    if (limit) {
        log_sparse(LOG_WARN, 1000, "sip", "%s: no further target is tried: %s", c->call_id, limit);
        c->detail = limit;
    }
    int last = c->route->last_status;
    int status = last ? caller_status(last) : 480;
    enum end_reason reason = last ? end_reason_of_status(last) : END_FAILED;
    enum ended_by by = last && last != 408 && last != 482 && last != 503 && last != 500
                           ? ENDED_BY_CALLEE
                           : ENDED_BY_SYSTEM;
    call_end(c, reason, by, status);
}

/* A target that was tried, or could not be, is passed over on the way to another one. False when
 * the call has told so many events that this one is its last but the answer and the end. */
static bool passed_over(struct call *c)
{
    struct route *r = c->route;
    c->reason = (uint8_t)end_reason_of_status(r->last_status);
    return call_store(c, EVENT_CALL_FORWARD_FAILED, c->destination, r->last_status, r->failed++);
}

/* A number that cannot be entered failed like any target. */
static void number_failed(struct call *c, const struct target *t)
{
    log_sparse(LOG_WARN, 1000, "sip", "%s: %.*s is no number of this account, or a loop",
               c->call_id, STR_FMT(t->destination));
    free(c->destination);
    c->destination = str_dup(t->destination);
    c->detail = "no number of this account, or a loop";
    c->route->last_status = 500;
}

static bool ask_target(struct call *c, const struct target *t)
{
    return c->route->asked++ < ASKED_MAX && call_ask(c, t->destination);
}

void call_next_target(struct call *c)
{
    struct route *r = c->route;
    const struct target *t = NULL;
    bool failed = r->target != NULL;
    for (;;) {
        call_leave_target(c);
        enum walk_step step = target_walk_next(&r->walk, r->last_status, &t);
        const char *limit = step == WALK_LIMIT ? "a call looks at 64 targets"
                            : step != WALK_EXHAUSTED && failed && !passed_over(c)
                                ? "a call has 40 events"
                                : NULL;
        if (limit || step == WALK_EXHAUSTED) {
            give_up(c, limit);
            return;
        }
        bool ask = step != WALK_NUMBER_FAILED && t->type == TARGET_WEBHOOK;
        if (step == WALK_NUMBER_FAILED)
            number_failed(c, t);
        else if (ask ? ask_target(c, t) : start_target(c, t))
            return;
        failed = !ask; /* t may be gone: an answer replaces the targets that asked for it */
    }
}

static bool begin(struct call *c)
{
    if (c->state != CALL_ROUTING)
        call_set_state(c, CALL_ROUTING);
    if (!c->book)
        c->book = book_take(c->edge->c.books);
    if (!c->route && (c->route = calloc(1, sizeof *c->route)))
        c->route->call = c;
    if (!c->route)
        call_end(c, END_FAILED, ENDED_BY_SYSTEM, 500);
    return c->route != NULL;
}

void call_route(struct call *c)
{
    if (!begin(c))
        return;
    const struct book_number *n = book_number(c->book, str_of(c->number));
    if (!n) {
        call_end(c, END_FAILED, ENDED_BY_SYSTEM, 480);
        return;
    }
    target_walk_start(&c->route->walk, c->book, n);
    call_next_target(c);
}

bool call_route_to(struct call *c, struct forward **forward)
{
    struct forward *f = *forward;
    *forward = NULL;
    if (!begin(c)) {
        forward_free(f);
        return false;
    }
    struct route *r = c->route;
    call_leave_target(c);
    target_walk_answer(&r->walk, c->book, c->account, f);
    forward_free(r->own);
    r->own = f;
    r->last_status = 0;
    return true;
}

void call_reject(struct call *c, int status)
{
    call_end(c, end_reason_of_status(status), ENDED_BY_CALLEE, status);
}

void call_target_failed(struct call *c, int status, struct str reason)
{
    c->route->last_status = status;
    call_next_target(c);
}

/* Nothing was heard from this address: the next one of the same target, if there is one. */
void call_address_failed(struct call *c, int status)
{
    struct route *r = c->route;
    bool last = r->rang || r->next_address >= r->at.n;
    enum err err;
    r->client = 0; /* it ended by itself */
    leave_address(c);
    if (last)
        call_target_failed(c, status, (struct str){0});
    else if ((err = try_address(c)) != OK)
        call_target_failed(c, address_failure(c, err), STR("Cannot Be Reached"));
}

void call_stop_ringing(struct call *c)
{
    call_leave_target(c);
    call_route_drop(c);
}
