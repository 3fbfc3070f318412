/* edge_peers: takes the steps of the carrier and the agents. They hold lines (tests/kit/line.h)
 * and look at the packets that left the edge. Mostly they do as a peer would, now and then as it
 * should not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge_world.h"
#include "sip/wire/print.h"

static const char *const numbers[] = {
#define X(number, account, targets) number,
    EDGE_KIT_NUMBERS(X)
#undef X
};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

static const char *const methods[] = {"BYE",   "INVITE", "UPDATE",  "INFO",    "PRACK", "BYE",
                                      "REFER", "NOTIFY", "MESSAGE", "OPTIONS", "BYE",   "INVITE"};
enum { METHODS = sizeof methods / sizeof *methods };

void peers_reset(void)
{
    for (size_t i = 0; i < world.n_said; i++)
        free(world.said[i].bytes);
    memset(world.answered, 0, sizeof world.answered);
    memset(world.refused, 0, sizeof world.refused);
    memset(world.acked, 0, sizeof world.acked);
    world.n_lines = world.n_said = 0;
    world.n_names = 0;
}

/* NULL: there is none. Valid until the next call. */
static const struct sip_msg *request_read(struct str text)
{
    static struct sip_msg m;
    static char copy[SIP_MESSAGE_MAX + 1];
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    return sip_parse(copy, text.n, &m) == OK && m.is_request ? &m : NULL;
}

/* Remembers the message that was just sent, so that it can be sent again. */
static void message_remember(const struct addr *from, uint32_t stream, bool must)
{
    struct str text = line_last_sent();
    const struct sip_msg *m = request_read(text);
    world.messages++;
    if (m)
        checks_said(m, must);
    if (world.n_said == SENT_MAX)
        return;
    struct peer_message *s = &world.said[world.n_said];
    *s = (struct peer_message){
        .from = *from, .stream = stream, .bytes = malloc(text.n), .n = text.n};
    if (s->bytes) {
        memcpy(s->bytes, text.p, text.n);
        world.n_said++;
    }
}

/* ---- choosing ---- */

typedef bool is_wanted(const struct edge_packet *p, size_t i);

/* Chooses one of the packets that are wanted, mostly the newest; false when there is none. */
static bool packet_choose(is_wanted *wanted, size_t *ret)
{
    static size_t found[PACKETS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < edge_kit_packets(); i++)
        if (wanted(edge_kit_packet(i), i))
            found[n++] = i;
    if (n)
        *ret = found[pick_recent(n)];
    return n > 0;
}

static bool is_open_request(const struct edge_packet *p, size_t i)
{
    return p->is_request && p->method != SIP_ACK && !world.answered[i];
}

static bool is_request(const struct edge_packet *p, size_t i)
{
    return p->is_request && p->method != SIP_ACK;
}

static bool is_open_answer(const struct edge_packet *p, size_t i)
{
    return p->status >= 200 && p->method == SIP_INVITE && !world.acked[i];
}

static bool is_answer(const struct edge_packet *p, size_t i)
{
    return p->status >= 200 && p->method == SIP_INVITE;
}

/* Finds the line of a packet of the edge by Call-ID and the peer's own tag. */
static struct peer_line *packet_line(const struct edge_packet *p)
{
    const struct sip_msg *m = packet_parse(p);
    struct str tag = p->is_request ? m->to.tag : m->from.tag;
    for (size_t i = 0; i < world.n_lines; i++) {
        struct line *l = &world.line[i].line;
        if (str_eq(m->call_id, str_of(l->call_id)) && tag.n && str_eq(tag, str_of(l->name)))
            return &world.line[i];
    }
    return NULL;
}

static struct peer_line *any_line(void)
{
    return world.n_lines ? &world.line[pick_recent(world.n_lines)] : NULL;
}

/* ---- the carrier calls ---- */

