/* Which header leaves to whom: the whole table, and who counts as withholding. */
#include "check.h"
#include "sip/wire/privacy.h"

#include <stdio.h>
#include <string.h>

static char message[8192];

static const struct sip_msg *parsed(const char *first, const char *from, const char *headers)
{
    static struct sip_msg m;
    int n = snprintf(message, sizeof message,
                     "%s\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKa\r\nFrom: %s;tag=1\r\n"
                     "To: <sip:+447911123456@x>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n%s\r\n",
                     first, from, headers);
    assert_ok(sip_parse(message, (size_t)n, &m));
    return &m;
}

#define INVITE    "INVITE sip:+447911123456@x SIP/2.0"
#define CALLER    "<sip:+15558675309@carrier.example>"
#define SHOWN(c)  ((c)&1)
#define HIDDEN(c) ((c)&2)

/* For each class and audience: 1 leaves when nothing is withheld, 2 leaves when it is. */
static const uint8_t want[HEADER_CLASSES][AUDIENCES] = {
    [HEADER_HOP] = {0, 0, 3},    [HEADER_PERSON] = {1, 0, 1}, [HEADER_CALL] = {3, 0, 3},
    [HEADER_CUSTOM] = {3, 3, 3}, [HEADER_OURS] = {0, 0, 3},   [HEADER_UNKNOWN] = {1, 0, 1},
};

static void check(enum sip_header_id id, struct str name)
{
    const struct secrets hidden = {.n = 1, .digits = {"58675309"}};
    enum header_class class = header_class_of(id, name);
    assert_in_range(class, 1, HEADER_CLASSES - 1);
    for (int to = 0; to < AUDIENCES; to++) {
        bool shown = header_leaves(id, name, STR("v"), (enum audience)to, NULL);
        bool withheld = header_leaves(id, name, STR("v"), (enum audience)to, &hidden);
        if (shown != (bool)SHOWN(want[class][to]) || withheld != (bool)(HIDDEN(want[class][to])))
            fail_msg("%.*s to %d", STR_FMT(name), to);
    }
}

