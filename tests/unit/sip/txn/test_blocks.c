/* Memory for messages that are kept. */
#include "check.h"
#include "sip/txn/blocks.h"

static struct blocks *bs;
static char bytes[BLOCK_MAX + 1];

static int set_up(void **state)
{
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)('a' + i % 26);
    return blocks_new(&bs) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
    blocks_free(bs);
    return 0;
}

static void what_is_set_is_kept(void **state)
{
    static const size_t size[] = {0,    1,    256,  257,  512,  513,
                                  1024, 2048, 2049, 8192, 8193, BLOCK_MAX};
    struct block b[sizeof size / sizeof *size] = {{0}};
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        assert_ok(block_set(bs, &b[i], str_of_bytes(bytes, size[i])));
        assert_int_equal(blocks_held(bs), i + 1);
    }
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        assert_int_equal(b[i].n, size[i]);
        assert_memory_equal(block_str(&b[i]).p, bytes, size[i]);
        block_give(bs, &b[i]);
        block_give(bs, &b[i]); /* once */
    }
    assert_int_equal(blocks_held(bs), 0);
}

static void what_is_given_is_used_again(void **state)
{
    struct block b = {0}, other = {0};
    assert_ok(block_set(bs, &b, str_of_bytes(bytes, 300)));
    const char *p = b.p;
    block_give(bs, &b);
    assert_null(b.p);
    assert_ok(block_set(bs, &other, str_of_bytes(bytes, 200))); /* of another size */
    assert_ptr_not_equal(other.p, p);
    assert_ok(block_set(bs, &b, str_of_bytes(bytes, 400)));
    assert_ptr_equal(b.p, p);
    assert_ok(block_set(bs, &b, str_of_bytes(bytes + 1, 500))); /* in its own place */
    assert_ptr_equal(b.p, p);
    assert_memory_equal(b.p, bytes + 1, 500);
    assert_int_equal(blocks_held(bs), 2);
    block_give(bs, &b);
    block_give(bs, &other);
}

static void what_is_too_long_leaves_it_empty(void **state)
{
    struct block b = {0};
    assert_ok(block_set(bs, &b, STR("before")));
    assert_err(block_set(bs, &b, str_of_bytes(bytes, BLOCK_MAX + 1)), ERR_TOO_BIG);
    assert_null(b.p);
    assert_int_equal(blocks_held(bs), 0);
}

/* 8 MiB of each size are kept at the most. */
static void a_peak_is_not_held_for_ever(void **state)
{
    enum { KEPT = (8 << 20) / BLOCK_MAX, N = KEPT + 2 };
    struct block b[N] = {{0}};
    const char *first, *last;
    for (size_t i = 0; i < N; i++)
        assert_ok(block_set(bs, &b[i], str_of_bytes(bytes, BLOCK_MAX)));
    first = b[0].p;
    last = b[KEPT - 1].p;
    for (size_t i = 0; i < N; i++)
        block_give(bs, &b[i]); /* the last two go back to the heap */
    assert_int_equal(blocks_held(bs), 0);
    assert_ok(block_set(bs, &b[0], str_of_bytes(bytes, BLOCK_MAX)));
    assert_ptr_equal(b[0].p, last);
    for (size_t i = 1; i < KEPT; i++)
        assert_ok(block_set(bs, &b[i], str_of_bytes(bytes, BLOCK_MAX)));
    assert_ptr_equal(b[KEPT - 1].p, first);
    for (size_t i = 0; i < KEPT; i++)
        block_give(bs, &b[i]);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_set_is_kept),
        TEST(what_is_given_is_used_again),
        TEST(what_is_too_long_leaves_it_empty),
        TEST(a_peak_is_not_held_for_ever),
    };
    blocks_free(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
