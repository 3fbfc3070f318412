/* text_body: a MESSAGE's Content-* headers and body, read as a text message's data and its alphabet
 * (RFC 3428 §8; RFC 3261 §7.4, §20.15). The decoding itself is model/sms.h's, as for SMPP: what has
 * no character becomes U+FFFD there.
 *
 * text/plain, alone or in message/cpim; disposition notifications (RFC 5438) are taken and tell
 * nobody anything; all else is 415 with what we would take. Called by text_in.c; pure. */
#include "sip/text/text_body.h"

#include <string.h>

#include "sip/text/cpim.h"
#include "sip/wire/syntax.h"

static const char accept[] = "Accept: text/plain, message/cpim\r\n";

enum byte_order { AS_IT_IS, BY_MARK, LITTLE };

/* By their registered names and those that are met (IANA character sets); data_coding as SMPP has
 * it for who is given the raw bytes (4: octets, of which it says no more). */
static const struct {
    struct str name;
    enum sms_alphabet alphabet;
    enum byte_order order;
    uint8_t data_coding;
} charsets[] = {
    {STR("utf-8"), SMS_UTF8, AS_IT_IS, 4},
    {STR("utf8"), SMS_UTF8, AS_IT_IS, 4},
    {STR("us-ascii"), SMS_ASCII, AS_IT_IS, 1},
    {STR("ascii"), SMS_ASCII, AS_IT_IS, 1},
    {STR("iso-8859-1"), SMS_LATIN1, AS_IT_IS, 3},
    {STR("latin1"), SMS_LATIN1, AS_IT_IS, 3},
    {STR("utf-16"), SMS_UCS2, BY_MARK, 8},
    {STR("ucs-2"), SMS_UCS2, BY_MARK, 8},
    {STR("iso-10646-ucs-2"), SMS_UCS2, BY_MARK, 8},
    {STR("utf-16be"), SMS_UCS2, BY_MARK, 8},
    {STR("utf-16le"), SMS_UCS2, LITTLE, 8},
    {STR("iso-8859-5"), SMS_CYRILLIC, AS_IT_IS, 6},
    {STR("iso-8859-8"), SMS_HEBREW, AS_IT_IS, 7},
    {STR("shift_jis"), SMS_JIS, AS_IT_IS, 5},
    {STR("shift-jis"), SMS_JIS, AS_IT_IS, 5},
    {STR("iso-2022-jp"), SMS_ISO2022JP, AS_IT_IS, 10},
    {STR("euc-jp"), SMS_EUCJP, AS_IT_IS, 13},
    {STR("euc-kr"), SMS_KSC5601, AS_IT_IS, 14},
};

static void refuse(struct text_body *ret, int status, const char *reason, const char *headers)
{
    *ret = (struct text_body){.status = status, .reason = reason, .headers = headers};
}

/* ---- the type ---- */

struct media {
    struct str type, subtype, charset; /* charset absent: none is named */
};

/* Off to the next parameter; a fold may stand between two. */
static struct str gap_skip(struct str s)
{
    while (s.n && memchr("; \t\r\n", s.p[0], 5))
        s = str_from(s, 1);
    return s;
}

/* "text/plain; charset=UTF-8" (RFC 2045 §5.1). False when it is no media type. */
static bool media_parse(struct str text, struct media *ret)
{
    struct str essence, params;
    struct param p;
    enum err err;
    *ret = (struct media){0};
    str_cut(text, ';', &essence, &params);
    if (!str_cut(essence, '/', &ret->type, &ret->subtype))
        return false;
    ret->type = str_trim(ret->type);
    ret->subtype = str_trim(ret->subtype);
    if (!is_token(ret->type) || !is_token(ret->subtype))
        return false;
    while (params = gap_skip(params), (err = param_next(&params, &p)) == OK)
        if (str_eq_nocase(p.name, STR("charset")) && !ret->charset.p)
            ret->charset = p.value.p ? p.value : STR("");
    return err == ERR_NOT_FOUND;
}

static bool is(const struct media *m, struct str type, struct str subtype)
{
    return str_eq_nocase(m->type, type) && str_eq_nocase(m->subtype, subtype);
}

/* ---- the text ---- */

static bool has_high_bytes(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] > 127)
            return true;
    return false;
}

