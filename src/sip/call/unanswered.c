/* unanswered: writes what the INVITEs of a call that is not answered yet need to get an answer, or a
 * CANCEL, after a restart, and reads it again. The row of each event has it. */
#include "sip/call/unanswered.h"

#include <string.h>

#include "sip/call/route.h"

enum { VIAS_MAX = 4096 };

/* ---- as text ---- */

static void put_path(const struct path *path, struct transport *t, struct buf *out)
{
    char own[ADDR_TEXT_SIZE], peer[ADDR_TEXT_SIZE];
    const struct addr at = transport_local(t, path->listen);
    addr_print(&at, own);
    addr_print(&path->peer, peer);
    buf_printf(out, "%u %s %s", path->transport, own, peer);
}

static void put_line(struct buf *out, struct str s)
{
    buf_put_str(out, s);
    buf_putc(out, '\n');
}

static void put_caller(const struct call *c, struct buf *out)
{
    struct sip_msg invite;
    const struct sip_header *via;
    size_t before = out->n;
    struct txn *t = c->x.first ? txn_at(c->core->txns, c->x.server) : NULL;
    if (!t || t->state >= TXN_COMPLETED || txn_request(t, &invite) != OK)
        return;
    buf_puts(out, "caller ");
    put_path(&t->path, c->core->transport, out);
    buf_putc(out, '\n');
    for (size_t i = 0; (via = sip_header(&invite, SIP_H_VIA, i)); i++)
        put_line(out, via->value);
    buf_putc(out, '\n');
    if (out->err == OK && out->n - before > VIAS_MAX)
        out->n = before;
}

/* Only one that rings: no CANCEL may leave before (§9.1). */
static void put_target(const struct call *c, struct buf *out)
{
    struct sip_msg invite;
    struct txn *t = c->route ? txn_at(c->core->txns, c->route->client) : NULL;
    if (!t || t->state != TXN_PROCEEDING || txn_sent(t, &invite) != OK)
        return;
    buf_puts(out, "target ");
    put_path(&t->path, c->core->transport, out);
    buf_printf(out, " %s\n", t->host ? t->host : "");
    put_line(out, invite.ruri_text);
    put_line(out, sip_value(&invite, SIP_H_VIA));
    put_line(out, sip_value(&invite, SIP_H_FROM));
    put_line(out, sip_value(&invite, SIP_H_TO));
    put_line(out, invite.call_id);
}

void unanswered_print(const struct call *c, struct buf *out)
{
    size_t before = out->n;
    if (out->err != OK)
        return;
    buf_printf(out, "unanswered %s\n", c->b.dialog.token);
    put_caller(c, out);
    put_target(c, out);
    if (out->err == ERR_TOO_BIG) {
        out->n = before;
        out->err = OK;
    }
}

/* ---- and back ---- */

static bool take_word(struct str *line, const char *word)
{
    struct str first, rest;
    str_cut(*line, ' ', &first, &rest);
    if (!str_eq(first, str_of(word)))
        return false;
    *line = rest;
    return true;
}

/* False: no listener reaches the peer any more, or it is no path. */
static bool take_path(struct str *line, struct transport *t, struct path *ret)
{
    struct str word;
    struct addr own;
    uint64_t transport;
    *ret = (struct path){0};
    str_cut(*line, ' ', &word, line);
    if (str_to_u64(word, SIP_TLS, &transport) != OK)
        return false;
    ret->transport = (uint8_t)transport;
    str_cut(*line, ' ', &word, line);
    if (addr_parse(word, 5060, &own) != OK)
        return false;
    str_cut(*line, ' ', &word, line);
    return addr_parse(word, 5060, &ret->peer) == OK && transport_route_again(t, &own, ret);
}

/* The lines up to the empty one. */
static struct str take_paragraph(struct str *text)
{
    struct str line, from = *text;
    do
        str_cut(*text, '\n', &line, text);
    while (line.n && text->n);
    return str_slice(from, 0, line.n ? from.n : (size_t)(line.p - from.p));
}

void unanswered_parse(struct str text, struct transport *t, struct unanswered *ret)
{
    struct str line;
    *ret = (struct unanswered){0};
    str_cut(text, '\n', &line, &text);
    if (!take_word(&line, "unanswered"))
        return; /* a row of an earlier version */
    ret->token = line;
    str_cut(text, '\n', &line, &text);
    if (take_word(&line, "caller")) {
        struct str vias = take_paragraph(&text);
        if (take_path(&line, t, &ret->from))
            ret->vias = vias;
        str_cut(text, '\n', &line, &text);
    }
    if (!take_word(&line, "target") || !take_path(&line, t, &ret->to))
        return;
    ret->host = line;
    for (size_t i = 0; i < INVITE_PARTS; i++)
        str_cut(text, '\n', &ret->invite[i], &text);
}
