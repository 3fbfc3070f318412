/* dial: makes one attempt to bind to a carrier. link.c calls it, on the edge's loop.
 *
 * It writes the bind request and reads its answer; the session begins with the bytes behind the
 * answer. Whatever the other side does, on_done comes within the resolver's time, five seconds an
 * address and response_ms, and the stream is then the caller's or closed. The reason that people
 * read for an unbound link is written here. */
#include "smpp/dial.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "smpp/pdu.h"

enum {
    CONNECT_MS = 5000, /* each address */
    BIND_SEQUENCE = 1,
    INTERFACE_VERSION = 0x34,
    IN_MAX = 64 * 1024 + PDU_MAX, /* a read of the stream, and a PDU that was not whole before */
    UNASKED_MAX = 16,             /* PDUs that may come before the answer */
    BIND_MAX = 256,
    RINVSYSTYP = 0x53,
};

struct dial {
    struct dial_config c;
    struct smpp_link set;
    dial_on_done *on_done;
    void *arg;
    struct lookup *lookup;
    struct resolved at;
    size_t next; /* address */
    struct stream *stream;
    bool open;
    struct buf in;
    unsigned unasked;
    struct timer timer;
    char detail[160];
};

static void dial_free(struct dial *d)
{
    lookup_cancel(d->lookup);
    timer_stop(&d->timer);
    stream_close(d->stream);
    buf_fini(&d->in);
    crypto_wipe(&d->set, sizeof d->set);
    free(d);
}

static void dial_finish(struct dial *d, enum dial_end end, bool answered, struct str rest)
{
    struct dial_result r = {end, answered, &d->stream, rest, d->detail};
    d->on_done(d->arg, &r);
    dial_free(d);
}

static void dial_fail(struct dial *d)
{
    dial_finish(d, DIAL_FAILED, false, (struct str){0});
}

/* ---- the bind ---- */

static void dial_on_late(struct timer *t)
{
    struct dial *d = t->arg;
    snprintf(d->detail, sizeof d->detail, "no answer to the bind in %lld ms",
             (long long)d->c.response_ms);
    dial_fail(d);
}

static void dial_on_open(struct stream *s, void *arg)
{
    struct dial *d = arg;
    char mem[BIND_MAX];
    struct buf out;
    struct pdu bind = {.command = d->set.transceiver ? PDU_BIND_TRANSCEIVER : PDU_BIND_RECEIVER,
                       .sequence = BIND_SEQUENCE,
                       .system_id = str_of(d->set.system_id),
                       .password = str_of(d->set.password),
                       .system_type = str_of(d->set.system_type),
                       .interface_version = INTERFACE_VERSION};
    buf_wrap(&out, mem, sizeof mem);
    pdu_print(&bind, &out);
    d->open = true;
    loop_timer(d->c.loop, &d->timer, d->c.response_ms, dial_on_late, d);
    (void)!stream_write(s, buf_str(&out)); /* an empty socket takes it; else no answer comes */
    crypto_wipe(mem, sizeof mem);
}

/* True for a status that will not pass soon: a wrong password stays wrong, and trying again may
 * lock the account. "Already bound" and the like pass by themselves. */
static bool bind_status_is_final(uint32_t status)
{
    return status == ESME_RINVPASWD || status == ESME_RINVSYSID || status == ESME_RINVCMDID ||
           status == RINVSYSTYP;
}

static void dial_refused(struct dial *d, uint32_t status)
{
    const char *name = smpp_status_name(status);
    if (*name)
        snprintf(d->detail, sizeof d->detail, "%s", name);
    else
        snprintf(d->detail, sizeof d->detail, "status 0x%08x", status);
    if (status == ESME_RINVCMDID && d->set.transceiver)
        snprintf(d->detail, sizeof d->detail,
                 "%s: no bind_transceiver there: set \"bind\" to receiver", name);
    dial_finish(d, bind_status_is_final(status) ? DIAL_REFUSED : DIAL_FAILED, true,
                (struct str){0});
}

static bool is_bind_answer(const struct pdu *p)
{
    return p->command == PDU_BIND_TRANSCEIVER_RESP || p->command == PDU_BIND_RECEIVER_RESP;
}

