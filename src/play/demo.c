/* demo: shows the whole program on one screen. On a stage (play/stage.h) a telephone plays the
 * carrier that calls, another the agent, both over real SIP; then the carrier texts, over real
 * SMPP. A receiver verifies the signature of each event, prints it, and decides where the last
 * call goes. The demo uses only the daemon's public interfaces. */
#include "play/demo.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/options.h"
#include "play/receiver.h"
#include "play/stage.h"
#include "play/phone.h"
#include "play/carrier.h"
#include "smpp/pdu.h"

enum { CALLS = 4, TEXTS = 2, EVENTS_DUE = 12, ANSWERS_DUE = 3, WAIT_MS = 20000 };

static const char caller[] = "+19175550100";

static const struct {
    const char *user, *what;
    int64_t cancel_ms, hangup_ms;
} call_plan[CALLS] = {
    {"agent", "A call that is answered, and ended by the caller", -1, 1200},
    {"busy", "A call to somebody busy", -1, -1},
    {"nobody", "A call whose caller gives up", 600, -1},
    {"busy",
     "A call that our answer to incoming_call routes: to sales, although the number's own target "
     "is busy",
     -1, 600}};

/* The second text has 67 units of UTF-16 up to the middle of its fox, so the halves of the fox
 * travel apart. */
static const struct {
    const char *text, *what;
} text_plan[TEXTS] = {
    {"Hello, is this line active?", "A text, over SMPP"},
    {"Καλημέρα! Αυτό το μήνυμα ταξιδεύει σε δύο μέρη, "
     "και στη μέση: μια 🦊 που ανήκει και στα δύο.",
     "A text of two parts, cut in the middle of a character"}};

struct demo {
    struct stage stage;
    struct loop *loop;
    struct phone *phone, *agent; /* the carrier's and the agent's */
    struct carrier *carrier;
    struct receiver *receiver;
    unsigned events, bad, dialled, texted, answers;
    int64_t started_ms, first_ms;
    bool tty, over; /* over: missing events will not come */
    struct timer next;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
    interrupted = 1;
}

/* ---- the receiver ---- */

static struct str event_member(const struct json *doc, const char *name)
{
    struct str s = {0};
    json_str(json_get(doc, name), &s);
    return s;
}

static int64_t event_latency_ms(struct str occurred_at)
{
    unsigned h, m, s, ms;
    if (occurred_at.n < 24 || sscanf(occurred_at.p + 11, "%2u:%2u:%2u.%3u", &h, &m, &s, &ms) != 4)
        return -1;
    int64_t day = 86400000, then = ((h * 60 + m) * 60 + s) * 1000ll + ms;
    return (clock_wall_ms() % day - then + day) % day;
}

static void agent_uri(const struct demo *d, const char *user, struct buf *out)
{
    char at[ADDR_TEXT_SIZE];
    struct addr agent = phone_local(d->agent);
    addr_print(&agent, at);
    buf_printf(out, "sip:%s@%s", user, at);
}

/* The last call goes where the answer to its incoming_call says (control by the answer). */
static void control_answer_put(const struct demo *d, struct buf *answer)
{
    buf_puts(answer, "{\"action\":\"forward\",\"targets\":[{\"type\":\"sip\",\"destination\":\"");
    agent_uri(d, "sales", answer);
    buf_puts(answer, "\"}]}");
    printf("    we answer: %.*s\n", STR_FMT(buf_str(answer)));
}

/* The text of a message must be the text that was sent. */
static bool text_is_as_sent(const struct demo *d, const struct json *doc)
{
    if (!str_eq(event_member(doc, "event"), STR("sms_received")))
        return true;
    return d->texted &&
           str_eq(event_member(doc, "message"), str_of(text_plan[d->texted - 1].text)) &&
           str_eq(event_member(doc, "from"), str_of(caller)) &&
           str_eq(event_member(doc, "to"), str_of(stage_number));
}

