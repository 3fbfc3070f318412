/* Whose turn it is: dispatch.c alone, with lanes, attempts and the book of the test's own. */
#include "../check.h"
#include "deliver/courier.h"

enum { QUEUES = 64, SENT_MAX = 20000 };

static struct courier c;
static struct tenant tenant[8];
static struct queue queue[QUEUES];
static size_t n_queues, n_sent;
static struct {
    struct queue *queue;
    bool is_retry;
} sent[SENT_MAX];

/* ---- what dispatch.c asks for ---- */

const struct book *courier_book(struct courier *courier)
{
    return NULL;
}

const struct book_endpoint *book_endpoint(const struct book *b, uint64_t n)
{
    return NULL; /* deleted, or all defaults: eight lanes at once */
}

int64_t loop_now_ms(const struct loop *l)
{
    return 1000;
}

void queue_wake_at(struct queue *t, int64_t mono_ms)
{
}

void lane_leave(struct lane *l)
{
    struct lane_list *list = &l->queue->ready[l->head->attempts > 0];
    assert_ptr_equal(list->first, l);
    list->first = l->next;
    if (!list->first)
        list->last = &list->first;
    list->n--;
}

/* It lasts until end_one. */
void attempt_start(struct courier *courier, struct lane *l)
{
    assert_true(n_sent < SENT_MAX);
    sent[n_sent].queue = l->queue;
    sent[n_sent++].is_retry = l->head->attempts > 0;
    free(l->head);
    free(l);
}

/* ---- the test's own ---- */

static void end_one(struct queue *t, bool is_retry, bool answered)
{
    t->proven = answered;
    slot_free(&c, t, is_retry);
    queue_turn(t);
    dispatch(&c);
}

static int set_up(void **state)
{
    memset(&c, 0, sizeof c);
    memset(tenant, 0, sizeof tenant);
    memset(queue, 0, sizeof queue);
    n_queues = n_sent = 0;
    c.turn_tail = &c.turn;
    c.stalled_tail = &c.stalled;
    for (size_t i = 0; i < 8; i++)
        tenant[i].last = &tenant[i].first;
    return 0;
}

static struct queue *make_queue(size_t account)
{
    struct queue *t = &queue[n_queues++];
    assert_true(n_queues <= QUEUES);
    t->courier = &c;
    t->tenant = &tenant[account];
    for (int i = 0; i < 2; i++)
        t->ready[i].last = &t->ready[i].first;
    return t;
}

static void make_ready(struct queue *t, size_t n, bool is_retry)
{
    struct lane_list *list = &t->ready[is_retry];
    while (n--) {
        struct lane *l = calloc(1, sizeof *l);
        l->queue = t;
        l->head = calloc(1, sizeof *l->head);
        l->head->attempts = is_retry;
        *list->last = l;
        list->last = &l->next;
        list->n++;
    }
    queue_turn(t);
}

static size_t sent_of(const struct queue *t)
{
    size_t n = 0;
    for (size_t i = 0; i < n_sent; i++)
        n += sent[i].queue == t;
    return n;
}

static void drop_rest(void)
{
    for (size_t q = 0; q < n_queues; q++)
        for (int i = 0; i < 2; i++)
            while (queue[q].ready[i].first) {
                struct lane *l = queue[q].ready[i].first;
                lane_leave(l);
                free(l->head);
                free(l);
            }
}

/* Twenty endpoints of one account and one of another: each account has every second turn. */
static void accounts_take_turns_then_their_endpoints(void **state)
{
    for (int i = 0; i < 20; i++)
        make_ready(make_queue(0), 8, false);
    struct queue *alone = make_queue(1);
    make_ready(alone, 8, false);
    dispatch(&c);
    assert_int_equal(n_sent, 21 * 8);
    size_t of_alone = 0;
    for (size_t i = 0; i < 16; i++)
        of_alone += sent[i].queue == alone;
    assert_int_equal(of_alone, 8);  /* all of its lanes within the first sixteen */
    for (size_t i = 0; i < 20; i++) /* and the twenty had one each before any had a second */
        assert_int_equal(sent_of(&queue[i]), 8);
    for (size_t i = 0, others = 0; others < 20; i++)
        if (sent[i].queue != alone)
            assert_ptr_equal(sent[i].queue, &queue[others++]);
}

