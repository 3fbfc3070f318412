/* Accounts and API keys. */
#include "document.h"

DOCUMENT(account)
DOCUMENT(api_key)

static void an_account_has_a_name(void **state)
{
    account_prints("{\"name\":\"Acme\"}", "{\"name\":\"Acme\"}");
    account_prints(
        "{\"currency\":\"EUR\",\"balance\":\"-12.50\",\"retention_days\":3650,\"name\":\"A\"}",
        "{\"name\":\"A\",\"retention_days\":3650,\"balance\":\"-12.50\",\"currency\":\"EUR\"}");
    account_refuses("{}", "name", "needed");
    account_refuses("{\"name\":\"a\\nb\"}", "name", "on one line");
    account_refuses("{\"name\":\"A\",\"retention_days\":0}", "retention_days", "from 1 to 3650");
    account_refuses("{\"name\":\"A\",\"retention_days\":1.5}", "retention_days", "whole number");
    account_refuses("{\"name\":\"A\",\"colour\":\"red\"}", "colour",
                    "known: name, retention_days, balance, currency");
    account_refuses("[]", "", "an object");
}

static void money_is_a_decimal_number(void **state)
{
    static const char *const good[] = {"0", "-1", "12.5", "0.00"};
    static const char *const bad[] = {"x", "1.", ".5", "1,5", "--1", "-", "1.2.3", "1e3"};
    char text[128], printed[128];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        snprintf(text, sizeof text, "{\"name\":\"A\",\"balance\":\"%s\"}", good[i]);
        snprintf(printed, sizeof printed, "{\"name\":\"A\",\"balance\":\"%s\"}", good[i]);
        account_prints(text, printed);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "{\"name\":\"A\",\"balance\":\"%s\"}", bad[i]);
        account_refuses(text, "balance", "a decimal number");
    }
    account_refuses("{\"name\":\"A\",\"currency\":\"eur\"}", "currency", "ISO 4217");
    account_refuses("{\"name\":\"A\",\"currency\":\"EU\"}", "currency", "ISO 4217");
    account_refuses("{\"name\":\"A\",\"currency\":\"EURO\"}", "currency", "at most 3 bytes");
}

static unsigned rights_of(const char *text)
{
    struct api_key *k;
    struct field_error fault;
    assert_ok(api_key_read(text, &k, &fault));
    unsigned rights = api_key_rights(k);
    api_key_free(k);
    return rights;
}

static void a_key_has_the_rights_of_its_scopes(void **state)
{
    assert_int_equal(rights_of("{\"name\":\"k\"}"), RIGHT_READ | RIGHT_WRITE | RIGHT_INGEST);
    assert_int_equal(rights_of("{\"name\":\"k\",\"scopes\":[\"*\"]}"),
                     RIGHT_READ | RIGHT_WRITE | RIGHT_INGEST);
    assert_int_equal(rights_of("{\"name\":\"k\",\"scopes\":[\"read\"]}"), RIGHT_READ);
    assert_int_equal(rights_of("{\"name\":\"k\",\"scopes\":[\"write\",\"ingest\"]}"),
                     RIGHT_WRITE | RIGHT_INGEST);
    assert_int_equal(rights_of("{\"name\":\"k\",\"scopes\":[\"operator\"]}"), RIGHTS_ALL);
    api_key_refuses("{\"name\":\"k\",\"scopes\":[]}", "scopes", "an array");
    api_key_refuses("{\"name\":\"k\",\"scopes\":[\"admin\"]}", "scopes", "operator");
    api_key_refuses("{\"name\":\"k\",\"scopes\":[\"read\",7]}", "scopes", "operator");
}

static void a_key_is_printed_as_it_was_said(void **state)
{
    api_key_prints("{\"name\":\"k\"}",
                   "{\"name\":\"k\",\"hash\":\"\",\"scopes\":[\"*\"],\"expires_at_ms\":0}");
    api_key_prints("{\"name\":\"k\",\"hash\":\"ab\",\"created_by\":\"setup\",\"user\":7,"
                   "\"scopes\":[\"ingest\",\"operator\"],\"expires_at\":\"2024-11-15T14:32:00Z\"}",
                   "{\"name\":\"k\",\"hash\":\"ab\",\"scopes\":[\"ingest\",\"operator\"],"
                   "\"expires_at_ms\":1731681120000,\"created_by\":\"setup\",\"user\":7}");
    api_key_refuses("{\"name\":\"k\",\"expires_at\":\"tomorrow\"}", "expires_at", "a time like");
    api_key_refuses("{\"name\":\"k\",\"expires_at_ms\":-1}", "expires_at_ms", "0 for never");
    api_key_refuses("{\"name\":\"k\",\"user\":-1}", "user", "absent");
    /* its own members are not among those that are told */
    api_key_refuses("{\"name\":\"k\",\"x\":1}", "x", "known: name, scopes, expires_at_ms");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_has_a_name),
        cmocka_unit_test(money_is_a_decimal_number),
        cmocka_unit_test(a_key_has_the_rights_of_its_scopes),
        cmocka_unit_test(a_key_is_printed_as_it_was_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
