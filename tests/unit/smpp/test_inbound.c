/* What a carrier is answered, by how the door for messages answers: a door of the test's own. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "smpp/inbound.h"

static char dir[] = "/tmp/hookswitch-inbound-XXXXXX";
static struct loop *loop;
static struct store *store;
static struct books *books;
static struct sessions *sessions;
static struct inbound *inbound;
static struct listener *listener;
static struct session *session; /* the last that was opened */
static bool they_bound;
static uint64_t received;

/* ---- the door ---- */

enum { TAKEN_MAX = 16 };
static struct {
    messages_on_taken *on_taken;
    void *arg;
    uint64_t token;
    char from[64], to[NUMBER_SIZE];
    struct sms_part part;
    char data[64];
    size_t data_n;
} taken[TAKEN_MAX];
static unsigned n_taken;
static enum err door; /* what it says at once */

enum err messages_take(struct messages *m, const struct book *book, const struct message_in *in,
                       struct mailbox *home, messages_on_taken *on_taken, void *arg, uint64_t token)
{
    if (door != OK)
        return door;
    assert_true(n_taken < TAKEN_MAX);
    taken[n_taken].on_taken = on_taken;
    taken[n_taken].arg = arg;
    taken[n_taken].token = token;
    taken[n_taken].part = in->part;
    assert_true(in->part.data.n <= sizeof taken[n_taken].data);
    taken[n_taken].data_n = in->part.data.n;
    memcpy(taken[n_taken].data, in->part.data.p, in->part.data.n);
    assert_ok(str_copy(in->from, taken[n_taken].from, sizeof taken[n_taken].from));
    assert_ok(str_copy(in->to, taken[n_taken].to, sizeof taken[n_taken].to));
    n_taken++;
    return OK;
}

static void commit(unsigned i, enum err err, bool duplicate)
{
    taken[i].on_taken(taken[i].arg, taken[i].token, err, duplicate, STR("msg_1"));
}

/* ---- the carrier ---- */

static void on_accept(void *arg, struct stream *stream)
{
    const struct session_config c = {.they_bound = they_bound,
                                     .state = SESSION_BOUND_TRX,
                                     .link = {9, 10, 60000, &received},
                                     .on_request = inbound_on_request,
                                     .arg = inbound};
    assert_ok(session_open(sessions, &c, &stream, (struct str){0}, &session));
}

static void turns(int n)
{
    while (n--) {
        clock_advance(1);
        loop_turn(loop, 0);
    }
}

static int peer_new(bool they)
{
    struct sockaddr_storage sa;
    struct addr at = listener_local(listener);
    socklen_t n = addr_to_sockaddr(&at, &sa);
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    they_bound = they;
    session = NULL;
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, n), 0);
    for (int i = 0; !session && i < 1000; i++)
        turns(1);
    assert_non_null(session);
    return fd;
}

static void send_pdu(int fd, const struct pdu *p)
{
    struct buf b;
    buf_init(&b, PDU_MAX);
    pdu_print(p, &b);
    assert_int_equal(send(fd, b.p, b.n, 0), b.n);
    buf_fini(&b);
    turns(6);
}

static void say(int fd, enum pdu_command c, const char *text)
{
    struct pdu p = {.command = c,
                    .sequence = 1,
                    .source = {1, 1, STR("19175550100")},
                    .destination = {1, 1, STR("447911123456")},
                    .short_message = str_of(text)};
    send_pdu(fd, &p);
}

/* The next response's status; UINT32_MAX: none. */
static uint32_t heard(int fd)
{
    char head[PDU_HEADER], rest[256];
    turns(6);
    if (recv(fd, head, sizeof head, MSG_DONTWAIT) != sizeof head)
        return UINT32_MAX;
    size_t more = (size_t)(uint8_t)head[3] - PDU_HEADER;
    if (more)
        assert_int_equal(recv(fd, rest, more, 0), more);
    return (uint32_t)(uint8_t)head[10] << 8 | (uint8_t)head[11];
}

