/* The trace's promises: what was kept is given in its order, across restarts; the ring has a bound;
 * nobody's calls wash out all others; what was erased is not on the disk; no file can hurt. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/id.h"
#include "base/metrics.h"
#include "store/rows/calls.h"
#include "trace/index.h"
#include "trace/log.h"
#include "trace/ring.h"

enum { RING = 1 << 20, SEGMENT = RING / TRACE_SEGMENTS };

static char top[] = "/tmp/hookswitch-trace-XXXXXX", dir[64];
static struct trace_log *the_log;
static struct store *the_store;

static enum err are_gone(void *arg, const struct trace_id *call, size_t n, bool *ret_gone)
{
    return calls_gone(arg, n, (const uint8_t *)call, ret_gone);
}

static void open_log(void)
{
    char why[256] = "";
    const struct trace_log_config c = {
        .dir = dir, .bytes = RING, .gone = the_store ? are_gone : NULL, .gone_arg = the_store};
    if (trace_log_open(&c, &the_log, why, sizeof why) != OK)
        fail_msg("%s", why);
}

static void reopen(void)
{
    trace_log_close(the_log);
    open_log();
}

static int set_up(void **state)
{
    trace_ring_remove(dir);
    the_store = NULL;
    open_log();
    return 0;
}

static int tear_down(void **state)
{
    trace_log_close(the_log);
    clock_real();
    return 0;
}

/* ---- writing ---- */

static struct trace_id call_of(unsigned n)
{
    struct trace_id id;
    char text[ID_SIZE];
    const struct str part[] = {str_of_bytes(&n, sizeof n)};
    id_derive("call", part, 1, text);
    assert_true(trace_id_parse(str_of(text), &id));
    return id;
}

static void add(struct trace_batch *b, unsigned call, struct str message)
{
    struct trace_record r = {.magic = TRACE_MAGIC,
                             .call = call_of(call),
                             .at_ms = 1000 + b->count,
                             .n = (uint32_t)message.n,
                             .whole = (uint32_t)message.n,
                             .leg = 'a'};
    r.size = trace_record_size(r.n);
    assert_true(b->n + r.size <= TRACE_BATCH_BYTES);
    memcpy(b->bytes + b->n, &r, sizeof r);
    memcpy(b->bytes + b->n + sizeof r, message.p, message.n);
    b->n += r.size;
    b->count++;
}

static struct trace_batch *batch(void)
{
    struct trace_batch *b = calloc(1, sizeof *b);
    assert_non_null(b);
    return b;
}

/* One message; as nothing is dropped here, whatever else waits. */
PRINTF_LIKE(2, 3) static void put(unsigned call, const char *fmt, ...)
{
    char text[TRACE_MESSAGE_MAX];
    struct trace_batch *b = batch();
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    add(b, call, str_of_bytes(text, (size_t)n));
    trace_log_put(the_log, &b);
    assert_null(b);
}

/* ---- reading ---- */

struct answer {
    struct trace_read read;
    struct mailbox *home;
    bool done;
};

static void on_done(struct trace_read *r)
{
    ((struct answer *)r)->done = true;
}

static struct answer ask(unsigned call)
{
    struct answer a = {.read = {.call = call_of(call), .done = on_done}};
    assert_ok(mailbox_new(&a.home, 4, NULL, NULL));
    a.read.home = a.home;
    assert_ok(trace_log_read(the_log, &a.read));
    mail_open_all(mailbox_wait(a.home));
    mailbox_free(a.home);
    assert_true(a.done);
    assert_ok(a.read.err);
    return a;
}

/* The messages in a line, with blanks between, into `b`. */
static struct answer ask_text(unsigned call, struct buf *b)
{
    struct answer a = ask(call);
    for (size_t at = 0; at < a.read.records.n;) {
        const struct trace_record *r = (const void *)(a.read.records.p + at);
        if (b->n)
            buf_putc(b, ' ');
        buf_put_str(b, trace_record_bytes(r));
        at += r->size;
    }
    assert_ok(b->err);
    return a;
}

static void check(unsigned call, const char *messages, bool truncated)
{
    char text[4096];
    struct buf b;
    buf_wrap(&b, text, sizeof text);
    struct answer a = ask_text(call, &b);
    assert_str(buf_str(&b), messages);
    assert_int_equal(a.read.kept, *messages != '\0');
    assert_int_equal(a.read.truncated, truncated);
    buf_fini(&a.read.records);
}

static size_t count_of(unsigned call, bool *ret_truncated)
{
    size_t n = 0;
    struct answer a = ask(call);
    for (size_t at = 0; at < a.read.records.n; n++)
        at += ((const struct trace_record *)(const void *)(a.read.records.p + at))->size;
    *ret_truncated = a.read.truncated;
    buf_fini(&a.read.records);
    return n;
}

/* All that was put before is written. */
static void settle(void)
{
    struct answer a = ask(3);
    buf_fini(&a.read.records);
}

static void path_of(unsigned i, char out[128])
{
    snprintf(out, 128, "%s/%02u.trace", dir, i);
}

