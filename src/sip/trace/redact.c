/* redact: removes the secrets that a trace does not keep (docs/sip.md). It works on any bytes, line
 * by line, also where the message was cut off. Each secret is replaced by "…" in its whole length;
 * all other text is kept. Pure. */
#include "sip/trace/redact.h"

#include <string.h>

#include "sip/wire/lines.h"

static const struct str dots = STR("\xe2\x80\xa6"); /* … */

/* ---- credentials ---- */

static bool is_harmless(struct str name)
{
    static const struct str known[] = {STR("username"), STR("realm"),  STR("nonce"),
                                       STR("uri"),      STR("qop"),    STR("algorithm"),
                                       STR("nc"),       STR("cnonce"), STR("opaque")};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_eq_nocase(name, known[i]))
            return true;
    return false;
}

/* Cuts one parameter, up to its comma; a quoted string may hold commas. */
static struct str param_take(struct str *rest)
{
    size_t i = 0;
    bool quoted = false;
    for (; i < rest->n && (quoted || rest->p[i] != ','); i++) {
        if (quoted && rest->p[i] == '\\' && i + 1 < rest->n)
            i++;
        else if (rest->p[i] == '"')
            quoted = !quoted;
    }
    struct str one = str_slice(*rest, 0, i);
    *rest = str_from(*rest, i < rest->n ? i + 1 : i);
    return one;
}

/* "Digest username="…", response="…"": writes the scheme, and of a digest the parameters that prove
 * nothing. */
static void put_credentials(struct str value, struct buf *out)
{
    struct str scheme, rest = str_trim(value), name, v;
    bool words = str_cut(rest, ' ', &scheme, &rest);
    scheme = str_trim(scheme);
    if (!words || !str_eq_nocase(scheme, STR("Digest"))) {
        if (words) /* one word alone may be the secret itself */
            buf_printf(out, "%.*s ", STR_FMT(str_slice(scheme, 0, 20)));
        buf_put_str(out, dots);
        return;
    }
    buf_put_str(out, scheme);
    for (bool first = true; rest.n; first = false) {
        struct str one = str_trim(param_take(&rest));
        buf_puts(out, first ? " " : ", ");
        if (!str_cut(one, '=', &name, &v))
            buf_put_str(out, dots);
        else if (is_harmless(str_trim(name)))
            buf_put_str(out, one);
        else
            buf_printf(out, "%.*s=\"\xe2\x80\xa6\"", STR_FMT(str_trim(name)));
    }
}

/* ---- SDP ---- */

static bool is_key_line(struct str line)
{
    static const struct str begins[] = {STR("k="), STR("a=crypto:"), STR("a=ice-pwd:"),
                                        STR("a=key-mgmt:")};
    if (line.n < 2 || line.p[1] != '=' || !strchr("kKaA", line.p[0]))
        return false;
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (str_starts_nocase(line, begins[i]))
            return true;
    return false;
}

/* Writes the part of a key line that may be kept. */
static void put_key_line(struct str line, struct buf *out)
{
    struct str head, rest, what = str_slice(line, 0, str_find(line, ':') + 1);
    uint64_t tag;
    if (line.p[0] == 'k' || line.p[0] == 'K') {
        buf_put_str(out, str_slice(line, 0, 2));
    } else if (str_eq_nocase(what, STR("a=ice-pwd:"))) {
        buf_put_str(out, what);
    } else if (str_eq_nocase(what, STR("a=key-mgmt:"))) { /* RFC 4567: the protocol, its data */
        str_cut(line, ' ', &head, &rest);
        buf_printf(out, "%.*s ", STR_FMT(rest.n ? head : what));
    } else { /* RFC 4568: tag, suite, keys */
        bool has_suite = str_cut(str_from(line, what.n), ' ', &head, &rest);
        buf_put_str(out, what);
        if (has_suite && str_to_u64(head, 999999999, &tag) == OK)
            buf_printf(out, "%.*s ", STR_FMT(head));
        if (has_suite && str_cut(rest, ' ', &head, &rest))
            buf_printf(out, "%.*s ", STR_FMT(head));
    }
    buf_put_str(out, dots);
    buf_puts(out, "\r\n");
}

static void put_sdp(struct str body, struct buf *out)
{
    const char *from = body.p; /* unchanged lines are written in one piece */
    while (body.n) {
        struct str line = line_take(&body);
        if (!is_key_line(line))
            continue;
        buf_put(out, from, (size_t)(line.p - from));
        put_key_line(line, out);
        from = body.p;
    }
    buf_put(out, from, (size_t)(body.p - from));
}

/* ---- the message ---- */

struct content {
    struct str type; /* as written */
    bool coded;
};

static bool is_one_of(struct str name, struct str full, char compact)
{
    return str_eq_nocase(name, full) || (name.n == 1 && (name.p[0] | 0x20) == compact);
}

/* Reads a header, and learns the body's type; true: it holds credentials, and *ret_name is its
 * name. */
static bool header_read(struct str h, struct content *c, struct str *ret_name)
{
    struct str name, value;
    if (!strchr("aApPcCeE", h.p[0]) || !str_cut(h, ':', &name, &value))
        return false; /* most */
    *ret_name = name = str_trim(name);
    if (is_one_of(name, STR("Content-Type"), 'c'))
        c->type = str_trim(value);
    else if (is_one_of(name, STR("Content-Encoding"), 'e'))
        c->coded |= !str_eq_nocase(str_trim(value), STR("identity"));
    else
        return str_eq_nocase(name, STR("Authorization")) ||
               str_eq_nocase(name, STR("Proxy-Authorization"));
    return false;
}

/* Writes the head, and gives the body. */
static struct str put_headers(struct str message, struct content *c, struct buf *out)
{
    const char *from = message.p;
    struct str h = {0}, name;
    while (message.n && !line_is_blank(h)) {
        h = header_take(&message);
        if (!header_read(h, c, &name))
            continue;
        buf_put(out, from, (size_t)(h.p - from));
        buf_printf(out, "%.*s: ", STR_FMT(name));
        put_credentials(str_from(h, str_find(h, ':') + 1), out);
        buf_puts(out, "\r\n");
        from = message.p;
    }
    buf_put(out, from, (size_t)(message.p - from));
    return message;
}

static bool is_sdp(struct str type)
{
    struct str rest;
    str_cut(type, ';', &type, &rest);
    return str_eq_nocase(str_trim(type), STR("application/sdp"));
}

void trace_redact(struct str message, struct buf *out)
{
    struct content c = {0};
    struct str body = put_headers(message, &c, out);
    if (!body.n)
        return;
    if (is_sdp(c.type) && !c.coded)
        put_sdp(body, out);
    else
        buf_printf(out, "(%zu bytes of %.*s)\r\n", body.n,
                   STR_FMT(c.type.n ? str_slice(c.type, 0, 100) : STR("unknown type")));
}
