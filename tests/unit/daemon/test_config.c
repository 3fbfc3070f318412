#include <unistd.h>

#include "check.h"
#include "daemon/config.h"

static char why[512];

static enum err load(const char *file, char **env, const char *set, struct config **ret)
{
    return config_load(file, env, &set, set ? 1 : 0, ret, why, sizeof why);
}

static char *no_env[] = {NULL};

static void later_sources_win(void **state)
{
    char path[] = "/tmp/hookswitch-config-XXXXXX";
    int fd = mkstemp(path);
    struct config *c;
    static const char text[] = "[sip]\nmax_calls = 5\nt1_ms = 100\n[http]\nlisten = 127.0.0.1:1\n";
    char t1[] = "HOOKSWITCH_SIP_T1_MS=200", listen[] = "HOOKSWITCH_HTTP_LISTEN=127.0.0.1:2";
    char other[] = "PATH=/bin", *env[] = {t1, listen, other, NULL};
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    assert_ok(load(path, env, "http.listen=127.0.0.1:3", &c));
    assert_string_equal(config_get(c, CONFIG_SIP_MAX_CALLS), "5");
    assert_string_equal(config_get(c, CONFIG_SIP_T1_MS), "200");
    assert_string_equal(config_get(c, CONFIG_HTTP_LISTEN), "127.0.0.1:3");
    assert_string_equal(config_get(c, CONFIG_LOG_LEVEL), "info");
    config_free(c);
    unlink(path);
}

static void an_unknown_key_suggests_the_near_one(void **state)
{
    struct config *c;
    assert_err(load(NULL, no_env, "sip.lisen=x", &c), ERR_INVALID);
    assert_non_null(strstr(why, "sip.lisen"));
    assert_non_null(strstr(why, "sip.listen"));
    assert_err(load(NULL, no_env, "colour=x", &c), ERR_INVALID);
    assert_null(strstr(why, "did you mean"));
    char *env[] = {(char[]){"HOOKSWITCH_SIP_LISEN=x"}, NULL};
    assert_err(load(NULL, env, NULL, &c), ERR_INVALID);
    assert_non_null(strstr(why, "HOOKSWITCH_SIP_LISEN"));
    assert_non_null(strstr(why, "sip.listen"));
}

/* Kubernetes tells every container of the services beside it. */
static void what_a_service_of_our_name_brings_is_passed_over(void **state)
{
    struct config *c;
    char *env[] = {(char[]){"HOOKSWITCH_SERVICE_HOST=10.0.0.1"},
                   (char[]){"HOOKSWITCH_SERVICE_PORT_API=8080"},
                   (char[]){"HOOKSWITCH_PORT=tcp://10.0.0.1:8080"},
                   (char[]){"HOOKSWITCH_PORT_8080_TCP_ADDR=10.0.0.1"}, NULL};
    assert_ok(load(NULL, env, NULL, &c));
    config_free(c);
    char *meant[] = {(char[]){"HOOKSWITCH_PORT=8080"}, NULL};
    assert_err(load(NULL, meant, NULL, &c), ERR_INVALID);
}

static void a_secret_may_come_from_a_file(void **state)
{
    char path[] = "/tmp/hookswitch-secret-XXXXXX", env_text[128];
    int fd = mkstemp(path);
    struct config *c;
    assert_int_equal(write(fd, "hush\n", 5), 5);
    close(fd);
    snprintf(env_text, sizeof env_text, "HOOKSWITCH_BOOTSTRAP_ADMIN_KEY_FILE=%s", path);
    char *env[] = {env_text, NULL};
    assert_ok(load(NULL, env, NULL, &c));
    assert_string_equal(config_get(c, CONFIG_BOOTSTRAP_ADMIN_KEY), "hush");
    config_free(c);
    unlink(path);
}

static void values_are_read_by_their_type(void **state)
{
    struct config *c;
    assert_ok(load(NULL, no_env, "accounts.own_numbers=on", &c));
    assert_true(config_is_on(c, CONFIG_ACCOUNTS_OWN_NUMBERS));
    assert_int_equal(config_number(c, CONFIG_SIP_MAX_CALLS), 100000);
    config_free(c);
    assert_ok(load(NULL, no_env, "sip.trace_bytes=17179869184", &c));
    assert_false(config_is_on(c, CONFIG_ACCOUNTS_OWN_NUMBERS));
    assert_true(config_number(c, CONFIG_SIP_TRACE_BYTES) == INT64_C(17179869184));
    config_free(c);
    assert_ok(load(NULL, no_env, "sip.trace_bytes=0", &c));
    assert_int_equal(config_number(c, CONFIG_SIP_TRACE_BYTES), 0);
    config_free(c);
}

