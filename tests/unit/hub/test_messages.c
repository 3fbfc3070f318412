/* The door for text messages: whole ones, and parts in every order, twice, never, with references
 * that begin anew, over limits and restarts. */
#include "../store/faulty_engine.h"
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

/* Sends it; it must be taken. */
static struct sent take(struct message_in in)
{
    struct sent s = kit_send(&in);
    assert_ok(s.err);
    assert_true(s.message_id[0]);
    return s;
}

static void expect_one(const char *message, bool partial)
{
    assert_int_equal(kit_events(got, 64), 1);
    assert_string_equal(got[0].message, message);
    assert_int_equal(got[0].partial, partial);
    assert_int_equal(got[0].n_deliveries, 1);
}

/* ---- whole ---- */

static void a_whole_message_is_an_event_at_once(void **state)
{
    struct sent s = take(kit_text("Hello, is this line active?"));
    assert_false(s.duplicate);
    expect_one("Hello, is this line active?", false);
    assert_string_equal(got[0].message_id, s.message_id);
    assert_string_equal(got[0].encoding, "gsm7");
    assert_int_equal(got[0].parts, 1);
    assert_int_equal(got[0].at_ms, start);
    assert_int_equal(got[0].data_coding, -1);
    assert_int_equal(kit.told, 1);
}

static void without_an_id_each_is_its_own(void **state)
{
    struct sent a = take(kit_text("same")), b = take(kit_text("same"));
    assert_string_not_equal(a.message_id, b.message_id);
    assert_int_equal(kit_events(got, 64), 2);
}

static void the_carriers_id_makes_a_repeat_the_same(void **state)
{
    struct message_in in = kit_text("once");
    in.message_id = STR("carrier-1");
    assert_string_equal(take(in).message_id, "carrier-1");
    assert_true(take(in).duplicate);
    in.link = STR("lnk_2"); /* another carrier's ids are his own */
    assert_false(take(in).duplicate);
    assert_int_equal(kit_events(got, 64), 2);
    assert_int_equal(kit.told, 2);
}

static void what_is_no_text_comes_with_its_bytes(void **state)
{
    struct message_in in = kit_text("");
    in.part.data = (struct str){"\xd8\x3d\x00\x41", 4};
    in.part.coding.alphabet = SMS_UCS2;
    in.part.data_coding = 8;
    take(in);
    expect_one("\xef\xbf\xbd"
               "A",
               false);
    assert_string_equal(got[0].raw, "d83d0041");
    assert_int_equal(got[0].data_coding, 8);
    assert_string_equal(got[0].encoding, "ucs2");
}

static void bytes_of_a_message_are_bounded(void **state)
{
    static char big[5000];
    struct message_in in = kit_text("");
    memset(big, 0x80, sizeof big);
    in.part.data = str_of_bytes(big, sizeof big);
    in.part.coding.alphabet = SMS_BINARY;
    in.part.data_coding = 4;
    take(in);
    assert_int_equal(kit_events(got, 64), 1);
    assert_int_equal(strlen(got[0].message), 2 * sizeof big); /* read as Latin-1 */
    assert_int_equal(strlen(got[0].raw), 2 * 4096);
    assert_true(got[0].raw_truncated);
    assert_int_equal(got[0].data_coding, 4);
}

static void what_is_too_long_or_no_text_is_refused(void **state)
{
    static char big[70000];
    struct message_in in = kit_text("x");
    in.part.data = str_of_bytes(big, sizeof big);
    assert_err(kit_send(&in).err, ERR_INVALID);
    in = kit_text("x");
    in.from = str_of_bytes(big, 300);
    assert_err(kit_send(&in).err, ERR_INVALID);
    in = kit_part(2, 1, "x");
    in.from = (struct str){"a\0b", 3};
    assert_err(kit_send(&in).err, ERR_INVALID);
    assert_int_equal(kit_events(got, 64), 0);
}

/* ---- joined ---- */

static const char *const piece[] = {"one ", "two ", "three ", "four"};

static void four_parts_in_every_order(void **state)
{
    unsigned made = 0;
    for (unsigned a = 0; a < 256; a++) {
        unsigned order[4] = {a & 3, a >> 2 & 3, a >> 4 & 3, a >> 6}, seen = 0;
        for (int i = 0; i < 4; i++)
            seen |= 1u << order[i];
        if (seen != 15)
            continue;
        char id[300] = "";
        for (int i = 0; i < 4; i++) {
            struct message_in in = kit_part(4, order[i] + 1, piece[order[i]]);
            in.part.reference = a;
            struct sent s = take(in);
            assert_false(s.duplicate);
            assert_true(i == 0 || !strcmp(id, s.message_id)); /* told from the first part on */
            memcpy(id, s.message_id, sizeof id);
            assert_int_equal(kit.told, made + (i == 3));
        }
        made++;
        assert_int_equal(kit_events(got, 64), made);
        assert_string_equal(got[0].message, "one two three four");
        assert_string_equal(got[0].message_id, id);
        assert_int_equal(got[0].parts, 4);
        assert_false(got[0].partial);
    }
    assert_int_equal(made, 24);
    struct rows r = kit_rows();
    assert_int_equal(r.waiting, 0);
    assert_int_equal(r.done, 24);
    assert_int_equal(r.parts, 0);
}

