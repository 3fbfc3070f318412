/* What becomes of sets of parts: when they never get whole, when references begin anew, over the
 * limits, under a failing store, and when a number is erased. */
#include <sqlite3.h>

#include "faulty_engine.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "parts_kit.h"

enum { HALF_HOUR = 1800000 };
static const int64_t start = INT64_C(1731681120000);
static struct got got[64];

static int set_up(void **state)
{
    clock_fake(start);
    kit_begin(&engine_faulty);
    return 0;
}

static int tear_down(void **state)
{
    fault_disarm();
    kit_close();
    clock_real();
    return 0;
}

static void expect_one(const char *message, bool partial)
{
    assert_int_equal(kit_events(got, 64), 1);
    assert_string_equal(got[0].message, message);
    assert_int_equal(got[0].partial, partial);
    assert_int_equal(got[0].n_deliveries, 1);
}

/* ---- never whole ---- */

static void what_never_gets_whole_goes_out_when_its_time_is_over(void **state)
{
    kit_take(kit_part(4, 4, "d"));
    clock_advance(1000);
    kit_take(kit_part(4, 2, "b"));
    clock_advance(HALF_HOUR - 1001);
    kit_keep_house();
    assert_int_equal(kit_events(got, 64), 0);
    clock_advance(1);
    kit_keep_house();
    expect_one("bd", true);
    assert_string_equal(got[0].missing, "1,3");
    assert_int_equal(got[0].parts, 4);
    assert_string_equal(got[0].timestamp, "2024-11-15T14:32:01Z"); /* when the last of it came */
    assert_int_equal(got[0].at_ms, start + HALF_HOUR);             /* when that was told */
    assert_int_equal(kit.told, 1);
    struct rows r = kit_rows();
    assert_int_equal(r.waiting, 0);
    assert_int_equal(r.done, 1);
    assert_true(kit_take(kit_part(4, 4, "d")).duplicate);
    assert_false(kit_take(kit_part(4, 1, "a")).duplicate); /* too late: begins a set of its own */
    clock_advance(HALF_HOUR);
    kit_keep_house();
    assert_int_equal(kit_events(got, 64), 2);
    assert_string_equal(got[0].message, "a");
    assert_true(got[0].partial);
    assert_string_not_equal(got[0].id, got[1].id);
}

