/* Memory that goes with a request: zeroed, and never moved. */
#include "api/core/room.h"
#include "api_kit.h"

static int set_up(void **state)
{
    api_kit_begin();
    return 0;
}

static int tear_down(void **state)
{
    api_kit_end();
    return 0;
}

static void pieces_stay_until_the_request_is_over(void **state)
{
    struct request *r = api_kit_request("GET", "/", "", NULL);
    assert_null(r->arena); /* nothing is taken for those who need nothing */
    char *piece[100];
    for (size_t i = 0; i < 100; i++) {
        piece[i] = request_take(r, 1 + i * 100);
        assert_non_null(piece[i]);
        assert_int_equal((uintptr_t)piece[i] % 8, 0);
        for (size_t k = 0; k < 1 + i * 100; k++)
            assert_int_equal(piece[i][k], 0);
        memset(piece[i], (int)i + 1, 1 + i * 100);
    }
    for (size_t i = 0; i < 100; i++)
        for (size_t k = 0; k < 1 + i * 100; k++)
            assert_int_equal(piece[i][k], (char)(i + 1));
    void *room = request_room(r, 8);
    assert_ptr_equal(room, r->room);
    assert_null(request_take(r, SIZE_MAX));
    room_free(r);
    room_free(r);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(pieces_stay_until_the_request_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
