/* dialog: a leg's addressing. All strings lie in one block, because tens of thousands are held.
 *
 * Where a request goes (§8.1.2) is the first route or the target, when that is a literal address;
 * names are not resolved here, since what a peer sends must not cause DNS: then, when a private
 * address is claimed from a public one (NAT), and when the address is ours or, said by an account's
 * target, does not pass the guard, the request goes back where the peer's own came from.
 * Edge's thread. */
#include "sip/call/dialog.h"

#include <stdlib.h>
#include <string.h>

#include "base/metrics.h"
#include "sip/wire/print.h"

enum { ROUTES_MAX = 4096 };

struct str dialog_get(const struct dialog *d, enum dialog_part part)
{
    size_t from = part ? d->end[part - 1] : 0;
    return d->mem ? (struct str){d->mem + from, d->end[part] - from} : STR("");
}

void dialog_print_tag(const struct dialog *d, char out[DIALOG_TAG_SIZE])
{
    struct buf b;
    buf_wrap(&b, out, DIALOG_TAG_SIZE - 1);
    buf_printf(&b, "%s%c%u", d->token, d->leg, (unsigned)d->fork);
    out[b.n] = '\0';
}

/* A number has one spelling, so that a dialog has one tag. */
static bool fork_parse(struct str digits, uint16_t *ret)
{
    uint64_t n;
    if (str_to_u64(digits, UINT16_MAX, &n) != OK || (digits.n > 1 && digits.p[0] == '0'))
        return false;
    *ret = (uint16_t)n;
    return true;
}

bool dialog_parse_tag(struct str tag, struct dialog *ret)
{
    if (tag.n <= TOKEN_SIZE || !fork_parse(str_from(tag, TOKEN_SIZE), &ret->fork))
        return false;
    memcpy(ret->token, tag.p, TOKEN_SIZE - 1);
    ret->token[TOKEN_SIZE - 1] = '\0';
    ret->leg = tag.p[TOKEN_SIZE - 1];
    return ret->leg == 'a' || ret->leg == 'b';
}

bool dialog_is(const struct dialog *d, struct str call_id, struct str peer_tag)
{
    return d->mem && str_eq(dialog_get(d, DIALOG_CALL_ID), call_id) &&
           str_eq(dialog_get(d, DIALOG_TAG), peer_tag);
}

enum err dialog_set(struct dialog *d, const struct str part[DIALOG_PARTS])
{
    size_t n = 0, at = 0;
    for (int i = 0; i < DIALOG_PARTS; i++)
        n += part[i].n;
    if (n > DIALOG_TEXT_MAX)
        return ERR_TOO_BIG;
    char *mem = malloc(n + 1);
    if (!mem)
        return ERR_NOMEM;
    for (int i = 0; i < DIALOG_PARTS; i++) {
        if (part[i].n)
            memcpy(mem + at, part[i].p, part[i].n);
        at += part[i].n;
        d->end[i] = (uint16_t)at;
    }
    metric_add(METRIC_SIP_DIALOGS, !d->mem);
    free(d->mem);
    d->mem = mem;
    return OK;
}

enum err dialog_copy(const struct dialog *of, struct dialog *ret)
{
    struct str part[DIALOG_PARTS];
    for (int i = 0; i < DIALOG_PARTS; i++)
        part[i] = dialog_get(of, (enum dialog_part)i);
    *ret = *of;
    ret->mem = NULL;
    return dialog_set(ret, part);
}

void dialog_fini(struct dialog *d)
{
    metric_add(METRIC_SIP_DIALOGS, -(d->mem != NULL));
    free(d->mem);
    d->mem = NULL;
}

/* The next hop of `part`, and a path to it when it is better than the one we have. The name that
 * TLS verified at the old address stays good there; at a new one, the hop's own host is verified.
 */