/* One of each type, at both ends of its range. */
static void a_value_that_may_not_be_is_told_its_range(void **state)
{
    static const char *const cases[][2] = {
        {"sip.t1_ms=nine", "--set: sip.t1_ms: a whole number from 10 to 5000 is needed"},
        {"sip.t1_ms=9", "--set: sip.t1_ms: a whole number from 10 to 5000 is needed"},
        {"sip.t1_ms=5001", "--set: sip.t1_ms: a whole number from 10 to 5000 is needed"},
        {"sip.t1_ms=-10", "--set: sip.t1_ms: a whole number from 10 to 5000 is needed"},
        {"sip.t1_ms=", "--set: sip.t1_ms: a whole number from 10 to 5000 is needed"},
        {"sip.trace_bytes=1",
         "--set: sip.trace_bytes: 0, or a whole number from 1048576 to 17179869184 is needed"},
        {"accounts.own_numbers=true", "--set: accounts.own_numbers: on or off is needed"},
        {"accounts.own_numbers=", "--set: accounts.own_numbers: on or off is needed"},
        {"log.level=loud", "--set: log.level: debug, info, warn or error is needed"},
        {"log.level=or", "--set: log.level: debug, info, warn or error is needed"},
        {"log.level=warn or error", "--set: log.level: debug, info, warn or error is needed"},
        {"log.level=inf", "--set: log.level: debug, info, warn or error is needed"},
        {"log.level=", "--set: log.level: debug, info, warn or error is needed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config *c;
        assert_err(load(NULL, no_env, cases[i][0], &c), ERR_INVALID);
        assert_string_equal(why, cases[i][1]);
    }
    static const char *const good[] = {"sip.t1_ms=10", "sip.t1_ms=5000", "log.level=debug",
                                       "log.level=error", "sip.trace_bytes=1048576"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct config *c;
        assert_ok(load(NULL, no_env, good[i], &c));
        config_free(c);
    }
}

static void a_text_has_a_length(void **state)
{
    char set[400] = "smpp.listen=";
    struct config *c;
    memset(set + 12, 'x', 255);
    assert_ok(load(NULL, no_env, set, &c));
    config_free(c);
    set[12 + 255] = 'x';
    assert_err(load(NULL, no_env, set, &c), ERR_INVALID);
    assert_string_equal(why, "--set: smpp.listen: at most 255 bytes are allowed");
}

static void a_fault_in_a_file_or_the_environment_says_where(void **state)
{
    char path[] = "/tmp/hookswitch-config-XXXXXX", at[64];
    int fd = mkstemp(path);
    struct config *c;
    static const char text[] = "[sip]\nmax_calls = 5\nt1_ms = 1\n";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    assert_err(load(path, no_env, NULL, &c), ERR_INVALID);
    snprintf(at, sizeof at, "%s:3: sip.t1_ms: a whole number", path);
    assert_true(str_starts(str_of(why), str_of(at)));
    unlink(path);
    char *env[] = {(char[]){"HOOKSWITCH_LOG_LEVEL=loud"}, NULL};
    assert_err(load(NULL, env, NULL, &c), ERR_INVALID);
    assert_string_equal(why, "environment: log.level: debug, info, warn or error is needed");
}

/* Each default must be a value that its own row allows. */
static void every_default_is_allowed(void **state)
{
    struct config *c;
    assert_ok(load(NULL, no_env, NULL, &c));
    for (int key = 0; key < CONFIG_COUNT_; key++) {
        char set[512];
        struct config *again;
        snprintf(set, sizeof set, "%s=%s", config_name((enum config_key)key),
                 config_get(c, (enum config_key)key));
        assert_ok(load(NULL, no_env, set, &again));
        config_free(again);
    }
    config_free(c);
}

static void the_example_shows_range_unit_and_default(void **state)
{
    struct buf b;
    buf_init(&b, 1 << 16);
    config_print_example(&b);
    buf_put_str(&b, str_of_bytes("", 1));
    assert_ok(b.err);
    assert_non_null(
        strstr(b.p, "# 10 to 5000 milliseconds\n# HOOKSWITCH_SIP_T1_MS\n;t1_ms = 500\n"));
    assert_non_null(strstr(b.p, "# 0, or 1048576 to 17179869184 bytes\n"));
    assert_non_null(strstr(b.p, "# on or off\n# HOOKSWITCH_ACCOUNTS_OWN_NUMBERS\n"));
    assert_non_null(strstr(b.p, "# HOOKSWITCH_BOOTSTRAP_ADMIN_KEY or _FILE\n"));
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_sources_win),
        cmocka_unit_test(an_unknown_key_suggests_the_near_one),
        cmocka_unit_test(what_a_service_of_our_name_brings_is_passed_over),
        cmocka_unit_test(a_secret_may_come_from_a_file),
        cmocka_unit_test(values_are_read_by_their_type),
        cmocka_unit_test(a_value_that_may_not_be_is_told_its_range),
        cmocka_unit_test(a_text_has_a_length),
        cmocka_unit_test(a_fault_in_a_file_or_the_environment_says_where),
        cmocka_unit_test(every_default_is_allowed),
        cmocka_unit_test(the_example_shows_range_unit_and_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
