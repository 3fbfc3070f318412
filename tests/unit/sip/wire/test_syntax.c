/* The small grammar that all SIP headers share. */
#include "check.h"
#include "sip/wire/syntax.h"
#include "sip/wire/uri.h"

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* The table's sets, spelled out. */
static void which_bytes_may_stand_where(void **state)
{
    static const struct {
        unsigned id;
        const char *set;
        bool utf8;
    } class[] = {
        {CHAR_TOKEN, ALNUM "-.!%*_+`'~", false},
        {CHAR_USER, ALNUM "-_.!~*'()&=+$,;?/%#", true},
        {CHAR_HOST, ALNUM "-._", false},
        {CHAR_PARAM, ALNUM "!#$%&'()*+-./:?@[\\]^_`{|}~", true},
        {CHAR_URI, ALNUM "!#$%&'()*+,-./:;=?@[\\]^_`{|}~", true},
        {CHAR_BLANK, " \t", false},
        {CHAR_DIGIT, "0123456789", false},
        {CHAR_ALPHA, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", false},
    };
    for (size_t i = 0; i < sizeof class / sizeof *class; i++)
        for (unsigned c = 0; c < 256; c++) {
            bool expected = c < 128 ? c && strchr(class[i].set, (int)c) : class[i].utf8;
            if (char_is((char)c, class[i].id) != expected)
                fail_msg("class %u, byte %u", class[i].id, c);
        }
}

static void runs_of_a_class(void **state)
{
    assert_int_equal(chars_end(STR("12ab"), 0, CHAR_DIGIT), 2);
    assert_int_equal(chars_end(STR("12ab"), 2, CHAR_DIGIT), 2);
    assert_int_equal(chars_end(STR("12ab"), 0, CHAR_DIGIT | CHAR_ALPHA), 4);
    assert_true(is_token(STR("a-b")));
    assert_false(is_token(STR("a b")));
    assert_false(is_token(STR("")));
    assert_str(blanks_skip(STR(" \t a ")), "a ");
}

static void a_quote_ends_at_one_that_is_not_escaped(void **state)
{
    assert_int_equal(quoted_end(STR("\"a\" b"), 0), 3);
    assert_int_equal(quoted_end(STR("x\"a\\\"b\""), 1), 7);
    assert_int_equal(quoted_end(STR("\"a\\\\\"b"), 0), 5);
    assert_int_equal(quoted_end(STR("\"open"), 0), 0);
    assert_int_equal(quoted_end(STR("\"open\\\""), 0), 0);
    assert_int_equal(quoted_end(STR("\"open\\"), 0), 0);
}

static void hosts(void **state)
{
    static const struct {
        const char *text;
        size_t n;
    } t[] = {{"host.example:5060", 12}, {"192.0.2.1;x", 9}, {"a_b", 3}, {"", 0},     {":5060", 0},
             {"[::1]:5060", 5},         {"[::]x", 4},       {"[:]", 0}, {"[::1", 0}, {"[::g]", 0},
             {"[::ffff:1.2.3.4]", 16}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        assert_int_equal(host_length(str_of(t[i].text)), t[i].n);
}

static void ports(void **state)
{
    uint16_t port;
    assert_ok(port_parse(STR("1"), &port));
    assert_int_equal(port, 1);
    assert_ok(port_parse(STR("65535"), &port));
    assert_int_equal(port, 65535);
    static const char *const bad[] = {"", "0", "65536", "+1", "1a", "99999999999999999999"};
    for (size_t i = 0; i < 6; i++)
        assert_err(port_parse(str_of(bad[i]), &port), ERR_SYNTAX);
}

static void parameters_one_after_another(void **state)
{
    struct param p;
    struct str rest = STR(" ; a = 1;flag;q=\"x;\\\"y\" ;b==;");
    assert_ok(param_next(&rest, &p));
    assert_str(p.name, "a");
    assert_str(p.value, "1");
    assert_str(p.text, "a = 1");
    assert_ok(param_next(&rest, &p));
    assert_str(p.name, "flag");
    assert_null(p.value.p);
    assert_ok(param_next(&rest, &p));
    assert_str(p.value, "x;\\\"y");
    assert_ok(param_next(&rest, &p));
    assert_str(p.name, "b");
    assert_str(p.value, "=");
    assert_err(param_next(&rest, &p), ERR_NOT_FOUND);
}

static void a_parameter_that_cannot_be_read_stays(void **state)
{
    static const char *const bad[] = {"=x", ";,", "a=\"open", "a b", "a=\"x\"y", ";;a"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct param p;
        struct str rest = str_of(bad[i]);
        assert_err(param_next(&rest, &p), ERR_SYNTAX);
        assert_ptr_equal(rest.p, bad[i]);
    }
}

static void a_parameter_is_found_without_case(void **state)
{
    struct str v;
    assert_true(param_find(STR("a=1;Tag=x;tag=y"), STR("tag"), &v));
    assert_str(v, "x");
    assert_true(param_find(STR("lr"), STR("LR"), &v));
    assert_non_null(v.p);
    assert_int_equal(v.n, 0);
    assert_false(param_find(STR("a=1;=;lr"), STR("lr"), &v)); /* behind what cannot be read */
    assert_false(param_find(STR(""), STR("lr"), &v));
}

static void values_between_commas(void **state)
{
    struct str rest = STR(" a, ,\"x,y\" <sip:a,b@c>,<sip:\"@d>, \"open, z"), v;
    assert_true(value_next(&rest, &v));
    assert_str(v, "a");
    assert_true(value_next(&rest, &v));
    assert_str(v, "\"x,y\" <sip:a,b@c>");
    assert_true(value_next(&rest, &v));
    assert_str(v, "<sip:\"@d>"); /* no quote within a URI */
    assert_true(value_next(&rest, &v));
    assert_str(v, "\"open, z"); /* never closes: the rest */
    assert_false(value_next(&rest, &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_bytes_may_stand_where),
        cmocka_unit_test(runs_of_a_class),
        cmocka_unit_test(a_quote_ends_at_one_that_is_not_escaped),
        cmocka_unit_test(hosts),
        cmocka_unit_test(ports),
        cmocka_unit_test(parameters_one_after_another),
        cmocka_unit_test(a_parameter_that_cannot_be_read_stays),
        cmocka_unit_test(a_parameter_is_found_without_case),
        cmocka_unit_test(values_between_commas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
