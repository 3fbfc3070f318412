/* route: through a number's targets, one after another: where each is, how long it may ring,
 * and what its failure means for the next one and for the caller. Edge's thread.
 *
 * The book the call began with decides to the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metrics.h"
#include "sip/call/route.h"

enum { PHRASE_MAX = 512 }; /* bytes of a reason phrase that are kept */

enum { ATTEMPTS_GAP = 1000 }; /* INVITEs of one call between two starts: 64 targets' addresses */

static enum err try_address(struct call *c);

/* Says why the present target failed; empty: the status says it. */
static void say(struct call *c, struct str why)
{
    free(c->phrase);
    c->detail = c->phrase = why.n ? str_dup(why) : NULL;
}

void call_route_drop(struct call *c)
{
    struct route *r = c->route;
    decision_free(c->decision);
    c->decision = NULL;
    if (!r)
        return;
    lookup_cancel(r->lookup);
    block_give(c->core->blocks, &r->refusal);
    free(r);
    c->route = NULL;
}

/* The INVITE to the present address is nobody's from now on: what rings is told to stop, what
 * answers is hung up (edge.c). */
static void leave_address(struct call *c)
{
    struct route *r = c->route;
    struct txn *t = txn_at(c->core->txns, r->client);
    r->client = 0;
    r->rang = false;
    if (t) {
        t->call = 0;
        txn_cancel(c->core->txns, t, (struct str){0});
    }
    forks_end(c);
    if (c->state == CALL_RINGING)
        call_set_state(c, CALL_ROUTING);
}

void call_leave_target(struct call *c)
{
    struct route *r = c->route;
    if (c->state == CALL_DECIDING || c->state == CALL_ROUTING || c->state == CALL_RINGING)
        call_wait_no_more(c);
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
    else
        buf_put_str(&b, t->destination);
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
    else if (why == ERR_UNREACHABLE)
        c->detail = "no SIP listener of ours reaches the target's address";
    else
        c->detail = err_text(why);
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
    char why[sizeof r->host + 80];
    snprintf(why, sizeof why, "%s: %s", r->host, err_text(at->err));
    log_sparse(LOG_WARN, 1000, "sip", "%s: %s", r->call->call_id, why);
    say(r->call, str_of(why));
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
        return resolver_sip(c->core->c.resolver, u->host, u->port, hint, sips, on_resolved, r,
                            &r->lookup);
    int how = sips ? RESOLVE_TLS : hint ? hint : RESOLVE_UDP;
    a.port = u->port ? u->port : how == RESOLVE_TLS ? 5061 : 5060;
    r->at.addr[0] = a;
    r->at.transport[0] = (uint8_t)how;
    r->at.n = 1;
    return try_address(c);
}

void call_on_ring_timeout(struct call *c)
{
    say(c, (struct str){0}); /* what was said of an address before is no longer why */
    call_target_failed(c, 408, (struct str){0});
}

/* OK: an INVITE is under way. Otherwise why the last address that could have been tried was not. */
static enum err try_address(struct call *c)
{
    struct route *r = c->route;
    struct sip_core *core = c->core;
    enum err why = ERR_UNREACHABLE;
    while (r->next_address < r->at.n) {
        size_t i = r->next_address++;
        enum sip_transport how = r->at.transport[i] == RESOLVE_TLS   ? SIP_TLS
                                 : r->at.transport[i] == RESOLVE_TCP ? SIP_TCP
                                                                     : SIP_UDP;
        r->path = (struct path){.transport = (uint8_t)how,
                                .unguarded = c->account == core->operators,
                                .account = c->account,
                                .peer = addr_unwrap(&r->at.addr[i])};
        enum err err = transport_route(core->transport, &r->path);
        if (err == OK && route_invite(c))
            return OK;
        if (err != OK)
            why = err;
    }
    return why;
}

/* OK: something is under way that leads to its answer, or to its failure. */
static enum err start_target(struct call *c, const struct target *t)
{
    struct route *r = c->route;
    struct uri uri;
    unsigned ring_s = t->ring_timeout_s ? t->ring_timeout_s : c->core->c.ring_timeout_s;
    r->target = t;
    enum err err = destination_read(c, t, &uri);
    if (err != OK)
        return err;
    r->until_ms = loop_now_ms(c->core->c.loop) + (int64_t)ring_s * 1000;
    call_wait(c, (int64_t)ring_s * 1000);
    return find_addresses(c, &uri);
}

/* It failed at once. */
static void target_unreached(struct call *c, const struct target *t, enum err err)
{
    log_sparse(LOG_WARN, 1000, "sip", "%s: target %s \"%.*s\": %s", c->call_id,
               target_type_name(t->type), STR_FMT(t->destination),
               c->detail ? c->detail : err_text(err));
    decision_failed(c->decision, err == ERR_UNREACHABLE || err == ERR_DENIED || err == ERR_BLOCKED
                                     ? address_failure(c, err)
                                     : 500);
}

