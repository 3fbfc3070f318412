/* Fuzzes the parts of a message: six octets say how a part is to be read (alphabet, shifts, fill,
 * step of the number, length), the part follows. The text is UTF-8 within its limits, is the same
 * when one part is cut in two, and comes back when it is encoded. */
#include <stdlib.h>
#include <string.h>

#include "model/sms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { PARTS = 8 };

static void check_text(bool ok)
{
    if (!ok)
        abort();
}

/* Keeps each part in memory of its own, so that reading past its end is seen. */
static size_t parts_split(const uint8_t *data, size_t n, struct sms_part *p, char **memory)
{
    size_t count = 0;
    unsigned number = 0;
    while (count < PARTS && n >= 6) {
        size_t size = data[5] < n - 6 ? data[5] : n - 6;
        char *copy = malloc(size ? size : 1);
        if (!copy)
            break;
        memcpy(copy, data + 6, size);
        number += 1 + (data[4] & 1);
        memory[count] = copy;
        p[count++] = (struct sms_part){.coding = {(enum sms_alphabet)(data[0] % SMS_ALPHABET_COUNT),
                                                  data[1], data[2], data[3] % 7},
                                       .data = {copy, size},
                                       .parts = 255,
                                       .number = number};
        data += 6 + size;
        n -= 6 + size;
    }
    return count;
}

static void read_parts(const struct sms_part *p, size_t n, struct buf *out, bool *lossy)
{
    const struct sms_part *list[PARTS + 1];
    for (size_t i = 0; i < n; i++)
        list[i] = &p[i];
    buf_init(out, SMS_TEXT_MAX);
    check_text(sms_text(list, n, out, lossy) == OK);
    check_text(str_is_utf8(buf_str(out)));
    check_text(!out->n || !memchr(out->p, '\0', out->n));
}

static void check_back(struct str text)
{
    struct buf coded, again;
    bool lossy;
    struct sms_part p = {.parts = 1, .number = 1};
    buf_init(&coded, 4 * SMS_TEXT_MAX);
    check_text(sms_encode(text, &coded, &p.coding.alphabet) == OK);
    p.data = buf_str(&coded);
    read_parts(&p, 1, &again, &lossy);
    check_text(str_eq(buf_str(&again), text) && !lossy);
    buf_fini(&coded);
    buf_fini(&again);
}

static void check_cut(const struct sms_part *p, struct str due, bool lossy)
{
    struct sms_part two[2] = {*p, *p};
    struct buf out;
    bool cut_lossy;
    if (p->coding.alphabet == SMS_GSM7_PACKED)
        return;
    two[0].data = str_slice(p->data, 0, p->data.n / 2);
    two[1].data = str_from(p->data, p->data.n / 2);
    two[1].number = two[0].number + 1;
    read_parts(two, 2, &out, &cut_lossy);
    check_text(str_eq(buf_str(&out), due) && cut_lossy == lossy);
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sms_part p[PARTS];
    char *memory[PARTS];
    struct buf out;
    bool lossy;
    size_t count = parts_split(data, n, p, memory);
    read_parts(p, count, &out, &lossy);
    if (count == 1)
        check_cut(p, buf_str(&out), lossy);
    check_back(buf_str(&out));
    buf_fini(&out);
    for (size_t i = 0; i < count; i++)
        free(memory[i]);
    return 0;
}
