#include "check.h"
#include "model/sms.h"
#include "net/stream.h"
#include "play/carrier.h"
#include "smpp/pdu.h"

/* Who answers it: a message centre on the same loop, that keeps what it was sent. */
enum { KEPT_MAX = 80, TURNS_MAX = 2000 };

static struct {
    struct loop *loop;
    struct listener *listener;
    struct stream *peer;
    struct buf in;
    uint32_t bind_status, submit_status;
    bool mute, ended;
    char bound_as[40];
    size_t n;
    struct pdu kept[KEPT_MAX]; /* slices in `bytes` */
    struct buf bytes[KEPT_MAX];
    /* What the carrier says: */
    uint32_t heard_bind;
    size_t n_bound, n_answers, n_ends, n_enquired;
    struct carrier_answer answers[KEPT_MAX];
} centre;

static void say(const struct pdu *p)
{
    struct buf b;
    buf_init(&b, PDU_MAX);
    pdu_print(p, &b);
    if (centre.peer)
        (void)!stream_write(centre.peer, buf_str(&b));
    buf_fini(&b);
}

static void on_pdu(struct str bytes)
{
    uint32_t status;
    assert_true(centre.n < KEPT_MAX);
    struct buf *b = &centre.bytes[centre.n];
    struct pdu *p = &centre.kept[centre.n];
    buf_init(b, PDU_MAX);
    buf_put_str(b, bytes);
    assert_ok(pdu_parse(buf_str(b), p, &status));
    if (p->command == PDU_ENQUIRE_LINK_RESP)
        centre.n_enquired++;
    if (p->command == PDU_BIND_TRANSCEIVER)
        snprintf(centre.bound_as, sizeof centre.bound_as, "%.*s %.*s", STR_FMT(p->system_id),
                 STR_FMT(p->password));
    struct pdu answer = {.command = pdu_response_to(p->command), .sequence = p->sequence};
    if (p->command == PDU_BIND_TRANSCEIVER)
        answer.status = centre.bind_status;
    else if (p->command == PDU_SUBMIT_SM) {
        centre.n++;
        answer.status = centre.submit_status;
        answer.message_id = STR("msg_1");
    }
    if (!pdu_is_response(p->command) && !(centre.mute && p->command == PDU_SUBMIT_SM))
        say(&answer);
    if (p->command != PDU_SUBMIT_SM)
        buf_fini(b);
}

static void on_bytes(struct stream *s, void *arg, struct str bytes)
{
    size_t size;
    buf_put_str(&centre.in, bytes);
    while (pdu_size(buf_str(&centre.in), &size) == OK && size <= centre.in.n) {
        on_pdu(str_slice(buf_str(&centre.in), 0, size));
        buf_cut(&centre.in, size);
    }
}

static void on_end(struct stream *s, void *arg, enum err why)
{
    stream_close(s);
    centre.peer = NULL;
    centre.ended = true;
}

static void on_accept(void *arg, struct stream *s)
{
    static const struct stream_events events = {.on_bytes = on_bytes, .on_end = on_end};
    centre.peer = s;
    stream_take(s, &events, NULL);
}

static void heard_bound(void *arg, uint32_t status)
{
    centre.heard_bind = status;
    centre.n_bound++;
}

static void heard_answer(void *arg, const struct carrier_answer *a)
{
    assert_true(centre.n_answers < KEPT_MAX);
    centre.answers[centre.n_answers++] = *a;
}

static void heard_end(void *arg, enum err why)
{
    centre.n_ends++;
}

static int opens(void **state)
{
    struct addr at = {.family = 4, .ip = {127, 0, 0, 1}};
    memset(&centre, 0, sizeof centre);
    buf_init(&centre.in, 2 * PDU_MAX);
    if (loop_new(&centre.loop, "test", 64) != OK)
        return 1;
    return listener_open(centre.loop, &at, NULL, on_accept, NULL, &centre.listener) != OK;
}

static int closes(void **state)
{
    for (size_t i = 0; i < centre.n; i++)
        buf_fini(&centre.bytes[i]);
    buf_fini(&centre.in);
    stream_close(centre.peer);
    listener_close(centre.listener);
    loop_free(centre.loop);
    return 0;
}

