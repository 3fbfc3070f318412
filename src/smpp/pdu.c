/* pdu: parses bytes into a struct and prints it back. The table below gives each command's fields
 * in their order; one reader and one writer walk it, so that every command is parsed and printed by
 * the same rules. Pure. */
#include "smpp/pdu.h"

#include <string.h>

/* A field's form on the wire and its place in struct pdu. C-octet strings have a maximum with their
 * NUL (SMPP 3.4 §5.2). */
enum field_kind { FIELD_U8, FIELD_CSTR, FIELD_MESSAGE };
struct field {
    enum field_kind kind;
    uint16_t max, at;
};
#define U8(m)                                                                                      \
    {                                                                                              \
        FIELD_U8, 1, offsetof(struct pdu, m)                                                       \
    }
#define CSTR(m, size)                                                                              \
    {                                                                                              \
        FIELD_CSTR, size, offsetof(struct pdu, m)                                                  \
    }
#define MESSAGE                                                                                    \
    {                                                                                              \
        FIELD_MESSAGE, 255, offsetof(struct pdu, short_message)                                    \
    }
#define ADDRESS(m, n) U8(m.ton), U8(m.npi), CSTR(m.digits, n)
#define END                                                                                        \
    {                                                                                              \
        FIELD_U8, 0, 0                                                                             \
    }

enum { FIELDS_MAX = 20 };

static const struct field bind_fields[] = {CSTR(system_id, 16),   CSTR(password, 33),
                                           CSTR(system_type, 13), U8(interface_version),
                                           ADDRESS(range, 41),    END};
static const struct field bind_resp_fields[] = {CSTR(system_id, 16), END};
static const struct field sm_fields[] = {CSTR(service_type, 6),
                                         ADDRESS(source, 21),
                                         ADDRESS(destination, 21),
                                         U8(esm_class),
                                         U8(protocol_id),
                                         U8(priority),
                                         CSTR(schedule_time, 17),
                                         CSTR(validity_period, 17),
                                         U8(registered_delivery),
                                         U8(replace_if_present),
                                         U8(data_coding),
                                         U8(default_msg_id),
                                         MESSAGE,
                                         END};
static const struct field data_sm_fields[] = {CSTR(service_type, 6),
                                              ADDRESS(source, 65),
                                              ADDRESS(destination, 65),
                                              U8(esm_class),
                                              U8(registered_delivery),
                                              U8(data_coding),
                                              END};
static const struct field message_id_fields[] = {CSTR(message_id, 65), END};
static const struct field query_fields[] = {CSTR(message_id, 65), ADDRESS(source, 21), END};
static const struct field query_resp_fields[] = {CSTR(message_id, 65), CSTR(final_date, 17),
                                                 U8(message_state), U8(error_code), END};
static const struct field replace_fields[] = {CSTR(message_id, 65),
                                              ADDRESS(source, 21),
                                              CSTR(schedule_time, 17),
                                              CSTR(validity_period, 17),
                                              U8(registered_delivery),
                                              U8(default_msg_id),
                                              MESSAGE,
                                              END};
static const struct field cancel_fields[] = {CSTR(service_type, 6), CSTR(message_id, 65),
                                             ADDRESS(source, 21), ADDRESS(destination, 21), END};
static const struct field outbind_fields[] = {CSTR(system_id, 16), CSTR(password, 33), END};
static const struct field alert_fields[] = {ADDRESS(source, 65), ADDRESS(destination, 65), END};
static const struct field no_fields[] = {END};

/* The rest of a body behind its fields: nothing, TLVs, or (submit_multi, which we refuse) bytes
 * that we do not read. */
enum tail { TAIL_NONE, TAIL_TLVS, TAIL_UNREAD };

static const struct {
    uint32_t command_id;
    const char *name;
} commands[PDU_COMMAND_COUNT] = {
#define X(id, command_id, name) [PDU_##id] = {command_id, name},
    PDU_LIST(X)
#undef X
};

static const struct {
    uint32_t value;
    const char *name;
} statuses[] = {
#define X(id, value, text) {value, "ESME_" #id},
    SMPP_STATUS_LIST(X)
#undef X
};

const char *pdu_name(enum pdu_command c)
{
    return commands[c].name;
}

uint32_t pdu_command_id(enum pdu_command c)
{
    return commands[c].command_id;
}

bool pdu_is_response(enum pdu_command c)
{
    return (commands[c].command_id & 0x80000000u) != 0;
}