/* Does it stand in any of the files? */
static bool is_on_disk(struct str what)
{
    char path[128], *all = malloc(SEGMENT);
    bool found = false;
    for (unsigned i = 0; i < TRACE_SEGMENTS; i++) {
        path_of(i, path);
        int fd = open(path, O_RDONLY);
        if (fd < 0)
            continue;
        ssize_t n = read(fd, all, SEGMENT);
        found |= n > 0 && memmem(all, (size_t)n, what.p, what.n);
        close(fd);
    }
    free(all);
    return found;
}

/* Other calls' messages, so many segments of them. */
static void fill(unsigned segments)
{
    static unsigned other = 1000000;
    char text[1000];
    memset(text, 'x', sizeof text);
    for (unsigned i = 0; i < segments * SEGMENT / 1112 + 1; i++) {
        struct trace_batch *b = batch();
        add(b, other++, str_of_bytes(text, sizeof text));
        trace_log_put(the_log, &b);
        if (i % 64 == 0)
            settle(); /* so that nothing is dropped */
    }
}

/* ---- tests ---- */

static void in_order(void **state)
{
    check(1, "", false);
    put(1, "one");
    put(2, "other");
    put(1, "two");
    check(1, "one two", false);
    check(2, "other", false);
    check(3, "", false);
    struct stat s;
    char path[128];
    path_of(1, path);
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    assert_int_equal(stat(dir, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0700);
}

static void across_restarts(void **state)
{
    for (unsigned i = 0; i < 5; i++) {
        put(1, "m%u", i);
        reopen();
    }
    put(1, "m%u", 5);
    check(1, "m0 m1 m2 m3 m4 m5", false);
    fill(4); /* what was in segment 1 is found late; what comes meanwhile is linked with it */
    for (unsigned i = 6; i < 9; i++) {
        reopen();
        put(1, "m%u", i);
    }
    check(1, "m0 m1 m2 m3 m4 m5 m6 m7 m8", false);
    reopen();
    check(1, "m0 m1 m2 m3 m4 m5 m6 m7 m8", false);
}

static void it_has_a_bound(void **state)
{
    put(1, "old");
    put(2, "began");
    fill(10);
    put(2, "went on");
    fill(8);
    check(1, "", false);
    check(2, "went on", true); /* its beginning is gone */
    put(2, "ended");
    check(2, "went on ended", true);
    reopen();
    check(1, "", false);
    check(2, "went on ended", true);
    fill(20);
    check(2, "", false);
    size_t bytes = 0;
    for (unsigned i = 0; i < TRACE_SEGMENTS; i++) {
        struct stat s;
        char path[128];
        path_of(i, path);
        assert_int_equal(stat(path, &s), 0);
        bytes += (size_t)s.st_size;
    }
    assert_true(bytes <= RING);
}

static void nobody_takes_it_all(void **state)
{
    bool truncated;
    clock_fake(1700000000000);
    put(2, "mine");
    for (unsigned i = 0; i < 10 * TRACE_CALL_MESSAGES; i++) {
        put(1, "flood %u", i);
        if (i % 64 == 0)
            settle();
    }
    assert_int_equal(count_of(1, &truncated), TRACE_CALL_MESSAGES);
    assert_true(truncated);
    check(2, "mine", false);
    clock_advance(3 * TRACE_REFILL_MS); /* with time it may say something again */
    for (unsigned i = 0; i < 5; i++)
        put(1, "later %u", i);
    assert_int_equal(count_of(1, &truncated), TRACE_CALL_MESSAGES + 3);
    reopen();
    assert_int_equal(count_of(1, &truncated), TRACE_CALL_MESSAGES + 3);
    assert_true(truncated);
    /* large ones count by their bytes */
    char large[8000];
    memset(large, 'y', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    for (unsigned i = 0; i < 100; i++)
        put(4, "%s", large);
    size_t n = count_of(4, &truncated);
    assert_in_range(n, TRACE_CALL_BYTES / 8200, TRACE_CALL_BYTES / 8000 + 1);
    assert_true(truncated);
}

static void erased_is_gone(void **state)
{
    const struct trace_id one = call_of(1);
    put(1, "secret one");
    put(2, "stays one");
    put(1, "secret two");
    put(2, "stays two");
    check(1, "secret one secret two", false);
    assert_true(is_on_disk(STR("secret one")));
    trace_log_forget(the_log, &one, 1);
    check(1, "", false);
    put(1, "secret late"); /* was on its way */
    check(1, "", false);
    check(2, "stays one stays two", false);
    assert_false(is_on_disk(STR("secret")));
    assert_false(is_on_disk(str_of_bytes(&one, sizeof one)));
    put(2, "and on");
    reopen(); /* the walk goes over what was blanked */
    check(1, "", false);
    check(2, "stays one stays two and on", false);
    fill(5);
    trace_log_close(the_log);
    open_log();
    const struct trace_id two = call_of(2);
    trace_log_forget(the_log, &two, 1); /* while its records are perhaps not found yet */
    check(2, "", false);
    assert_false(is_on_disk(STR("stays")));
}

static void torn_at_the_end(void **state)
{
    char path[128];
    put(1, "whole");
    put(1, "torn");
    check(1, "whole torn", false);
    trace_log_close(the_log);
    path_of(1, path);
    struct stat s;
    assert_int_equal(stat(path, &s), 0);
    for (off_t cut = 1; cut < 112; cut++) { /* each length that a write may have ended at */
        assert_int_equal(truncate(path, s.st_size - cut), 0);
        open_log();
        check(1, "whole", false);
        put(1, "next");
        check(1, "whole next", false);
        reopen();
        check(1, "whole next", false);
        trace_log_close(the_log);
        open_log();
        put(1, "torn");
        trace_log_close(the_log);
        assert_int_equal(truncate(path, s.st_size), 0);
        open_log();
        check(1, "whole next", false);
        trace_log_close(the_log);
    }
    open_log();
}

static void no_file_can_hurt(void **state)
{
    char path[128], noise[SEGMENT];
    put(1, "one");
    fill(6);
    trace_log_close(the_log);
    for (unsigned i = 0; i < 40; i++) {
        /* noise over a file, or over some of it */
        size_t at = i % 3 ? crypto_random_u64() % SEGMENT : 0;
        path_of(1 + i % 7, path);
        int fd = open(path, O_WRONLY);
        assert_true(fd >= 0);
        crypto_random(noise, sizeof noise);
        size_t n = i % 3 == 2 ? 1 : sizeof noise - at;
        assert_int_equal(pwrite(fd, noise, n, (off_t)at), n);
        close(fd);
        open_log();
        bool truncated;
        (void)count_of(1, &truncated);
        put(2, "two");
        assert_true(count_of(2, &truncated) > 0);
        trace_log_close(the_log);
    }
    path_of(3, path);
    unlink(path);
    assert_int_equal(symlink("/etc/passwd", path), 0); /* is not followed */
    open_log();
    fill(20);
    put(2, "two");
    bool truncated;
    (void)count_of(2, &truncated);
    unlink(path);
}

static void another_size_begins_anew(void **state)
{
    char why[256];
    put(1, "one");
    trace_log_close(the_log);
    const struct trace_log_config c = {.dir = dir, .bytes = 2 * RING};
    assert_ok(trace_log_open(&c, &the_log, why, sizeof why));
    check(1, "", false);
    put(1, "two");
    check(1, "two", false);
    struct trace_log *second = NULL;
    assert_err(trace_log_open(&c, &second, why, sizeof why), ERR_EXISTS);
    assert_non_null(strstr(why, "another hookswitch"));
}

static void disk_that_takes_nothing(void **state)
{
    struct rlimit all, some;
    signal(SIGXFSZ, SIG_IGN);
    put(1, "before");
    check(1, "before", false);
    int64_t dropped = metric_get(METRIC_TRACE_DROPPED);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
    some = all;
    some.rlim_cur = 200;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &some), 0);
    struct trace_batch *b = batch();
    add(b, 1, STR("lost"));
    add(b, 2, STR("lost too"));
    add(b, 1, STR("and lost"));
    trace_log_put(the_log, &b);
    check(1, "before", false);
    check(2, "", false);
    assert_int_equal(metric_get(METRIC_TRACE_DROPPED), dropped + 3);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
    put(1, "after");
    check(1, "before after", false);
    reopen();
    check(1, "before after", false);
}