static void each_header_leaves_to_whom_the_table_says(void **state)
{
    for (int id = 0; id < SIP_H_OTHER; id++)
        check((enum sip_header_id)id, str_of(sip_header_name((enum sip_header_id)id)));
    static const char *const others[] = {"X-Customer",   "X-Hookswitch-Call-Id", "User-to-User",
                                         "Info-Package", "P-Charge-Info",        "Reply-To",
                                         "Organization", "Geolocation",          "In-Reply-To"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        check(SIP_H_OTHER, str_of(others[i]));
}

static void what_says_who_somebody_is_is_known_by_name(void **state)
{
    static const enum sip_header_id person[] = {SIP_H_P_ASSERTED_IDENTITY,
                                                SIP_H_P_PREFERRED_IDENTITY,
                                                SIP_H_REMOTE_PARTY_ID,
                                                SIP_H_DIVERSION,
                                                SIP_H_HISTORY_INFO,
                                                SIP_H_IDENTITY,
                                                SIP_H_CALL_INFO,
                                                SIP_H_REFERRED_BY,
                                                SIP_H_SUBJECT,
                                                SIP_H_USER_AGENT,
                                                SIP_H_SERVER};
    for (size_t i = 0; i < sizeof person / sizeof *person; i++)
        assert_int_equal(header_class_of(person[i], STR("")), HEADER_PERSON);
    assert_int_equal(header_class_of(SIP_H_CONTACT, STR("")), HEADER_HOP);
    assert_int_equal(header_class_of(SIP_H_OTHER, STR("x-hookswitch-simulated")), HEADER_OURS);
    static const char *const unknown[] = {"P-Charge-Info", "Organization", "Reply-To",
                                          "P-Asserted-Service", "Geolocation"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_int_equal(header_class_of(SIP_H_OTHER, str_of(unknown[i])), HEADER_UNKNOWN);
}

static void privacy_values(void **state)
{
    static const struct {
        const char *value;
        bool wanted;
    } t[] = {
        {"id", true},          {"user", true},
        {"header", true},      {"ID", true},
        {"id;critical", true}, {"session; id ;critical", true},
        {"none", false},       {"session", false},
        {"critical", false},   {"session;critical", false},
        {"history", false},    {"user;header;session;id;critical", true},
        {"idle", false},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char line[100];
        snprintf(line, sizeof line, "Privacy: %s\r\n", t[i].value);
        if (privacy_is_wanted(parsed(INVITE, CALLER, line)) != t[i].wanted)
            fail_msg("%s", t[i].value);
    }
    assert_true(privacy_is_wanted(parsed(INVITE, CALLER, "Privacy: session\r\nPrivacy: id\r\n")));
    assert_false(privacy_is_wanted(parsed(INVITE, CALLER, "")));
}

static void a_remote_party_id_may_withhold_too(void **state)
{
    static const struct {
        const char *first, *value;
        bool wanted;
    } t[] = {
        {INVITE, "<sip:+1@x>;privacy=full", true},
        {INVITE, "<sip:+1@x>;privacy=off", false},
        {INVITE, "<sip:+1@x>;party=calling;privacy=uri", true},
        {INVITE, "<sip:+1@x>;party=called;privacy=full", false},
        {"SIP/2.0 200 OK", "<sip:+1@x>;party=called;privacy=full", true},
        {"SIP/2.0 200 OK", "<sip:+1@x>;party=calling;privacy=full", false},
        {INVITE, "<sip:+1@x>", false},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char line[200];
        snprintf(line, sizeof line, "Remote-Party-ID: %s\r\n", t[i].value);
        if (privacy_is_wanted(parsed(t[i].first, CALLER, line)) != t[i].wanted)
            fail_msg("%s %s", t[i].first, t[i].value);
    }
}

static void a_diverting_party_may_withhold_for_itself(void **state)
{
    assert_true(header_leaves(SIP_H_DIVERSION, STR(""), STR("<sip:+1@x>;reason=no-answer"),
                              TO_OTHER_LEG, NULL));
    assert_false(header_leaves(SIP_H_DIVERSION, STR(""), STR("<sip:+2@x>, <sip:+1@x>;privacy=full"),
                               TO_OTHER_LEG, NULL));
    assert_true(header_leaves(SIP_H_HISTORY_INFO, STR(""), STR("<sip:+1@x?Reason=SIP>;index=1"),
                              TO_TRACE, NULL));
    assert_false(header_leaves(SIP_H_HISTORY_INFO, STR(""),
                               STR("<sip:+1@x?Reason=SIP&Privacy=history>;index=1"), TO_TRACE,
                               NULL));
}

static void custom_headers_must_not_have_the_number_however_it_is_written(void **state)
{
    struct secrets s = {0};
    secrets_read(
        parsed(
            INVITE, "<sip:anonymous@x>",
            "P-Asserted-Identity: \"S\" <sip:+15558675309;cpc=ordinary@x>, <tel:+447700900123>\r\n"
            "Contact: <sip:1234567@x>\r\nRemote-Party-ID: <sip:ann@x>\r\n"),
        &s);
    assert_int_equal(s.n, 3);
    static const char *const has[] = {"+15558675309",    "5558675309",       "(555) 867-5309",
                                      "a=0015558675309", "1 555.867.5309 x", "07700 900123",
                                      "tel:1234567"};
    static const char *const has_not[] = {"",         "42",          "5558675308",
                                          "867-5309", "07700900124", "555867 and 5309"};
    for (size_t i = 0; i < sizeof has / sizeof *has; i++)
        if (header_leaves(SIP_H_OTHER, STR("X-A"), str_of(has[i]), TO_EVENTS, &s))
            fail_msg("%s", has[i]);
    for (size_t i = 0; i < sizeof has_not / sizeof *has_not; i++)
        if (!header_leaves(SIP_H_OTHER, STR("X-A"), str_of(has_not[i]), TO_OTHER_LEG, &s))
            fail_msg("%s", has_not[i]);
    assert_false(header_leaves(SIP_H_OTHER, STR("X-A"), STR("42"), TO_OTHER_LEG, &secrets_unknown));
    assert_false(header_leaves(SIP_H_OTHER, STR("X-15558675309"), STR("42"), TO_EVENTS, &s));
}

static void names_and_short_numbers_are_no_secrets(void **state)
{
    struct secrets s = {0};
    secrets_read(parsed(INVITE, "<sip:ann@x>", "Contact: <sip:123@x>\r\n"), &s);
    assert_int_equal(s.n, 0);
    secrets_read(
        parsed(INVITE, "<sip:ann@x>", "Remote-Party-ID: <sip:+442079460000@x>;party=called\r\n"),
        &s);                                                /* the other side's */
    secrets_read(parsed("SIP/2.0 200 OK", CALLER, ""), &s); /* its From is the other side's */
    assert_int_equal(s.n, 0);
    for (int i = 0; i < 20; i++) {
        char value[40];
        snprintf(value, sizeof value, "<sip:+4479111234%02d@x>", i);
        secrets_add(&s, str_of(value));
    }
    assert_int_equal(s.n, SECRETS_MAX);
}

/* ---- the page ---- */

#define PAGE    TEST_SOURCE "/docs/sip.md"
#define SECTION "### What passes, header by header"

static char page[1 << 17];

static struct str page_section(void)
{
    FILE *f = fopen(PAGE, "r");
    assert_non_null(f);
    size_t n = fread(page, 1, sizeof page - 1, f);
    assert_true(n > 0 && n < sizeof page - 1);
    assert_int_equal(fclose(f), 0);
    page[n] = '\0';
    char *from = strstr(page, SECTION);
    assert_non_null(from);
    char *to = strstr(from + strlen(SECTION), "### ");
    assert_non_null(to);
    return str_of_bytes(from, (size_t)(to - from));
}

static bool has(struct str text, const char *part)
{
    return memmem(text.p, text.n, part, strlen(part)) != NULL;
}

/* A row of the page names headers, and says in its first words what becomes of them. */
static void row_is_true(struct str names, struct str rule)
{
    struct str name;
    bool never = str_starts(rule, STR("each leg")) || str_starts(rule, STR("translated"));
    bool withheld = has(rule, "unless");
    while (names.n) {
        str_cut(names, ',', &name, &names);
        name = str_trim(name);
        enum sip_header_id id = sip_header_of(name);
        if (header_leaves(id, name, STR("a"), TO_OTHER_LEG, NULL) == never ||
            header_leaves(id, name, STR("a"), TO_OTHER_LEG, &secrets_unknown) !=
                !(never || withheld))
            fail_msg("%.*s: \"%.*s\" is wrong", STR_FMT(name), STR_FMT(rule));
    }
}

static void the_page_says_of_each_header_what_becomes_of_it(void **state)
{
    struct str section = page_section(), rest = section, line, names, rule;
    while (rest.n) {
        str_cut(rest, '\n', &line, &rest);
        if (str_starts(line, STR("| ")) && !str_starts(line, STR("| headers"))) {
            str_cut(str_from(line, 2), '|', &names, &rule);
            row_is_true(names, str_trim(rule));
        }
    }
    for (size_t id = 0; id < SIP_H_OTHER; id++)
        if (!has(section, sip_header_name((enum sip_header_id)id)))
            fail_msg("the page does not name %s", sip_header_name((enum sip_header_id)id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_says_of_each_header_what_becomes_of_it),
        cmocka_unit_test(each_header_leaves_to_whom_the_table_says),
        cmocka_unit_test(what_says_who_somebody_is_is_known_by_name),
        cmocka_unit_test(privacy_values),
        cmocka_unit_test(a_remote_party_id_may_withhold_too),
        cmocka_unit_test(a_diverting_party_may_withhold_for_itself),
        cmocka_unit_test(custom_headers_must_not_have_the_number_however_it_is_written),
        cmocka_unit_test(names_and_short_numbers_are_no_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
