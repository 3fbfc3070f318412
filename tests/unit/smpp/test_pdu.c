/* PDUs against vectors that were written out by hand from the specification, not by our printer. */
#include "check.h"
#include "smpp/pdu.h"

static size_t unhex(const char *hex, char *out, size_t cap)
{
    size_t n = 0;
    unsigned byte;
    for (; *hex; hex += 2) {
        while (*hex == ' ')
            hex++;
        if (!*hex)
            break;
        assert_int_equal(sscanf(hex, "%2x", &byte), 1);
        assert_true(n < cap);
        out[n++] = (char)byte;
    }
    return n;
}

/* The bytes at the end of a heap block: reading behind them is seen. */
static enum err parse_exact(const char *bytes, size_t n, struct pdu *p, uint32_t *status)
{
    char *mem = malloc(n ? n : 1);
    memcpy(mem, bytes, n);
    enum err err = pdu_parse(str_of_bytes(mem, n), p, status);
    free(mem);
    return err;
}

static const struct vector {
    enum pdu_command command;
    const char *hex;
} vectors[] = {
    /* system_id "SMPP3TEST", password "secret08", system_type "SUBMIT1", version 0 (§2.7 of the
     * specification), npi 1 */
    {PDU_BIND_TRANSMITTER, "0000002f 00000002 00000000 00000001 534d50503354455354 00"
                           "7365637265743038 00 5355424d495431 00 00 01 01 00"},
    {PDU_BIND_RECEIVER, "00000019 00000001 00000000 00000007 61 00 62 00 00 34 00 00 00"},
    {PDU_BIND_TRANSCEIVER, "0000001c 00000009 00000000 00000007 61 00 62 00 00 34 01 02 33342a 00"},
    {PDU_BIND_RECEIVER_RESP, "00000017 80000001 00000000 00000007 61 00 0210 0001 34"},
    {PDU_BIND_TRANSMITTER_RESP, "00000012 80000002 00000000 00000007 61 00"},
    {PDU_BIND_TRANSCEIVER_RESP, "00000010 80000009 0000000d 00000007"},
    {PDU_OUTBIND, "00000014 0000000b 00000000 00000001 61 00 62 00"},
    {PDU_UNBIND, "00000010 00000006 00000000 00000002"},
    {PDU_UNBIND_RESP, "00000010 80000006 00000000 00000002"},
    {PDU_ENQUIRE_LINK, "00000010 00000015 00000000 00000003"},
    {PDU_ENQUIRE_LINK_RESP, "00000010 80000015 00000000 00000003"},
    {PDU_GENERIC_NACK, "00000010 80000000 00000003 00000000"},
    {PDU_SUBMIT_SM, "00000039 00000004 00000000 00000005 00 01 01 34343737 00 01 01 34343739 00"
                    "00 00 00 00 00 00 00 00 00 0a 68656c6c6f20776f726c 020c 0002 0007"},
    {PDU_SUBMIT_SM_RESP, "00000013 80000004 00000000 00000005 6d31 00"},
    {PDU_DELIVER_SM, "00000026 00000005 00000000 00000006 434d54 00 05 00 41 00 01 01 39 00"
                     "40 01 02 00 00 00 00 08 00 00"},
    {PDU_DELIVER_SM_RESP, "00000011 80000005 00000000 00000006 00"},
    {PDU_DATA_SM, "00000020 00000103 00000000 00000008 00 01 01 31 00 01 01 32 00 00 00 00"
                  "0424 0000"},
    {PDU_DATA_SM_RESP, "00000011 80000103 00000000 00000008 00"},
    {PDU_QUERY_SM, "00000016 00000003 00000000 00000009 6d31 00 00 00 00"},
    {PDU_QUERY_SM_RESP, "00000016 80000003 00000000 00000009 6d31 00 00 02 00"},
    {PDU_CANCEL_SM, "0000001a 00000008 00000000 0000000a 00 6d31 00 00 00 00 00 00 00"},
    {PDU_CANCEL_SM_RESP, "00000010 80000008 00000011 0000000a"},
    {PDU_REPLACE_SM, "0000001d 00000007 00000000 0000000b 6d31 00 00 00 00 00 00 01 00 02 6162"},
    {PDU_REPLACE_SM_RESP, "00000010 80000007 00000013 0000000b"},
    {PDU_SUBMIT_MULTI, "00000010 00000021 00000000 0000000c"},
    {PDU_SUBMIT_MULTI_RESP, "00000010 80000021 00000045 0000000c"},
    {PDU_ALERT_NOTIFICATION, "00000018 00000102 00000000 0000000d 01 01 31 00 01 01 32 00"},
};
enum { N_VECTORS = sizeof vectors / sizeof *vectors };

