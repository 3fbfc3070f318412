/* refer: the subscriptions that REFERs within a call make. A NOTIFY names its REFER by the CSeq that
 * the REFER had (Event: refer;id=93, RFC 3515 §2.4.6), and that differs on the two legs, so it is
 * translated as RAck is: both ways, since the asker may SUBSCRIBE again. A Refer-To that names another
 * call (Replaces, RFC 3891) names it as the other side knows it. Edge's thread. */
#include <stdlib.h>

#include "sip/call/call.h"
#include "sip/wire/replaces.h"

enum { DIALOG_NAME_MAX = 1024 }; /* of a dialog: Call-ID and two tags */

enum { REFERS_MAX = 8 }; /* of a call that are told apart; the oldest is forgotten */

struct refers {
    struct {
        char leg;             /* who asked */
        uint32_t asked, sent; /* the CSeq of the REFER: the asker's, and ours on the other leg */
    } id[REFERS_MAX];
    uint8_t next;
};

void refer_note(struct leg *asker, uint32_t asked, uint32_t sent)
{
    struct call *c = asker->call;
    if (!c->refers && !(c->refers = calloc(1, sizeof *c->refers)))
        return; /* its NOTIFYs pass as they are */
    struct refers *r = c->refers;
    r->id[r->next].leg = asker->name;
    r->id[r->next].asked = asked;
    r->id[r->next].sent = sent;
    r->next = (uint8_t)((r->next + 1) % REFERS_MAX);
}

/* The id as the other leg knows it; the same where that is unknown. */
static uint32_t translated(const struct leg *from, enum sip_method method, uint32_t id)
{
    const struct refers *r = from->call->refers;
    bool to_asker = method == SIP_NOTIFY;
    char asker = to_asker ? from->other->name : from->name;
    for (size_t i = 0; r && i < REFERS_MAX; i++)
        if (r->id[i].leg == asker && id == (to_asker ? r->id[i].sent : r->id[i].asked))
            return to_asker ? r->id[i].asked : r->id[i].sent;
    return id;
}

void refer_put_event(const struct leg *from, const struct sip_msg *m, struct buf *b)
{
    struct str event = sip_value(m, SIP_H_EVENT), package, params, id;
    uint64_t n;
    if (!event.n)
        return;
    str_cut(event, ';', &package, &params);
    if (!str_eq_nocase(str_trim(package), STR("refer")) || !param_find(params, STR("id"), &id) ||
        str_to_u64(id, UINT32_MAX, &n) != OK) {
        sip_put(b, SIP_H_EVENT, event);
        return;
    }
    size_t at = (size_t)(id.p - event.p);
    sip_putf(b, SIP_H_EVENT, "%.*s%u%.*s", STR_FMT(str_slice(event, 0, at)),
             translated(from, m->method, (uint32_t)n), STR_FMT(str_from(event, at + id.n)));
}

/* The dialog of the same call that the other side of `known` has: what it calls its own and ours.
 * Only calls of the same account: one tenant names no other's. False: there is none. */
static bool other_side(const struct leg *asker, const struct replaces *known,
                       char tag[DIALOG_TAG_SIZE], struct replaces *ret)
{
    uint16_t fork;
    struct leg *leg = leg_of_tag(asker->call->calls, known->to_tag, &fork);
    if (!leg || leg->call->account != asker->call->account ||
        !leg_dialog_of(leg, fork, known->call_id, known->from_tag))
        return false;
    const struct dialog *d = &leg->other->dialog;
    if (!d->mem || !leg->call->b.dialog.mem) /* not answered */
        return false;
    dialog_print_tag(d, tag);
    *ret = (struct replaces){dialog_get(d, DIALOG_CALL_ID), dialog_get(d, DIALOG_TAG), str_of(tag)};
    return true;
}

void refer_put_to(const struct leg *asker, const struct sip_msg *m, struct buf *b)
{
    char text[DIALOG_NAME_MAX], escaped[3 * DIALOG_NAME_MAX], tag[DIALOG_TAG_SIZE];
    struct str to = sip_value(m, SIP_H_REFER_TO), name;
    struct name_addr na;
    struct replaces known, other;
    struct buf plain, out;
    if (!to.n)
        return;
    buf_wrap(&plain, text, sizeof text);
    buf_wrap(&out, escaped, sizeof escaped);
    name = name_addr_parse(to, &na) == OK ? replaces_of_uri(na.uri.headers) : (struct str){0};
    if (!name.n || uri_unescape(name, &plain) != OK ||
        replaces_parse(buf_str(&plain), &known) != OK || !other_side(asker, &known, tag, &other)) {
        sip_put(b, SIP_H_REFER_TO, to);
        return;
    }
    size_t at = (size_t)(name.p - to.p);
    replaces_put_escaped(&out, &other);
    sip_putf(b, SIP_H_REFER_TO, "%.*s%.*s%.*s", STR_FMT(str_slice(to, 0, at)),
             STR_FMT(buf_str(&out)), STR_FMT(str_from(to, at + name.n)));
}