static int set_up(void **state)
{
    char url[128], why[256];
    struct addr at = {.family = 4, .ip = {127, 0, 0, 1}};
    static unsigned nth;
    snprintf(url, sizeof url, "sqlite:%s/%u.db", dir, nth++);
    struct store_config sc = {.url = url};
    clock_fake(1000000);
    assert_ok(store_open(&sc, &store, why, sizeof why));
    assert_ok(books_open(store, &books));
    struct setting number = {.n = 8,
                             .kind = SETTING_NUMBER,
                             .id = STR("+447911123456"),
                             .key = STR("+447911123456"),
                             .account = 3,
                             .doc = STR("{\"number\":\"+447911123456\",\"sms\":true}")};
    struct setting link = {.n = 9,
                           .kind = SETTING_SMPP_LINK,
                           .id = STR("link_1"),
                           .key = STR("x"),
                           .doc = STR("{\"name\":\"x\",\"mode\":\"server\",\"system_id\":\"x\","
                                      "\"password\":\"y\"}")};
    books_changed(books, &number, false);
    books_changed(books, &link, false);
    assert_ok(loop_new(&loop, "test", 64));
    assert_ok(sessions_new(loop, 8, 1000, &sessions));
    const struct inbound_config c = {loop, store, books, NULL, sessions};
    assert_ok(inbound_new(&c, &inbound));
    assert_ok(listener_open(loop, &at, NULL, on_accept, NULL, &listener));
    n_taken = 0;
    received = 0;
    door = OK;
    return 0;
}

static int tear_down(void **state)
{
    store_close(store);
    sessions_free(sessions);
    listener_close(listener);
    inbound_free(inbound);
    loop_free(loop);
    books_close(books);
    clock_real();
    return 0;
}

static void accepted_is_said_after_the_commit(void **state)
{
    int fd = peer_new(true);
    say(fd, PDU_SUBMIT_SM, "hi");
    assert_int_equal(n_taken, 1);
    assert_string_equal(taken[0].from, "+19175550100");
    assert_string_equal(taken[0].to, "+447911123456");
    assert_int_equal(heard(fd), UINT32_MAX);
    commit(0, OK, false);
    assert_int_equal(heard(fd), ESME_ROK);
    assert_int_equal(received, 1);
    say(fd, PDU_DELIVER_SM, "hi");
    commit(1, OK, true); /* it was there */
    assert_int_equal(heard(fd), ESME_ROK);
    assert_int_equal(received, 1);
    close(fd);
}

static void what_fails_is_said(void **state)
{
    static const struct {
        enum err err;
        uint32_t at_once, at_commit;
    } cases[] = {
        {ERR_FULL, ESME_RTHROTTLED, ESME_RTHROTTLED},
        {ERR_STORE, ESME_RTHROTTLED, ESME_RX_T_APPN},
        {ERR_STORE_FULL, ESME_RTHROTTLED, ESME_RTHROTTLED},
        {ERR_STORE_UNSURE, ESME_RTHROTTLED, ESME_RX_T_APPN},
        {ERR_NOMEM, ESME_RTHROTTLED, ESME_RX_T_APPN},
        {ERR_INVALID, ESME_RX_P_APPN, ESME_RX_P_APPN},
        {ERR_TOO_BIG, ESME_RX_P_APPN, ESME_RX_P_APPN},
        {ERR_SYNTAX, ESME_RX_P_APPN, ESME_RX_P_APPN},
        {ERR_UNSUPPORTED, ESME_RX_P_APPN, ESME_RX_P_APPN},
        {ERR_EXISTS, ESME_RX_P_APPN, ESME_RX_P_APPN},
        {ERR_BUG, ESME_RX_P_APPN, ESME_RX_P_APPN},
    };
    int fd = peer_new(true);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        door = cases[i].err;
        say(fd, PDU_DELIVER_SM, "hi");
        assert_int_equal(heard(fd), cases[i].at_once);
        door = OK;
        say(fd, PDU_DELIVER_SM, "hi");
        commit(i, cases[i].err, false);
        assert_int_equal(heard(fd), cases[i].at_commit);
    }
    assert_int_equal(received, 0);
    close(fd);
}

