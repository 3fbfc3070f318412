/* edge_kit: puts the edge together as daemon/daemon.c does, over a store without threads and a
 * network that stands still; starts, stops, kills it, and moves the time. */
#include "edge_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "edge_kit_own.h"
#include "store/rows/settings.h"

enum { TURNS_MAX = 1000, WALL_MS = 1700000000 };

struct edge_kit edge_kit;

static const char *const endpoints[][3] = {
    /* account, id, document */
    {"1", "ep_all",
     "{\"url\":\"https://a.example/all\",\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\","
     "\"sip_headers\":true,\"events\":[\"incoming_call\",\"call_answered\",\"call_ended\","
     "\"sms_received\",\"call_ringing\",\"call_forward_failed\",\"call_transferred\"]}"},
    {"1", "ep_usual",
     "{\"url\":\"https://a.example/usual\","
     "\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}"},
    {"2", "ep_control",
     "{\"url\":\"https://b.example/control\",\"control\":true,"
     "\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}"},
    {"2", "ep_target",
     "{\"url\":\"https://b.example/target\",\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\","
     "\"numbers\":[\"+447911120010\"]}"},
};

/* ---- random numbers ----
 * Linked by --wrap in place of crypto's, so that a seed gives the same run again. */

static uint64_t random_state;

uint64_t __wrap_crypto_random_u64(void);
void __wrap_crypto_random(void *out, size_t n);

uint64_t __wrap_crypto_random_u64(void) /* splitmix64 */
{
    uint64_t z = random_state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

void __wrap_crypto_random(void *out, size_t n)
{
    char *p = out;
    for (uint64_t v; n; p += sizeof v) {
        size_t some = n < sizeof v ? n : sizeof v;
        v = __wrap_crypto_random_u64();
        memcpy(p, &v, some);
        n -= some;
    }
}

/* ---- settings ---- */

void kit_must(bool good, const char *what)
{
    if (!good)
        kit_fail(what);
}

void kit_fail(const char *what)
{
    fprintf(stderr, "edge_kit: %s\n", what);
    abort();
}

struct setting_job {
    struct store_job job;
    struct setting s;
};

static enum err setting_run(struct store_job *job, struct db *db)
{
    return setting_put(db, &((struct setting_job *)job)->s);
}

static void put(enum setting_kind kind, const char *id, const char *key, uint64_t account,
                const char *doc)
{
    struct setting_job j = {{.run = setting_run},
                            {.kind = kind,
                             .id = str_of(id),
                             .key = str_of(key),
                             .account = account,
                             .doc = str_of(doc)}};
    kit_must(store_write_now(edge_kit.store, &j.job) == OK, "a setting cannot be put");
}

static void put_settings(void)
{
    static const struct {
        const char *number;
        uint64_t account;
        const char *targets;
    } numbers[] = {
#define X(number, account, targets) {number, account, targets},
        EDGE_KIT_NUMBERS(X)
#undef X
    };
    char doc[4096];
    put(SETTING_ACCOUNT, "acc_1", "one", 1, "{\"name\":\"one\"}");
    put(SETTING_ACCOUNT, "acc_2", "two", 2, "{\"name\":\"two\"}");
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++)
        put(SETTING_ENDPOINT, endpoints[i][1], endpoints[i][1], (uint64_t)(*endpoints[i][0] - '0'),
            endpoints[i][2]);
    put(SETTING_TRUNK, "trk_1", "carrier", 1,
        "{\"name\":\"carrier\",\"sources\":[\"5.0.1.0/24\"],\"max_calls\":8}");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        snprintf(doc, sizeof doc, "{\"number\":\"%s\",\"forward\":{\"targets\":[%s]}}",
                 numbers[i].number, numbers[i].targets);
        put(SETTING_NUMBER, numbers[i].number, numbers[i].number, numbers[i].account, doc);
    }
}

/* ---- the store ---- */

static void open_store(void)
{
    char why[256] = "";
    const struct store_config c = {
        .url = "sqlite::memory:", .engine = &engine_faulty, .by_hand = true};
    kit_must(crypto_start() == OK, "no random numbers");
    log_level_set(LOG_ERROR + 1);
    clock_fake(WALL_MS * INT64_C(1000));
    kit_must(store_open(&c, &edge_kit.store, why, sizeof why) == OK, why);
    put_settings();
    kit_must(books_open(edge_kit.store, &edge_kit.books) == OK, "no book");
    kit_must(intake_new(edge_kit.store, kit_on_stored, NULL, &edge_kit.intake) == OK, "no intake");
    const struct messages_config mc = {.store = edge_kit.store,
                                       .books = edge_kit.books,
                                       .intake = edge_kit.intake,
                                       .join_ms = 1800000,
                                       .max_sets = 100,
                                       .max_bytes = 1 << 20};
    kit_must(messages_new(&mc, &edge_kit.messages) == OK, "no messages");
}

static enum err empty_run(struct store_job *job, struct db *db)
{
    return db->engine->run_text(db, "DELETE FROM events; DELETE FROM deliveries;"
                                    "DELETE FROM calls; DELETE FROM sms_sets;"
                                    "DELETE FROM sms_parts; DELETE FROM sms_held;"
                                    "DELETE FROM meta WHERE name = 'edge_starts';");
}

void edge_kit_close(void)
{
    edge_kit_stop();
    messages_free(edge_kit.messages);
    intake_free(edge_kit.intake);
    books_close(edge_kit.books);
    store_close(edge_kit.store);
    kit_packets_free();
    edge_kit = (struct edge_kit){0};
}

