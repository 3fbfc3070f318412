/* One session on a loop of the test's own, with a socket as its peer and a clock that stands still.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "smpp/session.h"

enum { RESPONSE_MS = 500, ENQUIRE_MS = 2000, UNBOUND_MS = 1000, WINDOW = 3 };

struct rig {
    struct loop *loop;
    struct sessions *all;
    struct listener *listener;
    struct session_config config;
    struct session *s; /* NULL once it has ended */
    handle h;
    int peer;
    char why[96];
    unsigned ended, requests;
    uint32_t sequence[64]; /* of the requests */
    bool hold;             /* each message: it is answered later */
    void (*on_request)(struct rig *r, const struct pdu *p);
    unsigned n_unanswered;
    uint64_t unanswered[64];
};

static void on_request(void *arg, struct session *s, const struct pdu *p)
{
    struct rig *r = arg;
    assert_ptr_equal(s, r->s);
    r->sequence[r->requests++ % 64] = p->sequence;
    if (r->on_request)
        r->on_request(r, p);
    else if (r->hold)
        session_hold(s);
    else
        session_refuse(s, p, ESME_ROK);
}

static void on_end(void *arg, const char *why)
{
    struct rig *r = arg;
    snprintf(r->why, sizeof r->why, "%s", why);
    r->ended++;
    r->s = NULL;
}

static void on_unanswered(void *arg, uint64_t link, uint64_t what)
{
    struct rig *r = arg;
    assert_int_equal(link, 7);
    r->unanswered[r->n_unanswered++] = what;
}

static struct str came_before; /* what was read off a stream before it is a session's */

static void on_accept(void *arg, struct stream *stream)
{
    struct rig *r = arg;
    assert_ok(session_open(r->all, &r->config, &stream, came_before, &r->s));
    assert_null(stream);
    r->h = session_handle(r->s);
}

static void turns(struct rig *r, int n)
{
    while (n--) {
        clock_advance(1); /* a stream tells its end from a timer */
        loop_turn(r->loop, 0);
    }
}

