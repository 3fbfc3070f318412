/* message: parses a SIP message into slices of the buffer it came in (RFC 3261 §7, §25.1).
 *
 * It is the only reader of bytes from the network: datagrams come here directly, streams through
 * frame.c. Folded lines are joined in place; nothing is copied or allocated. Strict where two
 * readers could see two different messages (line ends, repeated single headers, Content-Length),
 * lenient where senders are merely sloppy. Edge's thread; pure, apart from the unfolding. */
#include "sip/wire/message.h"

#include <string.h>

#include "sip/wire/syntax.h"

static const struct {
    struct str name;
    char compact;
    bool many;
} headers[] = {
#define X(id, name, compact, many) {{name, sizeof name - 1}, compact, many},
    SIP_HEADER_LIST(X)
#undef X
};

static const struct str methods[] = {
#define X(m) {#m, sizeof #m - 1},
    SIP_METHOD_LIST(X)
#undef X
};

const char *sip_method_name(enum sip_method m)
{
    return m < SIP_METHOD_OTHER ? methods[m].p : "OTHER";
}

enum sip_method sip_method_of(struct str text)
{
    for (size_t i = 0; i < SIP_METHOD_OTHER; i++)
        if (str_eq(text, methods[i]))
            return (enum sip_method)i;
    return SIP_METHOD_OTHER;
}

const char *sip_header_name(enum sip_header_id id)
{
    return id < SIP_H_OTHER ? headers[id].name.p : "";
}

static char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

enum sip_header_id sip_header_of(struct str name)
{
    if (name.n == 1) {
        for (size_t i = 0; i < SIP_H_OTHER; i++)
            if (headers[i].compact == ascii_lower(name.p[0]))
                return (enum sip_header_id)i;
        return SIP_H_OTHER;
    }
    for (size_t i = 0; i < SIP_H_OTHER; i++)
        if (headers[i].name.n == name.n &&
            ascii_lower(headers[i].name.p[0]) == ascii_lower(name.p[0]) &&
            str_eq_nocase(headers[i].name, name))
            return (enum sip_header_id)i;
    return SIP_H_OTHER;
}

static enum err message_fail(struct sip_msg *m, int status, const char *why)
{
    if (m->fault_status == 0) { /* the first fault is the clearest */
        m->fault_status = status;
        m->fault = why;
    }
    return ERR_SYNTAX;
}

/* Cuts one line, without its CRLF, with its continuation lines joined; false when it never ends or
 * holds bytes that no line may have. *at moves behind it. */
static bool message_line_take(char *bytes, size_t n, size_t *at, struct str *ret)
{
    size_t from = *at, i = from;
    for (;;) {
        char *cr = i < n ? memchr(bytes + i, '\r', n - i) : NULL;
        i = cr ? (size_t)(cr - bytes) : n;
        if (i + 1 >= n || bytes[i + 1] != '\n')
            return false;
        bool folded = i > from && i + 2 < n && (bytes[i + 2] == ' ' || bytes[i + 2] == '\t');
        if (!folded)
            break;
        bytes[i] = bytes[i + 1] = ' ';
    }
    struct str line = str_of_bytes(bytes + from, i - from);
    if (line.n && memchr(line.p, '\n', line.n))
        return false;
    for (const char *nul = line.p; (nul = memchr(nul, '\0', (size_t)(line.p + line.n - nul)));
         nul++)
        if (nul == line.p || nul[-1] != '\\') /* a quoted-pair may be NUL (§25.1) */
            return false;
    *ret = line;
    *at = i + 2;
    return true;
}

static enum err request_line(struct sip_msg *m, struct str line)
{
    struct str version, rest;
    m->is_request = true;
    if (!str_cut(line, ' ', &m->method_text, &rest) || !is_token(m->method_text))
        return message_fail(m, 400, "bad method");
    m->method = sip_method_of(m->method_text);
    if (!str_cut(rest, ' ', &m->ruri_text, &version) || m->ruri_text.n == 0)
        return message_fail(m, 400, "bad request line");
    if (!str_starts_nocase(version, STR("SIP/")) || str_find(version, ' ') < version.n)
        return message_fail(m, 400, "bad request line");
    if (!str_eq_nocase(version, STR("SIP/2.0")))
        return message_fail(m, 505, "only SIP/2.0");
    if (uri_parse(m->ruri_text, &m->ruri) != OK)
        return message_fail(m, 400, "bad Request-URI");
    return OK;
}

static enum err status_line(struct sip_msg *m, struct str line)
{
    uint64_t status;
    line = str_from(line, 8); /* "SIP/2.0 " */
    struct str code;
    str_cut(line, ' ', &code, &m->reason);
    if (code.n != 3 || str_to_u64(code, 699, &status) != OK || status < 100)
        return message_fail(m, 400, "bad status");
    m->status = (int)status;
    return OK;
}