static void each_command_reads_and_writes_its_vector(void **state)
{
    bool seen[PDU_COMMAND_COUNT] = {false};
    for (size_t i = 0; i < N_VECTORS; i++) {
        char bytes[256];
        struct buf out;
        struct pdu p;
        uint32_t status;
        size_t n = unhex(vectors[i].hex, bytes, sizeof bytes), size;
        const char *name = pdu_name(vectors[i].command);
        if (pdu_size(str_of_bytes(bytes, n), &size) != OK || size != n)
            fail_msg("%s: the vector has %zu bytes", name, n);
        if (pdu_parse(str_of_bytes(bytes, n), &p, &status) != OK)
            fail_msg("%s: %s", name, smpp_status_name(status));
        assert_int_equal(p.command, vectors[i].command);
        buf_init(&out, 1024);
        pdu_print(&p, &out);
        if (!str_eq(buf_str(&out), str_of_bytes(bytes, n)))
            fail_msg("%s is not written as it was read", name);
        buf_fini(&out);
        seen[p.command] = true;
    }
    for (int c = 0; c < PDU_COMMAND_COUNT; c++)
        if (!seen[c])
            fail_msg("no vector of %s", pdu_name((enum pdu_command)c));
}

static void fields_are_where_they_belong(void **state)
{
    char bytes[256];
    struct pdu p;
    uint32_t status, number;
    size_t n = unhex(vectors[0].hex, bytes, sizeof bytes);
    assert_ok(pdu_parse(str_of_bytes(bytes, n), &p, &status));
    assert_str(p.system_id, "SMPP3TEST");
    assert_str(p.password, "secret08");
    assert_str(p.system_type, "SUBMIT1");
    assert_int_equal(p.range.npi, 1);
    for (size_t i = 0; i < N_VECTORS; i++)
        if (vectors[i].command == PDU_DELIVER_SM) {
            n = unhex(vectors[i].hex, bytes, sizeof bytes);
            assert_ok(pdu_parse(str_of_bytes(bytes, n), &p, &status));
            assert_str(p.service_type, "CMT");
            assert_int_equal(p.source.ton, 5);
            assert_str(p.source.digits, "A");
            assert_str(p.destination.digits, "9");
            assert_int_equal(p.esm_class, 0x40);
            assert_int_equal(p.data_coding, 8);
            assert_int_equal(p.short_message.n, 0);
        } else if (vectors[i].command == PDU_SUBMIT_SM) {
            n = unhex(vectors[i].hex, bytes, sizeof bytes);
            assert_ok(pdu_parse(str_of_bytes(bytes, n), &p, &status));
            assert_str(p.short_message, "hello worl");
            assert_true(pdu_tlv_number(&p, TLV_SAR_MSG_REF_NUM, &number));
            assert_int_equal(number, 7);
            assert_null(pdu_tlv(&p, TLV_MESSAGE_PAYLOAD));
        }
}

