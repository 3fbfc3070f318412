/* RFC 4475's torture messages: what the parser makes of each. What the edge answers to them is in
 * tests/e2e/torture.test.mjs. */
#include "check.h"
#include "sip/wire/message.h"
#include "sip/wire/print.h"

static const struct {
    const char *name;
    int fault; /* 0: accepted */
    bool answerable;
} table[] = {
    /* §3.1.1 valid messages */
    {"wsinv", 0, true},
    {"intmeth", 0, true},
    {"esc01", 0, true},
    {"escnull", 0, true},
    {"esc02", 0, true},
    {"lwsdisp", 0, true},
    {"longreq", 0, true},
    {"dblreq", 0, true},
    {"semiuri", 0, true},
    {"transports", 0, true},
    {"mpart01", 0, true},
    {"unreason", 0, false},
    {"noreason", 0, false},
    /* §3.1.2 invalid messages */
    {"badinv01", 400, true},
    {"clerr", 400, true},
    {"ncl", 400, true},
    {"scalar02", 400, true},
    {"scalarlg", 400, false},
    {"quotbal", 400, true},
    {"ltgtruri", 400, true},
    {"lwsruri", 400, true},
    {"lwsstart", 400, true},
    {"trws", 400, true},
    {"escruri", 0, true},
    {"baddate", 0, true},
    {"regbadct", 400, true},
    {"badaspec", 400, true},
    {"baddn", 400, true},
    {"badvers", 505, true},
    {"mismatch01", 400, true},
    {"mismatch02", 400, true},
    {"bigcode", 400, false},
    /* §3.2, §3.3: well formed; the layers above decide */
    {"badbranch", 0, true},
    {"insuf", 400, false},
    {"unkscm", 0, true},
    {"novelsc", 0, true},
    {"unksm2", 0, true},
    {"bext01", 0, true},
    {"invut", 0, true},
    {"regaut01", 0, true},
    {"multi01", 400, true},
    {"mcl01", 400, true},
    {"bcast", 0, false},
    {"zeromf", 0, true},
    {"cparam01", 0, true},
    {"cparam02", 0, true},
    {"regescrt", 0, true},
    {"sdp01", 0, true},
    {"inv2543", 0, true},
};
enum { N = sizeof table / sizeof *table };

static char bytes[65537];

static size_t load(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/rfc4475/%s.dat", TEST_DATA, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s", path);
    size_t n = fread(bytes, 1, sizeof bytes - 1, f);
    fclose(f);
    bytes[n] = '\0';
    return n;
}

static void each_has_its_outcome(void **state)
{
    static struct sip_msg m;
    assert_int_equal(N, 49);
    for (size_t i = 0; i < N; i++) {
        enum err err = sip_parse(bytes, load(table[i].name), &m);
        if ((err == OK) != (table[i].fault == 0) || m.fault_status != table[i].fault ||
            m.answerable != table[i].answerable)
            fail_msg("%s: %s, %d %s, answerable %d", table[i].name, err_name(err), m.fault_status,
                     m.fault ? m.fault : "", m.answerable);
    }
}

/* What can be answered gets an answer that can be read, with the same identity. */
static void answers_can_be_read(void **state)
{
    static struct sip_msg m, a;
    static char out[70000];
    struct addr from;
    assert_ok(addr_parse(STR("192.0.2.9:5060"), 0, &from));
    for (size_t i = 0; i < N; i++) {
        struct buf b;
        if (!table[i].answerable || table[i].fault)
            continue;
        assert_ok(sip_parse(bytes, load(table[i].name), &m));
        buf_wrap(&b, out, sizeof out);
        sip_put_reply(&b, &m, &from, 400, STR("why"), STR("tag"), true);
        sip_put_body(&b, (struct str){0});
        assert_ok(b.err);
        if (sip_parse(out, b.n, &a) != OK)
            fail_msg("the answer to %s: %s", table[i].name, a.fault);
        assert_true(str_eq(a.call_id, m.call_id));
        assert_int_equal(a.cseq, m.cseq);
        assert_true(str_eq(a.via.branch, m.via.branch));
    }
}

/* A stream cuts the same messages, fed one byte at a time. */
static void bytewise_over_a_stream(void **state)
{
    size_t cut = 0;
    for (size_t i = 0; i < N; i++) {
        size_t n = load(table[i].name), skip, size, whole;
        enum err err = sip_frame(&(struct sip_framing){0}, bytes, n, &skip, &whole);
        if (err != OK)
            continue; /* no Content-Length, or more promised than is there */
        cut++;
        for (size_t k = 0; k < skip + whole; k++)
            assert_err(sip_frame(&(struct sip_framing){0}, bytes, k, &skip, &size), ERR_AGAIN);
        assert_ok(sip_frame(&(struct sip_framing){0}, bytes, skip + whole, &skip, &size));
        assert_int_equal(size, whole);
    }
    assert_true(cut >= 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_its_outcome),
        cmocka_unit_test(answers_can_be_read),
        cmocka_unit_test(bytewise_over_a_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