static bool command_of(uint32_t id, enum pdu_command *ret)
{
    for (int i = 0; i < PDU_COMMAND_COUNT; i++)
        if (commands[i].command_id == id) {
            *ret = (enum pdu_command)i;
            return true;
        }
    return false;
}

enum pdu_command pdu_response_to(enum pdu_command c)
{
    enum pdu_command r;
    bool has = !pdu_is_response(c) && command_of(commands[c].command_id | 0x80000000u, &r);
    return has ? r : PDU_GENERIC_NACK;
}

const char *smpp_status_name(uint32_t status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].value == status)
            return statuses[i].name;
    return "";
}

static const struct field *fields_of(enum pdu_command c, enum tail *ret_tail)
{
    *ret_tail = TAIL_TLVS;
    switch (c) {
    case PDU_BIND_RECEIVER:
    case PDU_BIND_TRANSMITTER:
    case PDU_BIND_TRANSCEIVER: *ret_tail = TAIL_NONE; return bind_fields;
    case PDU_BIND_RECEIVER_RESP:
    case PDU_BIND_TRANSMITTER_RESP:
    case PDU_BIND_TRANSCEIVER_RESP: return bind_resp_fields;
    case PDU_SUBMIT_SM:
    case PDU_DELIVER_SM: return sm_fields;
    case PDU_DATA_SM: return data_sm_fields;
    case PDU_SUBMIT_SM_RESP:
    case PDU_DELIVER_SM_RESP:
    case PDU_DATA_SM_RESP: return message_id_fields;
    case PDU_QUERY_SM: return query_fields;
    case PDU_QUERY_SM_RESP: return query_resp_fields;
    case PDU_REPLACE_SM: return replace_fields;
    case PDU_CANCEL_SM: return cancel_fields;
    case PDU_OUTBIND: return outbind_fields;
    case PDU_ALERT_NOTIFICATION: return alert_fields;
    case PDU_SUBMIT_MULTI:
    case PDU_SUBMIT_MULTI_RESP: *ret_tail = TAIL_UNREAD; return no_fields;
    default: *ret_tail = TAIL_NONE; return no_fields;
    }
}

/* ---- reading ---- */

