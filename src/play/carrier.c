/* carrier: sends SMS over SMPP 3.4: bind_transceiver, submit_sm, and answers to the requests of
 * the other side. Long texts go as parts with an 8-bit reference (3GPP TS 23.040 §9.2.3.24.1), cut
 * as carriers cut them: between septets of GSM 7 bit but never behind an escape, and anywhere
 * between units of UCS-2, a surrogate pair included. Caller: play/demo. Thread: the loop it was
 * opened on. */
#include "play/carrier.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/sms.h"
#include "net/stream.h"
#include "smpp/pdu.h"

enum {
    CONNECT_MS = 5000,
    HEADER_SIZE = 6, /* of the user data, with its length octet */
    GSM7_WHOLE = 160,
    GSM7_PART = 153,
    UCS2_WHOLE = 140,
    UCS2_PART = 134,
    GSM7_ESCAPE = 0x1B,
    ESM_UDHI = 0x40,
    IN_MAX = 2 * PDU_MAX,
};

struct sent_part { /* a part without an answer; sequence 0: free */
    uint32_t sequence;
    unsigned part, parts;
    uint64_t text;
    int64_t sent_us;
};

struct carrier {
    struct carrier_config c;
    struct stream *stream;
    bool bound;
    uint32_t sequence;
    uint64_t texts;
    uint8_t reference;
    struct buf in;
    struct sent_part waiting[CARRIER_WINDOW];
};

static enum err pdu_send(struct carrier *c, const struct pdu *p)
{
    struct buf b;
    buf_init(&b, PDU_MAX);
    pdu_print(p, &b);
    enum err err = b.err != OK ? b.err : stream_write(c->stream, buf_str(&b));
    buf_fini(&b);
    return err;
}

static void carrier_on_open(struct stream *s, void *arg)
{
    struct carrier *c = arg;
    const struct pdu bind = {.command = PDU_BIND_TRANSCEIVER,
                             .sequence = ++c->sequence,
                             .system_id = str_of(c->c.system_id),
                             .password = str_of(c->c.password),
                             .interface_version = 0x34};
    (void)!pdu_send(c, &bind); /* a connection that takes nothing ends by itself */
}

static struct sent_part *waiting_at(struct carrier *c, uint32_t sequence)
{
    for (size_t i = 0; i < CARRIER_WINDOW; i++)
        if (c->waiting[i].sequence == sequence)
            return &c->waiting[i];
    return NULL;
}

static void carrier_on_submitted(struct carrier *c, const struct pdu *p)
{
    struct sent_part *w = p->sequence ? waiting_at(c, p->sequence) : NULL;
    if (!w)
        return;
    const struct carrier_answer a = {.text = w->text,
                                     .part = w->part,
                                     .parts = w->parts,
                                     .status = p->status,
                                     .message_id = p->message_id,
                                     .took_us = clock_mono_us() - w->sent_us};
    *w = (struct sent_part){0};
    c->c.on_answer(c->c.arg, &a);
}

static void carrier_on_pdu(struct carrier *c, const struct pdu *p)
{
    struct pdu answer = {.command = pdu_response_to(p->command), .sequence = p->sequence};
    switch (p->command) {
    case PDU_BIND_TRANSCEIVER_RESP:
        c->bound = p->status == ESME_ROK;
        c->c.on_bound(c->c.arg, p->status);
        return;
    case PDU_SUBMIT_SM_RESP:
    case PDU_GENERIC_NACK: carrier_on_submitted(c, p); return;
    case PDU_ENQUIRE_LINK:
    case PDU_UNBIND: break;
    default:
        if (pdu_is_response(p->command))
            return;
        answer.status = ESME_RINVCMDID;
    }
    (void)!pdu_send(c, &answer);
}

static void carrier_end(struct carrier *c, enum err why)
{
    stream_close(c->stream);
    c->stream = NULL;
    c->bound = false;
    c->c.on_end(c->c.arg, why);
}

static void carrier_on_bytes(struct stream *s, void *arg, struct str bytes)
{
    struct carrier *c = arg;
    struct pdu p;
    uint32_t status;
    size_t size;
    enum err err;
    buf_put_str(&c->in, bytes);
    while ((err = c->in.err) == OK && (err = pdu_size(buf_str(&c->in), &size)) == OK &&
           size <= c->in.n) {
        if ((err = pdu_parse(str_slice(buf_str(&c->in), 0, size), &p, &status)) != OK)
            break;
        carrier_on_pdu(c, &p);
        buf_cut(&c->in, size);
    }
    if (err != OK && err != ERR_AGAIN)
        carrier_end(c, err);
}

static void carrier_on_end(struct stream *s, void *arg, enum err why)
{
    carrier_end(arg, why);
}

