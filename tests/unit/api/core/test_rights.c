/* Nobody gives more than he has: rights, scopes of keys, and how long they last. */
#include <string.h>

#include "check.h"
#include "api/core/rights.h"

static struct request *asker(unsigned rights, int64_t expires_at_ms)
{
    static struct request r;
    memset(&r, 0, sizeof r);
    rights_take(&r, rights);
    r.asker.expires_at_ms = expires_at_ms;
    r.account = 7;
    return &r;
}

/* Every set of scopes asks for a key of every set: only what is within is made. */
static void a_key_makes_keys_within_its_own_rights(void **state)
{
    for (unsigned own = 0; own < 16; own++)
        for (unsigned wanted = 0; wanted < 16; wanted++) {
            struct api_key has = {.read = own & 1,
                                  .write = own & 2,
                                  .ingest = own & 4,
                                  .operator_ = own & 8},
                           k = {.read = wanted & 1,
                                .write = wanted & 2,
                                .ingest = wanted & 4,
                                .operator_ = wanted & 8};
            struct request *r = asker(api_key_rights(&has), 0);
            bool within = (own & 8) || (!(wanted & 8) && !(wanted & ~own));
            assert_int_equal(rights_check_key(r, NULL, &k, false), within ? OK : ERR_INVALID);
            if (!within)
                assert_string_equal(r->fault.field, "scopes");
        }
}

static void a_role_is_a_set_of_rights(void **state)
{
    struct request *r = asker(RIGHT_WRITE, 0);
    for (unsigned role = 0; role < ROLE_COUNT; role++)
        assert_false(rights_cover(r, role_rights((enum role)role)));
    r = asker(RIGHT_READ | RIGHT_WRITE, 0);
    assert_true(rights_cover(r, role_rights(ROLE_SUPPORT)));
    assert_false(rights_cover(r, role_rights(ROLE_DEVELOPER)));
    r = asker(RIGHT_READ | RIGHT_WRITE | RIGHT_INGEST, 0);
    assert_true(rights_cover(r, role_rights(ROLE_DEVELOPER)));
    assert_false(rights_cover(r, role_rights(ROLE_OWNER)));
    r = asker(role_rights(ROLE_OWNER), 0);
    assert_true(rights_cover(r, role_rights(ROLE_OWNER)));
    assert_false(rights_cover(r, role_rights(ROLE_OPERATOR)));
    for (unsigned role = 1; role < ROLE_COUNT; role++) /* each has what the one before has */
        assert_int_equal(role_rights((enum role)(role - 1)) & ~role_rights((enum role)role), 0);
}

static void a_key_that_expires_makes_none_that_lasts_longer(void **state)
{
    static const struct {
        int64_t own, asked;
        bool says;
        enum err err;
        int64_t made;
    } cases[] = {
        {0, 0, false, OK, 0},
        {0, 500, true, OK, 500},
        {1000, 0, false, OK, 1000},
        {1000, 0, true, ERR_INVALID, 0},
        {1000, 999, true, OK, 999},
        {1000, 1000, true, OK, 1000},
        {1000, 1001, true, ERR_INVALID, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct request *r = asker(RIGHT_READ, cases[i].own);
        struct api_key k = {.read = true, .expires_at_ms = cases[i].asked};
        assert_int_equal(rights_check_key(r, NULL, &k, cases[i].says), cases[i].err);
        if (cases[i].err == OK)
            assert_int_equal(k.expires_at_ms, cases[i].made);
        else
            assert_string_equal(r->fault.field, "expires_at");
    }
}

/* A change that takes away is anybody's who has as much; one that gives is bounded as a new key is.
 */
static void a_changed_key_gains_no_more_than_a_new_one(void **state)
{
    struct api_key forever = {.read = true}, wider = {.read = true, .write = true},
                   short_ = {.read = true, .expires_at_ms = 500},
                   later = {.read = true, .expires_at_ms = 800},
                   last = {.read = true, .expires_at_ms = 2000};
    struct request *r = asker(RIGHT_READ | RIGHT_WRITE, 1000);
    assert_int_equal(rights_check_key(r, &forever, &forever, false), OK); /* another name */
    assert_int_equal(rights_check_key(r, &wider, &forever, false), OK);   /* fewer scopes */
    assert_int_equal(rights_check_key(r, &forever, &short_, true), OK);
    assert_int_equal(rights_check_key(r, &short_, &later, true), OK);
    assert_int_equal(rights_check_key(r, &short_, &last, true), ERR_INVALID);
    assert_int_equal(rights_check_key(r, &short_, &forever, true), ERR_INVALID);
    assert_int_equal(rights_check_key(r, &forever, &wider, false),
                     ERR_INVALID); /* without an end */
    assert_string_equal(r->fault.field, "expires_at");
}

static void a_key_remembers_who_made_it_and_with_whom_it_ends(void **state)
{
    char by[ID_SIZE];
    struct api_key plain = {.read = true}, mighty = {.operator_ = true};
    struct request *r = asker(RIGHTS_ALL, 0);
    strcpy(r->asker.id, "user_a");
    r->asker.user = r->asker.maker = 3;
    rights_put_maker(r, 7, by);
    assert_string_equal(by, "user_a");
    rights_put_maker(r, 8, by);
    assert_string_equal(by, "operator");
    assert_int_equal(rights_user_of_key(r, 7, &plain), 3);
    assert_int_equal(rights_user_of_key(r, 8, &plain), 0); /* made for a customer: it stays */
    assert_int_equal(rights_user_of_key(r, 8, &mighty), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_makes_keys_within_its_own_rights),
        cmocka_unit_test(a_role_is_a_set_of_rights),
        cmocka_unit_test(a_key_that_expires_makes_none_that_lasts_longer),
        cmocka_unit_test(a_changed_key_gains_no_more_than_a_new_one),
        cmocka_unit_test(a_key_remembers_who_made_it_and_with_whom_it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