void step_call(void)
{
    static const char *const extra[] = {
        NULL,
        "Supported: 100rel\r\n",
        "Privacy: id\r\nP-Asserted-Identity: <sip:+19175550100@5.0.1.1>\r\n",
        "X-One: 1\r\nX-Two: two\r\n",
        "Require: 100rel\r\n",
        "Record-Route: <sip:5.0.1.9;lr>, <sip:5.0.1.8;lr>\r\n",
        "X-Hookswitch-Simulated: 1\r\n",
        "Require: something\r\n",
    };
    if (world.n_lines == LINES_MAX)
        return;
    char name[24];
    unsigned number = pick(NUMBERS + 1), what = pick(32);
    struct peer_line *p = &world.line[world.n_lines++];
    struct still_stream stream[8];
    snprintf(name, sizeof name, "c%u", world.n_names++);
    *p = (struct peer_line){.calls = true};
    line_new(&p->line, CARRIER, name, number < NUMBERS ? numbers[number] : "+447911129999");
    if (now_and_then(8)) /* over TCP, if it has a connection */
        for (size_t i = 0, n = still_streams(stream, 8); i < n; i++)
            if (!stream[i].outgoing)
                p->line.stream = stream[i].id;
    say_words("carrier calls %s on line %s%s", number < NUMBERS ? numbers[number] : "nobody", name,
              p->line.stream ? " (TCP)" : "");
    const struct request r = {.method = "INVITE",
                              .headers = what < 8 ? extra[what] : NULL,
                              .body = what == 31 ? NULL : LINE_SDP};
    bool must = checks_must_answer(&p->line);
    line_request(&p->line, &r);
    message_remember(&p->line.at, p->line.stream, must);
}

/* ---- somebody answers the edge ---- */

static int status_choose(enum sip_method method)
{
    static const int invite[] = {180, 180, 180, 183, 100, 200, 200, 200, 200, 200, 486, 603,
                                 404, 480, 503, 500, 302, 401, 487, 408, 488, 199, 202, 491};
    static const int other[] = {200, 200, 200, 200, 200, 200, 481, 500, 100, 405, 408, 202};
    return method == SIP_INVITE ? invite[pick(sizeof invite / sizeof *invite)]
                                : other[pick(sizeof other / sizeof *other)];
}

/* Finds the called line of that INVITE with that fork; makes it when it is new. */
static struct peer_line *called_line(size_t packet, unsigned fork)
{
    char tag[24];
    snprintf(tag, sizeof tag, "p%zu-%u", packet, fork);
    for (size_t i = 0; i < world.n_lines; i++)
        if (!strcmp(world.line[i].line.name, tag))
            return &world.line[i];
    if (world.n_lines == LINES_MAX)
        return NULL;
    struct peer_line *p = &world.line[world.n_lines++];
    *p = (struct peer_line){.invite = packet};
    line_of_invite(&p->line, edge_kit_packet(packet), tag);
    return p;
}

static void request_answer(size_t i, int status, unsigned fork, const char *headers, bool has_body)
{
    const struct edge_packet *p = edge_kit_packet(i);
    const struct sip_msg *m = packet_parse(p);
    bool first = p->method == SIP_INVITE && !m->to.tag.p && status > 100;
    struct peer_line *l = first ? called_line(i, fork) : NULL;
    char to[ADDR_TEXT_SIZE], tag[24];
    if (first && !l)
        return;
    snprintf(tag, sizeof tag, "%s", l ? l->line.name : "t");
    const struct response r = {.status = status,
                               .tag = status > 100 ? tag : NULL,
                               .headers = headers,
                               .body = has_body ? LINE_SDP : NULL};
    addr_print(&p->to, to);
    say_words("%s answers %s #%zu by %d%s%s", to, sip_method_name(p->method), i, status,
              l ? ", tag " : "", l ? tag : "");
    if (!world.refused[i]) /* a peer that refused does not accept */
        checks_answers(p, status, tag);
    world.answered[i] |= status >= 200;
    world.refused[i] |= status >= 300;
    packet_answer(p, &r);
    message_remember(&p->to, p->stream, false);
}

