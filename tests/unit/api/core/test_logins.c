/* Who is logged in: while the user is there with that password, and no more than so many. */
#include "api/core/logins.h"
#include "base/clock.h"
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

static const struct book_user *made(const char *name)
{
    char body[256];
    snprintf(body, sizeof body,
             "{\"username\":\"%s\",\"password\":\"correct horse\",\"role\":\"owner\"}", name);
    api_kit_must(201, "POST", "/v1/users", body);
    struct request *r = api_kit_request("GET", "/", "", NULL);
    return book_user_named(r->book, str_of(name));
}

static void add(const struct book_user *u, const char *hash, int64_t lasts_ms)
{
    logins_add(api_kit.logins, &(struct token){.hash = str_of(hash),
                                               .user = u->n,
                                               .stamp = login_stamp(u->set),
                                               .expires_at_ms = clock_wall_ms() + lasts_ms});
}

static bool is_in(const char *hash)
{
    struct request *r = api_kit_request("GET", "/", "", NULL);
    return logins_user(api_kit.logins, r->book, str_of(hash));
}

static void a_token_is_good_while_its_password_is(void **state)
{
    char path[128];
    const struct book_user *u = made("ann");
    snprintf(path, sizeof path, "/v1/users/%s", u->id);
    add(u, "hash-1", 60000);
    add(u, "hash-2", 0);
    assert_true(is_in("hash-1"));
    assert_false(is_in("hash-2")); /* it has ended */
    assert_false(is_in("hash-3"));
    api_kit_must(200, "PATCH", path, "{\"password\":\"battery staple\"}");
    assert_false(is_in("hash-1"));
}

static void a_log_in_ends_with_its_user_or_by_itself(void **state)
{
    char path[128];
    const struct book_user *u = made("ann");
    snprintf(path, sizeof path, "/v1/users/%s", u->id);
    add(u, "hash-1", 60000);
    add(u, "hash-2", 60000);
    logins_remove(api_kit.logins, STR("hash-1"));
    logins_remove(api_kit.logins, STR("hash-1"));
    assert_false(is_in("hash-1"));
    assert_true(is_in("hash-2"));
    api_kit_must(204, "DELETE", path, NULL);
    assert_false(is_in("hash-2"));
}

static void the_next_one_ends_the_oldest(void **state)
{
    char hash[LOGIN_HASH_SIZE], ends[LOGIN_HASH_SIZE];
    const struct book_user *u = made("ann");
    uint64_t n = u->n;
    for (int i = 0; i < LOGINS_OF_USER; i++) {
        assert_ok(logins_room(api_kit.logins, n, ends));
        assert_string_equal(ends, "");
        snprintf(hash, sizeof hash, "hash-%d", i);
        add(u, hash, 60000 + i * 1000);
    }
    assert_ok(logins_room(api_kit.logins, n, ends));
    assert_string_equal(ends, "hash-0");
    assert_ok(logins_room(api_kit.logins, n + 1, ends)); /* another's */
    assert_string_equal(ends, "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_token_is_good_while_its_password_is),
        CASE(a_log_in_ends_with_its_user_or_by_itself),
        CASE(the_next_one_ends_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
