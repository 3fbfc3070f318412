/* link: moves a link's seats from state to state. links.c calls it when settings change, dials and
 * sessions when they end, timers when a pause is over; on the edge's loop.
 *
 *     EMPTY → DIALLING → BOUND → LEAVING → EMPTY        wanted, bound, not wanted or changed
 *                ↑  ↓       ↓
 *               WAITING ←───┘                            failed, broken: after a pause
 *
 * A session that was bound with other settings unbinds before its seat dials with the new ones: the
 * carrier may allow no more sessions than it has now. */
#include "smpp/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"

static const char *const state_name[] = {
#define X(id) #id,
    SEAT_LIST(X)
#undef X
};
/* from, to: a bit each */
static const uint8_t moves[] = {
    [SEAT_EMPTY] = 1 << SEAT_DIALLING | 1 << SEAT_WAITING,
    [SEAT_WAITING] = 1 << SEAT_DIALLING | 1 << SEAT_EMPTY | 1 << SEAT_WAITING,
    [SEAT_DIALLING] = 1 << SEAT_BOUND | 1 << SEAT_WAITING | 1 << SEAT_EMPTY,
    [SEAT_BOUND] = 1 << SEAT_LEAVING | 1 << SEAT_WAITING | 1 << SEAT_EMPTY,
    [SEAT_LEAVING] = 1 << SEAT_EMPTY,
};

static void seat_move(struct seat *s, enum seat_state to)
{
    ASSERT(moves[s->state] & 1 << to);
    log_debug("smpp", "link %s: %s to %s", s->link->set.name, state_name[s->state], state_name[to]);
    timer_stop(&s->timer);
    s->state = to;
}

static void seat_dial(struct seat *s);

static void seat_on_pause_over(struct timer *t)
{
    struct seat *s = t->arg;
    seat_dial(s);
    link_show(s->link);
}

static void seat_wait(struct seat *s, enum reconnect_end end, int64_t bound_ms)
{
    const struct links *all = s->link->all;
    int64_t pause =
        reconnect_pause(&s->tries, all->c.reconnect_ms, end, bound_ms, crypto_random_u64());
    seat_move(s, SEAT_WAITING);
    loop_timer(all->c.loop, &s->timer, pause, seat_on_pause_over, s);
    log_sparse(LOG_WARN, 1000, "smpp", "link %s is not bound: %s; trying again in %lld ms",
               s->link->set.name, s->detail, (long long)pause);
}

/* ---- sessions ---- */

static bool seat_is_wanted(const struct seat *s)
{
    const struct link *l = s->link;
    return l->wanted && (s->index < l->set.max_binds);
}

static void link_on_request(void *arg, struct session *session, const struct pdu *p)
{
    struct seat *s = arg;
    inbound_on_request(s->link->all->c.inbound, session, p);
}

static struct seat *seat_get(struct link *l, size_t i)
{
    if (l->seat[i] || !(l->seat[i] = calloc(1, sizeof *l->seat[i])))
        return l->seat[i];
    l->seat[i]->link = l;
    l->seat[i]->index = (unsigned)i;
    return l->seat[i];
}

static bool link_has_seat(const struct link *l, unsigned states)
{
    for (size_t i = 0; i < SEATS_MAX; i++)
        if (l->seat[i] && 1u << l->seat[i]->state & states)
            return true;
    return false;
}

/* Lets empty seats that are wanted dial. As long as none is bound, only one dials, since 64
 * attempts at once with a wrong password lock an account. */
static void link_fill(struct link *l)
{
    bool is_open = link_has_seat(l, 1 << SEAT_BOUND);
    for (size_t i = 0; l->wanted && i < SEATS_MAX && i < l->set.max_binds; i++) {
        struct seat *s = seat_get(l, i);
        if (!s || s->state != SEAT_EMPTY)
            continue;
        if (is_open || !link_has_seat(l, 1 << SEAT_DIALLING | 1 << SEAT_WAITING))
            seat_dial(s);
    }
}

/* Empties the other seats when one was refused and none is bound: that one alone finds out when
 * this changes. */
static void link_leave_to_seat(const struct seat *one)
{
    const struct link *l = one->link;
    if (link_has_seat(l, 1 << SEAT_BOUND))
        return;
    for (size_t i = 0; i < SEATS_MAX; i++) {
        struct seat *s = l->seat[i];
        if (s && s != one && s->state == SEAT_WAITING)
            seat_move(s, SEAT_EMPTY);
    }
}

static void seat_on_session_end(void *arg, const char *why)
{
    struct seat *s = arg;
    struct link *l = s->link;
    s->session = NULL;
    if (s->state == SEAT_LEAVING) {
        seat_move(s, SEAT_EMPTY);
        link_fill(l);
    } else {
        snprintf(s->detail, sizeof s->detail, "%s", *why ? why : "the carrier unbound");
        seat_wait(s, RECONNECT_FAILED, loop_now_ms(l->all->c.loop) - s->bound_mono_ms);
    }
    link_show(l);
}

static void seat_bound(struct seat *s, const struct dial_result *r)
{
    struct link *l = s->link;
    struct session_config c = {
        .state = l->set.transceiver ? SESSION_BOUND_TRX : SESSION_BOUND_RX,
        .link = {l->n, l->set.window, l->set.enquire_link_s * INT64_C(1000), &l->received},
        .on_request = link_on_request,
        .on_end = seat_on_session_end,
        .arg = s};
    enum err err = session_open(l->all->c.sessions, &c, r->take, r->rest, &s->session);
    if (err != OK) {
        snprintf(s->detail, sizeof s->detail, "%s", err_text(err));
        seat_wait(s, RECONNECT_FAILED, 0);
        return;
    }
    seat_move(s, SEAT_BOUND);
    s->bound_mono_ms = loop_now_ms(l->all->c.loop);
    s->refused = false;
    s->detail[0] = '\0';
    log_info("smpp", "link %s is bound", l->set.name);
}

