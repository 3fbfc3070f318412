#include "../check.h"
#include "net/url.h"

static const struct {
    const char *text, *host, *target;
    unsigned port;
} good[] = {
    {"https://example.com", "example.com", "/", 443},
    {"HTTP://EXAMPLE.com:80/a?b=c", "example.com", "/a?b=c", 80},
    {"http://example.com?x", "example.com", "/?x", 80},
    {"http://0x7f.1/", "127.0.0.1", "/", 80},
    {"http://2130706433/", "127.0.0.1", "/", 80},
    {"http://0177.0.0.01/", "127.0.0.1", "/", 80},
    {"http://127.1:8080/", "127.0.0.1", "/", 8080},
    {"http://127.0.0.1./", "127.0.0.1", "/", 80},
    {"http://%31%32%37.0.0.1/", "127.0.0.1", "/", 80},
    {"http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/", "127.0.0.1", "/", 80}, /* full width */
    {"http://b\xc3\xbc"
     "cher.example/",
     "xn--bcher-kva.example", "/", 80},
    {"http://[::1]:9/x", "[::1]", "/x", 9},
    {"http://[0:0:0:0:0:0:0:1]/", "[::1]", "/", 80},
    {"http://example.com/gr\xc3\xbc\xc3\x9f", "example.com", "/gr%C3%BC%C3%9F", 80},
    {"http://a_b.internal/", "a_b.internal", "/", 80},
};
static const char *const bad[] = {
    "",
    "example.com",
    "ftp://example.com/",
    "http://",
    "http:///x",
    "http://user@example.com/",
    "http://user:pw@example.com/",
    "http://example.com/#f",
    "http://exa mple.com/",
    "http://a\tb/",
    "http://example.com:0/",
    "http://example.com:65536/",
    "http://example.com:80a/",
    "http://[::1",
    "http://[::1]x/",
    "http://[1.2.3.4]/",
    "http://256.256.256.256/",
    "http://1.2.3.4.5/",
    "http://0x100000000/",
    "http://example.com\\@evil.com/",
    "http://%00.com/",
    "http://%zz.com/",
    "http://a%2fb/",
    "javascript:alert(1)",
    "http://a<b/",
    "http://a^b/",
    "http://1.2.3.08/",
    "http://./",
    "http://\xff.com/",
    "file:///etc/passwd",
    "gopher://x/",
    "http:/example.com/",
};

static void reads_what_browsers_read(void **state)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct url u;
        const char *why = "";
        if (url_parse(str_of(good[i].text), &u, &why) != OK)
            fail_msg("%s: %s", good[i].text, why);
        assert_string_equal(u.host, good[i].host);
        assert_string_equal(u.target, good[i].target);
        assert_int_equal(u.port, good[i].port);
    }
}

static void refuses_the_rest_and_says_why(void **state)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct url u;
        const char *why = NULL;
        if (url_parse(str_of(bad[i]), &u, &why) == OK)
            fail_msg("\"%s\" was read as %s %s", bad[i], u.host, u.target);
        assert_non_null(why);
    }
}

static void authority_has_the_port_when_it_is_not_the_default(void **state)
{
    struct url u;
    struct buf b;
    buf_init(&b, 300);
    assert_ok(url_parse(STR("https://example.com:8443/"), &u, NULL));
    url_print_authority(&u, &b);
    assert_str(buf_str(&b), "example.com:8443");
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_browsers_read),
        cmocka_unit_test(refuses_the_rest_and_says_why),
        cmocka_unit_test(authority_has_the_port_when_it_is_not_the_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
