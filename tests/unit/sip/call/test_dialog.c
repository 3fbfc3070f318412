/* Rows of open calls under another configuration than that of the day they were written, and the
 * name that TLS verifies. */
#include "check.h"
#include "sip/call/dialog.h"

static struct loop *loop;
static struct guard *guard; /* of the next transport; NULL: none */

static void on_message(void *arg, const struct path *from, char *bytes, size_t n, int64_t waited_ms)
{
}

static bool may_connect(void *arg, const struct addr *from)
{
    return true;
}

static void on_gone(void *arg, handle conn, const char *why)
{
}

static struct transport *transport(const char *listen)
{
    struct sip_listens c = {0};
    const struct transport_user user = {
        .on_message = on_message, .may_connect = may_connect, .on_gone = on_gone};
    struct transport *t;
    const char *fault;
    char why[128];
    assert_ok(sip_listen_parse(listen, &c, &fault));
    assert_ok(transport_new(loop, guard, &c, &user, &t, why, sizeof why));
    return t;
}

static void close_transport(struct transport *t)
{
    transport_free(t);
    loop_turn(loop, 0);
}

#define LINES                                                                                      \
    "call-1@carrier\n<sip:+447911123456@us>\n<sip:+15550001@carrier>;tag=x1\nx1\n"                 \
    "<sip:c@192.0.2.7:5060>\n\n"

/* Both legs as a version without names wrote them: the listener was the second of its list. */
static const char old_row[] =
    "a0 1000 1 0 1 127.0.0.9:5060\n" LINES "b0 1 0 0 1 127.0.0.8:5070\n" LINES;

static void a_row_of_an_earlier_version_is_read(void **state)
{
    struct transport *t = transport("udp:127.0.0.1:0");
    struct dialog a, b;
    struct str text = str_of(old_row);
    assert_ok(dialog_parse(&text, t, &a));
    assert_ok(dialog_parse(&text, t, &b));
    assert_int_equal(text.n, 0);
    assert_int_equal(a.leg, 'a');
    assert_int_equal(a.local_cseq, 1000);
    assert_int_equal(a.remote_cseq, 1);
    assert_int_equal(a.path.listen, 0);
    assert_int_equal(a.path.peer.port, 5060);
    assert_int_equal(b.path.peer.port, 5070);
    assert_str(dialog_get(&b, DIALOG_TAG), "x1");
    assert_str(dialog_get(&b, DIALOG_HOST), "");
    dialog_fini(&a);
    dialog_fini(&b);
    close_transport(t);
}

#define TOKEN "TTTTTTTTTTTTTTTTTTTTTTTTTT"