static void a_part_again_is_absorbed(void **state)
{
    struct sent first = take(kit_part(2, 1, "a"));
    struct sent again = take(kit_part(2, 1, "a"));
    assert_true(again.duplicate);
    assert_string_equal(first.message_id, again.message_id);
    take(kit_part(2, 2, "b"));
    expect_one("ab", false);
    for (unsigned number = 1; number <= 2; number++) { /* when it went out long since, too */
        again = take(kit_part(2, number, number == 1 ? "a" : "b"));
        assert_true(again.duplicate);
        assert_string_equal(first.message_id, again.message_id);
    }
    expect_one("ab", false);
    assert_int_equal(kit.told, 1);
}

static void what_makes_a_set(void **state)
{
    struct message_in in = kit_part(2, 1, "a"), other = kit_part(2, 2, "b");
    take(in);
    other.part.wide = true;
    take(other);
    other = kit_part(2, 2, "b");
    other.part.reference = 8;
    take(other);
    other = kit_part(2, 2, "b");
    other.link = STR("lnk_2");
    take(other);
    other = kit_part(2, 2, "b");
    other.from = STR("+19175550101");
    take(other);
    other = kit_part(2, 2, "b");
    other.to = STR("+447911123457");
    take(other);
    other = kit_part(2, 2, "b");
    other.account++;
    take(other);
    take(kit_part(3, 2, "b")); /* another total: a contradiction that time resolves */
    assert_int_equal(kit_events(got, 64), 0);
    assert_int_equal(kit_rows().waiting, 8);
    take(kit_part(2, 2, "b"));
    expect_one("ab", false);
}

static void a_character_may_lie_across_a_border(void **state)
{
    struct message_in in = kit_part(2, 2, "");
    in.part.coding.alphabet = SMS_UCS2;
    in.part.data = (struct str){"\xde\x00", 2};
    take(in);
    in.part.number = 1;
    in.part.data = (struct str){"\xd8\x3d", 2};
    take(in);
    expect_one("\xf0\x9f\x98\x80", false);
    assert_string_equal(got[0].raw, "");
}

static void alphabets_may_differ_and_nul_is_a_byte(void **state)
{
    struct message_in in = kit_part(3, 3, "");
    in.part.coding.alphabet = SMS_UCS2;
    in.part.data_coding = 8;
    in.part.data = (struct str){"\0A\0\0\x04\x16", 6};
    take(in);
    in = kit_part(3, 1, "");
    in.part.data = (struct str){"\0\x02", 2}; /* @ and $ in GSM 7 bit */
    take(in);
    take(kit_part(3, 2, ""));
    expect_one("@$A\xef\xbf\xbd\xd0\x96", false);
    assert_string_equal(got[0].encoding, "mixed");
    assert_string_equal(got[0].raw, "0002,,004100000416");
    assert_int_equal(got[0].data_coding, 0);
}

static void two_hundred_and_fifty_five_parts(void **state)
{
    for (unsigned i = 255; i >= 1; i--)
        take(kit_part(255, i, i % 2 ? "x" : "y"));
    assert_int_equal(kit_events(got, 64), 1);
    assert_int_equal(strlen(got[0].message), 255);
    assert_string_equal(got[0].message + 251, "xyxyx" + 1);
    kit_rows();
}

/* ---- never whole ---- */

static void what_never_gets_whole_goes_out_when_its_time_is_over(void **state)
{
    take(kit_part(4, 4, "d"));
    clock_advance(1000);
    take(kit_part(4, 2, "b"));
    clock_advance(HALF_HOUR - 1001);
    kit_keep_house();
    assert_int_equal(kit_events(got, 64), 0);
    clock_advance(1);
    kit_keep_house();
    expect_one("bd", true);
    assert_string_equal(got[0].missing, "1,3");
    assert_int_equal(got[0].parts, 4);
    assert_int_equal(got[0].at_ms, start + 1000); /* when the last of it came */
    assert_int_equal(kit.told, 1);
    struct rows r = kit_rows();
    assert_int_equal(r.waiting, 0);
    assert_int_equal(r.done, 1);
    assert_true(take(kit_part(4, 4, "d")).duplicate);
    assert_false(take(kit_part(4, 1, "a")).duplicate); /* too late: begins a set of its own */
    clock_advance(HALF_HOUR);
    kit_keep_house();
    assert_int_equal(kit_events(got, 64), 2);
    assert_string_equal(got[0].message, "a");
    assert_true(got[0].partial);
    assert_string_not_equal(got[0].id, got[1].id);
}

