/* parts: keeps a million messages that never get whole, for `./dev bench parts`. The door for
 * messages and the housekeeper run in this process over a real store, without a carrier in front
 * and without deliveries behind: the resident memory is theirs, and a little of this program.
 *
 *   bench_parts url=sqlite:PATH n= [load=0]    load=0: of a store that was loaded before
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "figures.h"
#include "hub/chores/housekeeper.h"
#include "hub/messages.h"
#include "store/rows/expiry.h"

enum { JOIN_MS = 1800000, UNDER_WAY = 4096, BYTES = 140, LOOK_US = 50000, RESIDENT_MAX_MIB = 64 };

static struct {
    const char *url;
    size_t n;
    struct store *store;
    struct books *books;
    struct intake *intake;
    struct messages *messages;
    struct mailbox *home;
    size_t taken, refused;
    atomic_size_t told;
    long resident_kb; /* the most that was seen */
} b;

static void memory_sample(void)
{
    long kb = resident_kb(getpid());
    b.resident_kb = kb > b.resident_kb ? kb : b.resident_kb;
}

static void must_succeed(enum err err, const char *what)
{
    if (err == OK)
        return;
    fprintf(stderr, "bench_parts: %s: %s\n", what, err_text(err));
    exit(1);
}

static void on_part_stored(void *arg, const struct stored *s)
{
    atomic_fetch_add(&b.told, 1);
}

static void hub_start(void)
{
    char why[256] = "";
    struct store_config sc = {.url = b.url};
    must_succeed(store_open(&sc, &b.store, why, sizeof why), why);
    must_succeed(books_open(b.store, &b.books), "books");
    must_succeed(intake_new(b.store, on_part_stored, NULL, &b.intake), "intake");
    struct messages_config mc = {.store = b.store,
                                 .books = b.books,
                                 .intake = b.intake,
                                 .join_ms = JOIN_MS,
                                 .max_sets = (unsigned)b.n,
                                 .max_bytes = INT64_C(1) << 40};
    must_succeed(messages_new(&mc, &b.messages), "messages");
    must_succeed(mailbox_new(&b.home, UNDER_WAY, NULL, NULL), "mailbox");
}

static void hub_stop(void)
{
    store_close(b.store);
    messages_free(b.messages);
    intake_free(b.intake);
    books_close(b.books);
    mailbox_free(b.home);
}

static void message_on_taken(void *arg, uint64_t token, enum err err, bool duplicate,
                             struct str message_id)
{
    b.taken++;
    b.refused += err != OK || duplicate;
}

/* Takes part 1 of 3 of so many messages, with UNDER_WAY of them not yet answered. */
static void store_load(void)
{
    char from[32], text[BYTES];
    const struct book *book = book_take(b.books);
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < b.n; i++) {
        struct message_in in = {.account = 1,
                                .link = STR("lnk_1"),
                                .to = STR("+447911123456"),
                                .part = {.data = str_of_bytes(text, sizeof text),
                                         .reference = (uint32_t)i & 0xff,
                                         .parts = 3,
                                         .number = 1}};
        snprintf(from, sizeof from, "+1917%07zu", i >> 8);
        in.from = str_of(from);
        must_succeed(messages_take(b.messages, book, &in, b.home, message_on_taken, NULL, i),
                     "a part");
        while (i + 1 - b.taken >= UNDER_WAY)
            mail_open_all(mailbox_wait(b.home));
        if (i % 10000 == 0)
            memory_sample();
    }
    while (b.taken < b.n)
        mail_open_all(mailbox_wait(b.home));
    memory_sample();
    book_drop(&book);
}

static void surface_wait(size_t before)
{
    struct housekeeper *hk = NULL;
    struct housekeeper_config hc = {.store = b.store,
                                    .books = b.books,
                                    .intake = b.intake,
                                    .retention_days = 30,
                                    .join_ms = JOIN_MS};
    must_succeed(housekeeper_start(&hc, &hk), "housekeeper");
    while (before + atomic_load(&b.told) < b.n) {
        usleep(LOOK_US);
        memory_sample();
    }
    housekeeper_stop(hk);
}

struct count {
    struct store_job job;
    int64_t n;
};

static enum err count_run(struct store_job *job, struct db *db)
{
    return event_last(db, &((struct count *)job)->n);
}

static double file_mib(void)
{
    struct stat st;
    return stat(strchr(b.url, ':') + 1, &st) == 0 ? (double)st.st_size / (1 << 20) : 0;
}

static double seconds_since(int64_t us)
{
    return (double)(clock_mono_us() - us) / 1e6;
}

int main(int argc, char **argv)
{
    b.url = arg_text(argv, "url", "sqlite:/tmp/hookswitch-bench-parts/parts.db");
    b.n = (size_t)arg_int(argv, "n", 1000000);
    must_succeed(crypto_start(), "crypto");
    int64_t real_ms = clock_wall_ms(), from = clock_mono_us();
    clock_fake(real_ms - JOIN_MS - 1000); /* so that their time is over when the clock is real */
    hub_start();
    if (arg_int(argv, "load", 1))
        store_load();
    clock_real();
    say("parts kept", "%zu, one of three each, in %.1f s, %.0f/s; %zu refused", b.taken,
        seconds_since(from), (double)b.n / seconds_since(from), b.refused);
    say("the store's file", "%.0f MiB, %.0f bytes a part", file_mib(),
        file_mib() * (1 << 20) / (double)b.n);
    say_at_most("resident while they came", (double)b.resident_kb / 1024, RESIDENT_MAX_MIB, "MiB");
    from = clock_mono_us();
    hub_stop();
    b.resident_kb = 0;
    hub_start();
    say("closed and opened again", "%.2f s", seconds_since(from));
    from = clock_mono_us();
    struct count c = {.job.run = count_run};
    must_succeed(store_read_now(b.store, &c.job), "count");
    size_t before = (size_t)c.n; /* events that are there already */
    surface_wait(before);
    must_succeed(store_read_now(b.store, &c.job), "count");
    say("went out as partial", "%zu told, %lld events, in %.1f s, %.0f/s", atomic_load(&b.told),
        (long long)c.n, seconds_since(from), (double)(b.n - before) / seconds_since(from));
    say_at_most("resident while they went", (double)b.resident_kb / 1024, RESIDENT_MAX_MIB, "MiB");
    say("the store's file", "%.0f MiB", file_mib());
    hub_stop();
    return before + atomic_load(&b.told) == b.n && c.n == (int64_t)b.n && !b.refused ? 0 : 1;
}