/* At each length, with the length field left as it was, and made to fit. */
static void what_is_cut_off_is_refused(void **state)
{
    for (size_t i = 0; i < N_VECTORS; i++) {
        char bytes[256];
        struct pdu p;
        uint32_t status;
        size_t n = unhex(vectors[i].hex, bytes, sizeof bytes);
        for (size_t cut = 0; cut < n; cut++) {
            assert_err(parse_exact(bytes, cut, &p, &status), ERR_INVALID);
            if (cut < PDU_HEADER)
                continue;
            bytes[2] = 0;
            bytes[3] = (char)cut;
            enum err err = parse_exact(bytes, cut, &p, &status);
            /* Without its optional part, or (a response) without a body, it may be whole. */
            if (err != OK)
                assert_err(err, ERR_INVALID);
            assert_int_equal(p.sequence & 0xFF, (unsigned char)bytes[15]);
        }
    }
}

static void lengths(void **state)
{
    size_t size;
    assert_err(pdu_size(str_of_bytes("\0\0\0", 3), &size), ERR_AGAIN);
    assert_err(pdu_size(str_of_bytes("\0\0\0\x0f", 4), &size), ERR_INVALID);
    assert_err(pdu_size(str_of_bytes("\0\0\0\0", 4), &size), ERR_INVALID);
    assert_err(pdu_size(str_of_bytes("\xff\xff\xff\xff", 4), &size), ERR_INVALID);
    assert_err(pdu_size(str_of_bytes("\0\1\x18\1", 4), &size), ERR_INVALID);
    assert_ok(pdu_size(str_of_bytes("\0\1\x18\0", 4), &size));
    assert_int_equal(size, PDU_MAX);
    assert_ok(pdu_size(str_of_bytes("\0\0\0\x10", 4), &size));
}

static void lies(void **state)
{
    static const struct {
        const char *hex;
        uint32_t status;
    } bad[] = {
        /* sm_length past the end; no NUL; a TLV past the end; half a TLV; a body too many */
        {"00000021 00000005 00000000 00000006 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 ff",
         ESME_RINVCMDLEN},
        {"00000014 00000002 00000000 00000001 61616161", ESME_RINVCMDLEN},
        {"00000026 00000005 00000000 00000006 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
         "0424 0002 61",
         ESME_RINVPARLEN},
        {"00000024 00000005 00000000 00000006 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
         "0424 00",
         ESME_RINVOPTPARSTREAM},
        {"00000011 00000015 00000000 00000001 01", ESME_RINVCMDLEN},
        /* system_id of 16, service_type of 6 */
        {"00000027 00000002 00000000 00000001 61616161616161616161616161616161 00 00 00 00 00 00 "
         "00",
         ESME_RINVCMDLEN},
        {"00000027 00000005 00000000 00000006 616161616161 00 00 00 00 00 00 00 00 00 00 00 00 00 "
         "00"
         "00 00 00",
         ESME_RINVCMDLEN},
    };
    char bytes[256];
    struct pdu p;
    uint32_t status;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t n = unhex(bad[i].hex, bytes, sizeof bytes), size;
        assert_ok(pdu_size(str_of_bytes(bytes, n), &size));
        assert_int_equal(size, n); /* the lie is further in */
        if (parse_exact(bytes, n, &p, &status) != ERR_INVALID || status != bad[i].status)
            fail_msg("%zu: %s", i, smpp_status_name(status));
    }
    size_t n = unhex("00000010 00000099 00000000 0000002a", bytes, sizeof bytes);
    assert_err(parse_exact(bytes, n, &p, &status), ERR_UNSUPPORTED);
    assert_int_equal(status, ESME_RINVCMDID);
    assert_int_equal(p.sequence, 42);
    assert_int_equal(p.command_id, 0x99);
}

/* submit_multi has fields that we do not know: it is read to its header, and refused by its name.
 */
static void submit_multi_is_read_to_its_header(void **state)
{
    char bytes[64];
    struct pdu p;
    uint32_t status;
    size_t n = unhex("00000018 00000021 00000000 00000003 ffffffffffffffff", bytes, sizeof bytes);
    assert_ok(parse_exact(bytes, n, &p, &status));
    assert_int_equal(p.command, PDU_SUBMIT_MULTI);
    assert_int_equal(pdu_response_to(p.command), PDU_SUBMIT_MULTI_RESP);
}

