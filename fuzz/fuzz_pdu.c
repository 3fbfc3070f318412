/* Fuzzes SMPP PDUs: slices stay inside of any input, and a PDU that is read whole and printed is
 * read the same again. */
#include <stdlib.h>
#include <string.h>

#include "smpp/pdu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void slice_is_inside(struct str part, struct str whole)
{
    if (part.n && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
        abort();
}

static void slices_are_inside(const struct pdu *p, struct str whole)
{
    const struct str part[] = {p->system_id,     p->password,           p->system_type,
                               p->range.digits,  p->service_type,       p->source.digits,
                               p->schedule_time, p->destination.digits, p->validity_period,
                               p->short_message, p->message_id,         p->final_date};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        slice_is_inside(part[i], whole);
    for (size_t i = 0; i < p->n_tlvs; i++)
        slice_is_inside(p->tlv[i].value, whole);
}

static void print_and_read(const struct pdu *p)
{
    struct buf first, second;
    struct pdu back;
    uint32_t status;
    buf_init(&first, 2 * PDU_MAX);
    buf_init(&second, 2 * PDU_MAX);
    pdu_print(p, &first);
    if (first.err != OK || pdu_parse(buf_str(&first), &back, &status) != OK)
        abort();
    pdu_print(&back, &second);
    if (!str_eq(buf_str(&first), buf_str(&second)))
        abort();
    buf_fini(&first);
    buf_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str rest = str_of_bytes(data, n);
    size_t size;
    while (pdu_size(rest, &size) == OK && size <= rest.n) {
        struct str one = str_slice(rest, 0, size);
        struct pdu p;
        uint32_t status, number;
        enum err err = pdu_parse(one, &p, &status);
        if ((err == OK) != (status == ESME_ROK))
            abort();
        if (err == OK || err == ERR_INVALID)
            slices_are_inside(&p, one);
        if (err == OK)
            print_and_read(&p);
        (void)!pdu_tlv_number(&p, TLV_SAR_MSG_REF_NUM, &number);
        rest = str_from(rest, size);
    }
    return 0;
}
