/* Tables and objects as people see them, and that text of the network cannot drive a terminal. */
#include "check.h"

#include "cli/print.h"

static char *text;
static size_t text_n;

static FILE *open_out(void)
{
    free(text);
    text = NULL;
    return open_memstream(&text, &text_n);
}

static struct json *parse(const char *z)
{
    struct json *doc;
    assert_ok(json_parse(str_of(z), &doc, NULL, 0));
    return doc;
}

static void shown(struct str s, const char *as)
{
    FILE *f = open_out();
    print_safe(f, s);
    fclose(f);
    assert_string_equal(text, as);
}

static void test_safe(void **state)
{
    shown(STR("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80 \xc2\xa3"
              "5"),
          "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80 \xc2\xa3"
          "5");
    shown(STR("\x1b[2J\r\n\t\x7f"), "?[2J????");
    shown(STR("a\xc2\x9b"
              "31m"),
          "a?31m");                                 /* a control character of C1 */
    shown(STR("\xe2\x80\xae\xe2\x81\xa6x"), "??x"); /* turned around */
    shown(STR("\xff\xc3|\xed\xa0\x80"), "??|???");  /* not UTF-8 */
    assert_int_equal(print_width(STR("\xe6\xbc\xa2\xe5\xad\x97")), 4); /* two wide ones */
    assert_int_equal(print_width(STR("e\xcc\x81")), 1);                /* and a combining one */
}

static void tabled(const char *rows, const char *columns, size_t width, const char *as)
{
    struct json *doc = parse(rows);
    FILE *f = open_out();
    print_table(f, doc, columns, width);
    fclose(f);
    json_free(doc);
    assert_string_equal(text, as);
}

static const char two[] = "[{\"id\":\"a\",\"at\":\"2026-11-24T19:56:31.969Z\",\"n\":1},"
                          "{\"id\":\"longer\\u001b\",\"at\":null,\"list\":[\"x\",\"y\"]}]";

static void test_table(void **state)
{
    tabled(two, "id at list", 80,
           "ID       AT                   LIST\n"
           "a        2026-11-24 19:56:31  -\n"
           "longer?  -                    x,y\n");
    tabled(two, "id at list", 0, "a\t2026-11-24T19:56:31.969Z\t-\nlonger?\t-\tx,y\n");
    tabled(two, NULL, 0, "a\t2026-11-24T19:56:31.969Z\t1\nlonger?\t-\t-\n");
    tabled("[]", "id", 80, "");
    tabled("[]", NULL, 0, "");
}

static void test_narrow(void **state)
{
    tabled(two, "id at", 20,
           "ID       AT\n"
           "a        2026-11-24\xe2\x80\xa6\n"
           "longer?  -\n");
    tabled(two, "id at", 3, /* a column keeps six, whatever the terminal has */
           "ID      AT\n"
           "a       2026-\xe2\x80\xa6\n"
           "longe\xe2\x80\xa6  -\n");
    tabled("[{\"w\":\"\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\"}]", "w", 7,
           "W\n\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe2\x80\xa6\n");
}

static void test_left_out(void **state)
{
    static const char rows[] =
        "[{\"id\":\"abcdef\",\"a\":\"1234567890\",\"b\":\"12345\",\"c\":\"xyz\"}]";
    tabled(rows, "id a? b? c", 40,
           "ID      A           B      C\nabcdef  1234567890  12345  xyz\n");
    tabled(rows, "id a? b? c", 24, "ID      A           C\nabcdef  1234567890  xyz\n");
    tabled(rows, "id a? b? c", 20, "ID      C\nabcdef  xyz\n");
    tabled(rows, "id a? b? c", 0, "abcdef\t1234567890\t12345\txyz\n");
}

static void test_object(void **state)
{
    struct json *doc =
        parse("{\"id\":\"evt\",\"ok\":true,\"none\":[],\"deliveries\":[{\"url\":\"u\","
              "\"attempts\":[{\"at\":1,\"status\":200},{\"at\":2,\"status\":500}]}]}");
    FILE *f = open_out();
    print_object(f, doc, 80);
    fclose(f);
    json_free(doc);
    assert_string_equal(text, "id    evt\n"
                              "ok    yes\n"
                              "none  -\n"
                              "deliveries:\n"
                              "  url  u\n"
                              "  attempts:\n"
                              "AT  STATUS\n"
                              "1   200\n"
                              "2   500\n");
}

static int at_end(void **state)
{
    free(text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_safe),   cmocka_unit_test(test_table),
        cmocka_unit_test(test_narrow), cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_object),
    };
    return cmocka_run_group_tests(tests, NULL, at_end);
}
