#include <unistd.h>

#include "check.h"
#include "base/config.h"

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

static void a_switch_is_on_or_off(void **state)
{
    static const struct {
        const char *set;
        enum err err;
        bool on;
    } cases[] = {{"accounts.own_numbers=on", OK, true},
                 {"accounts.own_numbers=off", OK, false},
                 {"accounts.own_numbers=true", ERR_INVALID, false},
                 {"accounts.own_numbers=", ERR_INVALID, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config *c;
        bool on;
        assert_ok(config_load(NULL, (char *[]){NULL}, &cases[i].set, 1, &c, why, sizeof why));
        assert_int_equal(config_switch(c, CONFIG_ACCOUNTS_OWN_NUMBERS, &on), cases[i].err);
        assert_int_equal(on, cases[i].on);
        config_free(c);
    }
}

static void numbers_have_bounds(void **state)
{
    struct config *c;
    int64_t v;
    assert_ok(load(NULL, no_env, "sip.t1_ms=nine", &c));
    assert_err(config_int(c, CONFIG_SIP_T1_MS, 10, 5000, &v), ERR_INVALID);
    assert_ok(config_int(c, CONFIG_SIP_MAX_CALLS, 1, 1000000, &v));
    assert_int_equal(v, 100000);
    config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_sources_win),
        cmocka_unit_test(an_unknown_key_suggests_the_near_one),
        cmocka_unit_test(what_a_service_of_our_name_brings_is_passed_over),
        cmocka_unit_test(a_secret_may_come_from_a_file),
        cmocka_unit_test(a_switch_is_on_or_off),
        cmocka_unit_test(numbers_have_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
