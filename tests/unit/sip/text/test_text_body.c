#include "check.h"
#include "sip/text/text_body.h"

enum { MAX = 1000 };
static struct sip_msg m;
static struct text_body body;
static char turned[4096];

static void read_as(const char *headers, struct str content)
{
    static char bytes[8000];
    struct buf b, mem;
    buf_wrap(&b, bytes, sizeof bytes);
    buf_puts(&b, "MESSAGE sip:+447911123456@x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\n"
                 "From: <sip:+19175550100@y>;tag=1\r\nTo: <sip:z>\r\nCall-ID: i\r\n"
                 "CSeq: 1 MESSAGE\r\n");
    buf_printf(&b, "%sContent-Length: %zu\r\n\r\n", headers, content.n);
    buf_put_str(&b, content);
    assert_ok(b.err);
    if (sip_parse(bytes, b.n, &m) != OK)
        fail_msg("%s", m.fault);
    buf_wrap(&mem, turned, sizeof turned);
    text_body_read(&m, MAX, &mem, &body);
}

static void assert_text(enum sms_alphabet alphabet, struct str data)
{
    assert_int_equal(body.status, 0);
    assert_int_equal(body.part.coding.alphabet, alphabet);
    assert_int_equal(body.part.parts, 1);
    assert_int_equal(body.part.number, 1);
    if (!str_eq(body.part.data, data))
        fail_msg("\"%.*s\"", STR_FMT(body.part.data));
}

static void plain_text(void **state)
{
    static const char *const type[] = {"",
                                       "Content-Type: text/plain\r\n",
                                       "c: TEXT/Plain\r\n",
                                       "Content-Type: text / plain ; charset=UTF-8\r\n",
                                       "Content-Type: text/plain;charset=\"utf-8\"\r\n",
                                       "Content-Type: text/plain;format=flowed;charset=UTF8\r\n",
                                       "Content-Encoding: identity\r\n"};
    for (size_t i = 0; i < sizeof type / sizeof *type; i++) {
        read_as(type[i], STR("Gr\xc3\xbc\xc3\x9f"));
        assert_text(SMS_UTF8, STR("Gr\xc3\xbc\xc3\x9f"));
    }
    read_as("Content-Type: text/plain\r\n", STR(""));
    assert_text(SMS_UTF8, STR(""));
    read_as("Content-Type: text/plain\r\n", STR("\xef\xbb\xbfhi"));
    assert_text(SMS_UTF8, STR("hi"));
}

static void charsets(void **state)
{
    static const struct {
        const char *name;
        enum sms_alphabet alphabet;
    } table[] = {
        {"us-ascii", SMS_ASCII},    {"ISO-8859-1", SMS_LATIN1}, {"iso-8859-5", SMS_CYRILLIC},
        {"iso-8859-8", SMS_HEBREW}, {"Shift_JIS", SMS_JIS},     {"iso-2022-jp", SMS_ISO2022JP},
        {"EUC-JP", SMS_EUCJP},      {"euc-kr", SMS_KSC5601},    {"UTF-16BE", SMS_UCS2},
        {"utf-16", SMS_UCS2},       {"ucs-2", SMS_UCS2},        {"ISO-10646-UCS-2", SMS_UCS2}};
    char header[80];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        snprintf(header, sizeof header, "Content-Type: text/plain;charset=%s\r\n", table[i].name);
        read_as(header, STR("\x26\x3a")); /* no byte above 127: ASCII may be it */
        assert_text(table[i].alphabet, STR("\x26\x3a"));
    }
    assert_int_equal(body.part.data_coding, 8);
    read_as("Content-Type: text/plain;charset=us-ascii\r\n", STR("\xc3\xbc"));
    assert_text(SMS_UTF8, STR("\xc3\xbc"));
    read_as("Content-Type: text/plain;charset=klingon\r\n", STR("hi"));
    assert_int_equal(body.status, 415);
    assert_string_equal(body.reason, "Unknown Charset");
    assert_non_null(strstr(body.headers, "Accept: text/plain"));
    read_as("Content-Type: text/plain;charset=\r\n", STR("hi"));
    assert_int_equal(body.status, 415);
}