static void aim(struct path *path, struct str part[DIALOG_PARTS], struct transport *t)
{
    struct str hop, rest = part[DIALOG_ROUTES], value;
    struct name_addr na;
    struct uri uri;
    struct path to = *path;
    bool routed = value_next(&rest, &hop) && name_addr_parse(hop, &na) == OK;
    if (routed)
        uri = na.uri;
    else if (uri_parse(part[DIALOG_TARGET], &uri) != OK)
        return;
    if ((uri.scheme != URI_SIP && uri.scheme != URI_SIPS) ||
        addr_parse(uri.host, 0, &to.peer) != OK)
        return;
    if (param_find(uri.params, STR("transport"), &value))
        to.transport = str_eq_nocase(value, STR("tcp"))   ? SIP_TCP
                       : str_eq_nocase(value, STR("udp")) ? SIP_UDP
                                                          : path->transport;
    to.peer = addr_unwrap(&to.peer);
    to.peer.port = uri.port ? uri.port : to.transport == SIP_TLS ? 5061 : 5060;
    if (!addr_is_public(&to.peer) && addr_is_public(&path->peer))
        return;
    bool same = to.transport == path->transport &&
                (to.transport == SIP_UDP ? addr_eq(&to.peer, &path->peer)
                                         : addr_eq_host(&to.peer, &path->peer));
    if (same) {
        if (transport_came_in(t, path)) /* its source port is no place to connect to later */
            path->peer.port = to.peer.port;
        return;
    }
    if (transport_route(t, &to) != OK)
        return;
    *path = to;
    part[DIALOG_HOST] = uri.host;
}

/* Takes the parts and the way there, or leaves the dialog as it was. */
static enum err dialog_take(struct dialog *d, struct str part[DIALOG_PARTS],
                            const struct path *path, struct transport *t)
{
    struct path to = *path;
    aim(&to, part, t);
    enum err err = dialog_set(d, part); /* part may point into the old block until then */
    if (err == OK)
        d->path = to;
    return err;
}

struct str dialog_host(const struct dialog *d)
{
    struct str hop, rest = dialog_get(d, DIALOG_ROUTES), host = dialog_get(d, DIALOG_HOST);
    struct name_addr na;
    struct uri uri;
    if (host.n)
        return host;
    if (value_next(&rest, &hop) && name_addr_parse(hop, &na) == OK)
        return na.uri.host;
    return uri_parse(dialog_get(d, DIALOG_TARGET), &uri) == OK ? uri.host : STR("");
}

/* Record-Route values in the order they stand, or the other way round. */
static void routes_read(const struct sip_msg *m, bool reversed, struct buf *b)
{
    struct str all[64], v, rest = {0};
    size_t n = 0, line = 0;
    while (n < 64 && sip_next(m, SIP_H_RECORD_ROUTE, &line, &rest, &v))
        all[n++] = v;
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_puts(b, ", ");
        buf_put_str(b, all[reversed ? n - 1 - i : i]);
    }
}

static struct str contact_of(const struct sip_msg *m)
{
    struct name_addr na;
    struct str rest = sip_value(m, SIP_H_CONTACT), first;
    if (!value_next(&rest, &first) || name_addr_parse(first, &na) != OK ||
        (na.uri.scheme != URI_SIP && na.uri.scheme != URI_SIPS))
        return (struct str){0};
    return na.uri_text;
}

enum err dialog_of_invite(struct dialog *d, const struct sip_msg *m, const struct path *from,
                          struct transport *t)
{
    char routes[ROUTES_MAX];
    struct path path = *from;
    struct buf b;
    struct str contact = contact_of(m);
    buf_wrap(&b, routes, sizeof routes);
    routes_read(m, false, &b);
    if (b.err != OK)
        return b.err;
    struct str part[DIALOG_PARTS] = {m->call_id,
                                     sip_value(m, SIP_H_TO),
                                     sip_value(m, SIP_H_FROM),
                                     m->from.tag,
                                     contact.n ? contact : m->from.uri_text,
                                     buf_str(&b),
                                     STR("")};
    path.unguarded = true;
    enum err err = dialog_take(d, part, &path, t);
    if (err == OK)
        d->remote_cseq = m->cseq;
    return err;
}

