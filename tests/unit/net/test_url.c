#include "check.h"
#include "net/url.h"

/* The text, and what must come of it. The cases follow the WHATWG URL standard where it reads a
 * special URL; where it repairs one, ours is in the second table. */
static const struct {
    const char *text, *host, *target;
    unsigned port;
} good[] = {
    {"https://example.com", "example.com", "/", 443},
    {"HTTP://EXAMPLE.com:80/a?b=c", "example.com", "/a?b=c", 80},
    {"http://example.com?x", "example.com", "/?x", 80},
    {"hTtPs://example.com/", "example.com", "/", 443},
    /* ports */
    {"http://example.com:/", "example.com", "/", 80},
    {"http://example.com:0080/", "example.com", "/", 80},
    {"http://example.com:8080/", "example.com", "/", 8080},
    {"http://example.com:65535/", "example.com", "/", 65535},
    {"https://example.com:80/", "example.com", "/", 80},
    {"http://example.com:443/", "example.com", "/", 443},
    /* IPv4 in any notation */
    {"http://127.0.0.1/", "127.0.0.1", "/", 80},
    {"http://0x7f.1/", "127.0.0.1", "/", 80},
    {"http://0X7F.0x0.0X0.0x1/", "127.0.0.1", "/", 80},
    {"http://0x7f000001/", "127.0.0.1", "/", 80},
    {"http://0x000000000000000000007f000001/", "127.0.0.1", "/", 80},
    {"http://2130706433/", "127.0.0.1", "/", 80},
    {"http://017700000001/", "127.0.0.1", "/", 80},
    {"http://0177.0.0.01/", "127.0.0.1", "/", 80},
    {"http://0000000177.0.0.01/", "127.0.0.1", "/", 80},
    {"http://127.1:8080/", "127.0.0.1", "/", 8080},
    {"http://127.0x1/", "127.0.0.1", "/", 80},
    {"http://127.0.1/", "127.0.0.1", "/", 80},
    {"http://127.65535/", "127.0.255.255", "/", 80},
    {"http://10.16777215/", "10.255.255.255", "/", 80},
    {"http://127.0.0.1./", "127.0.0.1", "/", 80},
    {"http://0/", "0.0.0.0", "/", 80},
    {"http://0x/", "0.0.0.0", "/", 80},
    {"http://0x.0x.0/", "0.0.0.0", "/", 80},
    {"http://4294967295/", "255.255.255.255", "/", 80},
    {"http://192.0x00A80001/", "192.168.0.1", "/", 80},
    /* percent escapes and full width, before and after IDNA */
    {"http://%31%32%37.0.0.1/", "127.0.0.1", "/", 80},
    {"http://%30%78%37%66.1/", "127.0.0.1", "/", 80},
    {"http://127%2E0%2e0%2E1/", "127.0.0.1", "/", 80},
    {"http://ex%61mple.com/", "example.com", "/", 80},
    {"http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/", "127.0.0.1", "/", 80},
    {"http://127\xe3\x80\x82"
     "0\xef\xbc\x8e"
     "0\xef\xbd\xa1"
     "1/",
     "127.0.0.1", "/", 80},
    {"http://\xef\xbc\x90\xef\xbd\x98\xef\xbc\x97\xef\xbd\x86\xef\xbc\x8e\xef\xbc\x91/",
     "127.0.0.1", "/", 80},
    {"http://\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.\xe2\x93\xaa.\xe2\x93\xaa.\xe2\x91\xa0/",
     "127.0.0.1", "/", 80},
    {"http://%EF%BC%91%EF%BC%92%EF%BC%97.1/", "127.0.0.1", "/", 80},
    {"http://192.168.0.\xef\xbc\x91/", "192.168.0.1", "/", 80},
    {"http://"
     "\xef\xbd\x85\xef\xbd\x98\xef\xbd\x81\xef\xbd\x8d\xef\xbd\x90\xef\xbd\x8c\xef\xbd\x85.com/",
     "example.com", "/", 80},
    {"http://localhost\xe3\x80\x82/", "localhost.", "/", 80},
    {"http://"
     "\xf0\x9d\x9f\x8f\xf0\x9d\x9f\x90\xf0\x9d\x9f\x95.\xf0\x9d\x9f\x8e.\xf0\x9d\x9f\x8e."
     "\xf0\x9d\x9f\x8f/",
     "127.0.0.1", "/", 80},
    /* international names */
    {"http://b\xc3\xbc"
     "cher.example/",
     "xn--bcher-kva.example", "/", 80},
    {"http://B\xc3\x9c"
     "CHER.example/",
     "xn--bcher-kva.example", "/", 80},
    {"http://b%C3%BCcher.example/", "xn--bcher-kva.example", "/", 80},
    {"http://bu\xcc\x88"
     "cher.example/",
     "xn--bcher-kva.example", "/", 80},
    {"http://xn--bcher-kva.example/", "xn--bcher-kva.example", "/", 80},
    {"http://fa\xc3\x9f.example/", "xn--fa-hia.example", "/", 80},
    {"http://\xef\xbc\xa7\xef\xbd\x8f.com/", "go.com", "/", 80},
    {"http://\xe4\xbd\xa0\xe5\xa5\xbd\xe4\xbd\xa0\xe5\xa5\xbd/", "xn--6qqa088eba", "/", 80},
    {"http://ab\xc2\xad"
     "c.example/",
     "abc.example", "/", 80},
    /* names as they are */
    {"http://example.com./", "example.com.", "/", 80},
    {"http://a_b.internal/", "a_b.internal", "/", 80},
    {"http://r3---sn-x.example/", "r3---sn-x.example", "/", 80},
    {"http://-a-.example/", "-a-.example", "/", 80},
    {"http://1.2.3.4.example/", "1.2.3.4.example", "/", 80},
    {"http://foo.0x7g/", "foo.0x7g", "/", 80},
    {"http://127.0.0.-1/", "127.0.0.-1", "/", 80},
    {"http://localhost/", "localhost", "/", 80},
    {"http://a!$&'()*+,;=b/", "a!$&'()*+,;=b", "/", 80},
    /* IPv6 */
    {"http://[::1]:90/x", "[::1]", "/x", 90},
    {"http://[0:0:0:0:0:0:0:1]/", "[::1]", "/", 80},
    {"http://[0000:0000::0001]/", "[::1]", "/", 80},
    {"http://[::ffff:127.0.0.1]/", "[::ffff:127.0.0.1]", "/", 80},
    {"http://[::FFFF:7f00:1]/", "[::ffff:127.0.0.1]", "/", 80},
    {"http://[::127.0.0.1]/", "[::127.0.0.1]", "/", 80},
    {"http://[64:ff9b::127.0.0.1]/", "[64:ff9b::7f00:1]", "/", 80},
    {"http://[2001:DB8::A]/", "[2001:db8::a]", "/", 80},
    {"http://[1:2:3:4:5:6:7:8]/", "[1:2:3:4:5:6:7:8]", "/", 80},
    {"http://[1::2:3:4:5:6:7]/", "[1:0:2:3:4:5:6:7]", "/", 80},
    /* path and query */
    {"http://example.com/gr\xc3\xbc\xc3\x9f", "example.com", "/gr%C3%BC%C3%9F", 80},
    {"http://example.com/a/../b/./c", "example.com", "/a/../b/./c", 80},
    {"http://example.com/%zz%2e", "example.com", "/%zz%2e", 80},
    {"http://example.com/\"<>`{}^|", "example.com", "/%22%3C%3E%60%7B%7D%5E|", 80},
    {"http://example.com/?\"<>`{}^|'", "example.com", "/?%22%3C%3E`{}^|%27", 80},
    {"http://example.com/a@b:c/", "example.com", "/a@b:c/", 80},
    {"http://example.com//x//", "example.com", "//x//", 80},
    {"http://example.com/?a=?", "example.com", "/?a=?", 80},
};
static const char *const bad[] = {
    /* no URL, or another scheme */
    "", "example.com", "//example.com/", "/x", "http", "http:", "http://", "https://",
    "ftp://example.com/", "ws://example.com/", "file:///etc/passwd", "gopher://x/",
    "javascript:alert(1)", "data:text/html,x", "unix:/run/x.sock", "http+unix://%2Frun%2Fx/",
    "jar:http://x/", "\xef\xbb\xbfhttp://example.com/",
    /* what WHATWG would repair */
    "http:example.com", "http:/example.com/", "http:///example.com", "http:////example.com/",
    "http:\\\\example.com\\", "http://example.com\\@evil.com/", "http:/\\example.com/",
    "https:\\/example.com", "http://example.com/a\\b", " http://example.com/",
    "http://example.com/ ", "ht\ntp://example.com/", "http://exa\tmple.com/",
    "http://example.com/\n", "http://example.com/\r\nX: y", "http://a b/", "http://example.com/\v",
    "http://example.com/\x7f", "http://exam\x01ple.com/", "http://example.com:8 0/",
    "http://example.com/\x1f",
    /* no host */
    "http:///x", "http://?x", "http://:80/", "http://./", "http://../", "http://a..b/",
    "http://.a/", "http://a../", "http://%2e/", "http://\xe3\x80\x82/",
    /* userinfo and fragments */
    "http://user@example.com/", "http://user:pw@example.com/", "http://@example.com/",
    "http://:@example.com/", "http://example.com@127.0.0.1/", "http://a@b@c/", "http://%40@x/",
    "http://127.0.0.1:80@example.com/", "http://example.com/#f", "http://example.com#@evil.com/",
    "http://example.com/?#",
    /* ports */
    "http://example.com:0/", "http://example.com:65536/", "http://example.com:80a/",
    "http://example.com:-80/", "http://example.com:+80/", "http://example.com:0x50/",
    "http://example.com:80:80/", "http://example.com:99999999999999999999/",
    "http://example.com:\xef\xbc\x98\xef\xbc\x90/", "http://example.com:%38%30/",
    "http://example.com:7/", "http://example.com:22/", "http://example.com:25/",
    "https://example.com:25/", "http://example.com:0025/", "http://example.com:53/",
    "http://example.com:587/", "http://example.com:5060/", "http://example.com:5061/",
    "http://example.com:6000/", "http://example.com:6667/", "http://example.com:6679/",
    "http://example.com:10080/", "http://[::1]:25/", "http://127.0.0.1:2049/",
    /* addresses that are none */
    "http://256.256.256.256/", "http://1.2.3.4.5/", "http://0x100000000/", "http://4294967296/",
    "http://1.2.3.08/", "http://09.1/", "http://1.2.3.256/", "http://256.1/", "http://127.0.0.0.1/",
    "http://1.16777216/", "http://foo.1/", "http://foo.0x7f/", "http://foo.127.0.0.1/",
    "http://1..2/", "http://127.0.0.1../", "http://.127.0.0.1/", "http://0x.0x.0x.0x.0x/",
    "http://1.0xfffffffffffffffffffff/", "http://127.0.0.1%00.com/",
    "http://99999999999999999999999/", "http://00000000000000000000000000000400.1.1.1/",
    "http://[::1", "http://[::1]x/", "http://[::1]80/", "http://[1.2.3.4]/", "http://[]/",
    "http://[::g]/", "http://[1:2:3]/", "http://[1:2:3:4:5:6:7:8:9]/", "http://[::1::]/",
    "http://[:::1]/", "http://[12345::]/", "http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/",
    "http://[::127.0.0.1.2]/", "http://[::ffff:256.0.0.1]/", "http://[::ffff:0x7f.1]/",
    "http://[::ffff:127.1]/", "http://[::ffff:01.2.3.4]/", "http://[v1.fe80::a]/",
    "http://[[::1]]/", "http://::1/", "http://::1:80/", "http://%5B::1%5D/", "http://[::1]@x/",
    "http://[%3A%3A1]/", "http://\xef\xbc\xbb::1\xef\xbc\xbd/", "http://[::\xef\xbc\x91]/",
    /* names that are none */
    "http://%00.com/", "http://%zz.com/", "http://%4/", "http://%/", "http://a%2fb/",
    "http://a%3a80/", "http://a%23b/", "http://a%3fb/", "http://a%40b/", "http://a%20b/",
    "http://a%09b/", "http://a%0d%0ab/", "http://a%25b/", "http://%2531.com/",
    "http://\xef\xbc\x85"
    "41.com/",
    "http://a<b/", "http://a>b/", "http://a^b/", "http://a|b/", "http://a\"b/", "http://a`b/",
    "http://a{b}/", "http://a[b/", "http://a]b/", "http://a%5Cb/",
    "http://a\xe2\x84\x80"
    "b/",
    "http://a\xef\xbc\x8f"
    "b/",
    "http://a\xef\xbc\x9f"
    "b/",
    "http://a\xef\xbc\x83"
    "b/",
    "http://a\xef\xbc\x9a"
    "80/",
    "http://\xef\xbd\x81\xef\xbc\xa0"
    "b/",
    "http://xn--/", "http://xn--a.example/", "http://xn--0.example/",
    "http://\xef\xbf\xbd.example/",
    "http://\xe2\x80\xae"
    "a.example/",
    "http://%ff.com/", "http://%c0%af.com/",
    "http://\xe2\x92\x88"
    "com/",
    "http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example/",
    "http://"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/",
    "http://\xff.com/",         /* not UTF-8 */
    "http://\xc0\xaf.com/",     /* overlong */
    "http://\xed\xa0\x80.com/", /* a surrogate */
};

