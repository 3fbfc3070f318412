/* trace_redact: what a trace does not keep (docs/sip.md). Works on any bytes, line by line: what
 * cannot be read as a header that is known to be harmless in this respect is kept, what is a secret
 * is replaced by "…" as far as it reaches, also where the message was cut off. Pure. */
#include "sip/message.h"
#include "sip/trace.h"

static const struct str dots = STR("\xe2\x80\xa6"); /* … */

/* Cuts the next line off *rest, with its end. */
static struct str line_take(struct str *rest)
{
    size_t n = str_find(*rest, '\n');
    struct str line = str_slice(*rest, 0, n < rest->n ? n + 1 : n);
    *rest = str_from(*rest, line.n);
    return line;
}

/* A header with the lines that go on with it (RFC 3261 §7.3.1). */
static struct str header_take(struct str *rest)
{
    struct str h = line_take(rest);
    if (str_trim(h).n == 0)
        return h; /* the blank line: a body may begin with blanks */
    while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t'))
        h.n += line_take(rest).n;
    return h;
}

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

/* One parameter, up to its comma; a quoted string may hold commas. */
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

/* "Digest username="…", response="…"": the scheme, and of a digest what is no proof. */
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

static bool put_key_line(struct str line, struct buf *out)
{
    struct str head, rest;
    uint64_t tag;
    if (str_starts(line, STR("k="))) {
        buf_puts(out, "k=");
    } else if (str_starts_nocase(line, STR("a=ice-pwd:"))) {
        buf_put_str(out, str_slice(line, 0, 10));
    } else if (str_starts_nocase(line, STR("a=key-mgmt:"))) { /* RFC 4567: the protocol, its data */
        str_cut(line, ' ', &head, &rest);
        buf_printf(out, "%.*s ", STR_FMT(rest.n ? head : str_slice(line, 0, 11)));
    } else if (str_starts_nocase(line, STR("a=crypto:"))) { /* RFC 4568: tag, suite, keys */
        bool has_suite = str_cut(str_from(line, 9), ' ', &head, &rest);
        buf_put_str(out, str_slice(line, 0, 9));
        if (has_suite && str_to_u64(head, 999999999, &tag) == OK)
            buf_printf(out, "%.*s ", STR_FMT(head));
        if (has_suite && str_cut(rest, ' ', &head, &rest))
            buf_printf(out, "%.*s ", STR_FMT(head));
    } else {
        return false;
    }
    buf_put_str(out, dots);
    buf_puts(out, "\r\n");
    return true;
}

static void put_sdp(struct str body, struct buf *out)
{
    while (body.n) {
        struct str line = line_take(&body);
        if (!put_key_line(line, out))
            buf_put_str(out, line);
    }
}

/* ---- the message ---- */

struct content {
    struct str type; /* as written */
    bool coded;
};

static void put_header(struct str h, struct content *c, struct buf *out)
{
    struct str name, value;
    bool is_header = str_cut(h, ':', &name, &value);
    name = str_trim(name);
    if (is_header && (str_eq_nocase(name, STR("Authorization")) ||
                      str_eq_nocase(name, STR("Proxy-Authorization")))) {
        buf_printf(out, "%.*s: ", STR_FMT(name));
        put_credentials(value, out);
        buf_puts(out, "\r\n");
        return;
    }
    if (is_header && (str_eq_nocase(name, STR("Content-Type")) || str_eq_nocase(name, STR("c"))))
        c->type = str_trim(value);
    if (is_header &&
        (str_eq_nocase(name, STR("Content-Encoding")) || str_eq_nocase(name, STR("e"))))
        c->coded |= !str_eq_nocase(str_trim(value), STR("identity"));
    buf_put_str(out, h);
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
    while (message.n) {
        struct str h = header_take(&message);
        put_header(h, &c, out);
        if (str_trim(h).n == 0) /* the blank line */
            break;
    }
    if (!message.n)
        return;
    if (is_sdp(c.type) && !c.coded)
        put_sdp(message, out);
    else
        buf_printf(out, "(%zu bytes of %.*s)\r\n", message.n,
                   STR_FMT(c.type.n ? str_slice(c.type, 0, 100) : STR("unknown type")));
}