/* A number has one spelling, and no other text is a tag of ours. */
static void a_tag_is_read_as_it_is_written(void **state)
{
    static const char *const bad[] = {"",          TOKEN,          TOKEN "a",   TOKEN "c0",
                                      TOKEN "a00", TOKEN "a65536", TOKEN "a1x", TOKEN "a-1"};
    struct dialog d = {.token = TOKEN, .leg = 'b'}, read;
    static const uint16_t fork[] = {0, 9, 10, UINT16_MAX};
    char tag[DIALOG_TAG_SIZE];
    for (size_t i = 0; i < sizeof fork / sizeof *fork; i++) {
        d.fork = fork[i];
        dialog_print_tag(&d, tag);
        assert_true(dialog_parse_tag(str_of(tag), &read));
        assert_string_equal(read.token, TOKEN);
        assert_int_equal(read.leg, 'b');
        assert_int_equal(read.fork, fork[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(dialog_parse_tag(str_of(bad[i]), &read));
}

static void a_row_names_its_fork(void **state)
{
    static const char *const name[] = {"a7", "a0" TOKEN, "a65535" TOKEN};
    static const char *const bad[] = {"a", "a" TOKEN, "a00" TOKEN, "axx" TOKEN, "a123"};
    static const uint16_t fork[] = {7, 0, UINT16_MAX};
    static const char rest[] = " 1000 1 0 1 127.0.0.9:5060\n" LINES;
    struct transport *t = transport("udp:127.0.0.1:0");
    char row[1024];
    struct dialog d;
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        snprintf(row, sizeof row, "%s%s", name[i], rest);
        struct str text = str_of(row);
        assert_ok(dialog_parse(&text, t, &d));
        assert_int_equal(d.fork, fork[i]);
        assert_string_equal(d.token, i ? TOKEN : "");
        dialog_fini(&d);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(row, sizeof row, "%s%s", bad[i], rest);
        struct str text = str_of(row);
        assert_int_equal(dialog_parse(&text, t, &d), ERR_SYNTAX);
    }
    close_transport(t);
}

static void a_listener_is_found_by_what_it_is(void **state)
{
    struct transport *t = transport("tcp:127.0.0.1:0,udp:[::1]:0,udp:127.0.0.1:0");
    struct dialog d;
    struct str text = str_of(old_row);
    assert_ok(dialog_parse(&text, t, &d));
    assert_int_equal(d.path.listen, 2);
    dialog_fini(&d);
    text = STR("a0 1 1 1 0 127.0.0.9:5060\n" LINES);
    assert_ok(dialog_parse(&text, t, &d));
    assert_int_equal(d.path.listen, 0);
    dialog_fini(&d);
    close_transport(t);
}

static void without_a_listener_it_cannot_be_reached(void **state)
{
    static const char *const listen[] = {"", "tcp:127.0.0.1:0", "udp:[::1]:0"};
    for (size_t i = 0; i < 3; i++) {
        struct transport *t = transport(listen[i]);
        struct dialog d;
        struct str text = str_of(old_row);
        assert_err(dialog_parse(&text, t, &d), ERR_UNREACHABLE);
        assert_null(d.mem);
        assert_true(str_starts(text, STR("b0 ")));
        close_transport(t);
    }
}

static void what_is_written_is_read_by_any_configuration(void **state)
{
    char row[2048];
    struct buf b;
    struct dialog d;
    struct transport *t = transport("udp:127.0.0.1:0,udp:127.0.0.2:0");
    struct str text = str_of(old_row);
    buf_wrap(&b, row, sizeof row);
    assert_ok(dialog_parse(&text, t, &d));
    d.path.listen = 1;
    dialog_print(&d, t, &b);
    dialog_fini(&d);
    struct addr second = transport_local(t, 1);
    close_transport(t);
    char again[256], at[ADDR_TEXT_SIZE];
    addr_print(&second, at);
    snprintf(again, sizeof again, "tcp:%s,udp:%s,udp:127.0.0.1:0", at, at);
    t = transport(again);
    text = buf_str(&b);
    assert_ok(dialog_parse(&text, t, &d));
    assert_int_equal(d.path.listen, 1);
    assert_str(dialog_get(&d, DIALOG_TARGET), "<sip:c@192.0.2.7:5060>");
    dialog_fini(&d);
    close_transport(t);
}

static void a_row_that_is_cut_off_is_refused(void **state)
{
    struct transport *t = transport("udp:127.0.0.1:0");
    const size_t whole = strlen("a0 1000 1 0 1 127.0.0.9:5060\n" LINES) - 1;
    for (size_t n = 0; n < whole; n++) {
        struct dialog d;
        struct str text = {old_row, n};
        assert_err(dialog_parse(&text, t, &d), ERR_SYNTAX);
        assert_null(d.mem);
    }
    close_transport(t);
}

static void answer(struct dialog *d, struct transport *t, const char *contact, const char *peer,
                   enum sip_transport how)
{
    static struct sip_msg m;
    static char bytes[1024];
    struct path via = {.transport = (uint8_t)how};
    int n = snprintf(bytes, sizeof bytes,
                     "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS h;branch=z9hG4bKx\r\n"
                     "From: <sip:a@us>;tag=1\r\nTo: <sip:b@agent.test>;tag=2\r\nCall-ID: c\r\n"
                     "CSeq: 1 INVITE\r\nContact: <%s>\r\nContent-Length: 0\r\n\r\n",
                     contact);
    assert_ok(sip_parse(bytes, (size_t)n, &m));
    assert_ok(addr_parse(str_of(peer), 0, &via.peer));
    assert_ok(dialog_of_response(d, &m, &via, STR("agent.test"), t));
}

static void the_name_that_was_verified_stays_good_at_its_address(void **state)
{
    char row[2048], peer[ADDR_TEXT_SIZE];
    struct buf b;
    struct dialog d = {0}, again;
    struct transport *t = transport("udp:127.0.0.1:0");
    buf_wrap(&b, row, sizeof row);
    answer(&d, t, "sip:x@127.0.0.5:5061;transport=tls", "127.0.0.5:5061", SIP_TLS);
    assert_str(dialog_host(&d), "agent.test");
    dialog_print(&d, t, &b);
    struct str text = buf_str(&b);
    assert_ok(dialog_parse(&text, t, &again));
    assert_str(dialog_host(&again), "agent.test");
    addr_print(&again.path.peer, peer);
    assert_string_equal(peer, "127.0.0.5:5061");
    dialog_fini(&again);
    dialog_fini(&d);
    close_transport(t);
}

static void another_address_must_have_a_name_of_its_own(void **state)
{
    struct dialog d = {0};
    struct transport *t = transport("udp:127.0.0.1:0");
    answer(&d, t, "sip:x@127.0.0.6:5061", "127.0.0.5:5061", SIP_TLS);
    assert_str(dialog_host(&d), "127.0.0.6");
    assert_int_equal(d.path.peer.ip[3], 6);
    dialog_fini(&d);
    close_transport(t);
}

static void what_an_account_s_agent_says_passes_the_guard(void **state)
{
    char own[ADDR_TEXT_SIZE], contact[ADDR_TEXT_SIZE + 16];
    assert_ok(guard_new("127.0.0.5/32", &guard));
    struct transport *t = transport("udp:127.0.0.1:0");
    struct addr listener = transport_local(t, 0);
    addr_print(&listener, own);
    snprintf(contact, sizeof contact, "sip:x@%s", own);
    const char *const blocked[] = {"sip:x@127.0.0.6", "sip:x@127.0.0.6;transport=tcp",
                                   "sip:x@[::ffff:127.0.0.6]", "sip:x@0.0.0.0", contact};
    for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++) {
        struct dialog d = {0};
        answer(&d, t, blocked[i], "127.0.0.5:5070", SIP_UDP);
        assert_int_equal(d.path.peer.ip[3], 5);
        assert_int_equal(d.path.peer.port, 5070);
        dialog_fini(&d);
    }
    struct dialog d = {0};
    answer(&d, t, "sip:x@127.0.0.5:5080", "127.0.0.5:5070", SIP_UDP);
    assert_int_equal(d.path.peer.port, 5080);
    dialog_fini(&d);
    close_transport(t);
    guard_free(guard);
    guard = NULL;
}

/* ---- the next hop, and what a request says ---- */

/* Of an INVITE or its answer, with Record-Routes, over UDP with 5.0.1.1:5070. */
static void dialog_with(struct dialog *d, struct transport *t, bool invite, const char *contact,
                        const char *record_routes)
{
    static struct sip_msg m;
    static char bytes[2048];
    struct path path = {.transport = SIP_UDP};
    int n =
        snprintf(bytes, sizeof bytes,
                 "%s\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: \"A\" <sip:a@us>;tag=1\r\n"
                 "To: <sip:b@them>%s\r\nCall-ID: c\r\nCSeq: 41 INVITE\r\n%s%s%s"
                 "Content-Length: 0\r\n\r\n",
                 invite ? "INVITE sip:b@them SIP/2.0" : "SIP/2.0 200 OK", invite ? "" : ";tag=2",
                 contact ? "Contact: " : "", contact ? contact : "", record_routes);
    assert_ok(sip_parse(bytes, (size_t)n, &m));
    assert_ok(addr_parse(STR("5.0.1.1:5070"), 0, &path.peer));
    *d = (struct dialog){.leg = invite ? 'a' : 'b'};
    memset(d->token, 'T', TOKEN_SIZE - 1);
    if (invite)
        assert_ok(dialog_of_invite(d, &m, &path, t));
    else
        assert_ok(dialog_of_response(d, &m, &path, STR(""), t));
}

static void assert_peer(const struct dialog *d, enum sip_transport how, const char *expected)
{
    char peer[ADDR_TEXT_SIZE];
    addr_print(&d->path.peer, peer);
    assert_string_equal(peer, expected);
    assert_int_equal(d->path.transport, how);
}

static const char *request_of(const struct dialog *d, struct transport *t, const char *method)
{
    static char text[4096];
    struct buf b;
    buf_wrap(&b, text, sizeof text - 1);
    dialog_put_request(d, t, str_of(method), 9, "z9hG4bKbranch", &b);
    assert_ok(b.err);
    text[b.n] = '\0';
    return text;
}

/* RFC 3261 §12.1: who called has the routes the other way round. */
static void routes_stand_as_our_side_needs_them(void **state)
{
    struct transport *t = transport("udp:127.0.0.1:0");
    struct dialog d;
    const char *routes = "Record-Route: <sip:5.0.3.1;lr>, <sip:5.0.3.2;lr>\r\n"
                         "Record-Route: <sip:5.0.3.3:5080;lr>\r\n";
    dialog_with(&d, t, true, "<sip:x@5.0.2.9>\r\n", routes);
    assert_str(dialog_get(&d, DIALOG_ROUTES),
               "<sip:5.0.3.1;lr>, <sip:5.0.3.2;lr>, <sip:5.0.3.3:5080;lr>");
    assert_peer(&d, SIP_UDP, "5.0.3.1:5060");
    assert_int_equal(d.remote_cseq, 41);
    assert_str(dialog_get(&d, DIALOG_TAG), "1");
    dialog_fini(&d);
    dialog_with(&d, t, false, "<sip:x@5.0.2.9>\r\n", routes);
    assert_str(dialog_get(&d, DIALOG_ROUTES),
               "<sip:5.0.3.3:5080;lr>, <sip:5.0.3.2;lr>, <sip:5.0.3.1;lr>");
    assert_peer(&d, SIP_UDP, "5.0.3.3:5080");
    assert_int_equal(d.local_cseq, 41);
    assert_str(dialog_get(&d, DIALOG_TAG), "2");
    dialog_fini(&d);
    close_transport(t);
}

/* §12.2.1.1: a strict router is the Request-URI, and the target is the last route. */
static void a_strict_router_gets_what_it_understands(void **state)
{
    struct transport *t = transport("udp:127.0.0.1:0");
    struct dialog d;
    dialog_with(&d, t, true, "<sip:x@5.0.2.9>\r\n",
                "Record-Route: <sip:5.0.3.1>, <sip:5.0.3.2;lr>\r\n");
    const char *text = request_of(&d, t, "BYE");
    assert_memory_equal(text, "BYE sip:5.0.3.1 SIP/2.0\r\n", 25);
    assert_non_null(strstr(text, "\r\nRoute: <sip:5.0.3.2;lr>\r\nRoute: <sip:x@5.0.2.9>\r\n"));
    dialog_fini(&d);
    dialog_with(&d, t, true, "<sip:x@5.0.2.9>\r\n", "Record-Route: <sip:5.0.3.1>\r\n");
    assert_non_null(strstr(request_of(&d, t, "BYE"), ";rport\r\nRoute: <sip:x@5.0.2.9>\r\nMax-"));
    dialog_fini(&d);
    dialog_with(&d, t, true, "<sip:x@5.0.2.9>\r\n", "Record-Route: <sip:5.0.3.1;lr>\r\n");
    text = request_of(&d, t, "BYE");
    assert_memory_equal(text, "BYE sip:x@5.0.2.9 SIP/2.0\r\n", 27);
    assert_non_null(strstr(text, "\r\nRoute: <sip:5.0.3.1;lr>\r\n"));
    dialog_fini(&d);
    close_transport(t);
}

static void a_request_is_one_of_the_dialog(void **state)
{
    char own[ADDR_TEXT_SIZE], expected[1024];
    struct transport *t = transport("udp:127.0.0.1:0");
    struct addr at = transport_local(t, 0);
    struct dialog d;
    addr_print(&at, own);
    dialog_with(&d, t, true, "<sip:x@5.0.2.9>\r\n", "");
    snprintf(expected, sizeof expected,
             "INFO sip:x@5.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKbranch;rport\r\n"
             "Max-Forwards: 70\r\nFrom: <sip:b@them>;tag=TTTTTTTTTTTTTTTTTTTTTTTTTTa0\r\n"
             "To: \"A\" <sip:a@us>;tag=1\r\nCall-ID: c\r\nCSeq: 9 INFO\r\n",
             own);
    assert_string_equal(request_of(&d, t, "INFO"), expected);
    static const char *const target[] = {"INVITE", "UPDATE", "REFER", "SUBSCRIBE", "NOTIFY"};
    for (size_t i = 0; i < 5; i++)
        assert_non_null(strstr(request_of(&d, t, target[i]), "\r\nContact: <sip:hookswitch@"));
    dialog_fini(&d);
    close_transport(t);
}

static void where_a_contact_leads(void **state)
{
    static const struct {
        const char *contact;
        enum sip_transport how;
        const char *peer;
    } to[] = {
        {"<sip:x@5.0.2.9>\r\n", SIP_UDP, "5.0.2.9:5060"},
        {"<sip:x@5.0.2.9:5080>;q=1, <sip:y@5.0.2.8>\r\n", SIP_UDP, "5.0.2.9:5080"},
        {"<sip:x@5.0.2.9;transport=tcp>\r\n", SIP_TCP, "5.0.2.9:5060"},
        {"<sip:x@5.0.2.9;transport=sctp>\r\n", SIP_UDP, "5.0.2.9:5060"},
        {"<sip:x@[2001:db8::1]>\r\n", SIP_UDP, "5.0.1.1:5070"}, /* no listener can */
        {"<sip:x@10.0.0.9>\r\n", SIP_UDP, "5.0.1.1:5070"},      /* behind the peer's NAT */
        {"<sip:x@agent.example>\r\n", SIP_UDP, "5.0.1.1:5070"}, /* a name */
        {"<tel:+12025550100>\r\n", SIP_UDP, "5.0.1.1:5070"},
        {"<sip:x@5.0.1.1:5070>\r\n", SIP_UDP, "5.0.1.1:5070"},
        {NULL, SIP_UDP, "5.0.1.1:5070"},
    };
    struct transport *t = transport("udp:127.0.0.1:0,tcp:127.0.0.1:0");
    for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
        struct dialog d;
        dialog_with(&d, t, true, to[i].contact, "");
        assert_peer(&d, to[i].how, to[i].peer);
        dialog_fini(&d);
    }
    close_transport(t);
}

