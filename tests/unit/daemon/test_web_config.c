/* The HTTP side's keys, as the API and the feed take them. */
#include "check.h"
#include "daemon/web_config.h"

static char *no_env[] = {NULL};
static struct config *config;

static void read_with(const char *set, struct api_config *api, struct feed_config *feed)
{
    char why[256];
    config_free(config); /* what was read before points into it no more */
    config = NULL;
    assert_ok(config_load(NULL, no_env, &set, set ? 1 : 0, &config, why, sizeof why));
    web_config_api(config, api);
    web_config_feed(config, feed);
}

static void the_defaults_are_taken(void **state)
{
    struct api_config api = {0};
    struct feed_config feed = {0};
    read_with(NULL, &api, &feed);
    assert_int_equal(api.threads, 2);
    assert_int_equal(api.token_hours, 24);
    assert_int_equal(api.connections_per_address, 3000);
    assert_false(api.own_numbers);
    assert_string_equal(api.listen, "127.0.0.1:8080");
    assert_string_equal(api.proxy_header, "X-Forwarded-For");
    assert_int_equal(feed.max, 2000);
    assert_int_equal(feed.max_of_one, 1000);
    assert_int_equal(feed.tick_ms, 1000);
}

/* 8 ticks a heartbeat, at least one millisecond and at most a second each. */
static void streams_tick_by_their_heartbeat(void **state)
{
    struct api_config api = {0};
    struct feed_config feed = {0};
    read_with("http.stream_heartbeat_ms=50", &api, &feed);
    assert_int_equal(api.heartbeat_ms, 50);
    assert_int_equal(feed.tick_ms, 7);
    read_with("http.stream_heartbeat_ms=300000", &api, &feed);
    assert_int_equal(feed.tick_ms, 1000);
}

static int close_config(void **state)
{
    config_free(config);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_taken),
        cmocka_unit_test(streams_tick_by_their_heartbeat),
    };
    return cmocka_run_group_tests(tests, NULL, close_config);
}