static void a_set_that_cannot_be_read_does_not_hold_the_others(void **state)
{
    sqlite3 *h = NULL;
    kit_take(kit_part(4, 4, "broken"));
    assert_int_equal(sqlite3_open(kit.url + strlen("sqlite:"), &h), SQLITE_OK);
    assert_int_equal(sqlite3_exec(h, "UPDATE sms_sets SET parts = 256", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(h);
    struct message_in in = kit_part(4, 2, "b");
    in.from = STR("+19175550199");
    kit_take(in);
    clock_advance(HALF_HOUR);
    kit_keep_house();
    expect_one("b", true);
    clock_advance(1000);
    kit_keep_house(); /* and it is not tried again */
    expect_one("b", true);
}

/* Somebody sets the wall clock while parts wait. */
static void a_step_of_the_wall_clock_moves_no_end(void **state)
{
    kit_take(kit_part(2, 1, "a"));
    clock_step(2 * HALF_HOUR);
    kit_keep_house();
    assert_int_equal(kit_events(got, 64), 0);
    kit_take(kit_part(2, 2, "b"));
    expect_one("ab", false);
    assert_true(kit_take(kit_part(2, 2, "b")).duplicate); /* what is done is known as long */
    clock_step(-4 * HALF_HOUR);
    assert_true(kit_take(kit_part(2, 1, "a")).duplicate);
    clock_advance(HALF_HOUR);
    kit_keep_house();
    struct rows r = kit_rows();
    assert_int_equal(r.waiting + r.done, 0);
}

static void what_went_out_is_forgotten_in_the_end(void **state)
{
    kit_take(kit_part(2, 1, "a"));
    kit_take(kit_part(2, 2, "b"));
    clock_advance(HALF_HOUR);
    assert_false(kit_take(kit_part(2, 1, "a")).duplicate); /* the row is there, its time is over */
    clock_advance(HALF_HOUR);
    kit_keep_house();
    clock_advance(HALF_HOUR);
    kit_keep_house();
    struct rows r = kit_rows();
    assert_int_equal(r.waiting + r.done, 0);
    assert_int_equal(kit_events(got, 64), 2);
}

static void on_one_of_many(void *arg, uint64_t token, enum err err, bool duplicate,
                           struct str message_id)
{
    assert_ok(err);
    assert_false(duplicate);
    ++*(unsigned *)arg;
}

/* Twenty accounts with a thousand each: as many as they may have. */
static void twenty_thousand_go_out_in_chunks(void **state)
{
    enum { MANY = 20000 };
    unsigned taken = 0;
    const struct book *book = book_take(kit.books);
    for (unsigned i = 0; i < MANY; i++) {
        struct message_in in = kit_part(2, 1, "a");
        in.part.reference = i;
        in.part.wide = true;
        in.account = kit.account + i % 20;
        assert_ok(messages_take(kit.messages, book, &in, kit.home, on_one_of_many, &taken, i));
    }
    book_drop(&book);
    while (taken < MANY)
        mail_open_all(mailbox_wait(kit.home));
    assert_int_equal(kit_rows().waiting, MANY);
    assert_int_equal(kit.told, 0);
    clock_advance(HALF_HOUR);
    kit_keep_house();
    struct rows r = kit_rows();
    assert_int_equal(r.waiting, 0);
    assert_int_equal(r.done, MANY);
    assert_int_equal(kit.told, MANY);
    clock_advance(HALF_HOUR);
    kit_keep_house();
    assert_int_equal(kit_rows().done, 0);
    assert_int_equal(kit.told, MANY);
}

/* ---- references ---- */

static void a_reference_used_again_while_parts_wait(void **state)
{
    struct sent old = kit_take(kit_part(3, 1, "old one "));
    kit_take(kit_part(3, 2, "old two "));
    struct sent new = kit_take(kit_part(3, 1, "new one "));
    assert_false(new.duplicate);
    assert_string_not_equal(old.message_id, new.message_id);
    expect_one("old one old two ", true);
    assert_string_equal(got[0].missing, "3");
    assert_string_equal(got[0].message_id, old.message_id);
    kit_take(kit_part(3, 3, "new three"));
    kit_take(kit_part(3, 2, "new two "));
    assert_int_equal(kit_events(got, 64), 2);
    assert_string_equal(got[0].message, "new one new two new three");
    assert_string_equal(got[0].message_id, new.message_id);
    assert_false(got[0].partial);
}

static void a_reference_used_again_after_the_message(void **state)
{
    kit_take(kit_part(2, 1, "a"));
    kit_take(kit_part(2, 2, "b"));
    kit_take(kit_part(2, 2, "d"));
    kit_take(kit_part(2, 1, "c"));
    assert_int_equal(kit_events(got, 64), 2);
    assert_string_equal(got[0].message, "cd");
    assert_string_equal(got[1].message, "ab");
    assert_string_not_equal(got[0].message_id, got[1].message_id);
}

static void two_messages_that_begin_alike_under_one_reference(void **state)
{
    kit_take(kit_part(3, 1, "Dear customer, "));
    kit_take(kit_part(3, 2, "thank you. "));
    kit_take(kit_part(3, 3, "Order 1"));
    assert_true(kit_take(kit_part(3, 1, "Dear customer, ")).duplicate); /* it cannot be told yet */
    assert_true(kit_take(kit_part(3, 2, "thank you. ")).duplicate);
    kit_restart();
    assert_false(kit_take(kit_part(3, 3, "Order 2")).duplicate);
    assert_int_equal(kit_events(got, 64), 2);
    assert_string_equal(got[0].message, "Dear customer, thank you. Order 2");
    assert_false(got[0].partial);
    assert_string_not_equal(got[0].message_id, got[1].message_id);
    struct rows r = kit_rows();
    assert_int_equal(r.parts + r.repeats, 0);
    assert_int_equal(r.held_sets, 0);
    assert_int_equal(r.held_bytes, 0);
}

static void they_begin_alike_while_the_first_still_waits(void **state)
{
    kit_take(kit_part(3, 1, "Dear customer, "));
    kit_take(kit_part(3, 2, "old "));
    kit_take(kit_part(3, 1, "Dear customer, "));
    kit_take(kit_part(3, 2, "new "));
    kit_take(kit_part(3, 3, "end"));
    assert_int_equal(kit_events(got, 64), 2);
    assert_string_equal(got[1].message, "Dear customer, old ");
    assert_true(got[1].partial);
    assert_string_equal(got[0].message, "Dear customer, new end");
    assert_false(got[0].partial);
}

static void a_message_that_comes_again_whole_begins_no_other(void **state)
{
    for (int i = 0; i < 3; i++) {
        kit_take(kit_part(2, 1, "same "));
        kit_take(kit_part(2, 2, "again"));
    }
    expect_one("same again", false);
    assert_int_equal(kit_rows().repeats, 0);
    kit_take(kit_part(2, 2, "repeated alone: it is of the old one"));
    kit_take(kit_part(2, 1, "other "));
    assert_int_equal(kit_events(got, 64), 2);
    assert_string_equal(got[0].message, "other repeated alone: it is of the old one");
}

static void a_late_repeat_is_not_the_end_of_another_message(void **state)
{
    kit_take(kit_part(2, 1, "a"));
    kit_take(kit_part(2, 2, "b"));
    assert_true(kit_take(kit_part(2, 2, "b")).duplicate); /* its answer was lost */
    kit_take(kit_part(2, 1, "c"));
    assert_int_equal(kit_events(got, 64), 1); /* "c" waits for its own second part */
    kit_take(kit_part(2, 2, "d"));
    assert_int_equal(kit_events(got, 64), 2);
    assert_string_equal(got[0].message, "cd");
}

static void a_repeat_that_begins_nothing_goes_with_its_set(void **state)
{
    kit_take(kit_part(2, 1, "a"));
    kit_take(kit_part(2, 2, "b"));
    assert_true(kit_take(kit_part(2, 1, "a")).duplicate);
    assert_int_equal(kit_rows().repeats, 1);
    clock_advance(HALF_HOUR);
    kit_keep_house();
    expect_one("ab", false);
    struct rows r = kit_rows();
    assert_int_equal(r.parts + r.repeats + r.done, 0);
}

static void the_same_bytes_in_another_alphabet_are_another_part(void **state)
{
    kit_take(kit_part(2, 1, "ab"));
    struct message_in in = kit_part(2, 1, "ab");
    in.part.coding.alphabet = SMS_UCS2;
    assert_false(kit_take(in).duplicate);
    expect_one("ab", true);
}

static void numbers_that_contradict_go_out_alone(void **state)
{
    kit_take(kit_part(3, 4, "fourth of three"));
    kit_take(kit_part(2, 0, "zeroth"));
    kit_take(kit_part(300, 7, "of too many"));
    kit_take(kit_part(0, 0, "whole"));
    assert_int_equal(kit_events(got, 64), 4);
    assert_string_equal(got[0].message, "whole");
    assert_false(got[0].partial);
    assert_int_equal(got[0].parts, 1);
    for (int i = 1; i < 4; i++) {
        assert_true(got[i].partial);
        assert_string_equal(got[i].missing, "");
    }
    assert_int_equal(got[3].parts, 3);
}

/* ---- limits ---- */

static struct sent take_ref(unsigned reference, unsigned number, const char *text)
{
    struct message_in in = kit_part(3, number, text);
    in.part.reference = reference;
    return kit_take(in);
}

static void over_its_sets_an_accounts_oldest_goes_out(void **state)
{
    kit.limits.max_sets = 2;
    kit_restart();
    take_ref(1, 1, "a");
    take_ref(2, 1, "b");
    take_ref(1, 2, "a");
    assert_int_equal(kit_events(got, 64), 0);
    take_ref(3, 1, "c");
    expect_one("aa", true);
    assert_int_equal(kit.told, 1);
    struct message_in in = kit_part(3, 1, "another's");
    in.account++;
    kit_take(in); /* limits are an account's own */
    assert_int_equal(kit_events(got, 64), 1);
    take_ref(1, 3, "late");
    assert_int_equal(kit_events(got, 64), 2);
    assert_string_equal(got[0].message, "b");
    assert_int_equal(kit_rows().waiting, 3);
}

static void over_its_bytes_too(void **state)
{
    static char big[1000];
    memset(big, 'x', sizeof big);
    kit.limits.max_bytes = 3 * 1064;
    kit_restart();
    struct message_in in = kit_part(9, 1, "");
    in.part.data = str_of_bytes(big, sizeof big);
    for (unsigned i = 0; i < 3; i++) {
        in.part.reference = i / 2;
        in.part.number = i % 2 + 1;
        kit_take(in);
    }
    assert_int_equal(kit_events(got, 64), 0);
    take_ref(9, 1, "");
    assert_int_equal(kit_events(got, 64), 1);
    assert_int_equal(strlen(got[0].message), 2000);
    assert_int_equal(kit_rows().held_bytes, 1064 + 64);
    kit.limits.max_bytes = 10; /* lowered: less than any part */
    kit_restart();
    take_ref(10, 2, "z");
    assert_int_equal(kit_events(got, 64), 4);
    assert_string_equal(got[0].message, "z");
    assert_int_equal(kit_rows().waiting, 0);
}

/* ---- faults ---- */

static void a_restart_in_the_middle_changes_nothing(void **state)
{
    struct sent first = kit_take(kit_part(3, 2, "two "));
    kit_restart();
    assert_true(kit_take(kit_part(3, 2, "two ")).duplicate);
    kit_take(kit_part(3, 1, "one "));
    kit_restart();
    struct sent last = kit_take(kit_part(3, 3, "three"));
    assert_string_equal(first.message_id, last.message_id);
    expect_one("one two three", false);
    kit_restart();
    assert_true(kit_take(kit_part(3, 1, "one ")).duplicate);
    expect_one("one two three", false);
}

static enum err nothing_run(struct store_job *job, struct db *db)
{
    return OK;
}

/* Repeats it as a carrier does until it is taken. A commit that succeeds makes the store writable
 * again, at once. */
static void insist(struct message_in in)
{
    struct sent s = kit_send(&in);
    if (s.err == OK)
        return;
    struct store_job job = {.run = nothing_run};
    assert_ok(store_write_now(kit.store, &job));
    kit_take(in);
}

static struct message_in again(unsigned reference, unsigned number, const char *text)
{
    struct message_in in = kit_part(2, number, text);
    in.part.wide = true;
    in.part.reference = reference;
    return in;
}

/* Every call of the writer's fails once, in every way: each message comes out once. */
static void nothing_is_lost_or_doubled_by_a_failing_store(void **state)
{
    unsigned ref = 0;
    for (int how = FAULT_NOT_DONE; how <= FAULT_UNSURE_NOT; how++)
        for (int call = FAULT_BEGIN; call < FAULT_CALLS; call++) {
            bool unsure = how == FAULT_UNSURE_DONE || how == FAULT_UNSURE_NOT;
            bool reached = !unsure || call == FAULT_COMMIT;
            for (unsigned n = 1; reached; n++, ref++) {
                kit.told = 0;
                fault_arm((enum fault_call)call, (enum fault_how)how, n, 1);
                insist(again(ref, 1, "old"));
                insist(again(ref, 2, "b"));
                insist(again(ref, 1, "a")); /* the message went out: another begins */
                insist(again(ref, 1, "c")); /* and goes as partial */
                insist(again(ref, 2, "d"));
                reached = fault_count() > 0;
                fault_disarm();
                assert_int_equal(kit.told, 3); /* each to deliver, once */
                kit_events(got, 3);
                assert_string_equal(got[0].message, "cd");
                assert_string_equal(got[1].message, "a");
                assert_true(got[1].partial);
                assert_string_equal(got[2].message, "oldb");
                assert_int_equal(kit_rows().waiting, 0);
            }
        }
    static struct got all[2000];
    assert_int_equal(kit_events(all, 2000), 3 * ref);
    assert_true(ref > 100);
}

static void a_chunk_whose_commit_is_unsure_is_told_once(void **state)
{
    for (int how = FAULT_UNSURE_DONE; how <= FAULT_UNSURE_NOT; how++) {
        kit.told = 0;
        for (unsigned i = 0; i < 30; i++)
            take_ref(1000 * (unsigned)how + i, 1, "x");
        clock_advance(HALF_HOUR);
        fault_arm(FAULT_COMMIT, (enum fault_how)how, 1, 1);
        kit_keep_house();
        assert_int_equal(fault_count(), 1);
        fault_disarm();
        assert_int_equal(kit.told, 30);
    }
    assert_int_equal(kit_events(got, 64), 60);
}

/* ---- erasing ---- */

static void an_erased_numbers_parts_are_gone(void **state)
{
    struct message_in other = kit_part(2, 1, "stays");
    other.to = STR("+447911123457");
    kit_take(other);
    for (unsigned i = 0; i < 250; i++) /* some waiting, some gone out: more than a chunk */
        take_ref(i, 1, "x");
    for (unsigned i = 0; i < 20; i++) {
        take_ref(i, 2, "x");
        take_ref(i, 3, "x");
    }
    assert_int_equal(kit_rows().done, 20);
    kit_erase("+447911123456");
    assert_int_equal(kit_events(got, 64), 0);
    struct rows r = kit_rows();
    assert_int_equal(r.waiting, 1);
    assert_int_equal(r.done, 0);
    assert_int_equal(r.parts, 1);
    assert_false(take_ref(0, 1, "x").duplicate); /* nothing is remembered of it */
    kit_take(other);
    other.part.number = 2;
    other.part.data = STR("!");
    kit_take(other);
    expect_one("stays!", false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_never_gets_whole_goes_out_when_its_time_is_over),
        TEST(a_set_that_cannot_be_read_does_not_hold_the_others),
        TEST(what_went_out_is_forgotten_in_the_end),
        TEST(a_step_of_the_wall_clock_moves_no_end),
        TEST(twenty_thousand_go_out_in_chunks),
        TEST(a_reference_used_again_while_parts_wait),
        TEST(a_reference_used_again_after_the_message),
        TEST(two_messages_that_begin_alike_under_one_reference),
        TEST(they_begin_alike_while_the_first_still_waits),
        TEST(a_message_that_comes_again_whole_begins_no_other),
        TEST(a_late_repeat_is_not_the_end_of_another_message),
        TEST(a_repeat_that_begins_nothing_goes_with_its_set),
        TEST(the_same_bytes_in_another_alphabet_are_another_part),
        TEST(numbers_that_contradict_go_out_alone),
        TEST(over_its_sets_an_accounts_oldest_goes_out),
        TEST(over_its_bytes_too),
        TEST(a_restart_in_the_middle_changes_nothing),
        TEST(nothing_is_lost_or_doubled_by_a_failing_store),
        TEST(a_chunk_whose_commit_is_unsure_is_told_once),
        TEST(an_erased_numbers_parts_are_gone),
    };
    assert_ok(crypto_start());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
