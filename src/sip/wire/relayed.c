/* relayed: passes headers and body from one leg to the other. A party that withholds its identity
 * is hidden in the body too: an SDP loses the lines about the person, of a body in parts only the
 * SDP passes (an ISUP beside it has the number), and types that may hold anything stay behind.
 * Edge's thread. */
#include "sip/wire/relayed.h"

#include <string.h>

#include "sip/wire/lines.h"
#include "sip/wire/methods.h"
#include "sip/wire/option_tags.h"

/* Compares the type, without its parameters. */
static bool is_type(struct str content_type, struct str type)
{
    struct str essence, params;
    str_cut(content_type, ';', &essence, &params);
    return str_eq_nocase(str_trim(essence), type);
}

/* True for types that have no place for a name. */
static bool is_plain_type(struct str content_type)
{
    static const struct str types[] = {STR("application/dtmf-relay"), STR("application/dtmf"),
                                       STR("application/media_control+xml"), STR("message/sipfrag"),
                                       STR("text/plain")};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (is_type(content_type, types[i]))
            return true;
    return false;
}

void sdp_put_hidden(struct buf *b, struct str sdp, const struct secrets *hidden)
{
    size_t n;
    while (sdp.n) {
        struct str line = line_take(&sdp);
        char kind = line.n > 1 && line.p[1] == '=' ? line.p[0] : '\0';
        if (kind == 'o') {
            buf_puts(b, "o=-");
            buf_put_str(b, str_from(line, str_find(line, ' ')));
        } else if (kind == 's') {
            buf_puts(b, "s=-\r\n");
        } else if (!(kind && strchr("iuep", kind)) &&
                   !(kind == 'a' && secrets_find(hidden, line, &n) < line.n)) {
            buf_put_str(b, line);
        }
    }
}

/* Finds the SDP in a body of parts (RFC 2046 §5.1); empty when there is none. */
static struct str sdp_part(struct str content_type, struct str body)
{
    struct str essence, params, boundary, name, value, begin = {0};
    bool in_head = false, is_sdp = false;
    str_cut(content_type, ';', &essence, &params);
    if (!param_find(params, STR("boundary"), &boundary) || !boundary.n)
        return (struct str){0};
    while (body.n) {
        struct str line = line_take(&body);
        if (str_starts(line, STR("--")) && str_starts(str_from(line, 2), boundary)) {
            if (begin.p)
                return str_of_bytes(begin.p, (size_t)(line.p - begin.p));
            in_head = true;
            is_sdp = false;
        } else if (in_head && str_trim(line).n == 0) {
            in_head = false;
            if (is_sdp)
                begin = body;
        } else if (in_head && str_cut(line, ':', &name, &value)) {
            is_sdp |= str_eq_nocase(str_trim(name), STR("Content-Type")) &&
                      is_type(value, STR("application/sdp"));
        }
    }
    return (struct str){0};
}

/* The SDP in the body, alone or in parts; empty when there is none, or it is coded. */
static struct str sdp_of(const struct sip_msg *m)
{
    struct str type = sip_value(m, SIP_H_CONTENT_TYPE), coding;
    coding = sip_value(m, SIP_H_CONTENT_ENCODING);
    if (coding.n && !str_eq_nocase(coding, STR("identity")))
        return (struct str){0};
    return !type.n || is_type(type, STR("application/sdp")) ? m->body
           : str_starts_nocase(type, STR("multipart/"))     ? sdp_part(type, m->body)
                                                            : (struct str){0};
}

struct str relayed_sdp(const struct sip_msg *m, const struct secrets *hidden, struct buf *mem)
{
    struct str sdp = sdp_of(m);
    if (!hidden)
        return sdp;
    sdp_put_hidden(mem, sdp, hidden);
    return mem->err == OK ? buf_str(mem) : (struct str){0};
}

/* Writes the body without the identity, with its Content-* headers. */
static void put_hidden_body(struct buf *b, const struct sip_msg *m, const struct secrets *hidden)
{
    static const enum sip_header_id about[] = {SIP_H_CONTENT_TYPE, SIP_H_CONTENT_ENCODING,
                                               SIP_H_CONTENT_DISPOSITION};
    struct buf kept;
    size_t n;
    struct str type = sip_value(m, SIP_H_CONTENT_TYPE), v;
    bool coded = (v = sip_value(m, SIP_H_CONTENT_ENCODING)).n && !str_eq_nocase(v, STR("identity"));
    struct str sdp = sdp_of(m);
    buf_init(&kept, SIP_MESSAGE_MAX);
    if (sdp.n) {
        sdp_put_hidden(&kept, sdp, hidden);
        sip_put(b, SIP_H_CONTENT_TYPE, STR("application/sdp"));
    } else if (m->body.n && !coded && is_plain_type(type) &&
               secrets_find(hidden, m->body, &n) == m->body.n) {
        for (size_t i = 0; i < sizeof about / sizeof *about; i++)
            if ((v = sip_value(m, about[i])).n)
                sip_put(b, about[i], v);
        buf_put_str(&kept, m->body);
    }
    if (kept.err != OK)
        b->err = kept.err;
    sip_put_body(b, buf_str(&kept));
    buf_fini(&kept);
}

static bool is_about_the_body(enum sip_header_id id)
{
    return id == SIP_H_CONTENT_TYPE || id == SIP_H_CONTENT_ENCODING ||
           id == SIP_H_CONTENT_DISPOSITION || id == SIP_H_MIME_VERSION;
}

void relayed_put_parting(struct buf *b, const struct sip_msg *m, const struct secrets *hidden)
{
    for (size_t i = 0; i < m->n_headers; i++) {
        const struct sip_header *h = &m->header[i];
        bool parting = h->id == SIP_H_REASON || header_class_of(h->id, h->name) == HEADER_CUSTOM;
        if (parting && header_leaves(h->id, h->name, h->value, TO_OTHER_LEG, hidden))
            sip_put_named(b, h->name, h->value);
    }
}

/* Writes, of a header that says what its sender can do or wants, that which comes across. False: it
 * is another header. A refusal's Require is no promise, but why it refuses (421). */
static bool put_promise(struct buf *b, const struct sip_msg *m, const struct sip_header *h)
{
    bool refuses = !m->is_request && m->status >= 300;
    if (h->id == SIP_H_SUPPORTED || (h->id == SIP_H_REQUIRE && !refuses))
        option_tags_put(b, h->id, h->value);
    else if (h->id == SIP_H_ALLOW)
        methods_put_allow(b, h->value);
    else
        return false;
    return true;
}

void relayed_put(struct buf *b, const struct sip_msg *m, const struct secrets *hidden)
{
    for (size_t i = 0; i < m->n_headers; i++) {
        const struct sip_header *h = &m->header[i];
        if (put_promise(b, m, h))
            continue;
        if ((!hidden || !is_about_the_body(h->id)) &&
            header_leaves(h->id, h->name, h->value, TO_OTHER_LEG, hidden))
            sip_put_named(b, h->name, h->value);
    }
    if (hidden)
        put_hidden_body(b, m, hidden);
    else
        sip_put_body(b, m->body);
}
