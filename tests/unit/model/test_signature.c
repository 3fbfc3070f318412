#include "check.h"
#include "base/crypto.h"
#include "model/signature.h"

/* The standard's own example (CONTRACT §2). */
static void the_known_vector(void **state)
{
    struct secret s;
    struct buf b;
    struct str id = STR("msg_p5jXN8AQM9LWM0D4loKWxJek"), body = STR("{\"test\": 2432232314}");
    buf_init(&b, 1000);
    assert_ok(secret_parse(STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), &s));
    signature_print(&s, 1, id, 1614265330, body, &b);
    assert_str(buf_str(&b), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_true(signature_verify(&s, 1, id, 1614265330, body, buf_str(&b)));
    assert_false(signature_verify(&s, 1, id, 1614265331, body, buf_str(&b)));
    assert_false(signature_verify(&s, 1, id, 1614265330, STR("{}"), buf_str(&b)));
    buf_fini(&b);
}

static void two_secrets_both_sign(void **state)
{
    struct secret s[2];
    char text[2][SECRET_SIZE];
    struct buf b;
    buf_init(&b, 1000);
    for (int i = 0; i < 2; i++) {
        secret_new(text[i]);
        assert_int_equal(strncmp(text[i], "whsec_", 6), 0);
        assert_ok(secret_parse(str_of(text[i]), &s[i]));
        assert_int_equal(s[i].n, 32);
    }
    signature_print(s, 2, STR("evt_1"), 5, STR("x"), &b);
    assert_true(signature_verify(&s[0], 1, STR("evt_1"), 5, STR("x"), buf_str(&b)));
    assert_true(signature_verify(&s[1], 1, STR("evt_1"), 5, STR("x"), buf_str(&b)));
    buf_fini(&b);
}

static void bad_secrets(void **state)
{
    struct secret s;
    assert_err(secret_parse(STR("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), &s), ERR_SYNTAX);
    assert_err(secret_parse(STR("whsec_c2hvcnQ="), &s), ERR_SYNTAX);
    assert_err(secret_parse(STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS*"), &s), ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_known_vector),
        cmocka_unit_test(two_secrets_both_sign),
        cmocka_unit_test(bad_secrets),
    };
    assert_ok(crypto_start());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
