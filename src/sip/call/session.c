/* session: keeps the session description that each leg of a call was told last. Held calls are many,
 * so it is in memory only from the answer, or a later change, until the call's row has it. */
#include "sip/call/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "sip/wire/relayed.h"

enum {
    SDP_MAX = 8192,           /* both together; longer ones are not kept */
    EXPIRES_MAX = UINT16_MAX, /* seconds; what is longer counts as this */
};

struct session {
    const void *handed_in; /* what carries it to the store now; NULL: nothing */
    uint16_t n[2];         /* bytes of leg a's, leg b's; 0 and 0: not known */
    char sdp[];
};

static const struct str mark = STR("session ");

/* ---- as text ---- */

void session_print(const struct call *c, struct buf *out)
{
    const struct session *s = c->session;
    size_t before = out->n;
    if (!s || out->err != OK)
        return;
    buf_printf(out, "%.*s%u %u %u\n", STR_FMT(mark), c->session_expires_s, s->n[0], s->n[1]);
    buf_put(out, s->sdp, (size_t)s->n[0] + s->n[1]);
    if (out->err == ERR_TOO_BIG) {
        out->n = before;
        out->err = OK;
    }
}

void session_parse(struct str text, struct session_text *ret)
{
    struct str line, word;
    uint64_t expires, n[2];
    *ret = (struct session_text){0};
    if (!str_starts(text, mark) || !str_cut(str_from(text, mark.n), '\n', &line, &text))
        return;
    str_cut(line, ' ', &word, &line);
    if (str_to_u64(word, EXPIRES_MAX, &expires) != OK)
        return;
    str_cut(line, ' ', &word, &line);
    if (str_to_u64(word, SDP_MAX, &n[0]) != OK || str_to_u64(line, SDP_MAX, &n[1]) != OK ||
        n[0] + n[1] > text.n)
        return;
    *ret = (struct session_text){(uint16_t)expires,
                                 {str_slice(text, 0, n[0]), str_slice(text, n[0], n[1])}};
}

/* ---- in memory ---- */

bool session_is_new(const struct call *c)
{
    return c->session && !c->session->handed_in;
}

void session_hand_in(struct call *c, const void *with)
{
    if (c->session)
        c->session->handed_in = with;
}

void session_stored(struct call *c, const void *with)
{
    if (c->session && c->session->handed_in == with) {
        free(c->session);
        c->session = NULL;
    }
}

void session_not_stored(struct call *c, const void *with)
{
    if (c->session && c->session->handed_in == with)
        c->session->handed_in = NULL;
}

bool session_at_hand(const struct leg *leg, struct str *ret)
{
    const struct session *s = leg->call->session;
    if (!s)
        return false;
    *ret =
        leg->name == 'a' ? str_of_bytes(s->sdp, s->n[0]) : str_of_bytes(s->sdp + s->n[0], s->n[1]);
    return true;
}

/* A change that cannot be kept makes what was there before wrong: then nothing is known. */
static void session_set(struct call *c, uint16_t expires_s, struct str a, struct str b)
{
    bool known =
        a.n && b.n && a.n + b.n <= SDP_MAX && !memchr(a.p, '\0', a.n) && !memchr(b.p, '\0', b.n);
    if (!known)
        a = b = (struct str){0};
    uint32_t hash = (uint32_t)(hash64(a) * 31 + hash64(b) + expires_s) | 1;
    c->session_expires_s = expires_s;
    if (hash == c->session_hash)
        return; /* a refresh (RFC 4028) changes nothing */
    c->session_hash = hash;
    free(c->session);
    c->session = malloc(sizeof *c->session + a.n + b.n);
    if (!c->session)
        return;
    *c->session = (struct session){.n = {(uint16_t)a.n, (uint16_t)b.n}};
    if (known) {
        memcpy(c->session->sdp, a.p, a.n);
        memcpy(c->session->sdp + a.n, b.p, b.n);
    }
}

/* ---- what was said ---- */

/* How long the session lasts without a refresh, by a 2xx (RFC 4028 §4); 0: for ever. */
static uint16_t expires_of(const struct sip_msg *m)
{
    struct str digits, params;
    uint64_t s;
    str_cut(sip_value(m, SIP_H_SESSION_EXPIRES), ';', &digits, &params);
    if (!digits.n || str_to_u64(str_trim(digits), UINT32_MAX, &s) != OK)
        return 0;
    return (uint16_t)(s < EXPIRES_MAX ? s : EXPIRES_MAX);
}

static void session_told(struct leg *asker, uint16_t expires_s, struct str asker_sdp,
                         struct str other_sdp)
{
    if (asker->name == 'a')
        session_set(asker->call, expires_s, asker_sdp, other_sdp);
    else
        session_set(asker->call, expires_s, other_sdp, asker_sdp);
}

void session_accept(struct leg *asker, const struct sip_msg *offer, const struct sip_msg *answer)
{
    struct call *c = asker->call;
    struct buf mem[2];
    if (!offer->body.n) { /* a refresh by UPDATE, or a late offer */
        c->session_expires_s = expires_of(answer);
        return;
    }
    for (int i = 0; i < 2; i++)
        buf_init(&mem[i], SDP_MAX);
    session_told(asker, expires_of(answer), relayed_sdp(answer, leg_hidden(asker->other), &mem[0]),
                 relayed_sdp(offer, leg_hidden(asker), &mem[1]));
    for (int i = 0; i < 2; i++)
        buf_fini(&mem[i]);
}

void session_accept_late(struct leg *asker, struct str offer, const struct sip_msg *ack)
{
    static const char end[] = "\r\n\r\n";
    struct buf mem;
    const char *head = offer.n ? memmem(offer.p, offer.n, end, 4) : NULL;
    if (!head)
        return;
    buf_init(&mem, SDP_MAX);
    session_told(asker, asker->call->session_expires_s,
                 str_from(offer, (size_t)(head + 4 - offer.p)),
                 relayed_sdp(ack, leg_hidden(asker), &mem));
    buf_fini(&mem);
}
