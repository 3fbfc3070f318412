/* edge_checks: checks what must be true of a sequence as its peers saw it. It keeps the messages of
 * each peer, and compares them at the end with the packets that left the edge:
 *
 *   - each request that the edge had to hear got a final answer, no INVITE a failure after its 2xx;
 *   - each 2xx to an INVITE of the edge's got its ACK;
 *   - each line that was up was hung up, by one side or the other;
 *   - within a dialog the edge's CSeq only grows (RFC 3261 §12.2.1.1);
 *   - a caller hears nothing in a dialog before the answer that makes it.
 *
 * A kill excuses what was under way. */
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "edge_world.h"

enum { ASKED_MAX = 1024, ACCEPTED_MAX = 256, GONE_MAX = 512, STUCK_MS = 30000 };

struct peer_request { /* a request that a peer sent */
    uint64_t what;    /* branch and method */
    uint64_t dialog;  /* the edge's tag in its 2xx */
    unsigned life;
    uint32_t cseq;
    bool invite, got_2xx, got_failure, fell_back;
    bool spoiled;  /* a garbled copy was sent, too, which may be refused */
    char name[64]; /* its branch */
};

struct peer_accept { /* a 2xx that a peer sent to an INVITE of the edge's */
    uint64_t dialog; /* Call-ID and the peer's tag */
    uint32_t cseq;
    unsigned life;
    bool first; /* it made the dialog */
    bool acked, hung_up;
    char name[64]; /* the peer's tag */
};

static struct peer_request asked[ASKED_MAX];
static struct peer_accept accepted[ACCEPTED_MAX];
static uint64_t gone[GONE_MAX]; /* dialogs that their peer hung up */
static size_t n_asked, n_accepted, n_gone;

void checks_begin(void)
{
    n_asked = n_accepted = n_gone = 0;
}

static uint64_t text_key(uint64_t a, uint64_t b)
{
    return a * 31 + b;
}

/* ---- messages of the peers ---- */

static struct call *dialog_call(const char *name_addr)
{
    struct str before, tag;
    uint16_t fork;
    bool tagged = str_cut(str_of(name_addr), '=', &before, &tag);
    struct leg *leg = tagged ? leg_of_tag(&edge_kit.edge->calls, tag, &fork) : NULL;
    return leg ? leg->call : NULL;
}

bool checks_must_answer(const struct line *l)
{
    const struct call *c = dialog_call(l->remote);
    bool is_carrier = l->at.ip[0] == 5 && l->at.ip[2] == 1;
    return !l->stream && (is_carrier || (c && c->state == CALL_UP));
}

/* Does the peer end the line itself, if it is in the dialog? */
static void checks_on_bye(const struct sip_msg *m)
{
    uint64_t dialog = text_key(hash64(m->call_id), hash64(m->from.tag));
    for (size_t i = 0; i < n_accepted; i++)
        accepted[i].hung_up |= accepted[i].dialog == dialog;
    if (n_gone < GONE_MAX)
        gone[n_gone++] = dialog;
}

static bool is_gone(uint64_t dialog)
{
    for (size_t i = 0; i < n_gone; i++)
        if (gone[i] == dialog)
            return true;
    return false;
}

void checks_said(const struct sip_msg *m, bool must)
{
    if (m->method == SIP_BYE)
        checks_on_bye(m);
    bool own = m->method == SIP_INVITE || m->method == SIP_BYE || m->method == SIP_CANCEL;
    bool passed_on =
        m->to.tag.p && !own; /* silence of the other side's is passed on, too (RFC 4320) */
    if (!must || m->method == SIP_ACK || m->method == SIP_METHOD_OTHER || passed_on ||
        n_asked == ASKED_MAX)
        return;
    struct peer_request *a = &asked[n_asked++];
    *a = (struct peer_request){.what = text_key(hash64(m->via.branch), m->method),
                               .life = world.lives,
                               .invite = m->method == SIP_INVITE};
    snprintf(a->name, sizeof a->name, "%.*s %.*s, CSeq", STR_FMT(str_slice(m->via.branch, 0, 40)),
             STR_FMT(str_slice(m->method_text, 0, 8)));
}

void checks_spoiled(const struct sip_msg *m)
{
    uint64_t what = text_key(hash64(m->via.branch), m->method);
    for (size_t i = 0; i < n_asked; i++)
        asked[i].spoiled |= asked[i].what == what;
}

void checks_answers(const struct edge_packet *request, int status, const char *tag)
{
    uint16_t fork;
    const struct sip_msg *m = packet_parse(request);
    struct sip_edge *e = edge_kit.edge;
    if (request->method != SIP_INVITE || status < 200 || status >= 300 || request->stream ||
        n_accepted == ACCEPTED_MAX)
        return;
    /* Long after its end no peer knows the call any more. */
    if (!txn_client_of(e->core.txns, m) && !leg_of_tag(&e->calls, m->from.tag, &fork))
        return;
    struct str own = m->to.tag.p ? m->to.tag : str_of(tag);
    struct peer_accept *a = &accepted[n_accepted++];
    *a = (struct peer_accept){.dialog = text_key(hash64(m->call_id), hash64(own)),
                              .cseq = m->cseq,
                              .life = world.lives,
                              .first = !m->to.tag.p};
    a->hung_up = is_gone(a->dialog);
    snprintf(a->name, sizeof a->name, "%.*s", STR_FMT(own));
}