static void over_tls_another_port_is_the_usual_one(void **state)
{
    struct transport *t = transport("udp:127.0.0.1:0");
    struct dialog d = {0};
    answer(&d, t, "sip:x@127.0.0.6", "127.0.0.5:5070", SIP_TLS);
    assert_peer(&d, SIP_TLS, "127.0.0.6:5061");
    dialog_fini(&d);
    close_transport(t);
}

static void a_new_contact_is_where_it_goes_on(void **state)
{
    static struct sip_msg m;
    static char bytes[1024];
    struct transport *t = transport("udp:127.0.0.1:0");
    struct dialog d;
    dialog_with(&d, t, true, "<sip:x@5.0.2.9>\r\n", "");
    static const char *const contact[] = {"Contact: <sip:y@5.0.2.10:5090>\r\n", "",
                                          "Contact: <tel:+12025550100>\r\n"};
    for (size_t i = 0; i < 3; i++) { /* what is none changes nothing */
        int n = snprintf(bytes, sizeof bytes,
                         "UPDATE sip:us SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\n"
                         "From: <sip:a@us>;tag=1\r\nTo: <sip:b@them>;tag=2\r\nCall-ID: c\r\n"
                         "CSeq: 42 UPDATE\r\n%sContent-Length: 0\r\n\r\n",
                         contact[i]);
        assert_ok(sip_parse(bytes, (size_t)n, &m));
        dialog_refresh(&d, &m, t);
        assert_peer(&d, SIP_UDP, "5.0.2.10:5090");
        assert_str(dialog_get(&d, DIALOG_TARGET), "sip:y@5.0.2.10:5090");
        assert_str(dialog_get(&d, DIALOG_CALL_ID), "c");
    }
    dialog_fini(&d);
    close_transport(t);
}