void step_answer(void)
{
    static const char *const extra[] = {
        NULL, NULL, NULL, "Require: 100rel\r\nRSeq: 1\r\n", "Record-Route: <sip:5.0.2.9;lr>\r\n",
        NULL, NULL, NULL};
    size_t i;
    if (!packet_choose(now_and_then(8) ? is_request : is_open_request, &i))
        return;
    enum sip_method method = edge_kit_packet(i)->method;
    int status = status_choose(method);
    unsigned fork = now_and_then(4) ? pick(8) : 0;
    const char *headers = extra[pick(8)];
    request_answer(i, status, fork, headers, method == SIP_INVITE && status > 180 && status < 300);
}

/* ---- ACK ---- */

static void line_acknowledge(size_t i)
{
    const struct edge_packet *p = edge_kit_packet(i);
    struct peer_line *l = packet_line(p);
    if (!l)
        return;
    say_words("line %s acknowledges %d #%zu", l->line.name, p->status, i);
    world.acked[i] = true;
    if (p->status < 300) {
        line_learn(&l->line, p);
        line_ack(&l->line, p->cseq);
    } else {
        line_ack_failure(&l->line);
    }
    message_remember(&l->line.at, l->line.stream, false);
}

void step_ack(void)
{
    size_t i;
    if (packet_choose(now_and_then(8) ? is_answer : is_open_answer, &i))
        line_acknowledge(i);
}

/* ---- requests within dialogs ---- */

static bool is_dialog_answer(const struct edge_packet *p, size_t i)
{
    return p->status > 100 && p->status < 300 && p->method == SIP_INVITE;
}

void step_request(void)
{
    struct peer_line *l = any_line();
    size_t i;
    if (!l)
        return;
    if (l->calls && now_and_then(3) && packet_choose(is_dialog_answer, &i)) {
        struct peer_line *by =
            packet_line(edge_kit_packet(i)); /* an early dialog, or the other fork */
        if (by && by->calls)
            line_learn(&(l = by)->line, edge_kit_packet(i));
    }
    char headers[128] = "";
    struct line *line = &l->line;
    struct request r = {.method = methods[pick(METHODS)]};
    unsigned twist = pick(32);
    bool offer = !strcmp(r.method, "INVITE") || !strcmp(r.method, "UPDATE");
    if (!strcmp(r.method, "PRACK"))
        snprintf(headers, sizeof headers, "RAck: 1 %u INVITE\r\n", line->invite_cseq);
    if (!strcmp(r.method, "REFER"))
        snprintf(headers, sizeof headers, "Refer-To: <sip:x@5.0.2.3>\r\n");
    if (!strcmp(r.method, "NOTIFY"))
        snprintf(headers, sizeof headers, "Event: refer\r\nSubscription-State: active\r\n");
    r.headers = headers[0] ? headers : NULL;
    r.body = offer && !now_and_then(4) ? LINE_SDP : NULL;
    if (twist == 31)
        r.cseq = line->cseq ? line->cseq : 1; /* not counted up */
    else if (twist == 30)
        r.cseq = line->cseq + 100;
    else if (twist == 29)
        r.branch = line->invite_branch[0] ? line->invite_branch : NULL;
    struct line changed = *line;
    size_t n = strlen(changed.remote);
    if (twist == 28 && n > 2)
        changed.remote[n - 1] ^= 1; /* another fork's tag, or nobody's */
    else if (twist == 27 && n > 3)
        changed.remote[n - 2] ^= 3; /* as if it were the other leg's */
    else if (twist == 26)
        snprintf(changed.local, LINE_TEXT, "<sip:x@5.0.1.1>;tag=nobody");
    else if (twist == 25)
        (void)!addr_parse(STR(AGENT_3), 5060, &changed.at);
    say_words("line %s says %s%s%s", line->name, r.method, twist > 24 ? ", twisted by " : "",
              twist > 24
                  ? (const char *[]){"its address", "its tag", "the leg", "the fork", "the branch",
                                     "a leap of CSeq", "an old CSeq"}[twist - 25]
                  : "");
    bool must = (twist < 25 || twist > 29) && checks_must_answer(line);
    line_request(twist > 24 && twist < 29 ? &changed : line, &r);
    if (changed.n_branches > line->n_branches)
        line->n_branches = changed.n_branches;
    message_remember(&line->at, line->stream, must);
    if (r.branch)
        checks_spoiled(request_read(line_last_sent()));
}

