#include "check.h"
#include "base/arena.h"

enum { PIECES = 20000 };

static void each_piece_is_its_own_and_aligned(void **state)
{
    static unsigned char *piece[PIECES];
    struct arena *a = arena_new(100); /* most lie in further blocks */
    assert_non_null(a);
    for (size_t i = 0; i < PIECES; i++) {
        piece[i] = arena_take(a, i % 37);
        assert_non_null(piece[i]);
        assert_int_equal((uintptr_t)piece[i] % sizeof(uint64_t), 0);
        memset(piece[i], (int)(i % 251), i % 37);
    }
    for (size_t i = 0; i < PIECES; i++) {
        assert_true(arena_of(piece[i]) == a);
        for (size_t k = 0; k < i % 37; k++)
            assert_int_equal(piece[i][k], i % 251);
    }
    arena_free(a);
}

static void a_piece_may_be_larger_than_a_block(void **state)
{
    enum { LARGE = 1 << 20 };
    struct arena *a = arena_new(0);
    unsigned char *small = arena_take(a, 1), *large = arena_take(a, LARGE), *after;
    assert_non_null(large);
    memset(large, 7, LARGE);
    *small = 1;
    assert_non_null(after = arena_take(a, 8));
    memset(after, 9, 8);
    assert_int_equal(large[LARGE - 1], 7);
    assert_true(arena_of(small) == a && arena_of(large) == a && arena_of(after) == a);
    arena_free(a);
}

static void what_cannot_be_had_is_said(void **state)
{
    struct arena *a = arena_new(64);
    assert_null(arena_take(a, SIZE_MAX));
    assert_null(arena_take(a, SIZE_MAX - 7));
    assert_non_null(arena_take(a, 8)); /* it goes on */
    arena_free(a);
    arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_piece_is_its_own_and_aligned),
        cmocka_unit_test(a_piece_may_be_larger_than_a_block),
        cmocka_unit_test(what_cannot_be_had_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
