/* party: reads source_addr and destination_addr. Carriers agree on little: a type of number of 0
 * says nothing, 1 comes with and without `+`, letters come under any type. So digits are judged by
 * the type first, then by the link's number rules. inbound calls it. */
#include "smpp/party.h"

#include <stdio.h>
#include <string.h>

enum { TON_UNKNOWN, TON_INTERNATIONAL, TON_NATIONAL, TON_ALPHANUMERIC = 5 };
enum { SHORT_CODE_MAX = 6 };

/* Counts the digits; 0 when there is anything but digits behind at most one `+`. */
static size_t digits_of(struct str s)
{
    size_t n = 0, plus = s.n && s.p[0] == '+';
    for (size_t i = plus; i < s.n; i++, n++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return 0;
    return n;
}

/* Makes E.164 of the country code ("44") and a national number, with or without its trunk prefix.
 * On a link where bare digits are E.164, those that begin with the country code are so under this
 * type too, and without a country all are. */
static enum err national_parse(struct str digits, const struct number_rules *r,
                               char out[NUMBER_SIZE])
{
    if (r->bare_is_e164 && str_starts(digits, str_of(r->country)))
        return number_parse(digits, r, out);
    if (!*r->country)
        return ERR_INVALID;
    if (*r->national && str_starts(digits, str_of(r->national)))
        digits = str_from(digits, strlen(r->national));
    int n = snprintf(out, NUMBER_SIZE, "+%s%.*s", r->country, STR_FMT(str_slice(digits, 0, 20)));
    return n < NUMBER_SIZE && number_is_e164(str_of(out)) ? OK : ERR_INVALID;
}

static enum err international_parse(struct str digits, const struct number_rules *r,
                                    char out[NUMBER_SIZE])
{
    const char *prefix = *r->international ? r->international : "00";
    if (digits.n && digits.p[0] == '+')
        digits = str_from(digits, 1);
    else if (str_starts(digits, str_of(prefix)))
        digits = str_from(digits, strlen(prefix));
    int n = snprintf(out, NUMBER_SIZE, "+%.*s", STR_FMT(str_slice(digits, 0, 20)));
    return n < NUMBER_SIZE && number_is_e164(str_of(out)) ? OK : ERR_INVALID;
}

static enum err number_by_type(const struct smpp_address *a, const struct number_rules *r,
                               char out[NUMBER_SIZE])
{
    if (digits_of(a->digits) == 0)
        return ERR_INVALID;
    if (a->digits.p[0] == '+' || a->ton == TON_INTERNATIONAL)
        return international_parse(a->digits, r, out);
    if (a->ton == TON_NATIONAL)
        return national_parse(a->digits, r, out);
    return a->ton == TON_UNKNOWN ? number_parse(a->digits, r, out) : ERR_INVALID;
}

/* Prints letters. Most gateways write ASCII, some GSM 7 bit (where £ is 1), a few Latin-1;
 * printable ASCII is read as ASCII. */
static void letters_print(struct str s, struct buf *out)
{
    struct sms_part part = {.coding.alphabet = SMS_ASCII, .data = s, .parts = 1, .number = 1};
    const struct sms_part *parts[] = {&part};
    bool lossy;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x80)
            part.coding.alphabet = str_is_utf8(s) ? SMS_UTF8 : SMS_LATIN1;
        else if (c < 0x20 && part.coding.alphabet == SMS_ASCII)
            part.coding.alphabet = SMS_GSM7;
    }
    if (sms_text(parts, 1, out, &lossy) != OK)
        buf_puts(out, "unknown");
}

/* True for what may be a number as people or URIs write it: "+44 (0)7700 900123", "tel:+44-7700…". */
static bool is_written_number(struct str s)
{
    return str_starts(s, STR("+")) || str_eq_nocase(str_slice(s, 0, 4), STR("tel:"));
}

void party_print_source(const struct smpp_address *a, const struct number_rules *r, struct buf *out)
{
    char e164[NUMBER_SIZE];
    size_t digits = digits_of(a->digits);
    if (a->digits.n == 0)
        buf_puts(out, "unknown");
    else if (a->ton != TON_ALPHANUMERIC && !digits && is_written_number(a->digits) &&
             number_parse(a->digits, r, e164) == OK)
        buf_puts(out, e164);
    else if (a->ton == TON_ALPHANUMERIC || digits == 0)
        letters_print(a->digits, out);
    else if (digits > SHORT_CODE_MAX && number_by_type(a, r, e164) == OK)
        buf_puts(out, e164);
    else
        buf_put_str(out, a->digits);
}

const struct book_number *party_destination(const struct book *b, const struct smpp_address *a,
                                            const struct number_rules *r, char e164[NUMBER_SIZE])
{
    const struct book_number *n = NULL;
    if (number_by_type(a, r, e164) == OK)
        n = book_number(b, str_of(e164));
    /* The type may be wrong; a number of ours is the better sign. */
    if (!n && digits_of(a->digits) && international_parse(a->digits, r, e164) == OK)
        n = book_number(b, str_of(e164));
    return n && n->set->sms ? n : NULL;
}
