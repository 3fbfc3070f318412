/* Plain documents are read without the library, all others by it, and nobody can tell the
 * difference. */
#include "base/json_plain.h"

#include <stdlib.h>

#include "check.h"
#include "json_twice.h"

static struct json_reader *reader;
static struct plain_reader own;

static int set_up(void **state)
{
    return json_reader_new(&reader) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
    json_reader_free(reader);
    plain_reader_fini(&own);
    return 0;
}

/* As the models print them. */
static const char *const plain[] = {
    "{}",
    "{\"a\":[]}",
    "{\"a\":{}}",
    "{\"a\":1,\"b\":-1,\"c\":0,\"d\":999999999999999999,\"e\":true,\"f\":false,\"g\":null,\"h\":"
    "\"\"}",
    " {\t\"a\" : [ 1 , \"x\" , { \"b\" : [ [ ] ] } ] }\r\n",
    "{\"number\":\"+447911123456\",\"label\":\"Zürich\",\"voice\":true,\"sms\":true,\"given_"
    "voice\":true,"
    "\"given_sms\":true,\"country\":\"GB\",\"forward\":{\"targets\":[]}}",
    "{\"url\":\"https://example.com/"
    "one\",\"format\":\"json\",\"events\":[\"incoming_call\",\"call_ended\"],"
    "\"numbers\":[\"+447911123456\"],\"headers\":{},\"secret\":[\"whsec_"
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX\"],"
    "\"control\":false,\"control_timeout_ms\":3000,\"concurrency\":8,\"rate_per_sec\":0,"
    "\"disabled\":false}",
};

/* For the library: valid or not. */
static const char *const others[] = {
    "",
    " ",
    "1",
    "null",
    "[]",
    "\"a\"",
    "{\"a\":1.0}",
    "{\"a\":-0}",
    "{\"a\":1e3}",
    "{\"a\":01}",
    "{\"a\":-}",
    "{\"a\":+1}",
    "{\"a\":1}x",
    "{\"a\":1,}",
    "{,}",
    "{\"a\"}",
    "{\"a\":}",
    "{a:1}",
    "{\"a\":\"b}",
    "{\"a",
    "{\"a\":[1,]}",
    "{\"a\":[1}",
    "{\"a\":1",
    "{",
    "{\"a\":tru}",
    "{\"a\":nul",
    "}",
    "{\"a\":1,\"a\":2}",
    "{\"a\":{\"b\":1,\"b\":1}}",
    "{\"a\":\"\\n\"}",
    "{\"a\":\"\\u00e9\"}",
    "{\"a\":\"\n\"}",
    "{\"a\":\"\xFF\"}",
    "{\"a\":\"\xC0\x80\"}",
    "{\"a\":\"\xED\xA0\x80\"}",
    "{\"a\":1000000000000000000}",
    "{\"a\":9223372036854775807}",
    "{\"a\":9223372036854775808}",
    "{\"\\u0061\":1,\"a\":2}",
    "{\"a\":tr ue}",
    "{\"a\":\x01}",
    "\xEF\xBB\xBF{}",
    "{\"a\":1 2}",
    "{\"a\":\"b\" \"c\"}",
    "{\"a\":{},}",
    "{\"a\":1}{}",
};

static void documents_are_read_alike(void **state)
{
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        assert_non_null(plain_read(&own, str_of(plain[i])));
        assert_true(json_twice(reader, str_of(plain[i])));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (plain_read(&own, str_of(others[i])))
            fail_msg("%s", others[i]);
        if (!json_twice(reader, str_of(others[i])))
            fail_msg("%s", others[i]);
    }
}

/* Each byte of a plain document taken out, put twice, or made another; each beginning of it. */
static void what_is_nearly_plain_is_read_alike(void **state)
{
    static const char bytes[] = "{}[]\",:\\0-9.eE tfn\n\x7F\x80\xC3\xFF";
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        struct str s = str_of(plain[i]);
        for (size_t at = 0; at < s.n; at++) {
            char *cut = malloc(at ? at : 1); /* exactly as long, for the sanitizer */
            memcpy(cut, s.p, at);
            assert_true(json_twice(reader, str_of_bytes(cut, at)));
            free(cut);
            char *other = str_dup(s);
            for (size_t k = 0; k < sizeof bytes; k++) { /* and the NUL */
                other[at] = bytes[k];
                if (!json_twice(reader, str_of_bytes(other, s.n)))
                    fail_msg("%.*s", (int)s.n, other);
            }
            free(other);
        }
    }
}

static struct buf nested(size_t depth, const char *open, const char *inner, const char *close)
{
    struct buf b;
    buf_init(&b, 1 << 22);
    buf_puts(&b, "{\"a\":");
    for (size_t i = 0; i < depth; i++)
        buf_puts(&b, open);
    buf_puts(&b, inner);
    for (size_t i = 0; i < depth; i++)
        buf_puts(&b, close);
    buf_puts(&b, "}");
    return b;
}

static void sizes_have_their_ends(void **state)
{
    struct buf b;
    for (size_t depth = 1; depth < 70; depth++) {
        b = nested(depth, "[", "1", "]");
        assert_true((plain_read(&own, buf_str(&b)) != NULL) == (depth < 16));
        assert_true(json_twice(reader, buf_str(&b)));
        assert_true(json_twice(reader, str_slice(buf_str(&b), 0, depth + 5))); /* all open */
        buf_fini(&b);
    }
    for (size_t n = 4000; n < 70000; n = n * 5 / 4) { /* as many values as so many bytes can hold */
        b = nested(n / 2, "1,", "1", "");
        b.p[5] = '['; /* an array of them, not closed, then closed */
        b.p[6] = ' ';
        assert_true(json_twice(reader, buf_str(&b)));
        b.p[b.n - 1] = ']';
        buf_putc(&b, '}');
        assert_true(json_twice(reader, buf_str(&b)));
        buf_fini(&b);
    }
    for (size_t members = 47; members < 51; members++) {
        buf_init(&b, 1 << 16);
        for (size_t i = 0; i < members; i++)
            buf_printf(&b, "%c\"m%zu\":%zu", i ? ',' : '{', i, i);
        buf_putc(&b, '}');
        assert_true((plain_read(&own, buf_str(&b)) != NULL) == (members <= 48));
        assert_true(json_twice(reader, buf_str(&b)));
        buf_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(documents_are_read_alike, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_nearly_plain_is_read_alike, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sizes_have_their_ends, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