static void our_contact_names_the_transport(void **state)
{
    char text[256], expected[256], own[ADDR_TEXT_SIZE];
    static const char *const how[] = {"", ";transport=tcp", ";transport=tls"};
    struct transport *t = transport("udp:127.0.0.1:0");
    struct addr at = transport_local(t, 0);
    addr_print(&at, own);
    for (uint8_t i = 0; i < 3; i++) {
        const struct path path = {.transport = i};
        struct buf b;
        buf_wrap(&b, text, sizeof text);
        dialog_put_contact(&path, t, &b);
        snprintf(expected, sizeof expected, "Contact: <sip:hookswitch@%s%s>\r\n", own, how[i]);
        assert_str(buf_str(&b), expected);
    }
    close_transport(t);
}

static int open_loop(void **state)
{
    return loop_new(&loop, "test", 64) == OK ? 0 : -1;
}

static int close_loop(void **state)
{
    loop_free(loop);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_of_an_earlier_version_is_read),
        cmocka_unit_test(a_tag_is_read_as_it_is_written),
        cmocka_unit_test(a_row_names_its_fork),
        cmocka_unit_test(a_listener_is_found_by_what_it_is),
        cmocka_unit_test(without_a_listener_it_cannot_be_reached),
        cmocka_unit_test(what_is_written_is_read_by_any_configuration),
        cmocka_unit_test(a_row_that_is_cut_off_is_refused),
        cmocka_unit_test(the_name_that_was_verified_stays_good_at_its_address),
        cmocka_unit_test(another_address_must_have_a_name_of_its_own),
        cmocka_unit_test(what_an_account_s_agent_says_passes_the_guard),
        cmocka_unit_test(routes_stand_as_our_side_needs_them),
        cmocka_unit_test(a_strict_router_gets_what_it_understands),
        cmocka_unit_test(a_request_is_one_of_the_dialog),
        cmocka_unit_test(where_a_contact_leads),
        cmocka_unit_test(over_tls_another_port_is_the_usual_one),
        cmocka_unit_test(a_new_contact_is_where_it_goes_on),
        cmocka_unit_test(our_contact_names_the_transport),
    };
    return cmocka_run_group_tests(tests, open_loop, close_loop);
}
