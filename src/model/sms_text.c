/* sms_text: reads the text of a message's parts. The door for messages (hub) calls it for each
 * whole message, ten thousand times a second, mostly for one part of GSM 7 bit; that case neither
 * allocates nor copies before the output. Pure.
 *
 * Parts of one coding that follow each other are one run, and a run is read as one piece, since
 * carriers cut escapes and surrogate pairs in two. */
#include "model/charset.h"
#include "model/gsm7.h"
#include "model/sms.h"

/* The longest run that is read. Four octets always give at least one octet of text, except for
 * shift sequences of ISO-2022-JP, where the text may be cut. */
enum { RUN_MAX = 4 * SMS_TEXT_MAX };

struct reader {
    struct text_out text;
    struct buf run;     /* where parts are joined and septets unpacked */
    bool little_endian; /* UCS-2, by a byte order mark */
    bool ordered;       /* the mark's place is over */
};

static void read_gsm7(struct reader *r, struct str run, const struct sms_coding *coding)
{
    struct gsm7 table = gsm7_tables(coding->locking_shift, coding->single_shift);
    for (size_t i = 0; i < run.n && !r->text.full; i++) {
        unsigned char septet = (unsigned char)run.p[i];
        uint32_t c = 0;
        if (septet == GSM7_ESCAPE) {
            septet = ++i < run.n ? (unsigned char)run.p[i] : GSM7_SIZE;
            c = septet < GSM7_SIZE ? table.single[septet] : 0;
        }
        if (c == 0 && septet < GSM7_SIZE) /* also an escape without a meaning (§6.2.1.1) */
            c = table.locking[septet];
        text_put(&r->text, c);
    }
}

static void read_latin1(struct reader *r, struct str run, const struct sms_coding *coding)
{
    for (size_t i = 0; i < run.n && !r->text.full; i++)
        text_put(&r->text, (unsigned char)run.p[i]);
}

static void read_ascii(struct reader *r, struct str run, const struct sms_coding *coding)
{
    for (size_t i = 0; i < run.n && !r->text.full; i++) {
        unsigned char c = (unsigned char)run.p[i];
        text_put(&r->text, c < 0x80 ? c : 0);
    }
}

static void read_utf8(struct reader *r, struct str run, const struct sms_coding *coding)
{
    text_put_utf8(&r->text, run);
}

static void read_binary(struct reader *r, struct str run, const struct sms_coding *coding)
{
    if (str_is_utf8(run))
        read_utf8(r, run, coding);
    else
        read_latin1(r, run, coding);
    r->text.lossy = true; /* the sender did not say that it is text */
}

static uint32_t unit_at(const struct reader *r, struct str run, size_t at)
{
    unsigned first = (unsigned char)run.p[at], second = (unsigned char)run.p[at + 1];
    return r->little_endian ? second << 8 | first : first << 8 | second;
}

/* Reads a byte order mark, which counts only at the start of the first UCS-2, and drops it. */
static size_t read_order(struct reader *r, struct str run)
{
    bool first = !r->ordered;
    r->ordered = true;
    if (!first || run.n < 2)
        return 0;
    uint32_t mark = unit_at(r, run, 0);
    r->little_endian = mark == 0xFFFE;
    return mark == 0xFFFE || mark == 0xFEFF ? 2 : 0;
}

static void read_ucs2(struct reader *r, struct str run, const struct sms_coding *coding)
{
    size_t i = read_order(r, run);
    for (; i + 2 <= run.n && !r->text.full; i += 2) {
        uint32_t c = unit_at(r, run, i);
        if (c >= 0xD800 && c <= 0xDBFF && i + 4 <= run.n) {
            uint32_t low = unit_at(r, run, i + 2);
            if (low >= 0xDC00 && low <= 0xDFFF) {
                c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
                i += 2;
            }
        }
        text_put(&r->text, c); /* half a pair becomes U+FFFD there */
    }
    if (i < run.n && !r->text.full)
        text_put_lost(&r->text);
}

