/* A link's settings: what either side needs, and what the other side may not have. */
#include "document.h"

DOCUMENT(smpp_link)

#define RULES                                                                                      \
    "\"country\":\"\",\"national_prefix\":\"\",\"international_prefix\":\"\",\"bare_is_e164\":"    \
    "true"

static void a_client_says_where_the_carrier_is(void **state)
{
    smpp_link_prints(
        "{\"name\":\"l\",\"mode\":\"client\",\"host\":\"smpp.example\",\"system_id\":\"me\"}",
        "{\"name\":\"l\",\"mode\":\"client\",\"host\":\"smpp.example\",\"port\":2775,\"tls\":false,"
        "\"bind\":\"transceiver\",\"system_id\":\"me\",\"password\":\"\",\"system_type\":\"\","
        "\"max_binds\":1,\"window\":100,\"enquire_link_s\":30,\"data_coding_0\":\"gsm7\","
        "\"data_coding_1\":\"gsm7\"," RULES ",\"disabled\":false}");
    smpp_link_refuses("{\"name\":\"l\",\"mode\":\"client\",\"system_id\":\"me\"}", "host",
                      "needed");
    smpp_link_refuses("{\"name\":\"l\",\"mode\":\"client\",\"host\":\"h\",\"system_id\":\"me\","
                      "\"sources\":[\"1.2.3.4\"]}",
                      "sources", "absent in client mode");
}

static void a_server_says_who_may_bind(void **state)
{
    smpp_link_prints(
        "{\"name\":\"l\",\"mode\":\"server\",\"system_id\":\"c\",\"password\":\"secret\","
        "\"sources\":[\"192.0.2.1\"],\"data_coding_0\":\"latin1\",\"disabled\":true}",
        "{\"name\":\"l\",\"mode\":\"server\",\"sources\":[\"192.0.2.1\"],\"system_id\":\"c\","
        "\"password\":\"secret\",\"system_type\":\"\",\"max_binds\":4,\"window\":100,"
        "\"enquire_link_s\":30,\"data_coding_0\":\"latin1\",\"data_coding_1\":\"gsm7\"," RULES
        ",\"disabled\":true}");
    smpp_link_refuses("{\"name\":\"l\",\"mode\":\"server\",\"system_id\":\"c\"}", "password",
                      "needed");
    smpp_link_refuses("{\"name\":\"l\",\"mode\":\"server\",\"system_id\":\"c\",\"password\":\"s\","
                      "\"host\":\"h\"}",
                      "host", "absent in server mode");
    smpp_link_refuses("{\"name\":\"l\",\"mode\":\"server\",\"system_id\":\"c\",\"password\":\"s\","
                      "\"tls\":true}",
                      "tls", "absent in server mode");
}

static void fields_have_the_lengths_of_smpp(void **state)
{
    smpp_link_refuses("{\"name\":\"l\",\"mode\":\"client\",\"host\":\"h\","
                      "\"system_id\":\"sixteen bytes ..\"}",
                      "system_id", "1 to 15 bytes");
    smpp_link_refuses("{\"name\":\"l\",\"mode\":\"client\",\"host\":\"h\",\"system_id\":\"c\","
                      "\"system_type\":\"thirteen byte\"}",
                      "system_type", "at most 12 bytes");
    smpp_link_refuses("{\"name\":\"l\",\"mode\":\"client\",\"host\":\"h\",\"system_id\":\"c\","
                      "\"port\":65536}",
                      "port", "from 1 to 65535");
    smpp_link_refuses("{\"name\":\"l\",\"mode\":\"both\",\"system_id\":\"c\"}", "mode", "client");
    smpp_link_refuses("{\"name\":\"l\",\"mode\":\"client\",\"host\":\"h\",\"system_id\":\"c\","
                      "\"bind\":\"transmitter\"}",
                      "bind", "transceiver or receiver");
    smpp_link_refuses("{\"name\":\"l\",\"mode\":\"client\",\"host\":\"h\",\"system_id\":\"c\","
                      "\"data_coding_0\":\"ebcdic\"}",
                      "data_coding_0", "latin1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_says_where_the_carrier_is),
        cmocka_unit_test(a_server_says_who_may_bind),
        cmocka_unit_test(fields_have_the_lengths_of_smpp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
