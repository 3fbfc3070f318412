/* demo: the whole thing on one screen. The daemon runs on a temporary store, set up over its own
 * API; a telephone plays the carrier, another the agent, both over real SIP; a receiver verifies
 * each event's signature, prints it, and says where the last call goes. Nothing here goes around
 * the daemon's own doors. */
#include "cli/demo.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/client.h"
#include "cli/daemon.h"
#include "cli/receiver.h"
#include "model/signature.h"
#include "sip/phone.h"

enum { CALLS = 4, EVENTS_DUE = 10, WAIT_MS = 20000, DRAIN_MS = 2000 };

static const char number[] = "+447911123456";

struct demo {
    char dir[64], key[ID_SIZE], url[ADDR_TEXT_SIZE + 8];
    struct config *config;
    struct daemon *daemon;
    struct loop *loop;
    struct phone *carrier, *agent;
    struct receiver *receiver;
    struct secret secret;
    unsigned events, bad, dialled;
    int64_t started_ms, first_ms;
    bool tty;
    struct timer next_call;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
    interrupted = 1;
}

/* ---- the receiver ---- */

static struct str member(const struct json *doc, const char *name)
{
    struct str s = {0};
    json_str(json_get(doc, name), &s);
    return s;
}

static int64_t latency_ms(struct str occurred_at)
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
static void say_where_to(const struct demo *d, struct buf *answer)
{
    buf_puts(answer, "{\"action\":\"forward\",\"targets\":[{\"type\":\"sip\",\"destination\":\"");
    agent_uri(d, "sales", answer);
    buf_puts(answer, "\"}]}");
    printf("    we answer: %.*s\n", STR_FMT(buf_str(answer)));
}

static int on_received(void *arg, const struct received *r, struct buf *answer)
{
    struct demo *d = arg;
    struct json *doc = NULL;
    bool good = signature_verify(&d->secret, 1, r->id, r->timestamp_sec, r->body, r->signature);
    if (!d->first_ms)
        d->first_ms = clock_mono_ms();
    d->bad += !good;
    d->events++;
    if (json_parse(r->body, &doc, NULL, 0) == OK) {
        struct str event = member(doc, "event");
        printf("%s%-14.*s%s %3lld ms  signature %s\n    %.*s\n", d->tty ? "\033[1m" : "",
               STR_FMT(event), d->tty ? "\033[0m" : "",
               (long long)latency_ms(member(doc, "occurred_at")), good ? "good" : "BAD",
               STR_FMT(r->body));
        if (d->dialled == CALLS && str_eq(event, STR("incoming_call")))
            say_where_to(d, answer);
        fflush(stdout);
    }
    json_free(doc);
    return 200;
}

/* ---- the people ---- */

static struct phone_answer on_call(void *arg, struct str user)
{
    if (str_eq(user, STR("busy")))
        return (struct phone_answer){.ring_ms = 50, .status = 486, .hangup_after_ms = -1};
    if (str_eq(user, STR("nobody")))
        return (struct phone_answer){.ring_ms = -1, .status = 480, .hangup_after_ms = -1};
    return (struct phone_answer){.ring_ms = 300, .status = 200, .hangup_after_ms = -1};
}

static enum err api(struct demo *d, const char *method, const char *path, const char *body,
                    struct client_answer *ret)
{
    struct client c = {.url = d->url, .key = d->key};
    enum err err = client_request(&c, method, path, str_of(body), ret);
    if (err == OK && (ret->status < 200 || ret->status > 299)) {
        fprintf(stderr, "%s %s: %d %.*s\n", method, path, ret->status,
                STR_FMT(buf_str(&ret->body)));
        err = ERR_INVALID;
    }
    return err;
}

static enum err forward_to(struct demo *d, const char *user)
{
    struct client_answer a = {0};
    char body[256], path[64];
    struct buf b;
    snprintf(path, sizeof path, "/v1/numbers/%%2B%s/forward", number + 1);
    buf_wrap(&b, body, sizeof body);
    buf_puts(&b, "{\"targets\":[{\"type\":\"sip\",\"destination\":\"");
    agent_uri(d, user, &b);
    buf_puts(&b, "\"}]}");
    buf_putc(&b, '\0');
    enum err err = b.err == OK ? api(d, "PUT", path, body, &a) : b.err;
    buf_fini(&a.body);
    return err;
}

static void on_next_call(struct timer *t)
{
    static const struct {
        const char *user, *what;
        int64_t cancel_ms, hangup_ms;
    } plan[CALLS] = {
        {"agent", "A call that is answered, and ended by the caller", -1, 1200},
        {"busy", "A call to somebody busy", -1, -1},
        {"nobody", "A call whose caller gives up", 600, -1},
        {"busy",
         "A call that our answer to incoming_call routes: to sales, although the number's own "
         "target is busy",
         -1, 600}};
    struct demo *d = t->arg;
    uint64_t dial;
    struct phone_dial p = {.to = daemon_sip(d->daemon, 0),
                           .from = STR("+19175550100"),
                           .from_name = STR("Ann Lee"),
                           .number = str_of(number),
                           .simulated = true};
    if (d->dialled == CALLS)
        return;
    printf("\n--- %s\n", plan[d->dialled].what);
    fflush(stdout);
    p.cancel_after_ms = plan[d->dialled].cancel_ms;
    p.hangup_after_ms = plan[d->dialled].hangup_ms;
    if (forward_to(d, plan[d->dialled].user) != OK || phone_dial(d->carrier, &p, &dial) != OK)
        d->bad++;
    d->dialled++;
}

