#include "check.h"
#include "sip/core/identity.h"

static struct sip_msg m;
static char bytes[8000];
static struct trunk trunk;
static const struct book_trunk row = {.n = 1, .id = "trk_1", .set = &trunk};
static const struct party party = {PARTY_TRUNK, &row};

static void invite(const char *ruri, const char *from, const char *to, const char *more)
{
    int n = snprintf(bytes, sizeof bytes,
                     "INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: %s;tag=1\r\n"
                     "To: %s\r\nCall-ID: i\r\nCSeq: 1 INVITE\r\n%s\r\n",
                     ruri, from, to, more);
    if (sip_parse(bytes, (size_t)n, &m) != OK)
        fail_msg("%s", m.fault);
    trunk = (struct trunk){.called_from = {CALLED_FROM_RURI, CALLED_FROM_PCPID, CALLED_FROM_TO},
                           .n_called_from = 3,
                           .trust_identity = true,
                           .rules = {.country = "44", .national = "0"}};
}

static void the_called_number(void **state)
{
    char e164[NUMBER_SIZE];
    invite("sip:+447911123456@x", "<sip:a@b>", "<sip:c@d>", "");
    assert_ok(identity_called(&m, &party, e164));
    assert_string_equal(e164, "+447911123456");
    invite("sip:proxy@x", "<sip:a@b>", "<sip:07911000001@d>",
           "P-Called-Party-ID: <tel:+447911000002>\r\n");
    assert_ok(identity_called(&m, &party, e164));
    assert_string_equal(e164, "+447911000002");
    trunk.called_from[0] = CALLED_FROM_TO;
    assert_ok(identity_called(&m, &party, e164));
    assert_string_equal(e164, "+447911000001");
    invite("tel:7911123456;phone-context=+44", "<sip:a@b>", "<sip:c@d>", "");
    assert_ok(identity_called(&m, &party, e164));
    assert_string_equal(e164, "+447911123456");
    invite("sip:proxy@x", "<sip:a@b>", "<sip:c@d>", "");
    assert_err(identity_called(&m, &party, e164), ERR_NOT_FOUND);
}

static void who_calls(void **state)
{
    static const struct {
        const char *from, *more, *id;
        char verified;
    } table[] = {
        {"\"Ann\" <sip:+19175550100@x>", "", "+19175550100", 'n'},
        {"<sip:anonymous@anonymous.invalid>", "", "anonymous", 'n'},
        {"<sip:alice@x>", "", "unknown", 'n'},
        {"<sip:+1@x>", "P-Asserted-Identity: <sip:+19175550100@x>\r\n", "+19175550100", 't'},
        {"<sip:+19175550100@x>", "Privacy: id\r\n", "anonymous", 'n'},
        {"<sip:+19175550100@x>", "Privacy: none\r\n", "+19175550100", 'n'},
        {"<sip:a@x>", "P-Asserted-Identity: <tel:+19175550100;verstat=TN-Validation-Passed-A>\r\n",
         "+19175550100", 'A'},
        {"<sip:a@x>", "P-Asserted-Identity: <tel:+19175550100;verstat=TN-Validation-Failed>\r\n",
         "+19175550100", 'n'},
        {"<sip:a@x>", "Remote-Party-ID: <sip:+19175550100@x>;privacy=full\r\n", "anonymous", 't'},
        {"<sip:02079460000@x>", "", "+442079460000", 'n'},
        /* RFC 3966 §5.1.5 */
        {"<tel:9175550100;phone-context=+1>", "", "+19175550100", 'n'},
        {"<sip:9175550100;phone-context=+1@x>", "", "+19175550100", 'n'},
        {"<sip:a@x>", "P-Asserted-Identity: <tel:9175550100;phone-context=+1>\r\n", "+19175550100",
         't'},
        {"<sip:a@x>", "Remote-Party-ID: <tel:555-0100;phone-context=+1-917>\r\n", "+19175550100",
         't'},
        {"<sip:917555%30100;phone-context=%2B1@x>", "", "+19175550100", 'n'},
        {"<tel:+19175550100;phone-context=+44>", "", "+19175550100", 'n'},
        {"<tel:02079460000;phone-context=ims.example>", "", "+442079460000", 'n'},
        /* of whom a Remote-Party-ID speaks */
        {"<sip:+19175550100@x>", "Remote-Party-ID: <sip:+442079460000@x>;party=forwarding\r\n",
         "+19175550100", 'n'},
        {"<sip:+19175550100@x>",
         "Remote-Party-ID: <sip:+442079460000@x>;party=called;privacy=full\r\n", "+19175550100",
         'n'},
        {"<sip:a@x>",
         "Remote-Party-ID: <sip:+442079460000@x>;party=called\r\n"
         "Remote-Party-ID: <sip:+19175550100@x>;party=calling\r\n",
         "+19175550100", 't'},
        /* up to six bare digits are no global number */
        {"<sip:16001@x>", "", "16001", 'n'},
        {"<sip:816666@x>", "", "816666", 'n'},
        {"<sip:+16001@x>", "", "+16001", 'n'},
        {"<sip:816666;npdi@x>", "", "816666", 'n'},
        {"<sip:0816666@x>", "", "+44816666", 'n'},
        {"<tel:911;phone-context=+1>", "", "911", 'n'},
        {"<sip:16001@x>", "Privacy: id\r\n", "anonymous", 'n'},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct caller c;
        invite("sip:c@d", table[i].from, "<sip:c@d>", table[i].more);
        identity_caller(&m, &party, &c);
        if (strcmp(c.id, table[i].id) || c.verified != table[i].verified)
            fail_msg("%s %s: %s %c", table[i].from, table[i].more, c.id, c.verified);
    }
}