/* ---- packets of the edge ---- */

static void checks_on_request(const struct edge_packet *p)
{
    uint64_t dialog = text_key(p->call_id, p->to_tag);
    for (size_t i = 0; i < n_accepted; i++) {
        struct peer_accept *a = &accepted[i];
        if (a->dialog != dialog)
            continue;
        a->acked |= p->method == SIP_ACK && p->cseq == a->cseq;
        a->hung_up |= p->method == SIP_BYE;
    }
}

static void checks_on_response(const struct edge_packet *p)
{
    uint64_t what = text_key(p->branch, p->method);
    for (size_t i = 0; i < n_asked; i++) {
        struct peer_request *a = &asked[i];
        if (a->what != what)
            continue;
        a->got_2xx |= p->status >= 200 && p->status < 300;
        a->got_failure |= p->status >= 300;
        /* Another tag, 481, or a CSeq of long ago: a repeat that came when all was over, and that
         * no peer waits for. */
        bool is_late = p->to_tag != a->dialog || p->status == 481 || p->status == 500;
        a->fell_back |= a->got_2xx && p->status >= 300 && !is_late;
        if (p->status >= 200 && p->status < 300)
            a->dialog = p->to_tag;
    }
}

/* The last CSeq of each dialog of the edge's, per direction. */
struct cseq_count {
    uint64_t dialog;
    uint32_t cseq;
};

static bool cseq_grows(struct cseq_count *all, size_t *n, const struct edge_packet *p)
{
    uint64_t dialog = text_key(text_key(p->call_id, p->from_tag), p->to_tag);
    size_t i = 0;
    /* Requests that wait for two connections to open may overtake each other. */
    if (p->method == SIP_ACK || p->method == SIP_CANCEL || p->stream)
        return true;
    while (i < *n && all[i].dialog != dialog)
        i++;
    if (i == *n)
        all[(*n)++] = (struct cseq_count){.dialog = dialog};
    bool grows = p->cseq > all[i].cseq;
    if (p->method == SIP_BYE && p->cseq == all[i].cseq)
        grows = true; /* a stray whose answer came again when nobody knew it any more */
    all[i].cseq = p->cseq;
    return grows;
}

/* A tag of a caller's leg, as it stands in an answer before. A kill may leave the call to a caller
 * that never heard of it. */
static bool dialog_is_known(size_t request)
{
    struct dialog own;
    const struct edge_packet *p = edge_kit_packet(request);
    bool callers = dialog_parse_tag(packet_parse(p)->from.tag, &own) && own.leg == 'a';
    if (!callers || world.lives > 0)
        return true;
    for (size_t i = 0; i < request; i++) {
        const struct edge_packet *answer = edge_kit_packet(i);
        if (!answer->is_request && answer->to_tag == p->from_tag)
            return true;
    }
    return false;
}

/* Notes a fault, "…: #12 BYE 4": the number of the packet of the edge, or the request of a peer. */
static const char *fault_note(const char *what, const char *about, uint32_t n)
{
    static char text[256];
    snprintf(text, sizeof text, "%s (%s %u)", what, about, n);
    return text;
}

const char *checks_end(void)
{
    static struct cseq_count counted[PACKETS_MAX];
    size_t n_counted = 0;
    for (size_t i = 0; i < edge_kit_packets(); i++) {
        const struct edge_packet *p = edge_kit_packet(i);
        if (!p->is_request)
            checks_on_response(p);
        else
            checks_on_request(p);
        if (p->is_request && !cseq_grows(counted, &n_counted, p))
            return fault_note("the edge's CSeq did not grow within a dialog", "packet",
                              (uint32_t)i);
        if (p->is_request && !dialog_is_known(i))
            return fault_note("a caller heard of a dialog before its answer", "packet",
                              (uint32_t)i);
    }
    for (size_t i = 0; i < n_asked; i++) {
        const struct peer_request *a = &asked[i];
        bool waited = world.held_ms < STUCK_MS; /* not until its transaction was over */
        if (a->life == world.lives && waited && !a->got_2xx && !a->got_failure)
            return fault_note("a request got no final answer", a->name, a->cseq);
        if (a->life == world.lives && a->invite && a->fell_back && !a->spoiled)
            return fault_note("an INVITE was accepted, then refused", a->name, a->cseq);
    }
    for (size_t i = 0; i < n_accepted; i++) {
        const struct peer_accept *a = &accepted[i];
        if (a->life == world.lives && !a->acked)
            return fault_note("a 2xx got no ACK", a->name, a->cseq);
        if (a->life == world.lives && a->first && !a->hung_up)
            return fault_note("a line is still up", a->name, a->cseq);
    }
    return NULL;
}
