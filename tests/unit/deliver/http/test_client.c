/* The HTTP client against a receiver and a name server on the same loop, with a clock that moves
 * when we say so. */
#include "check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "deliver/http/client.h"
#include "net/datagram.h"
#include "net/stream.h"

static struct loop *loop;
static struct guard *guard;
static struct http_client *client;
static struct listener *listener;
static struct datagram *dns;
static uint16_t port; /* the receiver's */

static struct { /* what they do, and what they saw */
    unsigned accepts, requests, questions, open;
    const char *answer;
    size_t flood;     /* bytes behind the answer */
    uint8_t names[4]; /* the address of every name */
} world;

/* ---- the receiver ---- */

static void on_request(struct stream *s, void *arg, struct str bytes)
{
    static char junk[4096];
    if (!str_starts(bytes, STR("POST ")))
        return;
    world.requests++;
    if (world.answer)
        (void)!stream_write(s, str_of(world.answer));
    for (size_t n = 0; n < world.flood; n += sizeof junk)
        (void)!stream_write(s, str_of_bytes(junk, sizeof junk));
}

static void on_gone(struct stream *s, void *arg, enum err why)
{
    world.open--;
    stream_close(s);
}

static void on_accept(void *arg, struct stream *s)
{
    static const struct stream_events events = {.on_bytes = on_request, .on_end = on_gone};
    world.accepts++;
    world.open++;
    stream_take(s, &events, NULL);
}

/* ---- the name server: every name is at world.names, for 300 s ---- */

static void on_questions(void *arg, const struct packet *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char out[600];
        struct buf b;
        size_t q = 12;
        while (p[i].bytes.p[q])
            q += (size_t)p[i].bytes.p[q] + 1;
        q += 5;
        bool is_a = p[i].bytes.p[q - 3] == 1;
        world.questions += is_a;
        buf_wrap(&b, out, sizeof out);
        buf_put(&b, p[i].bytes.p, 2);
        buf_put(&b, is_a ? "\x81\x80\0\1\0\1\0\0\0\0" : "\x81\x80\0\1\0\0\0\0\0\0", 10);
        buf_put(&b, p[i].bytes.p + 12, q - 12);
        if (is_a) {
            buf_put(&b, "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4", 12);
            buf_put(&b, world.names, 4);
        }
        assert_ok(datagram_send(dns, &p[i].from, buf_str(&b)));
    }
}

static int start(void **state)
{
    struct addr at;
    char servers[ADDR_TEXT_SIZE];
    clock_fake(1700000000000);
    memset(&world, 0, sizeof world);
    memcpy(world.names, "\x7f\0\0\1", 4);
    world.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    assert_ok(loop_new(&loop, "test", 1000));
    assert_ok(guard_new("127.0.0.0/8", &guard));
    assert_ok(addr_parse(STR("127.0.0.1:0"), 0, &at));
    assert_ok(listener_open(loop, &at, NULL, on_accept, NULL, &listener));
    assert_ok(datagram_open(loop, &at, on_questions, NULL, &dns));
    port = listener_local(listener).port;
    struct addr server = datagram_local(dns);
    addr_print(&server, servers);
    struct http_client_config c = {.loop = loop, .guard = guard, .dns_servers = servers};
    assert_ok(http_client_new(&c, &client));
    return 0;
}

static int stop(void **state)
{
    http_client_free(client);
    for (int i = 0; i < 1000 && world.open; i++) {
        loop_turn(loop, 5);
        clock_advance(1);
    }
    listener_close(listener);
    datagram_close(dns);
    loop_free(loop);
    guard_free(guard);
    clock_real();
    return 0;
}

/* ---- one exchange ---- */

static struct {
    bool done;
    enum err err;
    int status;
    char detail[120];
} got;

static void on_done(void *arg, const struct http_result *r)
{
    got.done = true;
    got.err = r->err;
    got.status = r->status;
    snprintf(got.detail, sizeof got.detail, "%s", r->detail);
}

static void begin(const char *host, uint64_t owner)
{
    struct url url;
    struct http_exchange *x;
    char whole[300];
    snprintf(whole, sizeof whole, "http://%s:%u/x", host, port);
    assert_ok(url_parse(str_of(whole), &url, NULL));
    struct http_post p = {
        .url = &url, .body = STR("{}"), .timeout_ms = 15000, .owner = owner, .endpoint = owner};
    memset(&got, 0, sizeof got);
    assert_ok(http_client_post(client, &p, on_done, NULL, &x));
    assert_false(got.done); /* never before the call returned */
}

static void turns(void)
{
    for (int i = 0; i < 5000 && !got.done; i++) {
        loop_turn(loop, 5);
        clock_advance(1); /* what is due at once is due with the next tick */
    }
    assert_true(got.done);
}

static void post(const char *host, uint64_t owner)
{
    begin(host, owner);
    turns();
}

#define NAME "hook.example"

static void connections_are_kept_but_never_shared_between_accounts(void **state)
{
    for (int i = 0; i < 3; i++) {
        post(NAME, 1);
        assert_ok(got.err);
        assert_int_equal(got.status, 200);
    }
    assert_int_equal(world.accepts, 1);
    post(NAME, 2);
    assert_int_equal(world.accepts, 2);
    post(NAME, 1);
    post(NAME, 2);
    assert_int_equal(world.accepts, 2);
    assert_int_equal(world.requests, 6);
    assert_int_equal(http_client_idle(client), 2);
}