static void an_untrusted_trunk_is_not_believed(void **state)
{
    struct caller c;
    invite("sip:c@d", "<sip:+19175550100@x>", "<sip:c@d>",
           "P-Asserted-Identity: <sip:+19999999999@x>\r\n");
    trunk.trust_identity = false;
    identity_caller(&m, &party, &c);
    assert_string_equal(c.id, "+19175550100");
}

static void who_sends_a_text(void **state)
{
    static const struct {
        const char *from, *more, *sender;
    } table[] = {
        {"<sip:+19175550100@x>", "", "+19175550100"},
        {"<sip:02079460000@x>", "", "+442079460000"},
        {"<sip:12345@x>", "", "12345"},
        {"<tel:12345;phone-context=+44>", "", "12345"},
        {"<sip:1234567@x>", "", "+441234567"},
        {"<sip:+12345@x>", "", "+12345"},
        {"<sip:ACME@x>", "", "ACME"},
        {"<sip:My%20Bank@x>", "", "My Bank"},
        {"<sip:%c3%84rzte@x>", "", "\xc3\x84rzte"},
        {"<sip:a%0d%0ab@x>", "", "unknown"},
        {"<sip:a%00b@x>", "", "unknown"},
        {"<sip:%ff@x>", "", "unknown"},
        {"<sip:x>", "", "unknown"},
        {"<sip:ACME@x>", "P-Asserted-Identity: <sip:+19175550100@x>\r\n", "+19175550100"},
        {"<sip:+19175550100@x>", "P-Asserted-Identity: <sip:54321@x>\r\n", "54321"},
        {"<sip:+1@x>", "P-Asserted-Identity: \"A\" <sip:ACME@x>\r\n", "ACME"},
        {"<sip:ACME@x>", "Remote-Party-ID: <sip:54321@x>;party=called\r\n", "ACME"},
        {"<sip:12345@x>", "Privacy: id\r\n", "anonymous"},
        {"<sip:ACME@x>", "Privacy: id\r\n", "anonymous"},
        {"\"Anonymous\" <sip:anonymous@anonymous.invalid>", "", "anonymous"},
        {"<sip:an-alphanumeric-sender-that-is-longer-than-anybody-may-have-a-name@x>", "",
         "unknown"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char sender[CALLER_SIZE];
        invite("sip:c@d", table[i].from, "<sip:c@d>", table[i].more);
        identity_sender(&m, &party, sender);
        if (strcmp(sender, table[i].sender))
            fail_msg("%s %s: %s", table[i].from, table[i].more, sender);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_called_number),
        cmocka_unit_test(who_calls),
        cmocka_unit_test(an_untrusted_trunk_is_not_believed),
        cmocka_unit_test(who_sends_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