static void an_endpoint_is_held_to_its_lanes_at_once(void **state)
{
    struct queue *t = make_queue(0);
    make_ready(t, 20, false);
    dispatch(&c);
    assert_int_equal(n_sent, 8);
    end_one(t, false, true);
    assert_int_equal(n_sent, 9);
    drop_rest();
}

static void retries_leave_slots_to_first_attempts(void **state)
{
    struct queue *retries = make_queue(0), *fresh = make_queue(1);
    c.retries_in_flight = RETRIES_MAX;
    make_ready(retries, 3, true);
    make_ready(fresh, 3, true);
    make_ready(fresh, 2, false);
    dispatch(&c);
    assert_int_equal(n_sent, 2);
    assert_int_equal(sent_of(fresh), 2);
    c.in_flight++; /* as if one of those under way were ours */
    retries->in_flight++;
    end_one(retries, true, true); /* a slot is free: the first that stalled has it */
    assert_int_equal(n_sent, 3);
    assert_true(sent[2].is_retry);
    drop_rest();
}

static void first_attempts_and_retries_alternate(void **state)
{
    struct queue *t = make_queue(0);
    make_ready(t, 4, true);
    make_ready(t, 4, false);
    dispatch(&c);
    assert_int_equal(n_sent, 8);
    for (size_t i = 0; i < 8; i += 2)
        assert_true(sent[i].is_retry != sent[i + 1].is_retry);
}

/* When half of the slots are taken, who did not answer last holds one at a time. */
static void who_hangs_gets_one_slot_in_a_crowd(void **state)
{
    struct queue *hangs = make_queue(0), *answers = make_queue(1);
    c.in_flight = CROWDED;
    answers->proven = true;
    make_ready(hangs, 8, false);
    make_ready(answers, 8, false);
    dispatch(&c);
    assert_int_equal(sent_of(hangs), 1);
    assert_int_equal(sent_of(answers), 8);
    end_one(hangs, false, false); /* timed out: one again */
    assert_int_equal(sent_of(hangs), 2);
    end_one(hangs, false, true); /* it answers: all it may */
    assert_int_equal(sent_of(hangs), 8);
}

static void all_slots_taken_means_later(void **state)
{
    struct queue *t = make_queue(0);
    t->proven = true;
    c.in_flight = IN_FLIGHT_MAX;
    make_ready(t, 4, false);
    dispatch(&c);
    assert_int_equal(n_sent, 0);
    c.in_flight--;
    dispatch(&c);
    assert_int_equal(n_sent, 1);
    drop_rest();
}

static void an_endpoint_that_fails_is_probed(void **state)
{
    struct queue *t = make_queue(0);
    t->health.state = HEALTH_FAILING;
    t->health.probe_at_ms = 2000;
    make_ready(t, 4, false);
    dispatch(&c);
    assert_int_equal(n_sent, 0);
    t->health.probe_at_ms = 1000;
    queue_turn(t);
    dispatch(&c);
    assert_int_equal(n_sent, 1);
    drop_rest();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(accounts_take_turns_then_their_endpoints, set_up),
        cmocka_unit_test_setup(an_endpoint_is_held_to_its_lanes_at_once, set_up),
        cmocka_unit_test_setup(retries_leave_slots_to_first_attempts, set_up),
        cmocka_unit_test_setup(first_attempts_and_retries_alternate, set_up),
        cmocka_unit_test_setup(who_hangs_gets_one_slot_in_a_crowd, set_up),
        cmocka_unit_test_setup(all_slots_taken_means_later, set_up),
        cmocka_unit_test_setup(an_endpoint_that_fails_is_probed, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
