/* The last use of each key: at once in memory, once a minute in the store. */
#include "api/core/key_uses.h"
#include "store/rows/tokens.h"
#include "api_kit.h"

static int set_up(void **state)
{
    api_kit_begin();
    return 0;
}

static int tear_down(void **state)
{
    api_kit_end();
    return 0;
}

enum { KEY = 77 };

static int64_t stored_ms;

static enum err look_work(struct request *r, struct db *db)
{
    return key_use_get(db, KEY, &stored_ms);
}

static int64_t stored(void)
{
    assert_ok(api_kit_read(api_kit_request("GET", "/", "", NULL), look_work));
    return stored_ms;
}

static void uses_are_stored_once_a_minute(void **state)
{
    struct key_uses *u = api_kit.key_uses;
    assert_int_equal(key_uses_get(u, KEY), 0);
    key_uses_touch(u, KEY, 1000000);
    key_uses_flush(u);
    assert_int_equal(stored(), 1000000);
    key_uses_touch(u, KEY, 1000000 + KEY_USE_STORED_MS - 1);
    assert_int_equal(key_uses_get(u, KEY), 1000000 + KEY_USE_STORED_MS - 1);
    assert_int_equal(stored(), 1000000);
    key_uses_flush(u); /* at the end what is newer */
    assert_int_equal(stored(), 1000000 + KEY_USE_STORED_MS - 1);
    key_uses_forget(u, KEY);
    assert_int_equal(key_uses_get(u, KEY), 0);
    key_uses_forget(u, KEY);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(uses_are_stored_once_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