static void turn_until(const size_t *counter, size_t n)
{
    for (int i = 0; *counter < n; i++) {
        if (i == TURNS_MAX)
            fail_msg("%zu of %zu", *counter, n);
        loop_turn(centre.loop, 10);
    }
}

static struct carrier *bound(void)
{
    struct carrier *c;
    const struct carrier_config config = {.to = listener_local(centre.listener),
                                          .system_id = "us",
                                          .password = "secret",
                                          .on_bound = heard_bound,
                                          .on_answer = heard_answer,
                                          .on_end = heard_end};
    assert_ok(carrier_open(centre.loop, &config, &c));
    turn_until(&centre.n_bound, 1);
    return c;
}

static enum err send_text(struct carrier *c, const char *from, struct str text)
{
    uint64_t n;
    const struct carrier_text t = {.from = str_of(from), .to = STR("+447911123456"), .text = text};
    return carrier_send(c, &t, &n);
}

/* What a receiver makes of all that was kept. */
static void assert_joined(struct str text, size_t parts)
{
    struct sms_part part[KEPT_MAX];
    const struct sms_part *in_order[KEPT_MAX];
    static const struct sms_defaults usual = {SMS_GSM7, SMS_GSM7};
    struct buf b;
    bool lossy;
    assert_int_equal(centre.n, parts);
    for (size_t i = 0; i < centre.n; i++) {
        const struct pdu *p = &centre.kept[i];
        part[i] = (struct sms_part){.coding.alphabet = sms_alphabet_of(p->data_coding, &usual),
                                    .data = p->short_message,
                                    .parts = 1,
                                    .number = 1};
        assert_true(p->short_message.n <= 160);
        if (p->esm_class & 0x40)
            assert_ok(sms_header_parse(&part[i]));
        assert_int_equal(part[i].parts, parts);
        assert_int_equal(part[i].number, i + 1);
        assert_int_equal(part[i].reference, part[0].reference);
        in_order[i] = &part[i];
    }
    buf_init(&b, SMS_TEXT_MAX);
    assert_ok(sms_text(in_order, parts, &b, &lossy));
    assert_false(lossy);
    if (!str_eq(buf_str(&b), text))
        fail_msg("\"%.*s\"", STR_FMT(buf_str(&b)));
    buf_fini(&b);
}

static void a_short_text(void **state)
{
    struct carrier *c = bound();
    assert_string_equal(centre.bound_as, "us secret");
    assert_int_equal(centre.heard_bind, ESME_ROK);
    assert_ok(send_text(c, "+19175550100", STR("Hello, is this line active?")));
    turn_until(&centre.n_answers, 1);
    const struct pdu *p = &centre.kept[0];
    assert_int_equal(p->source.ton, 1);
    assert_str(p->source.digits, "19175550100");
    assert_str(p->destination.digits, "447911123456");
    assert_int_equal(p->esm_class, 0);
    assert_int_equal(p->data_coding, 0);
    assert_joined(STR("Hello, is this line active?"), 1);
    assert_int_equal(centre.answers[0].part, 1);
    assert_int_equal(centre.answers[0].parts, 1);
    assert_int_equal(centre.answers[0].status, ESME_ROK);
    carrier_close(c);
}

static void who_sends(void **state)
{
    struct carrier *c = bound();
    assert_ok(send_text(c, "ACME", STR("a")));
    assert_ok(send_text(c, "12345", STR("b")));
    turn_until(&centre.n_answers, 2);
    assert_int_equal(centre.kept[0].source.ton, 5);
    assert_str(centre.kept[0].source.digits, "ACME");
    assert_int_equal(centre.kept[1].source.ton, 3);
    assert_int_equal(centre.answers[0].text + 1, centre.answers[1].text);
    carrier_close(c);
}

