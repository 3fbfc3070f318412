/* Where messages end in a stream, however its bytes come. */
#include "check.h"
#include "sip/wire/message.h"

#define HEAD "OPTIONS sip:x@y SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nl: 5\r\n\r\n"

static void one_byte_at_a_time(void **state)
{
    static const char text[] = "\r\n\r\n" HEAD "12345" HEAD "abcde\r\n" HEAD "ABCDE";
    struct sip_framing f = {0};
    char in[512];
    size_t n = 0, skip, size, found = 0;
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        in[n++] = text[i];
        enum err err = sip_frame(&f, in, n, &skip, &size);
        assert_true(err == OK || err == ERR_AGAIN);
        if (err == OK) {
            assert_int_equal(size, strlen(HEAD) + 5);
            assert_memory_equal(in + skip, HEAD, strlen(HEAD));
            found++;
            skip += size;
        }
        memmove(in, in + skip, n - skip);
        n -= skip;
    }
    assert_int_equal(found, 3);
    assert_int_equal(n, 0);
}

static void several_at_once(void **state)
{
    static const char text[] = HEAD "12345" HEAD "67890" HEAD "1";
    struct sip_framing f = {0};
    size_t at = 0, skip, size, all = sizeof text - 1;
    for (int i = 0; i < 2; i++) {
        assert_ok(sip_frame(&f, text + at, all - at, &skip, &size));
        at += size;
    }
    assert_err(sip_frame(&f, text + at, all - at, &skip, &size), ERR_AGAIN);
    assert_int_equal(size, strlen(HEAD) + 5);
}

/* A head that was read is not read again: were it, what is changed in it would count. */
static void the_head_is_read_once(void **state)
{
    char text[] = HEAD "1234";
    struct sip_framing f = {0};
    size_t skip, size, n = sizeof text - 1;
    assert_err(sip_frame(&f, text, n, &skip, &size), ERR_AGAIN);
    memset(text, 'x', strlen(HEAD));
    assert_err(sip_frame(&f, text, n, &skip, &size), ERR_AGAIN);
    assert_ok(sip_frame(&f, text, n + 1, &skip, &size));
    assert_int_equal(size, n + 1);
    f = (struct sip_framing){0};
    char begun[] = "OPTIONS sip:x@y SIP/2.0\r\nl: 0\r\n\r\nVia: h\r\n";
    assert_err(sip_frame(&f, begun, 32, &skip, &size), ERR_AGAIN); /* up to l: 0 CR LF CR */
    assert_ok(sip_frame(&f, begun, 33, &skip, &size));
    assert_int_equal(size, 33);
    assert_int_equal(f.looked, 0);
}

static void a_head_has_a_most_of_lines(void **state)
{
    static char text[60000];
    struct sip_framing f = {0};
    struct buf b;
    size_t skip, size;
    for (int lines = 500; lines <= 520; lines += 20) {
        buf_wrap(&b, text, sizeof text);
        buf_puts(&b, "OPTIONS sip:x@y SIP/2.0\r\n");
        for (int i = 0; i < lines; i++)
            buf_puts(&b, i % 2 ? "a:\r\n" : "a: b\r\n");
        buf_puts(&b, "l: 0\r\n\r\n");
        enum err err = sip_frame(&f, text, b.n, &skip, &size);
        assert_string_equal(err_name(err), lines == 500 ? "OK" : "ERR_TOO_BIG");
    }
    f = (struct sip_framing){0};
    memset(text, ' ', sizeof text); /* folded ones count, too */
    for (size_t i = 0; i < sizeof text; i += 40)
        memcpy(text + i, "\r\n", 2);
    memcpy(text, "a:", 2);
    memcpy(text + sizeof text - 12, "\r\nl: 0\r\n\r\n", 10);
    assert_err(sip_frame(&f, text, sizeof text, &skip, &size), ERR_TOO_BIG);
}

static void lengths_that_cannot_be(void **state)
{
    static const char *const text[] = {"a: b\r\n\r\n", "l: 1\r\nl: 2\r\n\r\n", "l: x\r\n\r\n",
                                       "l: -1\r\n\r\n"};
    size_t skip, size;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        struct sip_framing f = {0};
        assert_err(sip_frame(&f, text[i], strlen(text[i]), &skip, &size), ERR_SYNTAX);
    }
    struct sip_framing f = {0};
    assert_err(sip_frame(&f, "l: 70000\r\n\r\n", 12, &skip, &size), ERR_TOO_BIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_byte_at_a_time),     cmocka_unit_test(several_at_once),
        cmocka_unit_test(the_head_is_read_once),  cmocka_unit_test(a_head_has_a_most_of_lines),
        cmocka_unit_test(lengths_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
