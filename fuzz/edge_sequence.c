/* edge_sequence: reads bytes as steps, takes the steps, and judges the end. */
#include "edge_sequence.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "edge_world.h"

enum { STEPS_MAX = 300, WORDS_MAX = 64 * 1024, END_MS = 4 * 3600 * 1000 };

struct world world;
static char words[WORDS_MAX];
static size_t n_words;
static bool is_silent;

void edge_sequence_tell(bool in_words)
{
    is_silent = !in_words;
}

uint8_t take(void)
{
    return world.at < world.n ? world.data[world.at++] : 0;
}

unsigned pick(unsigned n)
{
    return n ? take() % n : 0;
}

bool now_and_then(unsigned one_in)
{
    return take() % one_in == one_in - 1;
}

size_t pick_recent(size_t n)
{
    unsigned b = take();
    size_t back = b < 160 ? 0 : b < 208 ? 1 : take();
    return n ? n - 1 - back % n : 0;
}

void say_words(const char *fmt, ...)
{
    va_list args;
    if (is_silent || n_words + 512 > WORDS_MAX)
        return;
    n_words += (size_t)snprintf(words + n_words, 32, "%9.3f  ", (double)clock_mono_ms() / 1000);
    va_start(args, fmt);
    int n = vsnprintf(words + n_words, 400, fmt, args);
    va_end(args);
    n_words += n < 400 ? (size_t)n : 399;
    words[n_words++] = '\n';
    words[n_words] = '\0';
}

const char *edge_sequence_words(void)
{
    return words;
}

size_t edge_sequence_messages(void)
{
    return world.messages;
}

_Noreturn static void fail(const char *fault)
{
    fprintf(stderr, "%s\nedge_sequence: %s\n", words, fault);
    words[0] = '\0'; /* told */
    abort();
}

/* ---- steps without a peer ---- */

static void time_pass(int64_t ms)
{
    if (edge_kit.store_held)
        world.held_ms += ms;
    edge_kit_advance(ms);
}

static void step_next_timer(void)
{
    int64_t ms = edge_kit_next_ms();
    say_words("the next timer, in %lld ms", (long long)ms);
    if (ms >= 0)
        time_pass(ms ? ms : 1);
}

static void step_wait(void)
{
    static const int64_t ms[] = {1, 10, 100, 499, 501, 1000, 2000, 3000, 5000, 31000, 32500, 70000};
    int64_t wait = ms[pick(sizeof ms / sizeof *ms)];
    say_words("%lld ms pass", (long long)wait);
    time_pass(wait);
}

static void step_store(void)
{
    static const enum fault_how how[] = {FAULT_NOT_DONE, FAULT_FULL, FAULT_NO_MEMORY,
                                         FAULT_UNSURE_DONE, FAULT_UNSURE_NOT};
    unsigned what = pick(8);
    if (what < 3) {
        edge_kit.store_held = !edge_kit.store_held;
        say_words("the store %s", edge_kit.store_held ? "is held" : "works again");
        edge_kit_turn();
    } else if (what < 5) {
        say_words("the store is healthy");
        fault_disarm();
        edge_kit.store_held = false;
        edge_kit_turn();
    } else {
        enum fault_call call = (enum fault_call)pick(FAULT_CALLS);
        unsigned h = pick(sizeof how / sizeof *how), n = 1 + pick(4), times = 1 + pick(20);
        say_words("the store fails: call %d, how %d, the next %u behind %u", call, how[h], times,
                  n - 1);
        fault_arm(call, how[h], n, times);
    }
}

static void edge_restart(const char *why)
{
    say_words("%s", why);
    if (edge_kit_restart() != OK)
        fail("the edge does not start");
    world.lives++;
}

static void step_kill(void)
{
    struct sip_config *c = &edge_kit.config;
    if (now_and_then(4))
        c->max_calls = c->max_calls == 64 ? 2 : 64;
    if (now_and_then(4))
        c->listens.n = c->listens.n == 2 ? 1 : 2;
    fault_disarm();
    say_words("killed: max_calls %zu, %zu listeners", c->max_calls, c->listens.n);
    edge_restart("started again");
}

static void step_drain(void)
{
    static const int64_t ms[] = {0, 1000, 40000};
    int64_t wait = ms[pick(3)];
    say_words("drains for %lld ms", (long long)wait);
    edge_kit_drain(wait);
}

static void step_hang_up(void)
{
    handle h;
    size_t i = 0, n = pick(4);
    struct call *c = NULL, *one;
    while ((one = pool_next(edge_kit.edge->calls.pool, &i, &h)) && n--)
        c = one;
    c = one ? one : c;
    if (!c)
        return;
    say_words("the operator hangs up %s", c->call_id);
    if (sip_edge_hangup(edge_kit.edge, str_of(c->call_id)) == OK)
        edge_kit_turn();
}

/* ---- the table ---- */

static const struct {
    uint8_t weight; /* of 256 in all */
    void (*take)(void);
} steps[] = {
    {16, step_call},       {52, step_answer},  {22, step_ack},   {32, step_request},
    {7, step_cancel},      {10, step_repeat},  {4, step_garble}, {2, step_outside},
    {24, step_polite},     {10, step_streams}, {11, step_names}, {11, step_webhook},
    {24, step_next_timer}, {13, step_wait},    {9, step_store},  {4, step_kill},
    {1, step_drain},       {4, step_hang_up},
};

static void step_take(void)
{
    unsigned b = take(), i = 0;
    while (b >= steps[i].weight)
        b -= steps[i++].weight;
    steps[i].take();
    if (edge_kit.idle)
        edge_restart("the drain is over; started again");
}

static void sequence_end(void)
{
    for (unsigned rounds = pick(4); rounds--;)
        step_polite();
    say_words("nothing more is said; all time limits pass");
    fault_disarm();
    edge_kit.store_held = false;
    edge_kit_turn();
    bool over = edge_kit_run_out(END_MS);
    if (edge_kit.idle)
        edge_restart("the drain is over; started again");
    over = over && edge_kit_run_out(END_MS);
    const char *fault = over ? edge_kit_leftovers() : "timers without an end";
    if (!fault)
        fault = edge_kit_faults();
    if (!fault)
        fault = checks_end();
    if (fault)
        fail(fault);
    edge_kit_stop();
}

void edge_sequence(const uint8_t *data, size_t n)
{
    size_t messages = world.messages;
    n_words = 0;
    words[0] = '\0';
    peers_reset();
    world.data = data;
    world.n = n;
    world.at = 0;
    world.lives = 0;
    world.held_ms = 0;
    world.messages = messages;
    edge_kit_begin(1);
    checks_begin();
    for (unsigned i = 0; world.at < n && i < STEPS_MAX; i++)
        step_take();
    sequence_end();
}
