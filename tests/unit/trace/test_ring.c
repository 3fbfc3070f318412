/* The ring of segments: positions, what goes with the oldest segment, and what a restart finds. */
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "trace/ring.h"

enum { BYTES = 1 << 20, SEGMENT_BYTES = BYTES / TRACE_SEGMENTS };

static char dir[] = "/tmp/hookswitch-ring-XXXXXX", where[64];
static struct trace_ring *ring;

static void open_ring(void)
{
    char why[256];
    assert_ok(trace_ring_open(where, BYTES, &ring, why, sizeof why));
}

static int begin(void **state)
{
    if (!mkdtemp(dir))
        return -1;
    snprintf(where, sizeof where, "%s/trace", dir);
    open_ring();
    return 0;
}

static int end(void **state)
{
    trace_ring_close(ring);
    trace_ring_remove(where);
    rmdir(dir);
    memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
    return 0;
}

/* A record of that call in the present segment; its position. */
static uint64_t write_record(uint64_t call, uint32_t n)
{
    static _Alignas(8) char bytes[TRACE_RECORD_MAX];
    struct trace_record *r = (void *)bytes;
    uint64_t at = trace_ring_at(ring);
    memset(bytes, 'x', sizeof bytes);
    *r = (struct trace_record){.magic = TRACE_MAGIC,
                               .size = trace_record_size(n),
                               .segment = trace_ring_number(ring),
                               .call = {{call, 1}},
                               .n = n};
    r->sum = trace_record_sum(r);
    assert_ok(trace_ring_write(ring, str_of_bytes(bytes, r->size)));
    return at;
}

static uint64_t next_segment(void)
{
    uint64_t oldest;
    assert_ok(trace_ring_next(ring, &oldest));
    return oldest;
}

static void a_new_ring_has_no_segment(void **state)
{
    struct stat st;
    assert_int_equal(trace_ring_segment(ring, 0), 0);
    assert_int_equal(stat(where, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void what_was_written_is_read_at_its_position(void **state)
{
    struct buf out;
    struct trace_record head;
    buf_init(&out, 1 << 16);
    next_segment();
    uint64_t first = write_record(1, 100), second = write_record(2, 7);
    assert_int_equal(second - first, trace_record_size(100));
    assert_ok(trace_ring_head(ring, second, &head));
    assert_int_equal(head.call.half[0], 2);
    assert_ok(trace_ring_read(ring, first, &out));
    assert_int_equal(out.n, trace_record_size(100));
    assert_err(trace_ring_read(ring, second + 8, &out), ERR_NOT_FOUND);
    buf_fini(&out);
}

static void the_oldest_segment_goes_when_all_are_full(void **state)
{
    struct buf out;
    uint64_t first[TRACE_SEGMENTS + 1];
    buf_init(&out, 1 << 16);
    for (int i = 0; i <= TRACE_SEGMENTS; i++) {
        uint64_t oldest = next_segment();
        first[i] = write_record(1, 10);
        if (i < TRACE_SEGMENTS)
            assert_true(oldest <= first[0]);
        else
            assert_true(oldest > first[0] && oldest <= first[1]);
        while (trace_ring_left(ring) >= trace_record_size(1000))
            write_record(2, 1000);
    }
    assert_err(trace_ring_read(ring, first[0], &out), ERR_NOT_FOUND);
    assert_ok(trace_ring_read(ring, first[1], &out));
    buf_fini(&out);
}

struct found {
    size_t n;
    uint64_t last;
};

static void on_found(void *arg, uint64_t position, const struct trace_record *rec)
{
    struct found *f = arg;
    f->n++;
    f->last = position;
}

static void a_restart_goes_on_behind_the_last_record(void **state)
{
    struct found f = {0};
    next_segment();
    write_record(1, 10);
    uint64_t last = write_record(1, 20), end_at = trace_ring_at(ring);
    trace_ring_close(ring);
    open_ring();
    uint64_t newest = trace_ring_segment(ring, 0);
    assert_true(newest > 0);
    assert_int_equal(trace_ring_segment(ring, 1), 0);
    assert_ok(trace_ring_scan(ring, newest, on_found, &f));
    assert_int_equal(f.n, 2);
    assert_true(f.last == last);
    assert_true(trace_ring_at(ring) == end_at);
}

static void a_blanked_record_says_nothing_and_its_neighbours_stay(void **state)
{
    struct buf out;
    struct found f = {0};
    buf_init(&out, 1 << 16);
    next_segment();
    write_record(1, 50);
    uint64_t secret = write_record(2, 50);
    write_record(3, 50);
    assert_ok(trace_ring_blank(ring, secret));
    uint64_t segment = trace_ring_number(ring);
    trace_ring_close(ring);
    open_ring();
    assert_ok(trace_ring_scan(ring, segment, on_found, &f));
    assert_int_equal(f.n, 2);
    buf_fini(&out);
}

static void a_link_is_kept(void **state)
{
    struct trace_record head;
    next_segment();
    uint64_t first = write_record(1, 5), second = write_record(1, 5);
    assert_ok(trace_ring_link(ring, second, first));
    assert_ok(trace_ring_head(ring, second, &head));
    assert_true(head.before == first);
    struct buf out;
    buf_init(&out, 1 << 16);
    assert_ok(trace_ring_read(ring, second, &out)); /* its sum is right again */
    buf_fini(&out);
}

static void a_second_process_is_kept_out(void **state)
{
    struct trace_ring *second;
    char why[256];
    assert_err(trace_ring_open(where, BYTES, &second, why, sizeof why), ERR_EXISTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_ring_has_no_segment, begin, end),
        cmocka_unit_test_setup_teardown(what_was_written_is_read_at_its_position, begin, end),
        cmocka_unit_test_setup_teardown(the_oldest_segment_goes_when_all_are_full, begin, end),
        cmocka_unit_test_setup_teardown(a_restart_goes_on_behind_the_last_record, begin, end),
        cmocka_unit_test_setup_teardown(a_blanked_record_says_nothing_and_its_neighbours_stay,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_link_is_kept, begin, end),
        cmocka_unit_test_setup_teardown(a_second_process_is_kept_out, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