static uint32_t u32_at(const char *p)
{
    const uint8_t *b = (const uint8_t *)p;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static uint16_t u16_at(const char *p)
{
    const uint8_t *b = (const uint8_t *)p;
    return (uint16_t)(b[0] << 8 | b[1]);
}

enum err pdu_size(struct str bytes, size_t *ret_size)
{
    if (bytes.n < 4)
        return ERR_AGAIN;
    uint32_t n = u32_at(bytes.p);
    if (n < PDU_HEADER || n > PDU_MAX)
        return ERR_INVALID;
    *ret_size = n;
    return OK;
}

/* Takes one field off the front of *rest. */
static bool field_read(const struct field *f, struct pdu *p, struct str *rest)
{
    char *to = (char *)p + f->at;
    struct str s;
    if (rest->n == 0)
        return false;
    switch (f->kind) {
    case FIELD_U8:
        *(uint8_t *)to = (uint8_t)rest->p[0];
        *rest = str_from(*rest, 1);
        return true;
    case FIELD_MESSAGE: {
        size_t n = (uint8_t)rest->p[0];
        if (n > rest->n - 1)
            return false;
        s = str_slice(*rest, 1, n);
        memcpy(to, &s, sizeof s);
        *rest = str_from(*rest, 1 + n);
        return true;
    }
    default: {
        size_t n = str_find(*rest, '\0');
        if (n == rest->n || n >= f->max)
            return false;
        s = str_slice(*rest, 0, n);
        memcpy(to, &s, sizeof s);
        *rest = str_from(*rest, n + 1);
        return true;
    }
    }
}

/* Some senders end the body like a string: up to three NULs, too few for a parameter, are nothing.
 */
static bool rest_is_padding(struct str rest)
{
    for (size_t i = 0; i < rest.n; i++)
        if (rest.p[i])
            return false;
    return rest.n < 4;
}

static enum smpp_status tlvs_read(struct pdu *p, struct str rest)
{
    while (rest.n) {
        if (rest.n < 4)
            return rest_is_padding(rest) ? ESME_ROK : ESME_RINVOPTPARSTREAM;
        size_t n = u16_at(rest.p + 2);
        if (n > rest.n - 4)
            return ESME_RINVPARLEN;
        if (p->n_tlvs == PDU_TLVS_MAX)
            return ESME_ROPTPARNOTALLWD;
        p->tlv[p->n_tlvs++] = (struct tlv){u16_at(rest.p), str_slice(rest, 4, n)};
        rest = str_from(rest, 4 + n);
    }
    return ESME_ROK;
}

enum err pdu_parse(struct str bytes, struct pdu *p, uint32_t *ret_status)
{
    size_t size;
    enum tail tail;
    /* The TLVs need no clearing: n_tlvs says how many there are. */
    memset(p, 0, offsetof(struct pdu, tlv));
    *ret_status = ESME_RINVCMDLEN;
    if (bytes.n < PDU_HEADER || pdu_size(bytes, &size) != OK || size != bytes.n)
        return ERR_INVALID;
    p->command = PDU_GENERIC_NACK;
    p->command_id = u32_at(bytes.p + 4);
    p->status = u32_at(bytes.p + 8);
    p->sequence = u32_at(bytes.p + 12);
    *ret_status = ESME_RINVCMDID;
    if (!command_of(p->command_id, &p->command))
        return ERR_UNSUPPORTED;
    struct str rest = str_from(bytes, PDU_HEADER);
    const struct field *f = fields_of(p->command, &tail);
    *ret_status = ESME_ROK;
    if (tail == TAIL_UNREAD || (rest.n == 0 && pdu_is_response(p->command)))
        return OK;
    *ret_status = ESME_RINVCMDLEN;
    for (; f->max; f++)
        if (!field_read(f, p, &rest))
            return ERR_INVALID;
    if (tail == TAIL_NONE)
        return rest_is_padding(rest) ? (*ret_status = ESME_ROK, OK) : ERR_INVALID;
    *ret_status = tlvs_read(p, rest);
    return *ret_status == ESME_ROK ? OK : ERR_INVALID;
}

const struct tlv *pdu_tlv(const struct pdu *p, uint16_t tag)
{
    for (size_t i = 0; i < p->n_tlvs; i++)
        if (p->tlv[i].tag == tag)
            return &p->tlv[i];
    return NULL;
}

bool pdu_tlv_number(const struct pdu *p, uint16_t tag, uint32_t *ret)
{
    const struct tlv *t = pdu_tlv(p, tag);
    if (!t || (t->value.n != 1 && t->value.n != 2 && t->value.n != 4))
        return false;
    *ret = t->value.n == 1   ? (uint8_t)t->value.p[0]
           : t->value.n == 2 ? u16_at(t->value.p)
                             : u32_at(t->value.p);
    return true;
}

/* ---- writing ---- */

static void put_u32(struct buf *b, uint32_t v)
{
    const char bytes[4] = {(char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v};
    buf_put(b, bytes, 4);
}

static void put_u16(struct buf *b, uint16_t v)
{
    buf_putc(b, (char)(v >> 8));
    buf_putc(b, (char)v);
}

/* Writes one field. A text with a NUL would end there for its reader, and a long one is cut; the
 * caller sees to both. */
static void field_print(struct buf *b, const struct field *f, const struct pdu *p)
{
    const char *from = (const char *)p + f->at;
    struct str s;
    if (f->kind == FIELD_U8) {
        buf_putc(b, *from);
        return;
    }
    memcpy(&s, from, sizeof s);
    if (f->kind == FIELD_MESSAGE) {
        s = str_slice(s, 0, f->max - 1);
        buf_putc(b, (char)s.n);
        buf_put_str(b, s);
        return;
    }
    s = str_slice(s, 0, f->max - 1u);
    buf_put_str(b, str_slice(s, 0, str_find(s, '\0')));
    buf_putc(b, '\0');
}

void pdu_print(const struct pdu *p, struct buf *out)
{
    size_t from = out->n;
    enum tail tail;
    const struct field *f = fields_of(p->command, &tail);
    put_u32(out, 0);
    put_u32(out, commands[p->command].command_id);
    put_u32(out, p->status);
    put_u32(out, p->sequence);
    bool bodiless = pdu_is_response(p->command) && p->status != ESME_ROK;
    for (; !bodiless && f->max; f++)
        field_print(out, f, p);
    for (size_t i = 0; !bodiless && tail == TAIL_TLVS && i < p->n_tlvs; i++) {
        put_u16(out, p->tlv[i].tag);
        put_u16(out, (uint16_t)p->tlv[i].value.n);
        buf_put_str(out, p->tlv[i].value);
    }
    if (out->err != OK)
        return;
    uint32_t n = (uint32_t)(out->n - from);
    const char size[4] = {(char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n};
    memcpy(out->p + from, size, 4);
}
