/* event_sms: builds a message's event from its parts: their text, their alphabets, the missing
 * parts, and the raw bytes where the text is not the whole content. The door for messages (hub) and
 * the joining of parts call it. Pure. */
#include "base/crypto.h"
#include "model/event.h"
#include "model/sms.h"

enum {
    RAW_MAX = 4096, /* octets of user data that go into an event, in hex */
    /* A text this near to its maximum was cut there: a character has at most four octets. */
    CUT_FROM = SMS_TEXT_MAX - 3,
    MISSING_MAX = 1024, /* 255 numbers with their commas */
};

static struct str encoding_of(const struct sms_part *const *part, size_t n)
{
    const char *name = sms_alphabet_name(part[0]->coding.alphabet);
    for (size_t i = 1; i < n; i++)
        if (!str_eq(str_of(name), str_of(sms_alphabet_name(part[i]->coding.alphabet))))
            return STR("mixed");
    return str_of(name);
}

/* Writes the numbers from 1 to `parts` that no part has: "2,3". */
static void put_missing(struct buf *b, const struct sms_part *const *part, size_t n, unsigned parts)
{
    size_t i = 0;
    for (unsigned number = 1; number <= parts; number++) {
        if (i < n && part[i]->number == number) {
            i++;
            continue;
        }
        if (b->n)
            buf_putc(b, ',');
        buf_put_u64(b, number);
    }
}

/* Writes the parts' bytes in hex, with a comma between parts. */
static bool put_raw(struct buf *b, const struct sms_part *const *part, size_t n)
{
    size_t room = RAW_MAX;
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_putc(b, ',');
        buf_put_hex(b, str_slice(part[i]->data, 0, room));
        if (part[i]->data.n > room)
            return true;
        room -= part[i]->data.n;
    }
    return false;
}

enum err event_of_parts(const struct sms_facts *facts, const struct sms_part *const *part, size_t n,
                        int64_t now_ms, struct event **ret)
{
    struct sms_facts f = *facts;
    struct buf text, raw, missing;
    char numbers[MISSING_MAX];
    bool lossy = false;
    buf_init(&text, SMS_TEXT_MAX);
    buf_init(&raw, 2 * RAW_MAX + SMS_PARTS_MAX);
    buf_wrap(&missing, numbers, sizeof numbers);
    enum err err = sms_text(part, n, &text, &lossy);
    f.message = buf_str(&text);
    f.encoding = encoding_of(part, n);
    f.truncated = lossy && text.n >= CUT_FROM;
    if (f.partial && part[0]->number && part[n - 1]->number <= f.parts &&
        f.parts <= SMS_PARTS_MAX) {
        put_missing(&missing, part, n, f.parts);
        f.parts_missing = buf_str(&missing);
    }
    if (err == OK && lossy) {
        f.raw_truncated = put_raw(&raw, part, n);
        f.raw = raw.p ? buf_str(&raw) : STR("");
        f.data_coding = part[0]->data_coding;
        err = raw.err;
    }
    if (err == OK)
        err = event_of_sms(&f, now_ms, ret);
    buf_fini(&text);
    buf_fini(&raw);
    return err;
}