static void too_many_tlvs(void **state)
{
    struct buf b;
    struct pdu p = {.command = PDU_DATA_SM}, back;
    uint32_t status;
    p.n_tlvs = PDU_TLVS_MAX;
    for (size_t i = 0; i < PDU_TLVS_MAX; i++)
        p.tlv[i] = (struct tlv){(uint16_t)(0x1400 + i), STR("x")};
    buf_init(&b, 4096);
    pdu_print(&p, &b);
    assert_ok(pdu_parse(buf_str(&b), &back, &status));
    assert_int_equal(back.n_tlvs, PDU_TLVS_MAX);
    buf_put(&b, "\x14\xff\0\0", 4);
    b.p[3] = (char)b.n;
    b.p[2] = (char)(b.n >> 8);
    assert_err(pdu_parse(buf_str(&b), &back, &status), ERR_INVALID);
    assert_int_equal(status, ESME_ROPTPARNOTALLWD);
    buf_fini(&b);
}

/* One to three NULs behind the body are passed over; a fourth could be a parameter of tag 0, and
 * anything else is one that is cut off. */
static void nuls_behind_the_body(void **state)
{
    for (int c = 0; c < 2; c++)
        for (size_t n = 0; n <= 4; n++) {
            struct buf b;
            struct pdu p = {.command = c ? PDU_DELIVER_SM : PDU_BIND_RECEIVER}, back;
            uint32_t status;
            buf_init(&b, 256);
            pdu_print(&p, &b);
            buf_put(&b, "\0\0\0\0", n);
            b.p[3] = (char)b.n;
            bool due = n < 4 || c;
            assert_int_equal(pdu_parse(buf_str(&b), &back, &status) == OK, due);
            assert_int_equal(back.n_tlvs, n == 4 && c);
            b.p[b.n - 1] = 1;
            if (n && n < 4)
                assert_err(pdu_parse(buf_str(&b), &back, &status), ERR_INVALID);
            buf_fini(&b);
        }
}

static void numbers_of_tlvs(void **state)
{
    struct pdu p = {.n_tlvs = 3,
                    .tlv = {{1, STR("\x12")}, {2, STR("\x12\x34\x56\x78")}, {3, STR("abc")}}};
    uint32_t v = 0;
    assert_true(pdu_tlv_number(&p, 1, &v));
    assert_int_equal(v, 0x12);
    assert_true(pdu_tlv_number(&p, 2, &v));
    assert_int_equal(v, 0x12345678);
    assert_false(pdu_tlv_number(&p, 3, &v));
    assert_false(pdu_tlv_number(&p, 4, &v));
}

static void names(void **state)
{
    assert_string_equal(pdu_name(PDU_DELIVER_SM), "deliver_sm");
    assert_int_equal(pdu_command_id(PDU_DATA_SM_RESP), 0x80000103);
    assert_int_equal(pdu_response_to(PDU_BIND_TRANSCEIVER), PDU_BIND_TRANSCEIVER_RESP);
    assert_int_equal(pdu_response_to(PDU_OUTBIND), PDU_GENERIC_NACK);
    assert_int_equal(pdu_response_to(PDU_ALERT_NOTIFICATION), PDU_GENERIC_NACK);
    assert_int_equal(pdu_response_to(PDU_DELIVER_SM_RESP), PDU_GENERIC_NACK);
    assert_string_equal(smpp_status_name(0x58), "ESME_RTHROTTLED");
    assert_string_equal(smpp_status_name(0xABCDEF), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_command_reads_and_writes_its_vector),
        cmocka_unit_test(fields_are_where_they_belong),
        cmocka_unit_test(what_is_cut_off_is_refused),
        cmocka_unit_test(lengths),
        cmocka_unit_test(lies),
        cmocka_unit_test(submit_multi_is_read_to_its_header),
        cmocka_unit_test(too_many_tlvs),
        cmocka_unit_test(nuls_behind_the_body),
        cmocka_unit_test(numbers_of_tlvs),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