/* ---- the edge ---- */

static void config_default(void)
{
    static const struct {
        enum sip_transport transport;
    } listen[] = {{SIP_UDP}, {SIP_TCP}};
    struct sip_config *c = &edge_kit.config;
    *c = (struct sip_config){.store = edge_kit.store,
                             .books = edge_kit.books,
                             .intake = edge_kit.intake,
                             .messages = edge_kit.messages,
                             .max_calls = 64,
                             .message_max = 4096,
                             .t1_ms = 500,
                             .ring_timeout_s = 30,
                             .probe_ms = 60000,
                             .restore_grace_ms = 1500,
                             .early = kit_on_early,
                             .ask = kit_on_ask};
    c->listens.n = sizeof listen / sizeof *listen;
    for (size_t i = 0; i < c->listens.n; i++) {
        c->listens.listen[i].transport = listen[i].transport;
        kit_must(addr_parse(STR(EDGE), 0, &c->listens.listen[i].at) == OK, "no address");
    }
}

static enum err start(void)
{
    char why[256] = "";
    enum err err = loop_new(&edge_kit.loop, "edge", 4096);
    if (err == OK)
        err = resolver_new(edge_kit.loop, NULL, &edge_kit.resolver);
    kit_must(err == OK, "no loop");
    edge_kit.config.loop = edge_kit.loop;
    edge_kit.config.resolver = edge_kit.resolver;
    edge_kit.idle = false;
    still_sent_to(kit_on_sent, NULL);
    return sip_edge_new(&edge_kit.config, &edge_kit.edge, why, sizeof why);
}

/* The memory of work under way can only be had back by those whose it is: the store refuses and the
 * network loses all until then, so that nobody hears of it. */
static void end_quietly(void)
{
    bool held = edge_kit.store_held;
    still_sent_to(NULL, NULL);
    fault_arm(FAULT_BEGIN, FAULT_NOT_DONE, 1, UINT32_MAX - 1);
    edge_kit.store_held = false;
    store_turn(edge_kit.store);
    for (int i = 0; i < TURNS_MAX && !still_loop_is_idle(edge_kit.loop); i++) {
        loop_turn(edge_kit.loop, 0);
        store_turn(edge_kit.store);
    }
    sip_edge_free(edge_kit.edge);
    kit_must(still_is_quiet(), "a socket, a connection or a look-up outlives the edge");
    loop_free(edge_kit.loop);
    resolver_free(edge_kit.resolver);
    edge_kit.edge = NULL;
    edge_kit.loop = NULL;
    edge_kit.resolver = NULL;
    fault_disarm();
    store_turn(edge_kit.store); /* it can write again */
    edge_kit.store_held = held;
    kit_questions_drop();
}

void edge_kit_stop(void)
{
    if (edge_kit.loop)
        end_quietly();
}

enum err edge_kit_restart(void)
{
    edge_kit_stop();
    kit_told_restart();
    enum err err = start();
    if (err == OK)
        edge_kit_turn();
    return err;
}

void edge_kit_begin(uint64_t seed)
{
    struct store_job empty = {.run = empty_run};
    random_state = seed;
    if (!edge_kit.store)
        open_store();
    random_state = seed; /* whatever the opening took */
    edge_kit_stop();
    clock_fake(WALL_MS * INT64_C(1000));
    still_reset();
    kit_packets_reset();
    kit_questions_reset();
    kit_told_reset();
    fault_disarm();
    edge_kit.store_held = edge_kit.network_is_cut = false;
    kit_must(store_write_now(edge_kit.store, &empty) == OK, "the store cannot be emptied");
    config_default();
    kit_must(start() == OK, "the edge does not start");
    edge_kit_turn();
}

static void fail_on(const char *fault)
{
    if (fault)
        kit_fail(fault);
}

void edge_kit_end(void)
{
    fail_on(edge_kit_run_out(24 * 3600 * INT64_C(1000)) ? NULL : "timers without an end");
    fail_on(edge_kit_leftovers());
    fail_on(edge_kit_faults());
    edge_kit_stop();
}

/* ---- time ---- */

void edge_kit_turn(void)
{
    for (int i = 0; edge_kit.loop; i++) {
        loop_turn(edge_kit.loop, 0);
        if (!edge_kit.store_held)
            store_turn(edge_kit.store);
        if (edge_kit.edge)
            transactions_check(edge_kit.edge->core.txns);
        if (still_loop_is_idle(edge_kit.loop))
            return;
        kit_must(i < TURNS_MAX, "the edge and the store never come to rest");
    }
}

int64_t edge_kit_next_ms(void)
{
    return edge_kit.loop ? still_next_ms(edge_kit.loop) : -1;
}

void edge_kit_advance(int64_t ms)
{
    while (ms > 0) {
        int64_t next = edge_kit_next_ms();
        if (next == 0)
            next = 1; /* due, and fired by the next tick */
        int64_t step = next > 0 && next < ms ? next : ms;
        clock_advance(step);
        ms -= step;
        edge_kit_turn();
    }
}

bool edge_kit_run_out(int64_t max_ms)
{
    for (int64_t next; (next = edge_kit_next_ms()) >= 0; max_ms -= next) {
        if (next == 0)
            next = 1;
        if (max_ms < next)
            return false;
        edge_kit_advance(next);
    }
    return true;
}

static void on_idle(void *arg)
{
    edge_kit.idle = true;
}

void edge_kit_drain(int64_t wait_ms)
{
    sip_edge_drain(edge_kit.edge, wait_ms, on_idle, NULL);
    edge_kit_turn();
}