static void on_dialled(void *arg, uint64_t dial, enum phone_event what, int status)
{
    struct demo *d = arg;
    if (what == PHONE_REFUSED || what == PHONE_ENDED)
        loop_timer(d->loop, &d->next_call, 100, on_next_call, d);
}

/* ---- the stage ---- */

static enum err start_daemon(struct demo *d)
{
    char why[512], dir[96], key[96], text[ADDR_TEXT_SIZE];
    const char *sets[] = {dir,
                          key,
                          "http.listen=127.0.0.1:0",
                          "sip.listen=udp:127.0.0.1:0",
                          "http_client.allow=127.0.0.0/8",
                          "log.level=warn"};
    snprintf(dir, sizeof dir, "data_dir=%s", d->dir);
    snprintf(key, sizeof key, "bootstrap.admin_key=%s", d->key);
    char *none[] = {NULL};
    enum err err = config_load(NULL, none, sets, 6, &d->config, why, sizeof why);
    if (err == OK)
        err = daemon_start(d->config, &d->daemon, why, sizeof why);
    if (err != OK) {
        fprintf(stderr, "hookswitch demo: %s\n", why);
        return err;
    }
    struct addr http = daemon_http(d->daemon);
    addr_print(&http, text);
    snprintf(d->url, sizeof d->url, "http://%s", text);
    return OK;
}

static enum err open_people(struct demo *d)
{
    struct addr at = {.family = 4, .ip = {127, 0, 0, 1}};
    struct phone_config agent = {.at = at, .answer = on_call, .arg = d};
    struct phone_config carrier = {.at = at, .answer = on_call, .on_dialled = on_dialled, .arg = d};
    struct receiver_config rc = {.at = at, .on_received = on_received, .arg = d};
    enum err err = loop_new(&d->loop, "demo", 1024);
    if (err == OK)
        err = phone_open(d->loop, &agent, &d->agent);
    if (err == OK)
        err = phone_open(d->loop, &carrier, &d->carrier);
    if (err == OK)
        err = receiver_open(d->loop, &rc, &d->receiver);
    return err;
}

static enum err configure(struct demo *d)
{
    char body[512], at[ADDR_TEXT_SIZE], secret[SECRET_SIZE];
    struct client_answer a = {0};
    struct addr hook = receiver_local(d->receiver);
    addr_print(&hook, at);
    secret_new(secret);
    enum err err = secret_parse(str_of(secret), &d->secret);
    if (err == OK)
        err = api(d, "POST", "/v1/trunks",
                  "{\"name\":\"demo carrier\",\"sources\":[\"127.0.0.1\"]}", &a);
    buf_fini(&a.body);
    snprintf(body, sizeof body, "{\"number\":\"%s\",\"label\":\"demo\"}", number);
    if (err == OK)
        err = api(d, "POST", "/v1/numbers", body, &a);
    buf_fini(&a.body);
    snprintf(body, sizeof body, "{\"url\":\"http://%s/hook\",\"control\":true,\"secret\":\"%s\"}",
             at, secret);
    if (err == OK)
        err = api(d, "POST", "/v1/endpoints", body, &a);
    buf_fini(&a.body);
    return err;
}

static void remove_store(const char *dir)
{
    static const char *const file[] = {"hookswitch.db", "hookswitch.db-wal", "hookswitch.db-shm",
                                       "hookswitch.db.lock"};
    char path[128];
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, file[i]);
        unlink(path);
    }
    rmdir(dir);
}

static int play(struct demo *d)
{
    int64_t until = clock_mono_ms() + WAIT_MS;
    printf("hookswitch %s on a temporary store. A carrier calls %s.\n", HOOKSWITCH_VERSION, number);
    loop_timer(d->loop, &d->next_call, 0, on_next_call, d);
    while (!interrupted && d->events < EVENTS_DUE && clock_mono_ms() < until)
        loop_turn(d->loop, 50);
    bool good = d->events == EVENTS_DUE && !d->bad;
    printf("\n%u events, %u bad signatures; the first %lld ms after the start.\n", d->events,
           d->bad, (long long)(d->first_ms ? d->first_ms - d->started_ms : -1));
    printf("API and metrics: %s  (key %s)\n", d->url, d->key);
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
    struct demo d = {.dir = "/tmp/hookswitch-demo-XXXXXX", .tty = isatty(STDOUT_FILENO) == 1};
    int code = 1;
    d.started_ms = clock_mono_ms();
    log_level_set(LOG_WARN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
    if (!mkdtemp(d.dir)) {
        perror("hookswitch demo: /tmp");
        return 1;
    }
    id_new("hsk", d.key);
    if (start_daemon(&d) == OK && open_people(&d) == OK && configure(&d) == OK)
        code = play(&d);
    if (d.loop) {
        if (d.carrier)
            phone_close(d.carrier);
        if (d.agent)
            phone_close(d.agent);
        receiver_close(d.receiver);
        loop_free(d.loop);
    }
    daemon_stop(d.daemon, DRAIN_MS);
    config_free(d.config);
    remove_store(d.dir);
    return code;
}
