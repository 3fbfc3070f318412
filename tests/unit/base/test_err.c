/* Which errors are worth another try. */
#include "check.h"
#include "base/err.h"

static void the_input_and_we_are_at_fault_for_good(void **state)
{
    static const enum err final[] = {ERR_SYNTAX,    ERR_INVALID,     ERR_DENIED,
                                     ERR_EXISTS,    ERR_UNSUPPORTED, ERR_TOO_BIG,
                                     ERR_NOT_FOUND, ERR_BLOCKED,     ERR_BUG};
    for (size_t i = 0; i < sizeof final / sizeof *final; i++)
        assert_true(err_is_final(final[i]));
}

static void trouble_and_lack_of_room_pass(void **state)
{
    static const enum err passing[] = {ERR_AGAIN,        ERR_STORE,  ERR_STORE_FULL,
                                       ERR_FULL,         ERR_NOMEM,  ERR_IO,
                                       ERR_STORE_UNSURE, ERR_CLOSED, OK};
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        assert_false(err_is_final(passing[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_input_and_we_are_at_fault_for_good),
        cmocka_unit_test(trouble_and_lack_of_room_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