static void byte_orders(void **state)
{
    read_as("Content-Type: text/plain;charset=utf-16le\r\n", STR("\x3a\x26!\0"));
    assert_text(SMS_UCS2, STR("\x26\x3a\0!"));
    read_as("Content-Type: text/plain;charset=utf-16\r\n", STR("\xff\xfe\x3a\x26"));
    assert_text(SMS_UCS2, STR("\x26\x3a"));
    read_as("Content-Type: text/plain;charset=utf-16\r\n", STR("\xfe\xff\x26\x3a"));
    assert_text(SMS_UCS2, STR("\x26\x3a"));
    read_as("Content-Type: text/plain;charset=utf-16le\r\n", STR("\x3a\x26!"));
    assert_text(SMS_UCS2, STR("\x26\x3a!"));
    read_as("Content-Type: text/plain;charset=utf-16le\r\n", STR(""));
    assert_text(SMS_UCS2, STR(""));
}

static void in_cpim(void **state)
{
    const char *cpim = "Content-Type: Message/CPIM\r\n";
    read_as(cpim,
            STR("From: <im:a@b>\r\n\r\nContent-Type: text/plain;\r\n\tcharset=iso-8859-1\r\n\r\n"
                "\xfc"));
    assert_text(SMS_LATIN1, STR("\xfc"));
    read_as(cpim, STR("From: <im:a@b>\r\n\r\nContent-Transfer-Encoding: Binary\r\n\r\nhi"));
    assert_text(SMS_UTF8, STR("hi"));
    static const struct {
        const char *text;
        int status;
    } table[] = {
        {"F: x\r\n\r\nContent-Type: message/imdn+xml\r\n\r\n<imdn/>", 200},
        {"F: x\r\n\r\nContent-Type: text/html\r\n\r\n<p>", 415},
        {"F: x\r\n\r\nContent-Type: message/cpim\r\n\r\nF: x\r\n\r\n\r\nhi", 415},
        {"F: x\r\n\r\nContent-Transfer-Encoding: base64\r\n\r\naGk=", 415},
        {"F: x\r\nRequire: x.y\r\n\r\nContent-Type: text/plain\r\n\r\nhi", 415},
        {"F: x\r\n\r\nContent-Type: nonsense\r\n\r\nhi", 400},
        {"hello", 400},
        {"", 400},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        read_as(cpim, str_of(table[i].text));
        if (body.status != table[i].status)
            fail_msg("%d for %s", body.status, table[i].text);
    }
}

static void what_else_there_is(void **state)
{
    static const struct {
        const char *headers;
        int status;
        const char *accept;
    } table[] = {
        {"Content-Type: message/imdn+xml\r\n", 200, NULL},
        {"Content-Type: text/html\r\n", 415, "Accept: text/plain, message/cpim\r\n"},
        {"Content-Type: multipart/mixed;boundary=b\r\n", 415,
         "Accept: text/plain, message/cpim\r\n"},
        {"Content-Type: application/im-iscomposing+xml\r\n", 415, "Accept: "},
        {"Content-Type: text/plain\r\nContent-Encoding: gzip\r\n", 415,
         "Accept-Encoding: identity\r\n"},
        {"e: identity, deflate\r\n", 415, "Accept-Encoding: identity\r\n"},
        {"Content-Type: text\r\n", 400, NULL},
        {"Content-Type: text/\r\n", 400, NULL},
        {"Content-Type: text/plain;=x\r\n", 400, NULL},
        {"Content-Type: text/plain;charset=\"utf-8\r\n", 400, NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        read_as(table[i].headers, STR("x"));
        if (body.status != table[i].status)
            fail_msg("%d for %s", body.status, table[i].headers);
        if (table[i].accept && (!body.headers || !strstr(body.headers, table[i].accept)))
            fail_msg("%s has no %s", table[i].headers, table[i].accept);
    }
}

static void its_size(void **state)
{
    char text[MAX + 1];
    memset(text, 'x', sizeof text);
    read_as("Content-Type: text/plain\r\n", str_of_bytes(text, MAX));
    assert_int_equal(body.status, 0);
    read_as("Content-Type: text/plain\r\n", str_of_bytes(text, MAX + 1));
    assert_int_equal(body.status, 413);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text),         cmocka_unit_test(charsets),
        cmocka_unit_test(byte_orders),        cmocka_unit_test(in_cpim),
        cmocka_unit_test(what_else_there_is), cmocka_unit_test(its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
