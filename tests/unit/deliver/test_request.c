/* The head of a signed POST: what receivers verify by, and what an endpoint asked to be added. */
#include "check.h"
#include "base/clock.h"
#include "deliver/request.h"

#define OLD "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define NEW "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

static struct str head_of(const struct endpoint *ep, unsigned attempt, int64_t now_ms)
{
    static char mem[4096];
    static struct buf b;
    static const struct event e = {.id = STR("msg_p5jXN8AQM9LWM0D4loKWxJek")};
    buf_wrap(&b, mem, sizeof mem);
    request_put_headers(&b, ep, &e, attempt, now_ms, STR("{\"test\": 2432232314}"));
    assert_ok(b.err);
    return buf_str(&b);
}

static bool has(struct str head, const char *line)
{
    return memmem(head.p, head.n, line, strlen(line)) != NULL;
}

/* The vector of the contract. */
static void the_known_vector(void **state)
{
    const struct endpoint ep = {.secret = {OLD, ""}};
    struct str head = head_of(&ep, 3, INT64_C(1614265330999));
    assert_true(has(head, "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\r\n"));
    assert_true(has(head, "webhook-timestamp: 1614265330\r\n"));
    assert_true(has(head, "webhook-attempt: 3\r\n"));
    assert_true(
        has(head, "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\r\n"));
    assert_true(has(head, "Content-Type: application/json\r\n"));
    assert_true(has(head, "User-Agent: hookswitch/"));
}

static size_t signatures(struct str head)
{
    size_t n = 0;
    for (const char *at = head.p; (at = memmem(at, (size_t)(head.p + head.n - at), "v1,", 3));)
        at += 3, n++;
    return n;
}

static void two_secrets_sign_until_the_rotation_ends(void **state)
{
    const struct endpoint both = {.secret = {NEW, OLD}, .secret_old_until_mono_ms = 1000};
    const struct endpoint one = {.secret = {NEW, ""}};
    char text[4096];
    clock_fake(1);
    clock_advance(999);
    clock_step(3600000); /* the wall clock has no say in it */
    assert_int_equal(signatures(head_of(&both, 1, 1000000)), 2);
    clock_advance(1);
    struct str head = head_of(&both, 1, 1000000);
    assert_int_equal(signatures(head), 1);
    memcpy(text, head.p, head.n);
    text[head.n] = '\0';
    assert_true(str_eq(head_of(&one, 1, 1000000), str_of(text)));
    clock_real();
}

static void an_endpoint_adds_headers(void **state)
{
    const char *header[1][2] = {{"X-Key", "a b"}};
    const struct endpoint ep = {
        .secret = {OLD, ""}, .header = header, .n_headers = 1, .format = BODY_FORM};
    struct str head = head_of(&ep, 1, 1000);
    assert_true(has(head, "\r\nX-Key: a b\r\n"));
    assert_true(has(head, "Content-Type: application/x-www-form-urlencoded\r\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_known_vector),
        cmocka_unit_test(two_secrets_sign_until_the_rotation_ends),
        cmocka_unit_test(an_endpoint_adds_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