static void who_may_ask_what(void **state)
{
    static const struct {
        enum pdu_command command;
        uint32_t theirs, ours; /* status; UINT32_MAX: it is a message */
    } cases[] = {
        {PDU_DELIVER_SM, UINT32_MAX, UINT32_MAX},
        {PDU_SUBMIT_SM, UINT32_MAX, ESME_RINVBNDSTS},
        {PDU_SUBMIT_MULTI, ESME_RSUBMITFAIL, ESME_RINVBNDSTS},
        {PDU_QUERY_SM, ESME_RQUERYFAIL, ESME_RINVBNDSTS},
        {PDU_CANCEL_SM, ESME_RCANCELFAIL, ESME_RINVBNDSTS},
        {PDU_REPLACE_SM, ESME_RREPLACEFAIL, ESME_RINVBNDSTS},
        {PDU_BIND_TRANSCEIVER, ESME_RALYBND, ESME_RALYBND},
        {PDU_DATA_SM, ESME_RMISSINGOPTPARAM, ESME_RMISSINGOPTPARAM},
        {PDU_ALERT_NOTIFICATION, UINT32_MAX, UINT32_MAX},
    };
    for (int they = 0; they < 2; they++) {
        int fd = peer_new(they);
        for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
            uint32_t want = they ? cases[i].theirs : cases[i].ours;
            say(fd, cases[i].command, "hi");
            if (heard(fd) != want)
                fail_msg("%s", pdu_name(cases[i].command));
        }
        assert_int_equal(n_taken, they ? 2 : 1);
        while (n_taken) {
            commit(--n_taken, OK, false);
            assert_int_equal(heard(fd), ESME_ROK); /* unread, a close would be a reset */
        }
        close(fd);
        turns(5);
    }
}

/* §5.2.12: bits 2 to 5 of esm_class. */
static void only_receipts_and_intermediate_notices_are_no_texts(void **state)
{
    int fd = peer_new(true);
    unsigned texts = 0;
    for (unsigned type = 0; type <= 0x3C; type += 4)
        for (int submitted = 0; submitted < 2; submitted++) {
            struct pdu p = {.command = submitted ? PDU_SUBMIT_SM : PDU_DELIVER_SM,
                            .source = {1, 1, STR("19175550100")},
                            .destination = {1, 1, STR("447911123456")},
                            .esm_class = (uint8_t)type,
                            .short_message = STR("hi")};
            bool notice = !submitted && (type == 0x04 || type == 0x20);
            n_taken = 0;
            send_pdu(fd, &p);
            if (n_taken != !notice)
                fail_msg("esm_class 0x%02X, submitted %d", type, submitted);
            texts += n_taken;
            if (n_taken)
                commit(0, OK, false);
            assert_int_equal(heard(fd), ESME_ROK);
        }
    assert_int_equal(texts, 30);
    close(fd);
}

static void the_end_of_a_string_is_not_text(void **state)
{
    static const struct {
        uint8_t data_coding;
        struct str sent, due;
    } texts[] = {
        {3, STR("hello\0"), STR("hello")},
        {3, STR("hello\0\0"), STR("hello\0")},
        {8, STR("\0h\0i\0\0"), STR("\0h\0i")},
        {8, STR("\0h\0i\0"), STR("\0h\0i")},
        {8, STR("\0h\1\0"), STR("\0h\1\0")}, /* Ā */
        {0, STR("hello\0"), STR("hello\0")}, /* @ */
        {4, STR("\1\0"), STR("\1\0")},
        {3, STR("\0"), STR("")},
        {3, STR(""), STR("")},
    };
    int fd = peer_new(true);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct pdu p = {.command = PDU_DELIVER_SM,
                        .source = {1, 1, STR("19175550100")},
                        .destination = {1, 1, STR("447911123456")},
                        .data_coding = texts[i].data_coding,
                        .short_message = texts[i].sent};
        n_taken = 0;
        send_pdu(fd, &p);
        assert_int_equal(n_taken, 1);
        assert_true(taken[0].data_n == texts[i].due.n &&
                    !memcmp(taken[0].data, texts[i].due.p, taken[0].data_n));
        commit(0, OK, false);
        assert_int_equal(heard(fd), ESME_ROK);
    }
    close(fd);
}

static void an_empty_payload_hides_no_text(void **state)
{
    int fd = peer_new(true);
    struct pdu p = {.command = PDU_DELIVER_SM,
                    .source = {1, 1, STR("19175550100")},
                    .destination = {1, 1, STR("447911123456")},
                    .short_message = STR("hello"),
                    .n_tlvs = 1,
                    .tlv = {{TLV_MESSAGE_PAYLOAD, STR("")}}};
    send_pdu(fd, &p);
    assert_int_equal(n_taken, 1);
    assert_true(taken[0].data_n == 5 && !memcmp(taken[0].data, "hello", 5));
    commit(0, OK, false);
    assert_int_equal(heard(fd), ESME_ROK);
    p.tlv[0].value = STR("other");
    send_pdu(fd, &p);
    assert_int_equal(heard(fd), ESME_ROPTPARNOTALLWD);
    close(fd);
}