static enum err start_line(struct sip_msg *m, struct str line)
{
    return str_starts_nocase(line, STR("SIP/2.0 ")) ? status_line(m, line) : request_line(m, line);
}

static enum err header_line(struct sip_msg *m, struct str line)
{
    struct str name, value;
    if (!str_cut(line, ':', &name, &value))
        return message_fail(m, 400, "header without colon");
    while (name.n && char_is(name.p[name.n - 1], CHAR_BLANK))
        name.n--;
    if (!is_token(name))
        return message_fail(m, 400, "bad header name");
    if (m->n_headers == SIP_HEADERS_MAX)
        return message_fail(m, 400, "too many headers");
    m->header[m->n_headers++] =
        (struct sip_header){.id = sip_header_of(name), .name = name, .value = str_trim(value)};
    return OK;
}

const struct sip_header *sip_header(const struct sip_msg *m, enum sip_header_id id, size_t i)
{
    for (size_t k = 0; k < m->n_headers; k++)
        if (m->header[k].id == id && i-- == 0)
            return &m->header[k];
    return NULL;
}

struct str sip_value(const struct sip_msg *m, enum sip_header_id id)
{
    const struct sip_header *h = sip_header(m, id, 0);
    return h ? h->value : (struct str){0};
}

const struct sip_header *sip_header_named(const struct sip_msg *m, struct str name)
{
    enum sip_header_id id = sip_header_of(name);
    for (size_t k = 0; k < m->n_headers; k++)
        if (m->header[k].id == id && (id != SIP_H_OTHER || str_eq_nocase(m->header[k].name, name)))
            return &m->header[k];
    return NULL;
}

bool sip_next(const struct sip_msg *m, enum sip_header_id id, size_t *line, struct str *rest,
              struct str *ret_value)
{
    for (;;) {
        if (rest->n && value_next(rest, ret_value))
            return true;
        const struct sip_header *h = sip_header(m, id, *line);
        if (!h)
            return false;
        ++*line;
        *rest = h->value;
    }
}

bool sip_has_token(const struct sip_msg *m, enum sip_header_id id, struct str token)
{
    size_t line = 0;
    struct str rest = {0}, v;
    while (sip_next(m, id, &line, &rest, &v))
        if (str_eq_nocase(v, token))
            return true;
    return false;
}

bool sip_has_offer(const struct sip_msg *m)
{
    struct str type = sip_value(m, SIP_H_CONTENT_TYPE);
    return m->body.n && (!type.n || str_starts_nocase(type, STR("application/sdp")) ||
                         str_starts_nocase(type, STR("multipart/")));
}

bool sip_body_is_optional(const struct sip_msg *m)
{
    struct str kind, params, handling;
    str_cut(sip_value(m, SIP_H_CONTENT_DISPOSITION), ';', &kind, &params);
    return param_find(params, STR("handling"), &handling) &&
           str_eq_nocase(handling, STR("optional"));
}

/* Reads CSeq, whose number is below 2^31 (RFC 3261 §8.1.1.5). */
static enum err cseq_read(struct sip_msg *m, struct str value)
{
    uint64_t n;
    size_t digits = chars_end(value, 0, CHAR_DIGIT);
    struct str method = blanks_skip(str_from(value, digits));
    if (digits == 0 || str_to_u64(str_slice(value, 0, digits), INT32_MAX, &n) != OK ||
        method.p == value.p + digits || !is_token(method))
        return message_fail(m, 400, "bad CSeq");
    m->cseq = (uint32_t)n;
    m->cseq_method = sip_method_of(method);
    if (!m->is_request)
        m->method = m->cseq_method;
    else if (!str_eq(method, m->method_text))
        return message_fail(m, 400, "CSeq method does not match");
    return OK;
}

static enum err call_id_read(struct sip_msg *m, struct str value)
{
    m->call_id = value;
    if (value.n == 0 || value.n > SIP_CALL_ID_MAX || chars_end(value, 0, CHAR_BLANK) != 0)
        return message_fail(m, 400, "bad Call-ID");
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] <= ' ' || value.p[i] == 0x7f)
            return message_fail(m, 400, "bad Call-ID");
    return OK;
}

static enum err small_number(struct sip_msg *m, enum sip_header_id id, uint64_t max,
                             const char *why, uint64_t *ret)
{
    const struct sip_header *h = sip_header(m, id, 0);
    if (!h || str_to_u64(h->value, max, ret) == OK)
        return OK;
    return message_fail(m, 400, why);
}

static enum err party_read(struct sip_msg *m, enum sip_header_id id, struct name_addr *ret,
                           const char *why)
{
    if (name_addr_parse(sip_value(m, id), ret) != OK || ret->tag.n > SIP_TAG_MAX)
        return message_fail(m, 400, why);
    return OK;
}

