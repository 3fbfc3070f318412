/* number: converts the numbers that carriers write to E.164. Called for every INVITE and message by
 * sip/core/identity and smpp; pure. The invariant: number_is_e164 accepts every result. */
#include "model/number.h"

#include <string.h>

enum { DIGITS_MIN = 5, DIGITS_MAX = 15 };

bool number_is_e164(struct str s)
{
    if (s.n < 1 + DIGITS_MIN || s.n > 1 + DIGITS_MAX || s.p[0] != '+' || s.p[1] == '0')
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

bool number_is_sender(struct str s)
{
    if (s.n == 0 || s.n > SENDER_MAX || s.p[0] == ' ' || s.p[s.n - 1] == ' ')
        return false;
    for (size_t at = 0, n; at < s.n; at += n) {
        unsigned char c = (unsigned char)s.p[at];
        if ((n = str_utf8_at(s, at)) == 0 || c < ' ' || c == 0x7F ||
            (n == 2 && c == 0xC2 && (unsigned char)s.p[at + 1] < 0xA0))
            return false;
    }
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads digits with at most one leading `+`; drops separators (RFC 3966 §5.1.1), undoes escapes.
 * "+44 (0)7700 900123": the bracketed prefix is dialled within the country only, and goes. */
static enum err digits_read(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (out->n && out->p[0] == '+' && str_starts(str_from(text, i), STR("(0)"))) {
            i += 2;
            continue;
        }
        if (c == '%') {
            int high = i + 2 < text.n ? hex_value(text.p[i + 1]) : -1;
            int low = i + 2 < text.n ? hex_value(text.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return ERR_INVALID;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if ((c >= '0' && c <= '9') || (c == '+' && out->n == 0))
            buf_putc(out, c);
        else if (!memchr("-.() ", c, 5))
            return ERR_INVALID;
    }
    return out->err == OK ? OK : ERR_INVALID;
}

/* Finds the digits in whose context a local number is valid (RFC 3966 §5.1.5); empty when there are
 * none, or the context is a domain. */
static struct str phone_context(struct str params, struct buf *mem)
{
    struct str one, name, value;
    while (params.n) {
        str_cut(params, ';', &one, &params);
        if (!str_cut(one, '=', &name, &value) || !str_eq_nocase(name, STR("phone-context")))
            continue;
        bool global = digits_read(value, mem) == OK && mem->n && mem->p[0] == '+';
        return global ? str_from(buf_str(mem), 1) : (struct str){0};
    }
    return (struct str){0};
}

static bool prefix_strip(struct str *digits, const char *prefix)
{
    if (!*prefix || !str_starts(*digits, str_of(prefix)))
        return false;
    *digits = str_from(*digits, strlen(prefix));
    return true;
}

enum err number_parse(struct str text, const struct number_rules *r, char out[NUMBER_SIZE])
{
    char mem[64], context_mem[24];
    struct buf raw, around, whole;
    struct str user, params, country = {0};
    if (str_eq_nocase(str_slice(text, 0, 4), STR("tel:")))
        text = str_from(text, 4);
    str_cut(text, ';', &user, &params);
    buf_wrap(&raw, mem, sizeof mem);
    buf_wrap(&around, context_mem, sizeof context_mem);
    if (digits_read(user, &raw) != OK || raw.n == 0)
        return ERR_INVALID;
    struct str digits = buf_str(&raw), context = phone_context(params, &around);
    const char *international = *r->international ? r->international : "00";
    if (digits.p[0] == '+')
        digits = str_from(digits, 1);
    else if (context.n)
        country = context;
    else if (!prefix_strip(&digits, international)) {
        if (*r->country && prefix_strip(&digits, r->national))
            country = str_of(r->country);
        else if (!r->bare_is_e164) {
            if (!*r->country)
                return ERR_INVALID;
            country = str_of(r->country);
        }
    }
    buf_wrap(&whole, out, NUMBER_SIZE - 1);
    buf_putc(&whole, '+');
    buf_put_str(&whole, country);
    buf_put_str(&whole, digits);
    if (whole.err != OK || !number_is_e164(buf_str(&whole)))
        return ERR_INVALID;
    out[whole.n] = '\0';
    return OK;
}
