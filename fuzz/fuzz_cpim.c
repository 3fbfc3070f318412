/* Fuzzes the body of a MESSAGE: the first line is its Content-Type, the rest its body; and all of
 * it is a message/cpim. Slices must stay inside, a refusal must have a status. */
#include <stdlib.h>
#include <string.h>

#include "sip/text/cpim.h"
#include "sip/text/text_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_body(bool ok)
{
    if (!ok)
        abort();
}

static bool slice_is_inside(struct str part, struct str whole)
{
    return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct sip_msg m;
    struct str text = {(const char *)data, n}, type, body;
    struct cpim c;
    struct text_body b;
    struct buf mem;
    if (cpim_parse(text, &c) == OK) {
        check_body(slice_is_inside(c.content_type, text) &&
                   slice_is_inside(c.transfer_encoding, text));
        check_body(slice_is_inside(c.body, text) && c.body.n <= text.n);
    }
    str_cut(text, '\n', &type, &body);
    m.n_headers = 1;
    m.header[0] = (struct sip_header){.id = SIP_H_CONTENT_TYPE, .value = str_trim(type)};
    m.body = body;
    buf_init(&mem, n + 1);
    text_body_read(&m, 4096, &mem, &b);
    check_body(b.status == 0 || b.status == 200 || (b.status >= 400 && b.status < 500));
    if (b.status == 0) {
        struct str turned = buf_str(&mem);
        check_body(slice_is_inside(b.part.data, body) || slice_is_inside(b.part.data, turned));
        check_body(b.part.coding.alphabet < SMS_ALPHABET_COUNT && b.part.parts == 1);
    }
    buf_fini(&mem);
    return 0;
}