static int on_event_received(void *arg, const struct webhook *r, struct buf *answer)
{
    struct demo *d = arg;
    struct json *doc = NULL;
    bool good =
        signature_verify(&d->stage.secret, 1, r->id, r->timestamp_sec, r->body, r->signature);
    if (!d->first_ms)
        d->first_ms = clock_mono_ms();
    d->bad += !good;
    d->events++;
    if (json_parse(r->body, &doc, NULL, 0) == OK) {
        struct str event = event_member(doc, "event");
        d->bad += !text_is_as_sent(d, doc);
        printf("%s%-14.*s%s %3lld ms  signature %s\n    %.*s\n", d->tty ? "\033[1m" : "",
               STR_FMT(event), d->tty ? "\033[0m" : "",
               (long long)event_latency_ms(event_member(doc, "occurred_at")), good ? "good" : "BAD",
               STR_FMT(r->body));
        if (d->dialled == CALLS && str_eq(event, STR("incoming_call")))
            control_answer_put(d, answer);
        fflush(stdout);
    }
    json_free(doc);
    return 200;
}

/* ---- the calls ---- */

static struct phone_answer on_incoming_call(void *arg, struct str user)
{
    if (str_eq(user, STR("busy")))
        return (struct phone_answer){.ring_ms = 50, .status = 486, .hangup_after_ms = -1};
    if (str_eq(user, STR("nobody")))
        return (struct phone_answer){.ring_ms = -1, .status = 480, .hangup_after_ms = -1};
    return (struct phone_answer){.ring_ms = 300, .status = 200, .hangup_after_ms = -1};
}

static void demo_fail(struct demo *d, const char *what)
{
    fprintf(stderr, "hookswitch demo: %s\n", what);
    d->over = true;
}

static void scene_announce(const char *what)
{
    printf("\n--- %s\n", what);
    fflush(stdout);
}

static void call_next(struct demo *d)
{
    char target[ADDR_TEXT_SIZE + 32];
    struct buf uri;
    uint64_t dial;
    unsigned i = d->dialled++;
    struct phone_dial p = {.to = daemon_sip(d->stage.daemon, 0),
                           .from = str_of(caller),
                           .from_name = STR("Ann Lee"),
                           .number = str_of(stage_number),
                           .cancel_after_ms = call_plan[i].cancel_ms,
                           .hangup_after_ms = call_plan[i].hangup_ms};
    buf_wrap(&uri, target, sizeof target);
    agent_uri(d, call_plan[i].user, &uri);
    scene_announce(call_plan[i].what);
    if (stage_forward(&d->stage, buf_str(&uri)) != OK || phone_dial(d->phone, &p, &dial) != OK)
        demo_fail(d, "a call could not be made");
}

/* ---- the texts ---- */

static void text_next(struct demo *d)
{
    uint64_t text;
    unsigned i = d->texted++;
    const struct carrier_text t = {
        .from = str_of(caller), .to = str_of(stage_number), .text = str_of(text_plan[i].text)};
    scene_announce(text_plan[i].what);
    if (carrier_send(d->carrier, &t, &text) != OK)
        demo_fail(d, "a text could not be sent");
}

static void on_next_due(struct timer *t);

static void on_carrier_bound(void *arg, uint32_t status)
{
    struct demo *d = arg;
    if (status == ESME_ROK)
        text_next(d);
    else
        demo_fail(d, smpp_status_name(status));
}

static void on_carrier_answer(void *arg, const struct carrier_answer *a)
{
    struct demo *d = arg;
    printf("    the carrier hears %s for part %u of %u after %.1f ms%s\n",
           smpp_status_name(a->status), a->part, a->parts, (double)a->took_us / 1000,
           a->status == ESME_ROK ? ": it is on disk" : "");
    fflush(stdout);
    d->answers++;
    if (a->status != ESME_ROK)
        demo_fail(d, "a text was refused");
    if (a->part == a->parts)
        loop_timer(d->loop, &d->next, 100, on_next_due, d);
}

static void on_carrier_end(void *arg, enum err why)
{
    demo_fail(arg, err_text(why));
}