enum err carrier_open(struct loop *l, const struct carrier_config *config, struct carrier **ret)
{
    static const struct stream_events events = {carrier_on_open, carrier_on_bytes, carrier_on_end};
    struct carrier *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    c->c = *config;
    buf_init(&c->in, IN_MAX);
    enum err err =
        stream_connect(l, &c->c.to, NULL, (struct str){0}, CONNECT_MS, &events, c, &c->stream);
    if (err == OK)
        *ret = c;
    else
        free(c);
    return err;
}

void carrier_close(struct carrier *c)
{
    const struct pdu unbind = {.command = PDU_UNBIND, .sequence = c ? c->sequence + 1 : 0};
    if (!c)
        return;
    if (c->bound)
        (void)!pdu_send(c, &unbind);
    stream_close(c->stream);
    buf_fini(&c->in);
    free(c);
}

/* ---- texts ---- */

/* Type of number and numbering plan (SMPP 3.4 §5.2.5, §5.2.6). */
static struct smpp_address smpp_address_of(struct str s)
{
    bool digits = true;
    if (s.n && s.p[0] == '+')
        return (struct smpp_address){.ton = 1, .npi = 1, .digits = str_from(s, 1)};
    for (size_t i = 0; i < s.n; i++)
        digits &= s.p[i] >= '0' && s.p[i] <= '9';
    return (struct smpp_address){.ton = digits ? 3 : 5, .npi = 0, .digits = s};
}

/* Counts the bytes of the part that begins at `at`. */
static size_t part_size(enum sms_alphabet a, struct str data, size_t at)
{
    size_t most = a == SMS_UCS2 ? UCS2_PART : GSM7_PART, left = data.n - at;
    if (data.n <= (a == SMS_UCS2 ? UCS2_WHOLE : GSM7_WHOLE))
        return data.n;
    if (left <= most)
        return left;
    return a == SMS_GSM7 && data.p[at + most - 1] == GSM7_ESCAPE ? most - 1 : most;
}

static unsigned text_count_parts(enum sms_alphabet a, struct str data)
{
    unsigned n = 1;
    for (size_t at = part_size(a, data, 0); at < data.n; n++)
        at += part_size(a, data, at);
    return n;
}

static enum err part_submit(struct carrier *c, const struct carrier_text *t,
                            enum sms_alphabet alphabet, struct str data, const struct sent_part *as)
{
    char mem[HEADER_SIZE + GSM7_WHOLE];
    struct buf b;
    struct sent_part *w = waiting_at(c, 0);
    if (!w)
        return ERR_FULL;
    buf_wrap(&b, mem, sizeof mem);
    if (as->parts > 1) {
        const uint8_t header[HEADER_SIZE] = {
            5, 0, 3, c->reference, (uint8_t)as->parts, (uint8_t)as->part};
        buf_put(&b, header, sizeof header);
    }
    buf_put_str(&b, data);
    const struct pdu p = {.command = PDU_SUBMIT_SM,
                          .sequence = ++c->sequence,
                          .source = smpp_address_of(t->from),
                          .destination = smpp_address_of(t->to),
                          .esm_class = as->parts > 1 ? ESM_UDHI : 0,
                          .data_coding = alphabet == SMS_UCS2 ? 8 : 0,
                          .short_message = buf_str(&b)};
    enum err err = pdu_send(c, &p);
    if (err != OK)
        return err;
    *w = *as;
    w->sequence = p.sequence;
    w->sent_us = clock_mono_us();
    return OK;
}

static size_t waiting_count(const struct carrier *c)
{
    size_t n = 0;
    for (size_t i = 0; i < CARRIER_WINDOW; i++)
        n += c->waiting[i].sequence != 0;
    return n;
}

static enum err text_submit(struct carrier *c, const struct carrier_text *t, enum sms_alphabet a,
                            struct str data)
{
    struct sent_part w = {.text = c->texts, .parts = text_count_parts(a, data)};
    enum err err = OK;
    if (w.parts > CARRIER_PARTS_MAX)
        return ERR_TOO_BIG;
    if (waiting_count(c) + w.parts > CARRIER_WINDOW)
        return ERR_FULL;
    c->reference += w.parts > 1;
    for (size_t at = 0; err == OK && w.part < w.parts;) {
        size_t n = part_size(a, data, at);
        w.part++;
        err = part_submit(c, t, a, str_slice(data, at, n), &w);
        at += n;
    }
    return err;
}

enum err carrier_send(struct carrier *c, const struct carrier_text *t, uint64_t *ret_text)
{
    enum sms_alphabet alphabet;
    struct buf data;
    if (!c->bound)
        return ERR_AGAIN;
    if (!t->from.n || !t->to.n || !str_is_utf8(t->text))
        return ERR_INVALID;
    buf_init(&data, CARRIER_PARTS_MAX * GSM7_WHOLE);
    enum err err = sms_encode(t->text, &data, &alphabet);
    *ret_text = ++c->texts;
    if (err == OK)
        err = text_submit(c, t, alphabet, buf_str(&data));
    buf_fini(&data);
    return err;
}