/* Handles one PDU before we are bound. True: the attempt is over, and `d` is freed. */
static bool dial_read_pdu(struct dial *d, const struct pdu *p, struct str rest)
{
    bool nack = p->command == PDU_GENERIC_NACK;
    if (nack || (is_bind_answer(p) && p->sequence == BIND_SEQUENCE)) {
        if (nack || p->status != ESME_ROK)
            dial_refused(d, p->status ? p->status : ESME_RUNKNOWNERR);
        else
            dial_finish(d, DIAL_BOUND, true, rest);
        return true;
    }
    if (++d->unasked <= UNASKED_MAX)
        return false;
    snprintf(d->detail, sizeof d->detail, "it speaks, but does not answer the bind");
    dial_fail(d);
    return true;
}

static void dial_fail_no_smpp(struct dial *d)
{
    snprintf(d->detail, sizeof d->detail, "its answer to the bind is not SMPP");
    dial_fail(d);
}

static void dial_on_bytes(struct stream *s, void *arg, struct str bytes)
{
    struct dial *d = arg;
    size_t size, at = 0;
    buf_put_str(&d->in, bytes);
    if (d->in.err != OK) {
        dial_fail_no_smpp(d);
        return;
    }
    for (;;) {
        struct pdu p = {0};
        uint32_t status;
        struct str rest = str_from(buf_str(&d->in), at);
        enum err err = pdu_size(rest, &size);
        if (err == ERR_AGAIN || (err == OK && rest.n < size))
            break;
        if (err == OK)
            err = pdu_parse(str_slice(rest, 0, size), &p, &status);
        if (err == ERR_INVALID && p.command_id && is_bind_answer(&p))
            err = OK; /* we need only its status, and carriers vary the rest */
        if (err != OK && err != ERR_UNSUPPORTED) {
            dial_fail_no_smpp(d);
            return;
        }
        at += size;
        if (err == OK && dial_read_pdu(d, &p, str_from(rest, size)))
            return;
    }
    buf_cut(&d->in, at);
}

static void dial_connect_next(struct dial *d);

static void dial_on_end(struct stream *s, void *arg, enum err why)
{
    struct dial *d = arg;
    char at[ADDR_TEXT_SIZE];
    struct addr peer = stream_peer(s);
    addr_print(&peer, at);
    snprintf(d->detail, sizeof d->detail, "%s: %s%s", at,
             d->open && why == ERR_CLOSED ? "closed at the bind" : stream_reason(s),
             d->open && why != ERR_CLOSED ? ", at the bind" : "");
    stream_close(d->stream);
    d->stream = NULL;
    timer_stop(&d->timer);
    if (d->open)
        dial_fail(d); /* somebody is there; another address would be the same peer */
    else
        dial_connect_next(d);
}

/* ---- the way there ---- */

static const struct stream_events dial_events = {dial_on_open, dial_on_bytes, dial_on_end};

static void on_no_address(struct timer *t)
{
    dial_fail(t->arg);
}

static void dial_connect_next(struct dial *d)
{
    while (d->next < d->at.n) {
        const struct addr *to = &d->at.addr[d->next++];
        enum err err = stream_connect(d->c.loop, to, d->set.tls ? d->c.tls : NULL,
                                      str_of(d->set.host), CONNECT_MS, &dial_events, d, &d->stream);
        if (err == OK)
            return;
        snprintf(d->detail, sizeof d->detail, "%s", err_text(err));
    }
    loop_timer(d->c.loop, &d->timer, 0, on_no_address, d);
}

static void dial_on_resolved(void *arg, const struct resolved *at)
{
    struct dial *d = arg;
    d->lookup = NULL;
    d->at = *at;
    if (at->err != OK || at->n == 0)
        snprintf(d->detail, sizeof d->detail, "%.90s: %s", d->set.host,
                 err_text(at->err != OK ? at->err : ERR_DNS));
    dial_connect_next(d);
}

enum err dial_start(const struct dial_config *c, const struct smpp_link *set, dial_on_done *on_done,
                    void *arg, struct dial **ret)
{
    struct dial *d = calloc(1, sizeof *d);
    if (!d)
        return ERR_NOMEM;
    d->c = *c;
    d->set = *set;
    d->on_done = on_done;
    d->arg = arg;
    buf_init(&d->in, IN_MAX);
    enum err err = resolver_host(c->resolver, str_of(d->set.host), d->set.port, dial_on_resolved, d,
                                 &d->lookup);
    if (err != OK) {
        snprintf(d->detail, sizeof d->detail, "%.90s: %s", d->set.host, err_text(err));
        loop_timer(c->loop, &d->timer, 0, on_no_address, d);
    }
    *ret = d;
    return OK;
}

bool dial_is_connecting(const struct dial *d)
{
    return !d->open;
}

void dial_cancel(struct dial *d)
{
    if (d)
        dial_free(d);
}