static void reads_what_browsers_read(void **state)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct url u;
        const char *why = "";
        if (url_parse(str_of(good[i].text), &u, &why) != OK)
            fail_msg("%s: %s", good[i].text, why);
        if (strcmp(u.host, good[i].host) || strcmp(u.target, good[i].target) ||
            u.port != good[i].port)
            fail_msg("%s was read as %s port %u %s", good[i].text, u.host, u.port, u.target);
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

/* Every port of the Fetch standard's list, and none beside it. */
static void bad_ports(void **state)
{
    unsigned n = 0;
    for (unsigned port = 1; port <= 65535; port++) {
        struct url u;
        char text[64];
        snprintf(text, sizeof text, "https://example.com:%u/", port);
        bool is_bad = url_parse(str_of(text), &u, NULL) != OK;
        assert_int_equal(is_bad, url_port_is_bad((uint16_t)port));
        n += is_bad;
    }
    assert_int_equal(n, 82);
}

static void lengths_are_bounded(void **state)
{
    struct url u;
    struct buf b;
    buf_init(&b, 8192);
    buf_puts(&b, "http://example.com/");
    while (b.n < 19 + 2046)
        buf_putc(&b, 'a');
    assert_ok(url_parse(buf_str(&b), &u, NULL));
    buf_putc(&b, 'a');
    assert_err(url_parse(buf_str(&b), &u, NULL), ERR_TOO_BIG);
    buf_fini(&b);
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
        cmocka_unit_test(bad_ports),
        cmocka_unit_test(lengths_are_bounded),
        cmocka_unit_test(authority_has_the_port_when_it_is_not_the_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