/* A call that was erased right before a crash goes at the next start; one that comes again stays,
 * when its message is there before the store is asked. False: it was not, and both went. */
static bool one_goes_and_one_stays(unsigned first)
{
    char text[4096];
    struct buf b;
    put(first, "erased right before a crash");
    put(first + 1, "came again right after it");
    trace_log_close(the_log);
    open_log();
    put(first + 1, "and here");
    /* The question goes to the store between mails: until its answer the first one is there. */
    for (bool truncated; count_of(first, &truncated);)
        ;
    assert_false(is_on_disk(STR("erased right")));
    buf_wrap(&b, text, sizeof text);
    struct answer a = ask_text(first + 1, &b);
    buf_fini(&a.read.records);
    if (b.n)
        assert_str(buf_str(&b), "came again right after it and here");
    return b.n > 0;
}

static void what_the_store_lost_goes(void **state)
{
    char url[96], why[256];
    snprintf(url, sizeof url, "sqlite:%s/t.db", top);
    const struct store_config c = {.url = url};
    assert_ok(store_open(&c, &the_store, why, sizeof why));
    unsigned tries = 0;
    while (!one_goes_and_one_stays(1 + 2 * tries))
        assert_true(++tries < 100);
    trace_log_close(the_log);
    store_close(the_store);
    the_store = NULL;
    open_log();
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(in_order),
        T(across_restarts),
        T(it_has_a_bound),
        T(nobody_takes_it_all),
        T(erased_is_gone),
        T(torn_at_the_end),
        T(no_file_can_hurt),
        T(another_size_begins_anew),
        T(disk_that_takes_nothing),
        T(what_the_store_lost_goes),
    };
    if (crypto_start() != OK || !mkdtemp(top))
        return 1;
    snprintf(dir, sizeof dir, "%s/trace", top);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
