/* What a webhook's answer means: three things, and everything else is default. */
#include "model/control.h"

#include "check.h"

#define SIP_TARGET "{\"type\":\"sip\",\"destination\":\"sip:agent@example.com\"}"

static struct control parse(int status, const char *body)
{
    struct control c = {.action = CONTROL_REJECT, .sip_status = 1};
    control_parse(status, str_of(body), &c);
    return c;
}

static void test_forward(void **state)
{
    struct control c = parse(200, " {\"action\":\"forward\",\"targets\":[" SIP_TARGET
                                  ",{\"type\":\"webhook\",\"destination\":\"https://a.example/\","
                                  "\"when\":\"busy\"}]}\r\n");
    assert_int_equal(c.action, CONTROL_FORWARD);
    assert_int_equal(c.targets->n, 2);
    assert_int_equal(c.targets->target[0].type, TARGET_SIP);
    assert_str(c.targets->target[0].destination, "sip:agent@example.com");
    assert_int_equal(c.targets->target[1].when, WHEN_BUSY);
    forward_free(c.targets);
    c = parse(202, "{\"action\":\"forward\",\"targets\":[{\"type\":\"sip\",\"destination\":"
                   "\"sip:agent@example.com;transport=tls\",\"ring_timeout_s\":20,"
                   "\"headers\":{\"X-Customer\":\"42\"}}]}");
    assert_int_equal(c.action, CONTROL_FORWARD);
    assert_int_equal(c.targets->target[0].ring_timeout_s, 20);
    assert_str(c.targets->target[0].header[0][0], "X-Customer");
    assert_str(c.targets->target[0].header[0][1], "42");
    forward_free(c.targets);
}

static void test_password(void **state)
{
    struct control c = parse(200, "{\"action\":\"forward\",\"targets\":[" SIP_TARGET
                                  ",{\"type\":\"sip\",\"destination\":\"sip:a:pw@b\"}]}");
    assert_int_equal(c.action, CONTROL_DEFAULT);
    assert_null(c.targets);
    c = parse(200, "{\"action\":\"forward\",\"targets\":[{\"type\":\"sip\",\"destination\":"
                   "\"sip:a%3Apw@b:5070;x=a:b\"}]}");
    assert_int_equal(c.action, CONTROL_FORWARD);
    forward_free(c.targets);
}

static void test_reject(void **state)
{
    static const struct {
        const char *body;
        int status; /* 0: default */
    } table[] = {
        {"{\"action\":\"reject\",\"sip_status\":486}", 486},
        {"{\"action\":\"reject\"}", 603},
        {"{\"sip_status\":404,\"action\":\"reject\",\"more\":[]}", 404},
        {"{\"action\":\"reject\",\"sip_status\":400}", 400},
        {"{\"action\":\"reject\",\"sip_status\":699}", 699},
        {"{\"action\":\"reject\",\"sip_status\":399}", 0},
        {"{\"action\":\"reject\",\"sip_status\":700}", 0},
        {"{\"action\":\"reject\",\"sip_status\":-486}", 0},
        {"{\"action\":\"reject\",\"sip_status\":4294967782}", 0},
        {"{\"action\":\"reject\",\"sip_status\":\"486\"}", 0},
        {"{\"action\":\"reject\",\"sip_status\":486.0}", 0},
        {"{\"action\":\"reject\",\"sip_status\":null}", 0},
        {"{\"action\":\"Reject\",\"sip_status\":486}", 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct control c = parse(200, table[i].body);
        if (c.action != (table[i].status ? CONTROL_REJECT : CONTROL_DEFAULT) ||
            c.sip_status != table[i].status || c.targets)
            fail_msg("%s: %d %d", table[i].body, c.action, c.sip_status);
    }
}

static void test_default(void **state)
{
    static const char *const body[] = {
        "",
        "OK",
        "null",
        "[]",
        "486",
        "\"forward\"",
        "{}",
        "{\"action\":\"default\"}",
        "{\"action\":\"dance\"}",
        "{\"action\":1}",
        "{\"action\":null}",
        "{\"action\":[\"reject\"]}",
        "{\"action\":\"forward\"}",
        "{\"action\":\"forward\",\"targets\":" SIP_TARGET "}",
        "{\"action\":\"forward\",\"targets\":[{\"type\":\"sip\",\"destination\":\"nowhere\"}]}",
        "{\"action\":\"forward\",\"targets\":[" SIP_TARGET ",{\"type\":\"fax\"}]}",
        "{\"action\":\"forward\",\"targets\":[" SIP_TARGET "]",
        "{\"action\":\"forward\",\"targets\":[" SIP_TARGET "]} and more",
        "{\"action\":\"reject\",\"action\":\"forward\",\"targets\":[" SIP_TARGET "]}",
        "<html>{\"action\":\"reject\"}</html>",
    };
    for (size_t i = 0; i < sizeof body / sizeof *body; i++) {
        struct control c = parse(200, body[i]);
        if (c.action != CONTROL_DEFAULT || c.targets)
            fail_msg("%s: %d", body[i], c.action);
    }
}

static void test_status(void **state)
{
    static const int status[] = {0, 100, 199, 300, 302, 401, 410, 429, 500, 503, 599};
    for (size_t i = 0; i < sizeof status / sizeof *status; i++)
        assert_int_equal(parse(status[i], "{\"action\":\"reject\"}").action, CONTROL_DEFAULT);
    assert_int_equal(parse(299, "{\"action\":\"reject\"}").action, CONTROL_REJECT);
}

static void an_answer_that_does_not_count_says_why(void **state)
{
    static const struct {
        int status;
        const char *body, *printed;
    } way[] = {
        {0, "", "\"no answer\""},
        {500, "{\"action\":\"default\"}", "\"the answer is no 2xx\""},
        {200, " \r\n", "\"the answer is empty\""},
        {200, "OK", "\"the answer is not JSON\""},
        {200, "[]", "\"action: missing\""},
        {200, "{\"action\":\"hold\"}", "\"action: forward, reject or default\""},
        {200, "{\"action\":\"forward\"}", "\"targets: missing\""},
        {200,
         "{\"action\":\"forward\",\"targets\":[{\"type\":\"sip\",\"destination\":\"sip:a:pw@b\"}]}",
         "\"targets: a SIP URI with a password\""},
        {200, "{\"action\":\"reject\",\"sip_status\":200}",
         "\"sip_status: a number from 400 to 699\""},
        {200, "{\"action\":\"default\"}", "null"},
    };
    for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
        struct control c = parse(way[i].status, way[i].body);
        char want[200];
        struct buf b;
        struct json_writer w = {&b, false};
        buf_init(&b, 1000);
        json_obj(&w, NULL);
        control_print(&c, &w);
        json_end_obj(&w);
        snprintf(want, sizeof want, "{\"decision\":\"default\",\"decision_reason\":%s}",
                 way[i].printed);
        assert_str(buf_str(&b), want);
        buf_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward), cmocka_unit_test(test_password),
        cmocka_unit_test(test_reject),  cmocka_unit_test(test_default),
        cmocka_unit_test(test_status),  cmocka_unit_test(an_answer_that_does_not_count_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