/* Busy all the time, at a name whose TTL is five minutes. */
static void a_name_is_judged_again_within_a_minute(void **state)
{
    post(NAME, 1);
    assert_int_equal(world.questions, 1);
    memcpy(world.names, "\x0a\0\0\1", 4); /* it moves to where nobody may go */
    for (int sec = 0; sec < 55; sec += 5) {
        clock_advance(5000);
        post(NAME, 1);
        assert_ok(got.err);
    }
    assert_int_equal(world.accepts, 1); /* kept all the while */
    clock_advance(5000);
    post(NAME, 1);
    assert_err(got.err, ERR_BLOCKED);
    assert_non_null(strstr(got.detail, "10.0.0.1"));
    assert_int_equal(world.questions, 2);
}

/* The worst case: connected out of the cache, right before the answer there was too old. */
static void cache_and_connection_together_are_a_minute(void **state)
{
    post(NAME, 1);
    memcpy(world.names, "\x0a\0\0\1", 4);
    clock_advance(29000);
    post(NAME, 2);
    assert_ok(got.err);
    assert_int_equal(world.questions, 1);
    clock_advance(29000);
    post(NAME, 2);
    assert_ok(got.err);
    assert_int_equal(world.accepts, 2);
    clock_advance(2000);
    post(NAME, 2);
    assert_err(got.err, ERR_BLOCKED);
}

static void forbidden_addresses_and_ports_are_not_connected_to(void **state)
{
    struct http_exchange *x;
    post("10.0.0.1", 1);
    assert_err(got.err, ERR_BLOCKED);
    post("[::1]", 1);
    assert_err(got.err, ERR_BLOCKED);
    /* as an older version may have kept it */
    struct url url = {.host = "127.0.0.1", .target = "/", .port = 25, .host_is_address = true};
    assert_ok(addr_parse(STR("127.0.0.1"), 25, &url.address));
    struct http_post p = {.url = &url, .timeout_ms = 1000};
    memset(&got, 0, sizeof got);
    assert_ok(http_client_post(client, &p, on_done, NULL, &x));
    turns();
    assert_err(got.err, ERR_BLOCKED);
    assert_int_equal(world.accepts, 0);
}

static void redirects_are_answers(void **state)
{
    world.answer = "HTTP/1.1 307 Away\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n";
    post(NAME, 1);
    assert_ok(got.err);
    assert_int_equal(got.status, 307);
    assert_int_equal(world.accepts, 1);
    assert_int_equal(world.requests, 1);
}

static void a_body_without_end_is_read_to_its_bound(void **state)
{
    int64_t before = metric_get(METRIC_HTTP_RECEIVED);
    world.answer = "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n";
    world.flood = 1 << 20;
    post(NAME, 1);
    assert_ok(got.err);
    assert_int_equal(got.status, 200);
    size_t head = strlen(world.answer);
    assert_in_range(metric_get(METRIC_HTTP_RECEIVED) - before, 1, (int64_t)head + HTTP_BODY_MAX);
    assert_int_equal(http_client_idle(client), 0);
}

static void silence_ends_at_the_deadline(void **state)
{
    world.answer = NULL;
    begin(NAME, 1);
    for (int i = 0; i < 5000 && world.requests == 0; i++) {
        loop_turn(loop, 5);
        clock_advance(1);
    }
    clock_advance(14000);
    loop_turn(loop, 5);
    assert_false(got.done);
    clock_advance(1000);
    turns();
    assert_err(got.err, ERR_TIMEOUT);
    assert_string_equal(got.detail, "no complete answer in time");
}

static void knock(const char *where, uint16_t at)
{
    struct url url;
    struct http_exchange *x;
    char whole[100];
    snprintf(whole, sizeof whole, "https://%s:%u/", where, at);
    assert_ok(url_parse(str_of(whole), &url, NULL));
    memset(&got, 0, sizeof got);
    assert_ok(http_client_knock(client, &url, 3000, on_done, NULL, &x));
    assert_false(got.done);
    turns();
}

/* A bare connect, whatever the scheme, behind the same guard. */
static void a_knock_connects_and_asks_nothing(void **state)
{
    knock(NAME, port);
    assert_ok(got.err);
    for (int i = 0; i < 1000 && (!world.accepts || world.open); i++) {
        loop_turn(loop, 5);
        clock_advance(1);
    }
    assert_int_equal(world.accepts, 1);
    assert_int_equal(world.requests, 0);
    assert_int_equal(world.open, 0); /* and is gone */
    knock("10.0.0.1", 443);
    assert_err(got.err, ERR_BLOCKED);
    listener_close(listener);
    listener = NULL;
    for (int i = 0; i < 3; i++) /* it is closed with the loop's turn */
        loop_turn(loop, 1);
    knock(NAME, port);
    assert_err(got.err, ERR_UNREACHABLE);
    assert_int_equal(http_client_idle(client), 0);
}

/* What a receiver says after its answer is not the next one's. */
static void bytes_behind_an_answer_end_the_connection(void **state)
{
    world.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 410 Gone\r\n\r\n";
    post(NAME, 1);
    assert_int_equal(got.status, 200);
    post(NAME, 1);
    assert_int_equal(got.status, 200);
    assert_int_equal(world.accepts, 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(connections_are_kept_but_never_shared_between_accounts),
        CASE(a_name_is_judged_again_within_a_minute),
        CASE(cache_and_connection_together_are_a_minute),
        CASE(forbidden_addresses_and_ports_are_not_connected_to),
        CASE(redirects_are_answers),
        CASE(a_body_without_end_is_read_to_its_bound),
        CASE(silence_ends_at_the_deadline),
        CASE(bytes_behind_an_answer_end_the_connection),
        CASE(a_knock_connects_and_asks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