static void read_charset(struct reader *r, struct str run, const struct sms_coding *coding)
{
    static const enum charset set[SMS_ALPHABET_COUNT] = {
        [SMS_CYRILLIC] = CHARSET_ISO_8859_5, [SMS_HEBREW] = CHARSET_ISO_8859_8,
        [SMS_JIS] = CHARSET_SHIFT_JIS,       [SMS_ISO2022JP] = CHARSET_ISO_2022_JP,
        [SMS_EUCJP] = CHARSET_EUC_JP,        [SMS_KSC5601] = CHARSET_EUC_KR,
    };
    charset_read(set[coding->alphabet], run, &r->text);
}

static void (*const readers[SMS_ALPHABET_COUNT])(struct reader *r, struct str run,
                                                 const struct sms_coding *coding) = {
    [SMS_GSM7] = read_gsm7,       [SMS_GSM7_PACKED] = read_gsm7,  [SMS_ASCII] = read_ascii,
    [SMS_LATIN1] = read_latin1,   [SMS_UCS2] = read_ucs2,         [SMS_UTF8] = read_utf8,
    [SMS_BINARY] = read_binary,   [SMS_CYRILLIC] = read_charset,  [SMS_HEBREW] = read_charset,
    [SMS_JIS] = read_charset,     [SMS_ISO2022JP] = read_charset, [SMS_EUCJP] = read_charset,
    [SMS_KSC5601] = read_charset,
};

static enum sms_alphabet run_unpack(enum sms_alphabet a)
{
    return a == SMS_GSM7_PACKED ? SMS_GSM7 : a;
}

/* True when `b` goes on with `a`. A missing part ends a run, since half a character has no other
 * half there. */
static bool part_is_next(const struct sms_part *a, const struct sms_part *b)
{
    return run_unpack(a->coding.alphabet) == run_unpack(b->coding.alphabet) &&
           a->coding.single_shift == b->coding.single_shift &&
           a->coding.locking_shift == b->coding.locking_shift && b->number <= a->number + 1;
}

static size_t run_length(const struct sms_part *const *part, size_t n)
{
    size_t i = 1;
    while (i < n && part_is_next(part[i - 1], part[i]))
        i++;
    return i;
}

static void run_part_join(struct buf *run, const struct sms_part *p)
{
    if (p->coding.alphabet == SMS_GSM7_PACKED)
        gsm7_unpack(p->data, p->coding.fill, run);
    else {
        size_t room = run->max - run->n;
        buf_put_str(run, str_slice(p->data, 0, room));
        if (run->err == OK && p->data.n > room)
            run->err = ERR_TOO_BIG;
    }
}

static enum err read_run(struct reader *r, const struct sms_part *const *part, size_t n)
{
    struct str run = part[0]->data;
    if (n > 1 || part[0]->coding.alphabet == SMS_GSM7_PACKED) {
        buf_reset(&r->run);
        for (size_t i = 0; i < n && r->run.err == OK; i++)
            run_part_join(&r->run, part[i]);
        if (r->run.err == ERR_NOMEM)
            return ERR_NOMEM;
        run = buf_str(&r->run);
    }
    if (run.n)
        readers[part[0]->coding.alphabet](r, run, &part[0]->coding);
    if (r->run.err == ERR_TOO_BIG)
        r->text.full = r->text.lossy = true;
    return OK;
}

enum err sms_text(const struct sms_part *const *part, size_t n, struct buf *out, bool *ret_lossy)
{
    struct reader r;
    enum err err = OK;
    text_begin(&r.text, out, SMS_TEXT_MAX);
    buf_init(&r.run, RUN_MAX);
    r.little_endian = r.ordered = false;
    for (size_t i = 0, length; i < n && err == OK && !r.text.full; i += length) {
        length = run_length(part + i, n - i);
        err = read_run(&r, part + i, length);
    }
    text_end(&r.text);
    buf_fini(&r.run);
    *ret_lossy = r.text.lossy;
    return err == OK ? out->err : err;
}