/* Reads the headers that every message must have (§8.1.1), each once. */
static enum err required_read(struct sip_msg *m)
{
    static const char *const twice[SIP_H_OTHER] = {
        [SIP_H_FROM] = "several From",
        [SIP_H_TO] = "several To",
        [SIP_H_CALL_ID] = "several Call-ID",
        [SIP_H_CSEQ] = "several CSeq",
        [SIP_H_MAX_FORWARDS] = "several Max-Forwards",
        [SIP_H_CONTENT_LENGTH] = "several Content-Length",
    };
    bool seen[SIP_H_OTHER + 1] = {false};
    struct str via = {0}, rest = {0};
    size_t line = 0;
    enum err err = OK;
    for (size_t i = 0; i < m->n_headers; i++) {
        enum sip_header_id id = m->header[i].id;
        if (seen[id] && id != SIP_H_OTHER && twice[id])
            err = message_fail(m, 400, twice[id]);
        seen[id] = true;
    }
    if (!seen[SIP_H_VIA] || !seen[SIP_H_FROM] || !seen[SIP_H_TO] || !seen[SIP_H_CALL_ID] ||
        !seen[SIP_H_CSEQ])
        return message_fail(m, 400, "Via, From, To, Call-ID or CSeq is missing");
    if (!sip_next(m, SIP_H_VIA, &line, &rest, &via) || via_parse(via, &m->via) != OK)
        err = message_fail(m, 400, "bad Via");
    m->answerable = m->is_request && m->via.host.n > 0;
    if (cseq_read(m, sip_value(m, SIP_H_CSEQ)) != OK)
        err = ERR_SYNTAX;
    if (call_id_read(m, sip_value(m, SIP_H_CALL_ID)) != OK)
        err = ERR_SYNTAX;
    if (party_read(m, SIP_H_FROM, &m->from, "bad From") != OK ||
        party_read(m, SIP_H_TO, &m->to, "bad To") != OK)
        err = ERR_SYNTAX;
    return err;
}

/* Reads headers that not every request has, but that must be well formed. A response is what it is
 * by its branch and CSeq (§17.1.3), and whoever sent it would hear of no fault. */
static enum err optional_read(struct sip_msg *m)
{
    uint64_t v = 0;
    struct str value;
    enum err err = OK;
    if (!m->is_request)
        return OK;
    if (sip_header(m, SIP_H_MAX_FORWARDS, 0)) {
        err = small_number(m, SIP_H_MAX_FORWARDS, 255, "bad Max-Forwards", &v);
        m->max_forwards = (int)v;
    }
    size_t line = 0;
    struct str rest = {0};
    struct name_addr contact;
    while (err == OK && sip_next(m, SIP_H_CONTACT, &line, &rest, &value))
        if (!str_eq(value, STR("*")) && name_addr_parse(value, &contact) != OK)
            err = message_fail(m, 400, "bad Contact");
    return err;
}

static enum err body_read(struct sip_msg *m, char *bytes, size_t n, size_t at)
{
    uint64_t length = n - at;
    const struct sip_header *h = sip_header(m, SIP_H_CONTENT_LENGTH, 0);
    enum err err = OK;
    if (h && (str_to_u64(h->value, UINT32_MAX, &length) != OK || length > n - at)) {
        err = message_fail(m, 400, "Content-Length is larger than the message, or no number");
        length = n - at;
    }
    m->body = str_of_bytes(bytes + at, (size_t)length);
    m->size = at + (size_t)length;
    return err;
}

enum err sip_parse(char *bytes, size_t n, struct sip_msg *ret)
{
    struct sip_msg *m = ret;
    struct str line;
    size_t at = 0;
    memset(m, 0, offsetof(struct sip_msg, header));
    memset(&m->via, 0, sizeof *m - offsetof(struct sip_msg, via));
    m->max_forwards = -1;
    while (at + 1 < n && bytes[at] == '\r' && bytes[at + 1] == '\n')
        at += 2;
    if (n - at > SIP_MESSAGE_MAX)
        return message_fail(m, 513, "message too large");
    if (!message_line_take(bytes, n, &at, &line))
        return message_fail(m, 400, "no start line");
    enum err err = start_line(m, line);
    for (;;) {
        if (at == n && m->n_headers) { /* cut off, or never there: it still names its sender */
            err = message_fail(m, 400, "no blank line behind the headers");
            break;
        }
        if (!message_line_take(bytes, n, &at, &line))
            return message_fail(m, 400, "a header line does not end, or holds control bytes");
        if (line.n == 0)
            break;
        if (header_line(m, line) != OK)
            err = ERR_SYNTAX;
    }
    if (required_read(m) != OK)
        err = ERR_SYNTAX;
    if (body_read(m, bytes, n, at) != OK)
        err = ERR_SYNTAX;
    if (err == OK)
        err = optional_read(m);
    return err;
}
