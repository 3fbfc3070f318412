/* One word for all deliveries of an event. */
#include "api/core/event_state.h"
#include "hub/admission.h"
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

static int64_t event_n;
static enum delivery_state states[3];
static unsigned n_states;

static enum err put_work(struct request *r, struct db *db)
{
    static char event[32];
    static unsigned n;
    bool is_new;
    struct event *made;
    snprintf(event, sizeof event, "evt_%u", n++);
    struct event proto = {
        .kind = EVENT_PING, .account = 1, .id = str_of(event), .payload = STR("{}")};
    assert_ok(event_new(&proto, &made));
    const struct event *e = made;
    enum err err = event_put(db, e, &event_n, &is_new);
    for (unsigned i = 0; err == OK && i < n_states; i++) {
        struct delivery d = {.event_n = event_n, .endpoint = i + 1, .lane = i + 1};
        int64_t ended;
        err = delivery_put(db, &d);
        if (err == OK && states[i] == DELIVERY_CANCELED)
            err = delivery_end_all(db, i + 1, DELIVERY_CANCELED, &ended);
    }
    event_drop(&e);
    return err;
}

static const char *found;

static enum err state_work(struct request *r, struct db *db)
{
    return event_state(db, event_n, &found);
}

static const char *state_of(void)
{
    struct request *r = api_kit_request("GET", "/", "", NULL);
    assert_ok(api_kit_write(r, put_work));
    assert_ok(api_kit_read(r, state_work));
    return found;
}

static void the_first_of_the_words_that_fits(void **state)
{
    n_states = 0;
    assert_string_equal(state_of(), "none");
    n_states = 1;
    states[0] = DELIVERY_PENDING;
    assert_string_equal(state_of(), "pending");
    states[0] = DELIVERY_CANCELED;
    assert_string_equal(state_of(), "canceled");
    n_states = 2;
    states[1] = DELIVERY_PENDING;
    assert_string_equal(state_of(), "pending");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_first_of_the_words_that_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