/* UTF-16 as big-endian and without its mark (RFC 2781 §4.3: without one it is big-endian). */
static enum err big_endian(struct str *data, enum byte_order order, struct buf *mem)
{
    bool little = order == LITTLE;
    if (str_starts(*data, STR("\xfe\xff")) && !little) {
        *data = str_from(*data, 2);
    } else if (str_starts(*data, STR("\xff\xfe"))) {
        little = true;
        *data = str_from(*data, 2);
    }
    if (!little)
        return OK;
    size_t from = mem->n;
    for (size_t i = 0; i + 1 < data->n; i += 2) {
        buf_putc(mem, data->p[i + 1]);
        buf_putc(mem, data->p[i]);
    }
    if (data->n % 2) /* half a unit: left for the decoder to find */
        buf_putc(mem, data->p[data->n - 1]);
    *data = str_of_bytes(mem->p + from, mem->n - from);
    return mem->err;
}

static void text_read(struct str charset, struct str data, struct buf *mem, struct text_body *ret)
{
    size_t i = 0, n = sizeof charsets / sizeof *charsets;
    if (!charset.p)
        charset = STR("utf-8"); /* RFC 3261 §20.15 */
    while (i < n && !str_eq_nocase(charset, charsets[i].name))
        i++;
    if (i == n) {
        refuse(ret, 415, "Unknown Charset", accept);
        return;
    }
    enum sms_alphabet alphabet = charsets[i].alphabet;
    if (charsets[i].order != AS_IT_IS && big_endian(&data, charsets[i].order, mem) != OK) {
        refuse(ret, 413, NULL, NULL);
        return;
    }
    if (alphabet == SMS_ASCII && has_high_bytes(data))
        alphabet = SMS_UTF8; /* what calls itself ASCII and is not, is that by experience */
    if (alphabet == SMS_UTF8 && str_starts(data, STR("\xef\xbb\xbf")))
        data = str_from(data, 3);
    *ret = (struct text_body){.part = {.coding = {.alphabet = alphabet},
                                       .data_coding = charsets[i].data_coding,
                                       .data = data,
                                       .parts = 1,
                                       .number = 1}};
}

/* ---- what it is ---- */

static void cpim_read(struct str text, struct buf *mem, struct text_body *ret)
{
    static const struct str plain[] = {STR("7bit"), STR("8bit"), STR("binary")};
    struct cpim c;
    struct media m;
    if (cpim_parse(text, &c) != OK) {
        refuse(ret, 400, "Malformed message/cpim", NULL);
        return;
    }
    bool coded = c.transfer_encoding.n > 0;
    for (size_t i = 0; i < 3; i++)
        coded &= !str_eq_nocase(c.transfer_encoding, plain[i]);
    if (c.requires || coded)
        refuse(ret, 415, c.requires ? "CPIM Requires Something Unknown" : NULL, accept);
    else if (!media_parse(c.content_type.n ? c.content_type : STR("text/plain"), &m))
        refuse(ret, 400, "Bad Content-Type In message/cpim", NULL);
    else if (is(&m, STR("text"), STR("plain")))
        text_read(m.charset, c.body, mem, ret);
    else if (is(&m, STR("message"), STR("imdn+xml")))
        *ret = (struct text_body){.status = 200};
    else
        refuse(ret, 415, NULL, accept);
}

static bool is_encoded(const struct sip_msg *m)
{
    size_t line = 0;
    struct str rest = {0}, v;
    while (sip_next(m, SIP_H_CONTENT_ENCODING, &line, &rest, &v))
        if (!str_eq_nocase(v, STR("identity")))
            return true;
    return false;
}

void text_body_read(const struct sip_msg *m, size_t max, struct buf *mem, struct text_body *ret)
{
    struct str type = sip_value(m, SIP_H_CONTENT_TYPE);
    struct media media;
    if (is_encoded(m))
        refuse(ret, 415, NULL, "Accept: text/plain, message/cpim\r\nAccept-Encoding: identity\r\n");
    else if (m->body.n > max)
        refuse(ret, 413, NULL, NULL);
    else if (!media_parse(type.n ? type : STR("text/plain"), &media))
        refuse(ret, 400, "Bad Content-Type", NULL);
    else if (is(&media, STR("text"), STR("plain")))
        text_read(media.charset, m->body, mem, ret);
    else if (is(&media, STR("message"), STR("cpim")))
        cpim_read(m->body, mem, ret);
    else if (is(&media, STR("message"), STR("imdn+xml")))
        *ret = (struct text_body){.status = 200};
    else
        refuse(ret, 415, NULL, accept);
}
