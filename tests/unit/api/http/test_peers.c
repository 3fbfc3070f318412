/* Connections by address: each has its own, a line of IPv6 is one, what ends makes room. */
#include <pthread.h>

#include "check.h"
#include "api/http/peers.h"

static struct peers *make(unsigned per_address)
{
    struct peers *p;
    char why[160];
    assert_ok(peers_new(&(struct peers_settings){"10.0.0.0/8", "X-Forwarded-For", per_address}, &p,
                        why, sizeof why));
    return p;
}

static struct addr at(const char *text)
{
    struct addr a;
    assert_ok(addr_parse(str_of(text), 0, &a));
    return a;
}

static void an_address_has_so_many(void **state)
{
    struct peers *p = make(2);
    const struct addr one = at("192.0.2.1"), other = at("192.0.2.2");
    assert_false(peers_full(p, &one));
    struct peer *first = peers_enter(p, &one);
    assert_false(peers_full(p, &one));
    struct peer *second = peers_enter(p, &one);
    assert_ptr_equal(first, second);
    assert_true(peers_full(p, &one));
    assert_false(peers_full(p, &other));
    peers_leave(p, first);
    assert_false(peers_full(p, &one));
    peers_leave(p, second);
    peers_leave(p, NULL);
    assert_false(peers_full(p, &one));
    peers_free(p);
}

static void a_64_of_ipv6_is_one_address(void **state)
{
    struct peers *p = make(1);
    const struct addr one = at("2001:db8:1:2::1"), near = at("2001:db8:1:2:ffff::9"),
                      far = at("2001:db8:1:3::1"), v4 = at("32.1.13.184");
    struct peer *peer = peers_enter(p, &one);
    assert_true(peers_full(p, &near));
    assert_false(peers_full(p, &far));
    assert_false(peers_full(p, &v4)); /* the same bytes, another family */
    peers_leave(p, peer);
    peers_free(p);
}

static void without_a_limit_nobody_is_counted(void **state)
{
    struct peers *p = make(0);
    const struct addr one = at("192.0.2.1");
    assert_null(peers_enter(p, &one));
    assert_false(peers_full(p, &one));
    peers_free(p);
}

static void settings_that_cannot_be_say_which(void **state)
{
    static const struct {
        const char *trusted, *header, *why;
    } bad[] = {{"localhost", "Forwarded", "http.trusted_proxies"},
               {"10.0.0.0/8,0.0.0.0/0", "Forwarded", "http.trusted_proxies"},
               {"", "X-Real-IP", "http.proxy_header"},
               {"", "", "http.proxy_header"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct peers *p;
        char why[160] = "";
        assert_err(peers_new(&(struct peers_settings){bad[i].trusted, bad[i].header, 1}, &p, why,
                             sizeof why),
                   ERR_INVALID);
        assert_non_null(strstr(why, bad[i].why));
    }
    struct peers *p;
    char why[160];
    assert_ok(peers_new(&(struct peers_settings){"::1", "fORWARDED", 1}, &p, why, sizeof why));
    assert_int_equal(peers_trust(p)->header, FORWARDED_RFC7239);
    assert_string_equal(peers_trust(p)->header_name, "Forwarded");
    peers_free(p);
}

static void settings_change_while_connections_come(void **state)
{
    const struct addr proxy = {.family = 4, .ip = {10, 0, 0, 1}};
    struct addr client = {.family = 4, .ip = {192, 0, 2, 1}};
    char why[160];
    struct peers *p = make(1);
    struct peer *first = peers_enter(p, &client);
    const struct trust *before = peers_trust(p);
    assert_true(peers_full(p, &client));
    assert_ok(peers_set(p, &(struct peers_settings){"", "Forwarded", 2}, why, sizeof why));
    assert_false(peers_full(p, &client));
    assert_false(proxies_has(&peers_trust(p)->proxies, &proxy));
    assert_true(proxies_has(&before->proxies, &proxy)); /* somebody may still look at it */
    assert_err(peers_set(p, &(struct peers_settings){"nobody", "Forwarded", 9}, why, sizeof why),
               ERR_INVALID);
    struct peer *second = peers_enter(p, &client);
    assert_true(peers_full(p, &client)); /* what could not be read changed nothing */
    peers_leave(p, first);
    peers_leave(p, second);
    peers_free(p);
}

static void *come_and_go(void *arg)
{
    struct peers *p = arg;
    for (unsigned i = 0; i < 20000; i++) {
        struct addr a = {.family = 4, .ip = {192, 0, 2, (uint8_t)(i % 3)}};
        struct peer *peer = peers_enter(p, &a);
        (void)peers_full(p, &a);
        peers_leave(p, peer);
    }
    return NULL;
}

static void threads_come_and_go_and_nobody_is_left(void **state)
{
    struct peers *p = make(1);
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, come_and_go, p), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    for (uint8_t i = 0; i < 3; i++) {
        struct addr a = {.family = 4, .ip = {192, 0, 2, i}};
        assert_false(peers_full(p, &a));
    }
    peers_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_so_many),
        cmocka_unit_test(a_64_of_ipv6_is_one_address),
        cmocka_unit_test(without_a_limit_nobody_is_counted),
        cmocka_unit_test(settings_that_cannot_be_say_which),
        cmocka_unit_test(settings_change_while_connections_come),
        cmocka_unit_test(threads_come_and_go_and_nobody_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