enum err dialog_of_response(struct dialog *d, const struct sip_msg *m, const struct path *via,
                            struct str host, struct transport *t)
{
    char routes[ROUTES_MAX], from[DIALOG_TEXT_MAX];
    struct buf b, f;
    struct str contact = contact_of(m);
    buf_wrap(&b, routes, sizeof routes);
    buf_wrap(&f, from, sizeof from);
    routes_read(m, true, &b);
    sip_put_name_addr(&f, m->from.display, m->from.uri_text);
    if (b.err != OK || f.err != OK)
        return ERR_TOO_BIG;
    struct str part[DIALOG_PARTS] = {m->call_id,
                                     buf_str(&f),
                                     sip_value(m, SIP_H_TO),
                                     m->to.tag,
                                     contact.n ? contact : m->to.uri_text,
                                     buf_str(&b),
                                     host};
    enum err err = dialog_take(d, part, via, t);
    if (err == OK)
        d->local_cseq = m->cseq;
    return err;
}

enum err dialog_confirm(struct dialog *d, const struct sip_msg *m, const struct path *via,
                        struct str host, struct transport *t)
{
    char routes[ROUTES_MAX];
    struct buf b;
    struct str contact = contact_of(m), part[DIALOG_PARTS];
    buf_wrap(&b, routes, sizeof routes);
    routes_read(m, true, &b);
    if (b.err != OK)
        return b.err;
    for (int i = 0; i < DIALOG_PARTS; i++)
        part[i] = dialog_get(d, (enum dialog_part)i);
    part[DIALOG_ROUTES] = buf_str(&b);
    part[DIALOG_HOST] = host;
    if (contact.n)
        part[DIALOG_TARGET] = contact;
    return dialog_take(d, part, via, t);
}

void dialog_refresh(struct dialog *d, const struct sip_msg *m, struct transport *t)
{
    struct str contact = contact_of(m), part[DIALOG_PARTS];
    if (!contact.n || str_eq(contact, dialog_get(d, DIALOG_TARGET)))
        return;
    for (int i = 0; i < DIALOG_PARTS; i++)
        part[i] = dialog_get(d, (enum dialog_part)i);
    part[DIALOG_TARGET] = contact;
    (void)!dialog_take(d, part, &d->path, t); /* without memory the old target stays */
}

void dialog_put_contact(const struct path *path, struct transport *t, struct buf *b)
{
    buf_puts(b, "Contact: <sip:hookswitch@");
    transport_put_own(t, path, b);
    if (path->transport != SIP_UDP)
        buf_printf(b, ";transport=%s", path->transport == SIP_TCP ? "tcp" : "tls");
    buf_puts(b, ">\r\n");
}

void dialog_put_request(const struct dialog *d, struct transport *t, struct str method,
                        uint32_t cseq, const char *branch, struct buf *b)
{
    struct str routes = dialog_get(d, DIALOG_ROUTES), rest = routes, first, lr;
    struct str target = dialog_get(d, DIALOG_TARGET), own = dialog_get(d, DIALOG_LOCAL);
    char tag[DIALOG_TAG_SIZE];
    struct name_addr na;
    bool strict = value_next(&rest, &first) && name_addr_parse(first, &na) == OK &&
                  !param_find(na.uri.params, STR("lr"), &lr);
    sip_put_request_line(b, method, strict ? na.uri_text : target);
    buf_printf(b, "Via: SIP/2.0/%s ", transport_name((enum sip_transport)d->path.transport));
    transport_put_own(t, &d->path, b);
    buf_printf(b, ";branch=%s;rport\r\n", branch);
    if (strict && str_trim(rest).n)
        sip_put(b, SIP_H_ROUTE, str_trim(rest));
    if (strict)
        sip_putf(b, SIP_H_ROUTE, "<%.*s>", STR_FMT(target));
    else if (routes.n)
        sip_put(b, SIP_H_ROUTE, routes);
    sip_put(b, SIP_H_MAX_FORWARDS, STR("70"));
    dialog_print_tag(d, tag);
    buf_printf(b, "From: %.*s;tag=%s\r\n", STR_FMT(own), tag);
    sip_put(b, SIP_H_TO, dialog_get(d, DIALOG_REMOTE));
    sip_put(b, SIP_H_CALL_ID, dialog_get(d, DIALOG_CALL_ID));
    sip_putf(b, SIP_H_CSEQ, "%u %.*s", cseq, STR_FMT(method));
    if (str_eq(method, STR("INVITE")) || str_eq(method, STR("UPDATE")) ||
        str_eq(method, STR("REFER")) || str_eq(method, STR("SUBSCRIBE")) ||
        str_eq(method, STR("NOTIFY")))
        dialog_put_contact(&d->path, t, b);
}