static void what_went_out_is_forgotten_in_the_end(void **state)
{
    take(kit_part(2, 1, "a"));
    take(kit_part(2, 2, "b"));
    clock_advance(HALF_HOUR);
    assert_false(take(kit_part(2, 1, "a")).duplicate); /* the row is there, its time is over */
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
    struct sent old = take(kit_part(3, 1, "old one "));
    take(kit_part(3, 2, "old two "));
    struct sent new = take(kit_part(3, 1, "new one "));
    assert_false(new.duplicate);
    assert_string_not_equal(old.message_id, new.message_id);
    expect_one("old one old two ", true);
    assert_string_equal(got[0].missing, "3");
    assert_string_equal(got[0].message_id, old.message_id);
    take(kit_part(3, 3, "new three"));
    take(kit_part(3, 2, "new two "));
    assert_int_equal(kit_events(got, 64), 2);
    assert_string_equal(got[0].message, "new one new two new three");
    assert_string_equal(got[0].message_id, new.message_id);
    assert_false(got[0].partial);
}

static void a_reference_used_again_after_the_message(void **state)
{
    take(kit_part(2, 1, "a"));
    take(kit_part(2, 2, "b"));
    take(kit_part(2, 2, "d"));
    take(kit_part(2, 1, "c"));
    assert_int_equal(kit_events(got, 64), 2);
    assert_string_equal(got[0].message, "cd");
    assert_string_equal(got[1].message, "ab");
    assert_string_not_equal(got[0].message_id, got[1].message_id);
}

static void the_same_bytes_in_another_alphabet_are_another_part(void **state)
{
    take(kit_part(2, 1, "ab"));
    struct message_in in = kit_part(2, 1, "ab");
    in.part.coding.alphabet = SMS_UCS2;
    assert_false(take(in).duplicate);
    expect_one("ab", true);
}

static void numbers_that_contradict_go_out_alone(void **state)
{
    take(kit_part(3, 4, "fourth of three"));
    take(kit_part(2, 0, "zeroth"));
    take(kit_part(300, 7, "of too many"));
    take(kit_part(0, 0, "whole"));
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
    return take(in);
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
    take(in); /* limits are an account's own */
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
        take(in);
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
    struct sent first = take(kit_part(3, 2, "two "));
    kit_restart();
    assert_true(take(kit_part(3, 2, "two ")).duplicate);
    take(kit_part(3, 1, "one "));
    kit_restart();
    struct sent last = take(kit_part(3, 3, "three"));
    assert_string_equal(first.message_id, last.message_id);
    expect_one("one two three", false);
    kit_restart();
    assert_true(take(kit_part(3, 1, "one ")).duplicate);
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
    take(in);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_whole_message_is_an_event_at_once),
        TEST(without_an_id_each_is_its_own),
        TEST(the_carriers_id_makes_a_repeat_the_same),
        TEST(what_is_no_text_comes_with_its_bytes),
        TEST(bytes_of_a_message_are_bounded),
        TEST(what_is_too_long_or_no_text_is_refused),
        TEST(four_parts_in_every_order),
        TEST(a_part_again_is_absorbed),
        TEST(what_makes_a_set),
        TEST(a_character_may_lie_across_a_border),
        TEST(alphabets_may_differ_and_nul_is_a_byte),
        TEST(two_hundred_and_fifty_five_parts),
        TEST(what_never_gets_whole_goes_out_when_its_time_is_over),
        TEST(what_went_out_is_forgotten_in_the_end),
        TEST(twenty_thousand_go_out_in_chunks),
        TEST(a_reference_used_again_while_parts_wait),
        TEST(a_reference_used_again_after_the_message),
        TEST(the_same_bytes_in_another_alphabet_are_another_part),
        TEST(numbers_that_contradict_go_out_alone),
        TEST(over_its_sets_an_accounts_oldest_goes_out),
        TEST(over_its_bytes_too),
        TEST(a_restart_in_the_middle_changes_nothing),
        TEST(nothing_is_lost_or_doubled_by_a_failing_store),
        TEST(a_chunk_whose_commit_is_unsure_is_told_once),
    };
    assert_ok(crypto_start());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
