/* Whose turn it is: dispatch.c with queue.c and tenant.c, with lanes, attempts and the book of the
 * test's own. */
#include "check.h"
#include "deliver/attempt.h"
#include "deliver/dispatch.h"
#include "deliver/tenant.h"

enum { ACCOUNTS = 8, QUEUES = 1024, SENT_MAX = 20000 };

static struct courier c;
static struct tenant tenant[ACCOUNTS];
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

void loop_timer(struct loop *l, struct timer *t, int64_t in_ms, timer_fire *fire, void *arg)
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
void attempt_start(struct lane *l)
{
    assert_true(n_sent < SENT_MAX);
    sent[n_sent].queue = l->queue;
    sent[n_sent++].is_retry = l->head->attempts > 0;
    free(l->head);
    free(l);
}

unsigned shard_of(uint64_t endpoint)
{
    return 0;
}

/* ---- the test's own ---- */

static void end_one(struct queue *t, bool is_retry, bool answered)
{
    t->proven = answered;
    slot_free(t, is_retry);
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
    c.shard[0].state = SHARD_HERE;
    c.parked_tail = &c.parked;
    for (size_t i = 0; i < ACCOUNTS; i++) {
        tenant[i].last = &tenant[i].first;
        tenant[i].stalled_last = &tenant[i].stalled;
    }
    return 0;
}

static struct queue *make_queue(size_t account)
{
    struct queue *t = &queue[n_queues++];
    assert_true(n_queues <= QUEUES);
    t->courier = &c;
    t->shard = &c.shard[0];
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

/* So many of its exchanges are under way already. */
static void hold(struct queue *t, size_t n, bool is_retry)
{
    while (n--)
        slot_take(t, is_retry);
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

/* Three quarters of an account's share: the rest is for its first attempts, and what other accounts
 * retry is no matter. */
static void retries_leave_slots_to_first_attempts(void **state)
{
    struct queue *retries = make_queue(0), *fresh = make_queue(0), *other = make_queue(1);
    hold(make_queue(0), tenant_slots(&c, &tenant[0]) * 3 / 4, true);
    retries->proven = fresh->proven = true;
    make_ready(retries, 3, true);
    make_ready(fresh, 3, true);
    make_ready(fresh, 2, false);
    make_ready(other, 1, true);
    dispatch(&c);
    assert_int_equal(sent_of(retries), 0);
    assert_int_equal(sent_of(fresh), 2);
    assert_int_equal(sent_of(other), 1);
    make_ready(retries, 1, false); /* a first attempt does not wait behind its endpoint's retries */
    dispatch(&c);
    assert_int_equal(sent_of(retries), 1);
    end_one(&queue[3], true, true); /* a slot is free: the first that stalled has it */
    assert_int_equal(n_sent, 5);
    assert_true(sent[4].is_retry);
    assert_ptr_equal(sent[4].queue, retries);
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

/* When an account has half of its share under way, its endpoint that did not answer last holds one
 * slot at a time. */
static void what_hangs_gets_one_slot_in_a_crowd(void **state)
{
    struct queue *hangs = make_queue(0), *answers = make_queue(0);
    hold(make_queue(0), 1400, false);
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

/* A hundred endpoints that answered until now hang at once, with as many lanes as they want. */
static void an_account_that_hangs_leaves_slots_to_the_others(void **state)
{
    for (int i = 0; i < 400; i++) {
        struct queue *t = make_queue(0);
        t->proven = true;
        make_ready(t, 8, false);
    }
    dispatch(&c);
    size_t held = tenant[0].in_flight;
    assert_in_range(held, 2000, 2400);
    struct queue *good = make_queue(1);
    good->proven = true;
    make_ready(good, 8, false);
    dispatch(&c);
    assert_int_equal(sent_of(good), 8);     /* at once */
    for (size_t a = 2; a < ACCOUNTS; a++) { /* as greedy, one after another */
        for (int i = 0; i < 90; i++)
            make_ready(make_queue(a), 8, false);
        dispatch(&c);
        assert_true(tenant[a].in_flight >= OWN_FIRST);
    }
    make_ready(good, 100, false);
    for (int i = 0; i < 100; i++) {
        assert_true(sent_of(good) >= 8 + (size_t)i);
        end_one(good, false, true);
    }
    assert_int_equal(sent_of(good), 108); /* it waited for nobody */
    drop_rest();
}

static void the_accounts_others_find_slots_too(void **state)
{
    for (int i = 0; i < 400; i++) {
        struct queue *t = make_queue(0);
        t->proven = true;
        make_ready(t, 8, false);
    }
    dispatch(&c);
    struct queue *good = make_queue(0);
    good->proven = true;
    make_ready(good, 1, false);
    size_t before = tenant[0].in_flight;
    end_one(&queue[0], false, true); /* one of two thousand ends */
    assert_int_equal(sent_of(good), 1);
    assert_true(tenant[0].in_flight <= before);
    drop_rest();
}

/* It had its share of little; then there is much. */
static void what_is_parked_goes_on_when_others_are_done(void **state)
{
    struct queue *other = make_queue(1);
    hold(other, 3580, false);
    for (int i = 0; i < 20; i++)
        make_ready(make_queue(0), 1, false);
    dispatch(&c);
    assert_int_equal(tenant[0].in_flight, OWN_FIRST);
    assert_true(tenant[0].parked);
    for (int i = 0; i < 40; i++)
        end_one(other, false, true);
    assert_int_equal(tenant[0].in_flight, 20);
    assert_false(tenant[0].parked);
}

static void all_slots_taken_means_later(void **state)
{
    struct queue *t = make_queue(0), *other = make_queue(1);
    t->proven = true;
    hold(other, IN_FLIGHT_MAX, false);
    make_ready(t, 4, false);
    dispatch(&c);
    assert_int_equal(n_sent, 0);
    end_one(other, false, true);
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

static void a_shard_that_is_being_left_sends_nothing(void **state)
{
    struct queue *t = make_queue(0);
    t->proven = true;
    make_ready(t, 4, false);
    c.shard[0].state = SHARD_LEAVING;
    dispatch(&c);
    assert_int_equal(n_sent, 0);
    c.shard[0].state = SHARD_HERE;
    queue_turn(t);
    dispatch(&c);
    assert_int_equal(n_sent, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(accounts_take_turns_then_their_endpoints, set_up),
        cmocka_unit_test_setup(an_endpoint_is_held_to_its_lanes_at_once, set_up),
        cmocka_unit_test_setup(retries_leave_slots_to_first_attempts, set_up),
        cmocka_unit_test_setup(first_attempts_and_retries_alternate, set_up),
        cmocka_unit_test_setup(what_hangs_gets_one_slot_in_a_crowd, set_up),
        cmocka_unit_test_setup(an_account_that_hangs_leaves_slots_to_the_others, set_up),
        cmocka_unit_test_setup(the_accounts_others_find_slots_too, set_up),
        cmocka_unit_test_setup(what_is_parked_goes_on_when_others_are_done, set_up),
        cmocka_unit_test_setup(all_slots_taken_means_later, set_up),
        cmocka_unit_test_setup(an_endpoint_that_fails_is_probed, set_up),
        cmocka_unit_test_setup(a_shard_that_is_being_left_sends_nothing, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
