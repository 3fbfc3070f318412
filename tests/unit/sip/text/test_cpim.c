#include "check.h"
#include "sip/text/cpim.h"

static void the_example_of_the_rfc(void **state)
{
    struct cpim c;
    assert_ok(cpim_parse(STR("From: MR SANDERS <im:piglet@100akerwood.com>\r\n"
                             "To: Depressed Donkey <im:eeyore@100akerwood.com>\r\n"
                             "DateTime: 2000-12-13T13:40:00-08:00\r\n"
                             "Subject: the weather will be fine today\r\n"
                             "Subject:;lang=fr beau temps prevu pour aujourd'hui\r\n"
                             "NS: MyFeatures <mid:MessageFeatures@id.foo.com>\r\n"
                             "MyFeatures.WackyMessageOption: Use-silly-font\r\n"
                             "\r\n"
                             "Content-type: text/xml; charset=utf-8\r\n"
                             "Content-ID: <1234567890@foo.com>\r\n"
                             "\r\n"
                             "<body>\r\nHere is the text of my message.\r\n</body>"),
                         &c));
    assert_false(c.requires);
    assert_str(c.content_type, "text/xml; charset=utf-8");
    assert_null(c.transfer_encoding.p);
    assert_str(c.body, "<body>\r\nHere is the text of my message.\r\n</body>");
}

static void what_it_requires(void **state)
{
    struct cpim c;
    assert_ok(cpim_parse(STR("From: <im:a@b>\r\nrequire: X.Y\r\n\r\nContent-Type: text/plain\r\n"
                             "Require: not the message's\r\n\r\nhi"),
                         &c));
    assert_true(c.requires);
    assert_ok(cpim_parse(STR("From: <im:a@b>\r\n\r\nRequire: not the message's\r\n\r\nhi"), &c));
    assert_false(c.requires);
}

static void lines_as_they_come(void **state)
{
    struct cpim c;
    assert_ok(cpim_parse(STR("From: <im:a@b>\n\nContent-Type: text/plain\n\nhi\n"), &c));
    assert_str(c.content_type, "text/plain");
    assert_str(c.body, "hi\n");
    assert_ok(cpim_parse(STR("From: <im:a@b>\r\n\r\n\r\n\r\nhi"), &c)); /* no MIME headers */
    assert_null(c.content_type.p);
    assert_str(c.body, "\r\nhi");
    assert_ok(cpim_parse(STR("F: x\r\n\r\nContent-Type: text/plain;\r\n\tcharset=utf-8\r\n"
                             "Content-Transfer-Encoding: 8bit\r\n\r\n"),
                         &c));
    assert_str(c.content_type, "text/plain;\r\n\tcharset=utf-8");
    assert_str(c.transfer_encoding, "8bit");
    assert_int_equal(c.body.n, 0);
}

static void what_is_none(void **state)
{
    static const char *const bad[] = {
        "",
        "hello",
        "\r\n",
        "From: <im:a@b>",
        "From: <im:a@b>\r\n",
        "From: <im:a@b>\r\n\r\n",
        "From: <im:a@b>\r\n\r\nContent-Type: text/plain",
        "From: <im:a@b>\r\n\r\nContent-Type: text/plain\r\nhi",
        "no colon\r\n\r\nContent-Type: text/plain\r\n\r\nhi",
        ": no name\r\n\r\n\r\nhi",
        "From : blank\r\n\r\n\r\nhi",
        " Folded: at once\r\n\r\n\r\nhi",
        "From: <im:a@b>\r\n folded\r\n\r\n\r\nhi",
        "F: x\r\n\r\nContent-Type: text/plain\r\nContent-type: text/html\r\n\r\nhi",
    };
    struct cpim c;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (cpim_parse(str_of(bad[i]), &c) != ERR_SYNTAX)
            fail_msg("\"%s\"", bad[i]);
}

static void lines_are_counted(void **state)
{
    struct cpim c;
    struct buf b;
    buf_init(&b, 1 << 16);
    for (int i = 0; i < CPIM_HEADERS_MAX; i++)
        buf_puts(&b, "X: y\r\n");
    size_t most = b.n;
    buf_puts(&b, "\r\n\r\nhi");
    assert_ok(cpim_parse(buf_str(&b), &c));
    assert_str(c.body, "hi");
    b.n = most;
    buf_puts(&b, "X: y\r\n\r\n\r\nhi");
    assert_err(cpim_parse(buf_str(&b), &c), ERR_TOO_BIG);
    buf_fini(&b);
}

/* However much of it is there: never beyond its end (the sanitizer looks). */
static void cut_at_every_byte(void **state)
{
    static const char text[] = "From: <im:a@b>\r\nRequire: x\r\n\r\nContent-Type: text/plain;\r\n "
                               "charset=utf-8\r\n\r\nhi";
    for (size_t n = 0; n < sizeof text; n++) {
        struct cpim c;
        char *copy = malloc(n ? n : 1);
        memcpy(copy, text, n);
        enum err err = cpim_parse(str_of_bytes(copy, n), &c);
        if (n + 3 >= sizeof text)
            assert_ok(err);
        else
            assert_err(err, ERR_SYNTAX);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_rfc), cmocka_unit_test(what_it_requires),
        cmocka_unit_test(lines_as_they_come),     cmocka_unit_test(what_is_none),
        cmocka_unit_test(lines_are_counted),      cmocka_unit_test(cut_at_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