/* It is rejected, there is no further target, or a limit keeps the call from it. */
static void give_up(struct call *c, const struct decision_step *s)
{
    if (s->detail) {
        log_sparse(LOG_WARN, 1000, "sip", "%s: no further target is tried: %s", c->call_id,
                   s->detail);
        c->detail = s->detail;
    }
    c->target_status = (int16_t)decision_last_status(c->decision);
    if (!c->target_status) /* a webhook refused it, or nobody was asked */
        c->detail = s->detail;
    if (c->target_status && c->target_status == c->route->refused_with)
        call_refuse_with(c, &c->route->refusal);
    call_end(c, s->reason, s->by, s->sip_status);
}

/* A target that was tried, or could not be, is passed over on the way to another one. False when
 * the call has told so many events that this one is its last but the answer and the end. */
static bool passed_over(struct call *c, int status)
{
    c->reason = (uint8_t)end_reason_of_status(status);
    return call_store(c, &(struct call_news){.kind = EVENT_CALL_FORWARD_FAILED,
                                             .destination = c->destination,
                                             .status = status,
                                             .ordinal = c->route->failed++});
}

static bool route_begin(struct call *c)
{
    if (!c->book)
        c->book = book_take(c->core->c.books);
    if (!c->route && (c->route = calloc(1, sizeof *c->route))) {
        c->route->call = c;
        c->route->attempts = c->restored ? c->calls->starts * ATTEMPTS_GAP : 0;
    }
    if (c->route && call_decision_make(c))
        return true;
    call_end(c, END_FAILED, ENDED_BY_SYSTEM, 500);
    return false;
}

/* True: it is the call's target now. */
static bool target_take(struct call *c, enum decision_kind kind, const struct decision_step *s)
{
    enum err err = ERR_UNSUPPORTED;
    block_give(c->core->blocks, &c->route->refusal);
    c->route->refused_with = 0;
    c->route->told_ringing = false;
    free(c->destination);
    say(c, (struct str){0});
    c->destination = str_dup(s->target->destination);
    c->detail = s->detail;
    if (kind == DECISION_TARGET && (err = start_target(c, s->target)) == OK)
        return true;
    target_unreached(c, s->target, err);
    return false;
}

void call_next_target(struct call *c)
{
    struct decision_step s;
    bool tried = c->route && c->route->target;
    if (!route_begin(c))
        return;
    int failed = tried ? decision_last_status(c->decision) : 0; /* 0: nothing to be told */
    for (;;) {
        call_leave_target(c);
        enum decision_kind kind = decision_next(c->decision, loop_now_ms(c->core->c.loop), &s);
        if (kind == DECISION_WAIT) {
            call_wait_for_answer(c, s.wait_ms);
            return;
        }
        if (kind != DECISION_END && failed && !passed_over(c, failed)) {
            kind = DECISION_END;
            decision_failed(c->decision, failed);
            decision_end(c->decision, &s);
            s.detail = "a call has 40 events";
        }
        if (kind == DECISION_END) {
            give_up(c, &s);
            return;
        }
        if (c->state != CALL_ROUTING)
            call_set_state(c, CALL_ROUTING);
        failed = 0;
        if (kind != DECISION_WEBHOOK && target_take(c, kind, &s))
            return;
        if (kind != DECISION_WEBHOOK)
            failed = decision_last_status(c->decision);
        else if (s.must_ask)
            call_ask(c, s.target->destination);
    }
}

/* A phrase of the target's own is the detail; the usual one says no more than the status. */
static void keep_phrase(struct call *c, const struct sip_msg *m)
{
    char text[PHRASE_MAX];
    struct buf b;
    buf_wrap(&b, text, sizeof text);
    display_print(m->reason, &b);
    bool usual = str_eq_nocase(buf_str(&b), str_of(sip_reason(m->status)));
    say(c, usual ? (struct str){0} : buf_str(&b));
}

void call_target_refused(struct call *c, const struct sip_msg *m)
{
    struct route *r = c->route;
    struct buf b;
    keep_phrase(c, m);
    r->refused_with = m->status;
    if (call_put_refusal(c, decision_status_for_caller(m->status), m, &b))
        (void)!block_set(c->core->blocks, &r->refusal, buf_str(&b)); /* else a bare one */
    call_target_failed(c, m->status, m->reason);
}

void call_target_failed(struct call *c, int status, struct str reason)
{
    decision_failed(c->decision, status);
    call_next_target(c);
}

void call_address_failed(struct call *c, int status, struct str why)
{
    struct route *r = c->route;
    bool last = r->rang || r->next_address >= r->at.n;
    enum err err;
    r->client = 0; /* it ended by itself */
    leave_address(c);
    say(c, why);
    if (why.n)
        log_sparse(LOG_WARN, 1000, "sip", "%s: %s: %.*s", c->call_id, r->host, STR_FMT(why));
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
