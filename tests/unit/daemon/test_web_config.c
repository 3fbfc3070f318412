/* The HTTP side's keys: what the defaults are, and what each may not be. */
#include "check.h"
#include "daemon/web_config.h"

static char *no_env[] = {NULL};

static enum err read_with(const char *set, struct api_config *api, struct feed_config *feed,
                          char *why, size_t cap)
{
    static struct config *c;
    config_free(c); /* what was read before points into it no more */
    c = NULL;
    assert_ok(config_load(NULL, no_env, &set, set ? 1 : 0, &c, why, cap));
    enum err err = web_config_api(c, api, why, cap);
    return err == OK ? web_config_feed(c, feed, why, cap) : err;
}

static void the_defaults_are_allowed(void **state)
{
    struct api_config api = {0};
    struct feed_config feed = {0};
    char why[256] = "";
    assert_ok(read_with(NULL, &api, &feed, why, sizeof why));
    assert_int_equal(api.threads, 2);
    assert_false(api.own_numbers);
    assert_string_equal(api.listen, "127.0.0.1:8080");
    assert_true(feed.max >= feed.max_of_one);
    assert_true(feed.tick_ms > 0 && feed.tick_ms <= 1000);
}

/* 8 ticks a heartbeat, at least one millisecond and at most a second each. */
static void streams_tick_by_their_heartbeat(void **state)
{
    struct api_config api = {0};
    struct feed_config feed = {0};
    char why[256];
    assert_ok(read_with("http.stream_heartbeat_ms=50", &api, &feed, why, sizeof why));
    assert_int_equal(api.heartbeat_ms, 50);
    assert_int_equal(feed.tick_ms, 7);
    assert_ok(read_with("http.stream_heartbeat_ms=300000", &api, &feed, why, sizeof why));
    assert_int_equal(feed.tick_ms, 1000);
}

static void a_refusal_names_the_key_and_its_bounds(void **state)
{
    static const char *const bad[][2] = {
        {"http.threads=0", "http.threads: a whole number from 1 to 64 is needed"},
        {"http.threads=65", "http.threads: a whole number from 1 to 64 is needed"},
        {"http.stream_heartbeat_ms=49",
         "http.stream_heartbeat_ms: a whole number from 50 to 300000 is needed"},
        {"http.streams_max=3001", "http.streams_max: a whole number from 0 to 3000 is needed"},
        {"accounts.own_numbers=maybe", "accounts.own_numbers: on or off is needed"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct api_config api = {0};
        struct feed_config feed = {0};
        char why[256] = "";
        assert_int_not_equal(read_with(bad[i][0], &api, &feed, why, sizeof why), OK);
        assert_string_equal(why, bad[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_allowed),
        cmocka_unit_test(streams_tick_by_their_heartbeat),
        cmocka_unit_test(a_refusal_names_the_key_and_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