static struct rig *rig_new(enum session_state as)
{
    struct sockaddr_storage sa;
    struct addr at = {.family = 4, .ip = {127, 0, 0, 1}};
    struct rig *r = calloc(1, sizeof *r);
    clock_fake(1000000);
    r->config = (struct session_config){.they_bound = true,
                                        .state = as,
                                        .link = {7, WINDOW, ENQUIRE_MS, NULL},
                                        .unbound_ms = UNBOUND_MS,
                                        .on_request = on_request,
                                        .on_end = on_end,
                                        .arg = r};
    assert_ok(loop_new(&r->loop, "test", 16));
    assert_ok(sessions_new(r->loop, 4, RESPONSE_MS, &r->all));
    sessions_unanswered_to(r->all, on_unanswered, r);
    assert_ok(listener_open(r->loop, &at, NULL, on_accept, r, &r->listener));
    at = listener_local(r->listener);
    socklen_t n = addr_to_sockaddr(&at, &sa);
    int on = 1;
    r->peer = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(r->peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    assert_int_equal(connect(r->peer, (struct sockaddr *)&sa, n), 0);
    for (int i = 0; !r->s && i < 1000; i++)
        turns(r, 1);
    assert_non_null(r->s);
    return r;
}

static void rig_free(struct rig *r)
{
    if (r->peer >= 0)
        close(r->peer);
    sessions_free(r->all);
    listener_close(r->listener);
    loop_free(r->loop);
    clock_real();
    free(r);
}

static void say_pdu(struct rig *r, const struct pdu *p)
{
    struct buf b;
    buf_init(&b, 1024);
    pdu_print(p, &b);
    assert_int_equal(send(r->peer, b.p, b.n, 0), b.n);
    buf_fini(&b);
    turns(r, 5);
}

static void say(struct rig *r, enum pdu_command c, uint32_t sequence)
{
    say_pdu(r, &(struct pdu){.command = c, .sequence = sequence});
}

/* What the peer was sent since he last looked: "deliver_sm_resp 3, enquire_link 2"; "closed" at the
 * end. */
static const char *heard(struct rig *r)
{
    static char out[2048];
    char mem[8192];
    turns(r, 5);
    size_t n = 0, size;
    ssize_t got;
    while ((got = recv(r->peer, mem + n, sizeof mem - n, MSG_DONTWAIT)) > 0)
        n += (size_t)got;
    out[0] = '\0';
    struct str rest = str_of_bytes(mem, n);
    while (pdu_size(rest, &size) == OK && size <= rest.n) {
        struct pdu p;
        uint32_t status;
        assert_ok(pdu_parse(str_slice(rest, 0, size), &p, &status));
        snprintf(out + strlen(out), sizeof out - strlen(out), "%s%s %u", out[0] ? ", " : "",
                 pdu_name(p.command), p.sequence);
        if (p.status)
            snprintf(out + strlen(out), sizeof out - strlen(out), " %s",
                     smpp_status_name(p.status));
        rest = str_from(rest, size);
    }
    assert_int_equal(rest.n, 0);
    if (got == 0 || (got < 0 && errno == ECONNRESET))
        snprintf(out + strlen(out), sizeof out - strlen(out), "%sclosed", out[0] ? ", " : "");
    return out;
}

static void later(struct rig *r, int64_t ms)
{
    clock_advance(ms);
    turns(r, 5);
}

static void settle(struct rig *r, uint32_t sequence, uint64_t what)
{
    struct session *s = session_at(r->all, r->h);
    struct session_answer a = {PDU_DELIVER_SM_RESP, sequence, ESME_ROK, {0}};
    if (s)
        session_settle(s, &a, what);
}

static void requests_are_handed_over_and_answered(void **state)
{
    struct rig *r = rig_new(SESSION_BOUND_TRX);
    say(r, PDU_DELIVER_SM, 3);
    say(r, PDU_ENQUIRE_LINK, 4);
    assert_string_equal(heard(r), "deliver_sm_resp 3, enquire_link_resp 4");
    assert_int_equal(r->requests, 1);
    say(r, PDU_DELIVER_SM_RESP, 9); /* nobody asked */
    assert_string_equal(heard(r), "");
    rig_free(r);
}

static void byte_by_byte(void **state)
{
    static const char two[] = "\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x05"
                              "\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x06";
    struct rig *r = rig_new(SESSION_BOUND_TRX);
    for (size_t i = 0; i < sizeof two - 1; i++) {
        assert_int_equal(send(r->peer, two + i, 1, 0), 1);
        turns(r, 2);
    }
    assert_string_equal(heard(r), "enquire_link_resp 5, enquire_link_resp 6");
    assert_int_equal(send(r->peer, "\0\0\0", 3, 0), 3);
    turns(r, 3);
    assert_int_equal(send(r->peer, "\x05", 1, 0), 1);
    turns(r, 3);
    assert_string_equal(heard(r), "generic_nack 0 ESME_RINVCMDLEN, closed");
    assert_int_equal(r->ended, 1);
    rig_free(r);
}

static void who_does_not_bind_goes(void **state)
{
    struct rig *r = rig_new(SESSION_OPEN);
    later(r, UNBOUND_MS - 100);
    say(r, PDU_ENQUIRE_LINK, 1); /* which does not help */
    assert_string_equal(heard(r), "enquire_link_resp 1");
    later(r, 100);
    assert_string_equal(heard(r), "closed");
    assert_string_equal(r->why, "it did not bind");
    rig_free(r);
}

static void bind_and_be_bound(struct rig *r, const struct pdu *p)
{
    const struct session_link link = {7, WINDOW, ENQUIRE_MS, NULL};
    session_bound(r->s, SESSION_BOUND_TX, &link);
    session_accept_bind(r->s, p, STR("us"));
}

static void a_bind_changes_the_state(void **state)
{
    struct rig *r = rig_new(SESSION_OPEN);
    assert_false(session_is_bound(r->s));
    r->on_request = bind_and_be_bound;
    say(r, PDU_BIND_TRANSMITTER, 1);
    assert_string_equal(heard(r), "bind_transmitter_resp 1");
    assert_true(session_is_bound(r->s));
    later(r, UNBOUND_MS + 10);
    assert_string_equal(heard(r), "");
    rig_free(r);
}

/* SMPP 3.4 §3.2.3: an older peer is sent no optional parameters. */
static void the_version_of_the_bind_decides_about_optional_parameters(void **state)
{
    static const struct {
        uint8_t version;
        size_t size;
    } binds[] = {{0x34, 16 + 3 + 5}, {0x50, 16 + 3 + 5}, {0x33, 16 + 3}, {0x00, 16 + 3}};
    for (size_t i = 0; i < sizeof binds / sizeof *binds; i++) {
        struct rig *r = rig_new(SESSION_OPEN);
        struct pdu bind = {
            .command = PDU_BIND_RECEIVER, .sequence = 1, .interface_version = binds[i].version};
        char answer[256];
        r->on_request = bind_and_be_bound;
        say_pdu(r, &bind);
        assert_int_equal(recv(r->peer, answer, sizeof answer, MSG_DONTWAIT), binds[i].size);
        rig_free(r);
    }
}

static void silence_is_asked_about(void **state)
{
    struct rig *r = rig_new(SESSION_BOUND_TRX);
    later(r, ENQUIRE_MS - 100);
    say(r, PDU_ENQUIRE_LINK, 1);
    assert_string_equal(heard(r), "enquire_link_resp 1");
    later(r, ENQUIRE_MS - 100); /* it was heard meanwhile */
    assert_string_equal(heard(r), "");
    later(r, 100);
    assert_string_equal(heard(r), "enquire_link 2");
    say(r, PDU_ENQUIRE_LINK_RESP, 2);
    later(r, ENQUIRE_MS + RESPONSE_MS);
    assert_string_equal(heard(r), "enquire_link 3");
    say(r, PDU_DELIVER_SM, 5); /* no answer, but alive */
    assert_string_equal(heard(r), "deliver_sm_resp 5");
    later(r, RESPONSE_MS + 1);
    assert_int_equal(r->ended, 0);
    later(r, ENQUIRE_MS);
    assert_string_equal(heard(r), "enquire_link 4");
    later(r, RESPONSE_MS + 1);
    assert_string_equal(heard(r), "closed");
    assert_string_equal(r->why, "no answer to enquire_link");
    rig_free(r);
}

static void a_full_window_is_not_read_past(void **state)
{
    struct rig *r = rig_new(SESSION_BOUND_TRX);
    r->hold = true;
    for (uint32_t i = 1; i <= 10; i++)
        say(r, PDU_DELIVER_SM, i);
    assert_int_equal(r->requests, WINDOW);
    later(r, 10 * ENQUIRE_MS); /* who does not read cannot hear */
    assert_string_equal(heard(r), "");
    for (uint32_t i = 1; i <= 10; i++) {
        settle(r, i, i);
        turns(r, 5);
        assert_int_equal(r->requests, i + WINDOW > 10 ? 10 : i + WINDOW);
    }
    heard(r);
    say(r, PDU_ENQUIRE_LINK, 77);
    assert_string_equal(heard(r), "enquire_link_resp 77");
    rig_free(r);
}

static void we_unbind(void **state)
{
    struct rig *r = rig_new(SESSION_BOUND_TRX);
    r->hold = true;
    say(r, PDU_DELIVER_SM, 1);
    session_unbind(r->s);
    say(r, PDU_DELIVER_SM, 2); /* too late */
    assert_string_equal(heard(r), "deliver_sm_resp 2 ESME_RTHROTTLED");
    settle(r, 1, 1); /* and now the unbind may leave */
    assert_string_equal(heard(r), "deliver_sm_resp 1, unbind 2");
    say(r, PDU_UNBIND_RESP, 2);
    assert_string_equal(heard(r), "closed");
    assert_string_equal(r->why, "");
    assert_int_equal(r->ended, 1);
    rig_free(r);
}

static void nobody_answers_our_unbind(void **state)
{
    struct rig *r = rig_new(SESSION_BOUND_TRX);
    r->hold = true;
    say(r, PDU_DELIVER_SM, 1); /* which the store never answers */
    session_unbind(r->s);
    later(r, RESPONSE_MS + 1);
    assert_string_equal(heard(r), "unbind 2");
    later(r, RESPONSE_MS + 1);
    assert_string_equal(heard(r), "closed");
    settle(r, 1, 1); /* nobody is there any more */
    rig_free(r);
}

/* With SO_LINGER 0 a close is a reset. */
static void peer_reset(struct rig *r)
{
    struct linger hard = {1, 0};
    setsockopt(r->peer, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(r->peer);
    r->peer = -1;
}

static void they_unbind(void **state)
{
    struct rig *r = rig_new(SESSION_BOUND_TRX);
    r->hold = true;
    say(r, PDU_DELIVER_SM, 1);
    say(r, PDU_UNBIND, 2);
    say(r, PDU_DELIVER_SM, 3); /* nobody listens any more */
    assert_string_equal(heard(r), "");
    settle(r, 1, 1);
    assert_string_equal(heard(r), "deliver_sm_resp 1, unbind_resp 2");
    assert_int_equal(r->requests, 1);
    assert_int_equal(r->ended, 1); /* its place is free again */
    assert_string_equal(r->why, "");
    say(r, PDU_DELIVER_SM, 4); /* nor now */
    assert_string_equal(heard(r), "");
    close(r->peer);
    r->peer = -1;
    turns(r, 5);
    assert_int_equal(sessions_count(r->all), 0);
    assert_int_equal(r->ended, 1);
    assert_int_equal(r->n_unanswered, 0);
    rig_free(r);
}

static void who_unbinds_and_does_not_close_is_closed(void **state)
{
    struct rig *r = rig_new(SESSION_BOUND_TRX);
    say(r, PDU_UNBIND, 2);
    assert_string_equal(heard(r), "unbind_resp 2");
    later(r, 900);
    assert_string_equal(heard(r), "");
    later(r, 100);
    assert_string_equal(heard(r), "closed");
    assert_int_equal(r->ended, 1);
    rig_free(r);
}

/* It unbound, so it had its answers: a reset afterwards makes none of them doubtful. */
static void a_reset_behind_an_unbind_takes_no_answers(void **state)
{
    struct rig *r = rig_new(SESSION_BOUND_TRX);
    r->hold = true;
    say(r, PDU_DELIVER_SM, 1);
    settle(r, 1, 101);
    say(r, PDU_UNBIND, 2);
    peer_reset(r);
    turns(r, 5);
    assert_int_equal(sessions_count(r->all), 0);
    assert_int_equal(r->n_unanswered, 0);
    rig_free(r);
}

static void an_unknown_command_is_nacked_and_the_session_goes_on(void **state)
{
    static const char unknown[] = "\0\0\0\x12\0\0\x01\x11\0\0\0\0\0\0\0\x05hi"
                                  "\0\0\0\x10\x80\0\x01\x11\0\0\0\0\0\0\0\x06";
    struct rig *r = rig_new(SESSION_BOUND_TRX);
    assert_int_equal(send(r->peer, unknown, sizeof unknown - 1, 0), sizeof unknown - 1);
    say(r, PDU_DELIVER_SM, 7);
    assert_string_equal(heard(r), "generic_nack 5 ESME_RINVCMDID, deliver_sm_resp 7");
    rig_free(r);
}

static void end_inside(struct rig *r, const struct pdu *p)
{
    session_end(r->s, "enough");
    session_refuse(r->s, p, ESME_ROK); /* without effect */
    session_hold(r->s);
    session_unbind(r->s);
}

static void it_may_end_inside_of_its_own_request(void **state)
{
    struct rig *r = rig_new(SESSION_BOUND_TRX);
    r->on_request = end_inside;
    say(r, PDU_DELIVER_SM, 1);
    assert_string_equal(heard(r), "closed");
    assert_string_equal(r->why, "enough");
    assert_int_equal(r->ended, 1);
    assert_int_equal(sessions_count(r->all), 0);
    assert_null(session_at(r->all, r->h));
    rig_free(r);
}

static void close_inside(struct rig *r, const struct pdu *p)
{
    session_close(r->s);
}

static void closed_hard_nobody_is_told(void **state)
{
    struct rig *r = rig_new(SESSION_BOUND_TRX);
    r->on_request = close_inside;
    say(r, PDU_DELIVER_SM, 1);
    assert_string_equal(heard(r), "closed");
    assert_int_equal(r->ended, 0);
    assert_int_equal(sessions_count(r->all), 0);
    rig_free(r);
}

static void a_reset_takes_the_last_answers(void **state)
{
    struct rig *r = rig_new(SESSION_BOUND_TRX);
    r->hold = true;
    say(r, PDU_DELIVER_SM, 1);
    say(r, PDU_DELIVER_SM, 2);
    say(r, PDU_DELIVER_SM, 3);
    settle(r, 1, 101);
    turns(r, 5);
    later(r, 2100); /* he has had time to read that one */
    settle(r, 2, 102);
    settle(r, 3, 0); /* the store knows it when it comes again */
    turns(r, 5);
    peer_reset(r);
    turns(r, 5);
    assert_int_equal(r->ended, 1);
    assert_int_equal(r->n_unanswered, 1);
    assert_int_equal(r->unanswered[0], 102);
    rig_free(r);
}

static void a_clean_end_takes_none(void **state)
{
    struct rig *r = rig_new(SESSION_BOUND_TRX);
    r->hold = true;
    say(r, PDU_DELIVER_SM, 1);
    settle(r, 1, 101);
    assert_string_equal(heard(r), "deliver_sm_resp 1");
    close(r->peer);
    r->peer = -1;
    turns(r, 5);
    assert_int_equal(r->ended, 1);
    assert_int_equal(r->n_unanswered, 0);
    rig_free(r);
}

/* He closed while we did not read, and our answer met nobody. */
static void an_answer_to_somebody_gone(void **state)
{
    struct rig *r = rig_new(SESSION_BOUND_TRX);
    r->hold = true;
    for (uint32_t i = 1; i <= WINDOW; i++)
        say(r, PDU_DELIVER_SM, i);
    close(r->peer);
    r->peer = -1;
    turns(r, 5);
    assert_int_equal(r->ended, 0); /* the pause does not see it, and does not spin either */
    settle(r, 1, 101);
    turns(r, 5);
    assert_int_equal(r->ended, 1);
    assert_int_equal(r->n_unanswered, 1);
    assert_int_equal(r->unanswered[0], 101);
    assert_null(session_at(r->all, r->h)); /* the others are seen to be nobody's */
    rig_free(r);
}

static void bytes_that_came_with_the_answer_to_a_bind(void **state)
{
    came_before = STR("\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x05\0\0\0");
    struct rig *r = rig_new(SESSION_BOUND_TRX);
    came_before = (struct str){0};
    assert_string_equal(heard(r), "enquire_link_resp 5");
    assert_int_equal(send(r->peer, "\x10\0\0\0\x15\0\0\0\0\0\0\0\x06", 13, 0), 13);
    assert_string_equal(heard(r), "enquire_link_resp 6");
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_handed_over_and_answered),
        cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(who_does_not_bind_goes),
        cmocka_unit_test(a_bind_changes_the_state),
        cmocka_unit_test(the_version_of_the_bind_decides_about_optional_parameters),
        cmocka_unit_test(silence_is_asked_about),
        cmocka_unit_test(a_full_window_is_not_read_past),
        cmocka_unit_test(we_unbind),
        cmocka_unit_test(nobody_answers_our_unbind),
        cmocka_unit_test(they_unbind),
        cmocka_unit_test(who_unbinds_and_does_not_close_is_closed),
        cmocka_unit_test(a_reset_behind_an_unbind_takes_no_answers),
        cmocka_unit_test(an_unknown_command_is_nacked_and_the_session_goes_on),
        cmocka_unit_test(it_may_end_inside_of_its_own_request),
        cmocka_unit_test(closed_hard_nobody_is_told),
        cmocka_unit_test(a_reset_takes_the_last_answers),
        cmocka_unit_test(a_clean_end_takes_none),
        cmocka_unit_test(an_answer_to_somebody_gone),
        cmocka_unit_test(bytes_that_came_with_the_answer_to_a_bind),
    };
    assert_ok(crypto_start());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