void dialog_print(const struct dialog *d, struct transport *t, struct buf *out)
{
    char own[ADDR_TEXT_SIZE], peer[ADDR_TEXT_SIZE];
    const struct addr at = transport_local(t, d->path.listen);
    addr_print(&at, own);
    addr_print(&d->path.peer, peer);
    buf_printf(out, "%c%u%s %u %u %u %s %s", d->leg, (unsigned)d->fork, d->token, d->local_cseq,
               d->remote_cseq, d->path.transport, own, peer);
    struct str host = dialog_get(d, DIALOG_HOST);
    if (host.n)
        buf_printf(out, " %.*s", STR_FMT(host));
    buf_putc(out, '\n');
    for (int i = 0; i < DIALOG_HOST; i++) {
        buf_put_str(out, dialog_get(d, (enum dialog_part)i));
        buf_putc(out, '\n');
    }
}

static bool number_take(struct str *line, uint64_t max, uint64_t *ret)
{
    struct str word;
    str_cut(*line, ' ', &word, line);
    return str_to_u64(word, max, ret) == OK;
}

/* The rest of the first line: "OWN PEER [HOST]"; before there were hosts, "INDEX PEER", the index
 * into that day's list of listeners, which says nothing today. */
static enum err hop_parse(struct str line, struct addr *ret_own, struct addr *ret_peer,
                          struct str *ret_host)
{
    struct str word;
    uint64_t index;
    *ret_own = (struct addr){0};
    str_cut(line, ' ', &word, &line);
    if (str_to_u64(word, UINT32_MAX, &index) != OK && addr_parse(word, 5060, ret_own) != OK)
        return ERR_SYNTAX;
    str_cut(line, ' ', &word, ret_host);
    return addr_parse(word, 5060, ret_peer);
}

/* The leg, the fork and the token; rows of earlier versions have one digit and may have no token. */
static bool name_parse(struct str word, struct dialog *ret)
{
    size_t token = word.n > 2 ? TOKEN_SIZE - 1 : 0;
    if (word.n < 2 + token || !fork_parse(str_slice(word, 1, word.n - 1 - token), &ret->fork))
        return false;
    ret->leg = word.p[0];
    memcpy(ret->token, word.p + word.n - token, token);
    return true;
}

enum err dialog_parse(struct str *text, struct transport *t, struct dialog *ret)
{
    struct str line, word, part[DIALOG_PARTS];
    struct addr own;
    uint64_t local, remote, transport;
    *ret = (struct dialog){0};
    str_cut(*text, '\n', &line, text);
    str_cut(line, ' ', &word, &line);
    if (!name_parse(word, ret) || !number_take(&line, UINT32_MAX, &local) ||
        !number_take(&line, UINT32_MAX, &remote) || !number_take(&line, SIP_TLS, &transport) ||
        hop_parse(line, &own, &ret->path.peer, &part[DIALOG_HOST]) != OK)
        return ERR_SYNTAX;
    ret->local_cseq = (uint32_t)local;
    ret->remote_cseq = (uint32_t)remote;
    ret->path.transport = (uint8_t)transport;
    for (int i = 0; i < DIALOG_HOST; i++)
        if (!str_cut(*text, '\n', &part[i], text))
            return ERR_SYNTAX;
    if (!transport_route_again(t, &own, &ret->path))
        return ERR_UNREACHABLE;
    return dialog_set(ret, part);
}

void dialog_skip(struct str *text)
{
    struct str line;
    for (int i = 0; i < 1 + DIALOG_HOST; i++)
        str_cut(*text, '\n', &line, text);
}
