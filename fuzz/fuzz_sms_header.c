/* Fuzzes a user data header: the first octet chooses the alphabet, the rest comes from a carrier.
 * The text is the end of the input, and every element that was read is within its bounds. */
#include <stdlib.h>
#include <string.h>

#include "model/sms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_header(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    char *copy = malloc(n); /* not a byte more, so that reading past the end is seen */
    if (!copy)
        return 0;
    memcpy(copy, data + 1, n - 1);
    struct sms_part p = {.coding.alphabet = (enum sms_alphabet)(data[0] % SMS_ALPHABET_COUNT),
                         .data = {realloc(copy, n - 1 ? n - 1 : 1), n - 1}};
    struct sms_part before = p;
    if (sms_header_parse(&p) == OK) {
        const struct sms_part *one = &p;
        struct buf out;
        bool lossy;
        check_header(p.data.n < before.data.n);
        check_header(p.data.p + p.data.n == before.data.p + before.data.n);
        check_header(p.parts >= 1 && p.parts <= SMS_PARTS_MAX && p.number >= 1 &&
                     p.number <= p.parts);
        check_header(p.reference <= (p.wide ? 0xFFFFu : 0xFFu));
        check_header(p.coding.single_shift <= 13 && p.coding.locking_shift <= 13 &&
                     p.coding.fill < 7);
        check_header(p.coding.alphabet == SMS_GSM7_PACKED || p.coding.fill == 0);
        buf_init(&out, SMS_TEXT_MAX);
        check_header(sms_text(&one, 1, &out, &lossy) == OK && str_is_utf8(buf_str(&out)));
        buf_fini(&out);
    } else
        check_header(memcmp(&p, &before, sizeof p) == 0);
    free((char *)(uintptr_t)before.data.p);
    return 0;
}
