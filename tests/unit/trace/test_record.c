/* Records: a torn or changed one is told from a whole one, and a walk stops there. */
#include "check.h"
#include "base/id.h"
#include "trace/record.h"

enum { SEGMENT = 7, ROOM = 16384 };

static _Alignas(8) char bytes[ROOM];
static size_t used;

static int clear(void **state)
{
    memset(bytes, 0, sizeof bytes);
    used = 0;
    return 0;
}

static struct trace_record *add(uint64_t call, const char *text)
{
    struct trace_record *r = (void *)(bytes + used);
    uint32_t n = (uint32_t)strlen(text);
    *r = (struct trace_record){.magic = TRACE_MAGIC,
                               .size = trace_record_size(n),
                               .segment = SEGMENT,
                               .call = {{call, 1}},
                               .n = n,
                               .whole = n,
                               .leg = 'a'};
    if (!call)
        r->call = (struct trace_id){0};
    memcpy(r + 1, text, n);
    r->sum = trace_record_sum(r);
    used += r->size;
    return r;
}

static void a_record_is_sound_until_a_byte_changes(void **state)
{
    struct trace_record *r = add(1, "INVITE sip:a@b SIP/2.0");
    assert_int_equal(r->size % 8, 0);
    assert_str(trace_record_bytes(r), "INVITE sip:a@b SIP/2.0");
    assert_true(trace_record_is_sound(r, used, SEGMENT));
    assert_false(trace_record_is_sound(r, used, SEGMENT + 1));
    assert_false(trace_record_is_sound(r, used - 1, SEGMENT)); /* torn */
    assert_false(trace_record_is_sound(r, 8, SEGMENT));
    for (size_t i = offsetof(struct trace_record, sum); i < used; i++) {
        bytes[i] ^= 1;
        if (trace_record_is_sound(r, used, SEGMENT))
            fail_msg("byte %zu does not count", i);
        bytes[i] ^= 1;
    }
}

/* A size that does not fit its text must not lead the walk anywhere. */
static void lengths_that_lie_are_not_sound(void **state)
{
    struct trace_record *r = add(1, "x");
    r->n = TRACE_MESSAGE_MAX + 1;
    r->size = trace_record_size(r->n);
    assert_false(trace_record_is_sound(r, ROOM, SEGMENT));
    r->n = 1;
    r->size = UINT32_MAX;
    assert_false(trace_record_is_sound(r, ROOM, SEGMENT));
    r->size = 0;
    assert_false(trace_record_is_sound(r, ROOM, SEGMENT));
}

struct walk {
    size_t n, at[8];
};

static void note(void *arg, size_t at, const struct trace_record *r)
{
    struct walk *w = arg;
    if (w->n < 8)
        w->at[w->n] = at;
    w->n++;
}

static void a_walk_passes_the_erased_and_stops_at_the_torn(void **state)
{
    struct walk w = {0};
    add(1, "first");
    add(0, "erased");
    struct trace_record *third = add(2, "third");
    size_t at_third = (size_t)((char *)third - bytes);
    assert_int_equal(trace_walk(bytes, used, SEGMENT, note, &w), used);
    assert_int_equal(w.n, 2);
    assert_int_equal(w.at[0], 0);
    assert_int_equal(w.at[1], at_third);
    third->sum ^= 1;
    w.n = 0;
    assert_int_equal(trace_walk(bytes, used, SEGMENT, note, &w), at_third);
    assert_int_equal(w.n, 1);
    assert_int_equal(trace_walk(bytes, 0, SEGMENT, note, &w), 0);
}

static void ids_of_calls_are_128_bits(void **state)
{
    struct trace_id id;
    char text[ID_SIZE];
    id_new("call", text);
    assert_true(trace_id_parse(str_of(text), &id));
    assert_true(trace_id_is_set(&id));
    assert_false(trace_id_parse(STR("call_x"), &id));
    assert_false(trace_id_is_set(&id));
    id_new("evt", text);
    assert_false(trace_id_parse(str_of(text), &id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_record_is_sound_until_a_byte_changes, clear),
        cmocka_unit_test_setup(lengths_that_lie_are_not_sound, clear),
        cmocka_unit_test_setup(a_walk_passes_the_erased_and_stops_at_the_torn, clear),
        cmocka_unit_test(ids_of_calls_are_128_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