void step_cancel(void)
{
    struct peer_line *l = any_line();
    if (!l || !l->line.invite_cseq)
        return;
    say_words("line %s cancels its INVITE", l->line.name);
    bool must = checks_must_answer(&l->line);
    line_cancel(&l->line);
    message_remember(&l->line.at, l->line.stream, must);
}

/* ---- again, and spoiled ---- */

void step_repeat(void)
{
    if (!world.n_said)
        return;
    const struct peer_message *s = &world.said[pick_recent(world.n_said)];
    say_words("again: %.*s", (int)str_find(str_of_bytes(s->bytes, s->n), '\r'), s->bytes);
    world.messages++;
    edge_kit_send(&s->from, s->stream, str_of_bytes(s->bytes, s->n));
}

static size_t take_wide(void)
{
    size_t high = take(); /* first, whatever the compiler */
    return high << 8 | take();
}

void step_garble(void)
{
    char text[4096];
    if (!world.n_said)
        return;
    const struct peer_message *s = &world.said[pick_recent(world.n_said)];
    const struct sip_msg *m = request_read(str_of_bytes(s->bytes, s->n));
    if (m)
        checks_spoiled(m);
    size_t n = s->n < sizeof text ? s->n : sizeof text;
    memcpy(text, s->bytes, n);
    for (unsigned changes = 1 + pick(4); changes--;) {
        size_t at = take_wide() % n;
        text[at] = (char)(now_and_then(2) ? take() : text[at] ^ 1 << pick(8));
    }
    if (now_and_then(4))
        n = 1 + take_wide() % n;
    say_words("garbled: %.*s", (int)str_find(str_of_bytes(s->bytes, s->n), '\r'), s->bytes);
    world.messages++;
    edge_kit_send(&s->from, s->stream, str_of_bytes(text, n));
}

/* ---- outside of calls ---- */

void step_outside(void)
{
    static const char *const method[] = {"OPTIONS", "MESSAGE", "MESSAGE", "REGISTER", "BYE", "FOO"};
    char name[24];
    struct line l;
    unsigned which = pick(6);
    snprintf(name, sizeof name, "o%u", world.n_names++);
    const char *from = now_and_then(4) ? AGENT_3 : CARRIER, *to = numbers[pick(NUMBERS)];
    line_new(&l, from, name, to);
    say_words("%s outside of any call", method[which]);
    const struct request r = {.method = method[which],
                              .headers =
                                  which == 1 || which == 2 ? "Content-Type: text/plain\r\n" : NULL};
    bool must = checks_must_answer(&l);
    line_request(&l, &r);
    message_remember(&l.at, 0, must);
}

/* ---- as it should be ---- */

static void request_answer_politely(size_t i)
{
    enum sip_method method = edge_kit_packet(i)->method;
    if (method == SIP_INVITE && !now_and_then(3))
        request_answer(i, 180, 0, NULL, false);
    request_answer(i, 200, 0, NULL, method == SIP_INVITE);
}

void step_polite(void)
{
    struct still_stream s[16];
    struct still_lookup k[16];
    say_words("all answer as they should");
    for (size_t n = still_streams(s, 16); n--;)
        if (!s[n].open)
            still_stream_open(s[n].id);
    for (size_t n = still_lookups(k, 16); n--;)
        names_resolve(&k[n], 3);
    for (size_t i = 0; i < edge_kit_questions(); i++)
        if (!edge_kit_question(i)->answered)
            edge_kit_reply(edge_kit_question(i), 200, "OK");
    for (size_t i = 0; i < edge_kit_packets(); i++) {
        const struct edge_packet *p = edge_kit_packet(i);
        if (is_open_request(p, i))
            request_answer_politely(i);
        else if (is_open_answer(p, i))
            line_acknowledge(i);
    }
}