static void carrier_bind(struct demo *d)
{
    const struct carrier_config c = {.to = daemon_smpp(d->stage.daemon),
                                     .system_id = stage_system_id,
                                     .password = d->stage.smpp_password,
                                     .on_bound = on_carrier_bound,
                                     .on_answer = on_carrier_answer,
                                     .on_end = on_carrier_end,
                                     .arg = d};
    if (carrier_open(d->loop, &c, &d->carrier) != OK)
        demo_fail(d, "the carrier cannot connect");
}

/* ---- the play ---- */

static void on_next_due(struct timer *t)
{
    struct demo *d = t->arg;
    if (d->dialled < CALLS)
        call_next(d);
    else if (!d->carrier)
        carrier_bind(d);
    else if (d->texted < TEXTS)
        text_next(d);
}

static void on_dialled(void *arg, uint64_t dial, enum phone_event what, int status)
{
    struct demo *d = arg;
    if (what == PHONE_REFUSED || what == PHONE_ENDED)
        loop_timer(d->loop, &d->next, 100, on_next_due, d);
}

static enum err demo_open(struct demo *d)
{
    struct addr at = {.family = 4, .ip = {127, 0, 0, 1}};
    struct phone_config agent = {.at = at, .answer = on_incoming_call, .arg = d};
    struct phone_config phone = {
        .at = at, .answer = on_incoming_call, .on_dialled = on_dialled, .arg = d};
    struct receiver_config rc = {.at = at, .on_received = on_event_received, .arg = d};
    enum err err = loop_new(&d->loop, "demo", 1024);
    if (err == OK)
        err = phone_open(d->loop, &agent, &d->agent);
    if (err == OK)
        err = phone_open(d->loop, &phone, &d->phone);
    if (err == OK)
        err = receiver_open(d->loop, &rc, &d->receiver);
    return err;
}

static void demo_close(struct demo *d)
{
    if (!d->loop)
        return;
    carrier_close(d->carrier);
    phone_close(d->phone);
    phone_close(d->agent);
    receiver_close(d->receiver);
    loop_free(d->loop);
}

static bool demo_is_played(const struct demo *d)
{
    return d->events >= EVENTS_DUE && d->answers >= ANSWERS_DUE;
}

static int demo_play(struct demo *d)
{
    int64_t until = clock_mono_ms() + WAIT_MS;
    printf("hookswitch %s on a temporary store. A carrier calls %s, then texts.\n",
           HOOKSWITCH_VERSION, stage_number);
    loop_timer(d->loop, &d->next, 0, on_next_due, d);
    while (!interrupted && !d->over && !demo_is_played(d) && clock_mono_ms() < until)
        loop_turn(d->loop, 50);
    bool good = d->events == EVENTS_DUE && d->answers == ANSWERS_DUE && !d->bad && !d->over;
    printf("\n%u events, %u of them wrong; the first %lld ms after the start.\n", d->events, d->bad,
           (long long)(d->first_ms ? d->first_ms - d->started_ms : -1));
    printf("API and metrics: %s  (key %s)\n", d->stage.url, d->stage.key);
    fflush(stdout);
    if (d->tty && good) {
        printf("It stays up for you to look around. Ctrl-C ends it.\n");
        while (!interrupted)
            loop_turn(d->loop, 200);
    }
    return good ? 0 : 1;
}

int demo_run(int argc, char **argv)
{
    struct demo d = {.tty = isatty(STDOUT_FILENO) == 1};
    int code = 1;
    if (argc > 2) {
        fprintf(stderr, "hookswitch: one word too many: \"%s\"\nusage: hookswitch demo\n", argv[2]);
        return EXIT_USAGE;
    }
    d.started_ms = clock_mono_ms();
    log_level_set(LOG_WARN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
    enum err err = stage_open(&d.stage);
    if (err == OK)
        err = demo_open(&d);
    if (err == OK) {
        struct addr hook = receiver_local(d.receiver);
        err = stage_furnish(&d.stage, &hook);
    }
    if (err == OK)
        code = demo_play(&d);
    demo_close(&d);
    stage_close(&d.stage);
    return code;
}
