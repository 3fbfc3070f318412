/* What is sealed opens with its key, its context and unharmed, and not otherwise; a password
 * matches its own hash. */
#include "check.h"
#include "base/crypto.h"

static void what_is_sealed_opens_as_it_was_alone(void **state)
{
    static const uint8_t key[SEAL_KEY_SIZE] = {1, 2, 3}, other[SEAL_KEY_SIZE] = {1, 2, 4};
    static const char *const texts[] = {"", "a", "a secret of some length"};
    struct buf sealed, plain;
    buf_init(&sealed, 4096);
    buf_init(&plain, 4096);
    for (size_t i = 0; i < 3; i++) {
        buf_reset(&sealed);
        buf_reset(&plain);
        buf_put_sealed(&sealed, key, STR("context"), str_of(texts[i]));
        assert_ok(sealed.err);
        assert_ok(sealed_open(buf_str(&sealed), key, STR("context"), &plain));
        assert_str(buf_str(&plain), texts[i]);
        assert_err(sealed_open(buf_str(&sealed), other, STR("context"), &plain), ERR_DENIED);
        assert_err(sealed_open(buf_str(&sealed), key, STR("another"), &plain), ERR_DENIED);
        for (size_t n = 0; n < sealed.n; n++) {
            assert_err(sealed_open(str_slice(buf_str(&sealed), 0, n), key, STR("context"), &plain),
                       ERR_DENIED);
            sealed.p[n] ^= 1;
            assert_err(sealed_open(buf_str(&sealed), key, STR("context"), &plain), ERR_DENIED);
            sealed.p[n] ^= 1;
        }
        assert_str(buf_str(&plain), texts[i]); /* nothing was added */
    }
    buf_fini(&sealed);
    buf_fini(&plain);
}

static void no_two_seals_are_alike(void **state)
{
    static const uint8_t key[SEAL_KEY_SIZE];
    struct buf one, two;
    buf_init(&one, 4096);
    buf_init(&two, 4096);
    buf_put_sealed(&one, key, STR(""), STR("the same"));
    buf_put_sealed(&two, key, STR(""), STR("the same"));
    assert_false(str_eq(buf_str(&one), buf_str(&two)));
    buf_fini(&one);
    buf_fini(&two);
}

static void a_password_matches_its_hash_alone(void **state)
{
    char hash[PASSWORD_HASH_SIZE], again[PASSWORD_HASH_SIZE];
    assert_ok(password_hash(STR("correct horse battery staple"), hash));
    assert_memory_equal(hash, "$argon2id$v=19$m=65536,", 23);
    assert_true(password_matches(STR("correct horse battery staple"), hash));
    assert_false(password_matches(STR("correct horse battery stapl"), hash));
    assert_false(password_matches((struct str){0}, hash));
    assert_ok(password_hash(STR("correct horse battery staple"), again));
    assert_string_not_equal(hash, again); /* its own salt */
}

static void what_is_no_hash_matches_nothing(void **state)
{
    assert_false(password_matches(STR("x"), ""));
    assert_false(password_matches(STR("x"), "x"));
    assert_false(password_matches(STR("x"), "$argon2id$v=19$m=65536,t=2,p=1$"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sealed_opens_as_it_was_alone),
        cmocka_unit_test(no_two_seals_are_alike),
        cmocka_unit_test(a_password_matches_its_hash_alone),
        cmocka_unit_test(what_is_no_hash_matches_nothing),
    };
    if (crypto_start() != OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
