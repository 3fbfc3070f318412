/* Sessions that may be resumed: for whom, for how long, and how many. */
#include "check.h"
#include "base/clock.h"
#include "net/tls_openssl.h"

static SSL_SESSION *session_new(unsigned char id)
{
    SSL_SESSION *s = SSL_SESSION_new();
    assert_non_null(s);
    assert_int_equal(SSL_SESSION_set1_id(s, &id, 1), 1);
    return s;
}

static void put(struct tls_sessions *s, const char *key, unsigned char id, int64_t verified_ms)
{
    assert_true(tls_sessions_put(s, str_of(key), session_new(id), verified_ms));
}

static SSL_SESSION *get(struct tls_sessions *s, const char *key)
{
    int64_t verified_ms;
    return tls_sessions_get(s, str_of(key), &verified_ms);
}

static unsigned char id_of(SSL_SESSION *session)
{
    unsigned n;
    assert_non_null(session);
    return *SSL_SESSION_get_id(session, &n);
}

static void each_key_has_its_own(void **state)
{
    struct tls_sessions *s;
    int64_t now = clock_mono_ms();
    assert_ok(tls_sessions_new(&s));
    put(s, "1 0 1 443 a.example", 1, now);
    put(s, "2 0 1 443 a.example", 2, now);
    assert_int_equal(id_of(get(s, "1 0 1 443 a.example")), 1);
    assert_int_equal(id_of(get(s, "2 0 1 443 a.example")), 2);
    assert_null(get(s, "3 0 1 443 a.example"));
    put(s, "1 0 1 443 a.example", 3, now); /* the newer one counts */
    assert_int_equal(id_of(get(s, "1 0 1 443 a.example")), 3);
    tls_sessions_drop(s, STR("1 0 1 443 a.example"));
    assert_null(get(s, "1 0 1 443 a.example"));
    tls_sessions_free(s);
}

/* Ten minutes after the certificate was seen, however new the ticket is. */
static void the_certificate_is_looked_at_again(void **state)
{
    struct tls_sessions *s;
    clock_fake(1700000000000);
    assert_ok(tls_sessions_new(&s));
    int64_t verified_ms = clock_mono_ms(), kept_ms;
    put(s, "a", 1, verified_ms);
    clock_advance(9 * 60000);
    assert_non_null(tls_sessions_get(s, STR("a"), &kept_ms));
    put(s, "a", 2, kept_ms); /* a ticket that the resumed one brought */
    clock_advance(60000);
    assert_non_null(get(s, "a"));
    clock_advance(1);
    assert_null(get(s, "a"));
    tls_sessions_free(s);
    clock_real();
}

static void the_least_used_makes_room(void **state)
{
    struct tls_sessions *s;
    char key[16];
    assert_ok(tls_sessions_new(&s));
    int64_t now = clock_mono_ms();
    for (int i = 0; i < 1025; i++) {
        snprintf(key, sizeof key, "%d", i);
        put(s, key, 1, now);
        assert_non_null(get(s, "0")); /* this one is in use */
    }
    assert_null(get(s, "1"));
    assert_non_null(get(s, "2"));
    assert_non_null(get(s, "1024"));
    tls_sessions_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_has_its_own),
        cmocka_unit_test(the_certificate_is_looked_at_again),
        cmocka_unit_test(the_least_used_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