static void parts_of_septets(void **state)
{
    char text[400] = "";
    struct carrier *c = bound();
    for (int i = 0; i < 152; i++)
        strcat(text, "x");
    strcat(text, "\xe2\x82\xac"); /* the euro sign's escape would be the 153rd */
    for (int i = 0; i < 60; i++)
        strcat(text, "y");
    assert_ok(send_text(c, "+19175550100", str_of(text)));
    turn_until(&centre.n_answers, 2);
    assert_int_equal(centre.kept[0].short_message.n, 6 + 152);
    assert_joined(str_of(text), 2);
    assert_int_equal(centre.answers[1].part, 2);
    carrier_close(c);
}

static void parts_of_units(void **state)
{
    char text[800] = "";
    struct carrier *c = bound();
    for (int i = 0; i < 66; i++)
        strcat(text, "\xce\xa9");
    strcat(text, "\xf0\x9f\xa6\x8a"); /* units 67 and 68: its halves travel apart */
    for (int i = 0; i < 67; i++)
        strcat(text, "\xce\xa9");
    assert_ok(send_text(c, "+19175550100", str_of(text)));
    turn_until(&centre.n_answers, 3);
    assert_int_equal(centre.kept[0].short_message.n, 6 + 134);
    assert_int_equal(centre.kept[0].data_coding, 8);
    assert_joined(str_of(text), 3);
    carrier_close(c);
}

static void what_cannot_be_sent(void **state)
{
    struct buf b;
    struct carrier *c = bound();
    assert_err(send_text(c, "", STR("x")), ERR_INVALID);
    assert_err(send_text(c, "+1", STR("\xff")), ERR_INVALID);
    buf_init(&b, 10000);
    for (int i = 0; i < CARRIER_PARTS_MAX * 153; i++)
        buf_putc(&b, 'x');
    centre.mute = true;
    for (int i = 0; i < CARRIER_WINDOW / CARRIER_PARTS_MAX; i++)
        assert_ok(send_text(c, "+19175550100", buf_str(&b)));
    assert_err(send_text(c, "+19175550100", STR("one more")), ERR_FULL);
    buf_putc(&b, 'x');
    assert_err(send_text(c, "+19175550100", buf_str(&b)), ERR_TOO_BIG);
    turn_until(&centre.n, CARRIER_WINDOW);
    assert_int_equal(centre.n_answers, 0);
    buf_fini(&b);
    carrier_close(c);
}

static void a_refused_text(void **state)
{
    struct carrier *c = bound();
    centre.submit_status = ESME_RTHROTTLED;
    assert_ok(send_text(c, "+19175550100", STR("not now")));
    turn_until(&centre.n_answers, 1);
    assert_int_equal(centre.answers[0].status, ESME_RTHROTTLED);
    carrier_close(c);
}

static void a_refused_bind(void **state)
{
    centre.bind_status = ESME_RBINDFAIL;
    struct carrier *c = bound();
    assert_int_equal(centre.heard_bind, ESME_RBINDFAIL);
    assert_err(send_text(c, "+19175550100", STR("hi")), ERR_AGAIN);
    stream_close(centre.peer);
    centre.peer = NULL;
    turn_until(&centre.n_ends, 1);
    carrier_close(c);
}

static void it_answers_too(void **state)
{
    struct carrier *c = bound();
    say(&(struct pdu){.command = PDU_ENQUIRE_LINK, .sequence = 7});
    turn_until(&centre.n_enquired, 1);
    assert_true(stream_write(centre.peer, STR("\0\0\0\1nonsense")) == OK);
    turn_until(&centre.n_ends, 1);
    assert_err(send_text(c, "+19175550100", STR("hi")), ERR_AGAIN);
    carrier_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_short_text, opens, closes),
        cmocka_unit_test_setup_teardown(who_sends, opens, closes),
        cmocka_unit_test_setup_teardown(parts_of_septets, opens, closes),
        cmocka_unit_test_setup_teardown(parts_of_units, opens, closes),
        cmocka_unit_test_setup_teardown(what_cannot_be_sent, opens, closes),
        cmocka_unit_test_setup_teardown(a_refused_text, opens, closes),
        cmocka_unit_test_setup_teardown(a_refused_bind, opens, closes),
        cmocka_unit_test_setup_teardown(it_answers_too, opens, closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