static void gone_before_the_commit(void **state)
{
    int first = peer_new(true);
    say(first, PDU_DELIVER_SM, "once");
    close(first);
    turns(5);
    int second = peer_new(true);
    say(second, PDU_DELIVER_SM, "other");
    say(second, PDU_DELIVER_SM, "once"); /* its commit is under way */
    assert_int_equal(heard(second), ESME_RTHROTTLED);
    assert_int_equal(n_taken, 2);
    commit(0, OK, false);
    say(second, PDU_DELIVER_SM, "once"); /* the repeat */
    assert_int_equal(heard(second), ESME_ROK);
    assert_int_equal(n_taken, 2);
    say(second, PDU_DELIVER_SM, "once"); /* another one */
    assert_int_equal(n_taken, 3);
    commit(1, OK, false);
    commit(2, OK, false);
    close(second);
}

/* A program that sends one text in each run and leaves by a reset. */
static void an_absorbed_repeat_is_not_absorbed_again(void **state)
{
    static const struct linger hard = {1, 0};
    for (unsigned run = 0; run < 4; run++) {
        int fd = peer_new(true);
        unsigned before = n_taken;
        say(fd, PDU_DELIVER_SM, "same");
        if (n_taken > before)
            commit(before, OK, false);
        assert_int_equal(heard(fd), ESME_ROK);
        assert_int_equal(n_taken, run / 2 + 1); /* stored, absorbed, stored, absorbed */
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close(fd);
        turns(5);
    }
}

static void gone_before_a_commit_that_fails(void **state)
{
    int first = peer_new(true);
    say(first, PDU_DELIVER_SM, "never");
    close(first);
    turns(5);
    commit(0, ERR_STORE, false);
    int second = peer_new(true);
    say(second, PDU_DELIVER_SM, "never");
    assert_int_equal(n_taken, 2); /* nothing was stored: it is taken */
    commit(1, OK, false);
    assert_int_equal(heard(second), ESME_ROK);
    close(second);
}

static void what_the_store_knows_by_itself_is_not_remembered(void **state)
{
    for (int i = 0; i < 2; i++) { /* a part, twice */
        struct pdu p = {.command = PDU_DELIVER_SM,
                        .source = {1, 1, STR("19175550100")},
                        .destination = {1, 1, STR("447911123456")},
                        .esm_class = 0x40,
                        .short_message = STR("\x05\x00\x03\x07\x02\x01part")};
        int fd = peer_new(true);
        send_pdu(fd, &p);
        assert_int_equal(n_taken, i + 1);
        assert_int_equal(taken[i].part.parts, 2);
        assert_int_equal(taken[i].part.number, 1);
        close(fd);
        turns(5);
    }
    commit(0, OK, false);
    commit(1, OK, true);
}

static void freed_before_its_answers(void **state)
{
    int fd = peer_new(true);
    say(fd, PDU_DELIVER_SM, "late");
    close(fd);
    turns(5);
    struct inbound *old = inbound;
    inbound_free(old);
    commit(0, OK, false); /* frees it: the sanitizer watches */
    const struct inbound_config c = {loop, store, books, NULL, sessions};
    assert_ok(inbound_new(&c, &inbound));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(accepted_is_said_after_the_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_fails_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_may_ask_what, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_receipts_and_intermediate_notices_are_no_texts, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_end_of_a_string_is_not_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_payload_hides_no_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gone_before_the_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_absorbed_repeat_is_not_absorbed_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(gone_before_a_commit_that_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_store_knows_by_itself_is_not_remembered, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(freed_before_its_answers, set_up, tear_down),
    };
    assert_ok(crypto_start());
    assert_non_null(mkdtemp(dir));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (unsigned i = 0; i < sizeof tests / sizeof *tests; i++)
        for (unsigned k = 0; k < 3; k++) {
            static const char *const end[] = {"", "-wal", "-shm"};
            char path[128];
            snprintf(path, sizeof path, "%s/%u.db%s", dir, i, end[k]);
            unlink(path);
        }
    rmdir(dir);
    return failed;
}
