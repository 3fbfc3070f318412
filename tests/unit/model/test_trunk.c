/* A trunk's settings: defaults, every member, and what is refused. */
#include "document.h"

DOCUMENT(trunk)

static void a_name_and_sources_are_enough(void **state)
{
    trunk_prints("{\"name\":\"carrier\",\"sources\":[\"192.0.2.0/24\"]}",
                 "{\"name\":\"carrier\",\"sources\":[\"192.0.2.0/24\"],\"server\":\"\","
                 "\"username\":\"\",\"password\":\"\",\"max_calls\":0,\"max_cps\":0,"
                 "\"country\":\"\",\"national_prefix\":\"\",\"international_prefix\":\"\","
                 "\"bare_is_e164\":true,\"called_from\":[\"ruri\",\"p-called-party-id\",\"to\"],"
                 "\"trust_identity\":true,\"outbound\":false}");
}

static void every_member_is_kept(void **state)
{
    static const char all[] =
        "{\"name\":\"c\",\"sources\":[\"192.0.2.1\",\"2001:db8::/32\"],\"server\":\"sip.example\","
        "\"username\":\"u\",\"password\":\"p\",\"max_calls\":1000000,\"max_cps\":100000,"
        "\"country\":\"44\",\"national_prefix\":\"0\",\"international_prefix\":\"00\","
        "\"bare_is_e164\":false,\"called_from\":[\"diversion\",\"history-info\"],"
        "\"trust_identity\":false,\"outbound\":true}";
    trunk_prints(all, all);
}

static void wrong_members_are_refused(void **state)
{
    trunk_refuses("{\"sources\":[\"1.2.3.4\"]}", "name", "needed");
    trunk_refuses("{\"name\":\"\",\"sources\":[\"1.2.3.4\"]}", "name", "1 to 128 bytes");
    trunk_refuses("{\"name\":\"c\"}", "sources", "1 to 32");
    trunk_refuses("{\"name\":\"c\",\"sources\":[]}", "sources", "1 to 32");
    trunk_refuses("{\"name\":\"c\",\"sources\":[1]}", "sources", "addresses or CIDR");
    trunk_refuses("{\"name\":\"c\",\"sources\":[\"\"]}", "sources", "addresses or CIDR");
    trunk_refuses("{\"name\":\"c\",\"sources\":[\"1.2.3.4\"],\"max_calls\":1000001}", "max_calls",
                  "from 0 to 1000000");
    trunk_refuses("{\"name\":\"c\",\"sources\":[\"1.2.3.4\"],\"country\":\"GB\"}", "country",
                  "digits");
    trunk_refuses("{\"name\":\"c\",\"sources\":[\"1.2.3.4\"],\"called_from\":[\"from\"]}",
                  "called_from", "history-info");
    trunk_refuses("{\"name\":\"c\",\"sources\":[\"1.2.3.4\"],\"called_from\":[]}", "called_from",
                  "history-info");
    trunk_refuses("{\"name\":\"c\",\"sources\":[\"1.2.3.4\"],\"called_from\":"
                  "[\"to\",\"to\",\"to\",\"to\",\"to\",\"to\"]}",
                  "called_from", "history-info");
    trunk_refuses("{\"name\":\"c\",\"sources\":[\"1.2.3.4\"],\"outbound\":1}", "outbound",
                  "true or false");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_and_sources_are_enough),
        cmocka_unit_test(every_member_is_kept),
        cmocka_unit_test(wrong_members_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