static void seat_on_dialled(void *arg, const struct dial_result *r)
{
    struct seat *s = arg;
    s->dial = NULL; /* frees itself */
    if (r->end == DIAL_BOUND) {
        seat_bound(s, r);
        link_fill(s->link);
    } else {
        snprintf(s->detail, sizeof s->detail, "%s", r->detail);
        s->refused = r->answered;
        seat_wait(s, r->end == DIAL_REFUSED ? RECONNECT_REFUSED : RECONNECT_FAILED, 0);
        if (r->end == DIAL_REFUSED)
            link_leave_to_seat(s);
    }
    link_show(s->link);
}

static void seat_dial(struct seat *s)
{
    const struct links *all = s->link->all;
    struct dial_config c = {all->c.loop, all->c.resolver, all->tls, all->c.response_ms};
    enum err err = dial_start(&c, &s->link->set, seat_on_dialled, s, &s->dial);
    if (err == OK) {
        seat_move(s, SEAT_DIALLING);
        return;
    }
    snprintf(s->detail, sizeof s->detail, "%s", err_text(err));
    seat_wait(s, RECONNECT_FAILED, 0);
}

static void seat_leave(struct seat *s)
{
    dial_cancel(s->dial);
    s->dial = NULL;
    if (s->state == SEAT_BOUND) {
        seat_move(s, SEAT_LEAVING);
        session_unbind(s->session);
    } else if (s->state == SEAT_WAITING || s->state == SEAT_DIALLING) {
        seat_move(s, SEAT_EMPTY);
    }
}

/* ---- the link ---- */

/* True when two settings give the same bind. */
static bool link_binds_alike(const struct smpp_link *a, const struct smpp_link *b)
{
    return !strcmp(a->host, b->host) && a->port == b->port && a->tls == b->tls &&
           !strcmp(a->system_id, b->system_id) && !strcmp(a->password, b->password) &&
           !strcmp(a->system_type, b->system_type) && a->transceiver == b->transceiver &&
           a->window == b->window && a->enquire_link_s == b->enquire_link_s;
}

struct link *link_new(const struct links *all, const struct book_smpp_link *from)
{
    struct link *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->all = all;
    l->n = from->n;
    memcpy(l->id, from->id, sizeof l->id);
    l->set = *from->set;
    return l;
}

void link_set(struct link *l, const struct book_smpp_link *from, bool wanted)
{
    bool alike = from && link_binds_alike(&l->set, from->set);
    l->ours = from != NULL;
    if (!from)
        l->shown = (struct link_state){0}; /* another part may tell it now; ours begins anew */
    l->wanted = wanted && from && !from->set->disabled;
    if (from)
        l->set = *from->set;
    for (size_t i = 0; i < SEATS_MAX; i++) {
        struct seat *s = l->seat[i];
        if (!s || (alike && seat_is_wanted(s)))
            continue;
        seat_leave(s);
        s->tries = (struct reconnect){0};
        s->refused = false;
        s->detail[0] = '\0';
    }
    link_fill(l);
    link_show(l);
}

bool link_is_empty(const struct link *l)
{
    return !link_has_seat(l, ~(1u << SEAT_EMPTY));
}

static const char *link_summary(const struct link *l, unsigned *ret_binds, const char **ret_detail)
{
    bool dialling = false, refused = false;
    *ret_binds = 0;
    *ret_detail = "";
    for (size_t i = 0; i < SEATS_MAX; i++) {
        const struct seat *s = l->seat[i];
        if (!s)
            continue;
        *ret_binds += s->state == SEAT_BOUND;
        dialling |= s->state == SEAT_DIALLING;
        refused |= s->state == SEAT_WAITING && s->refused;
        if (s->state != SEAT_BOUND && s->detail[0])
            *ret_detail = s->detail;
    }
    return l->set.disabled ? "disabled"
           : *ret_binds    ? "bound"
           : dialling      ? "connecting"
           : refused       ? "refused"
                           : "waiting";
}

void link_show(struct link *l)
{
    struct link_state now = {.received = l->received};
    const char *detail;
    if (!l->ours)
        return;
    snprintf(now.state, sizeof now.state, "%s", link_summary(l, &now.binds, &detail));
    snprintf(now.detail, sizeof now.detail, "%s", detail);
    now.since_ms = strcmp(now.state, l->shown.state) ? clock_wall_ms() : l->shown.since_ms;
    if (now.binds == l->shown.binds && now.received == l->shown.received &&
        now.since_ms == l->shown.since_ms && !strcmp(now.detail, l->shown.detail))
        return;
    l->shown = now;
    link_states_put(l->all->c.states, l->n, &now);
}

void link_free(struct link *l)
{
    for (size_t i = 0; l && i < SEATS_MAX; i++) {
        struct seat *s = l->seat[i];
        if (!s)
            continue;
        timer_stop(&s->timer);
        dial_cancel(s->dial);
        session_close(s->session);
        free(s);
    }
    if (l)
        crypto_wipe(&l->set, sizeof l->set);
    free(l);
}
