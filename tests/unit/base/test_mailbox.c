#include <pthread.h>

#include "check.h"
#include "base/mailbox.h"

enum { SENDERS = 4, EACH = 20000 };

struct letter {
    struct mail mail;
    int from, number;
};
static int last[SENDERS], opened;

static void on_open(struct mail *m)
{
    struct letter *l = (struct letter *)m;
    assert_int_equal(l->number, last[l->from] + 1); /* in order from each sender */
    last[l->from] = l->number;
    opened++;
    free(l);
}

static struct mailbox *box;

static void *send_all(void *arg)
{
    for (int i = 1; i <= EACH; i++) {
        struct letter *l = calloc(1, sizeof *l);
        *l = (struct letter){{NULL, on_open}, (int)(intptr_t)arg, i};
        mailbox_put_answer(box, &l->mail);
    }
    return NULL;
}

static void many_senders_one_receiver(void **state)
{
    pthread_t thread[SENDERS];
    assert_ok(mailbox_new(&box, 10, NULL, NULL));
    for (intptr_t i = 0; i < SENDERS; i++)
        pthread_create(&thread[i], NULL, send_all, (void *)i);
    while (opened < SENDERS * EACH)
        mail_open_all(mailbox_wait(box));
    for (int i = 0; i < SENDERS; i++)
        pthread_join(thread[i], NULL);
    mailbox_free(box);
}

static void drop(struct mail *m)
{
}

static void the_limit_and_the_end(void **state)
{
    struct mail m[3] = {{NULL, drop}, {NULL, drop}, {NULL, drop}};
    bool closed;
    assert_ok(mailbox_new(&box, 2, NULL, NULL));
    assert_ok(mailbox_put(box, &m[0]));
    assert_ok(mailbox_put(box, &m[1]));
    assert_err(mailbox_put(box, &m[2]), ERR_FULL);
    assert_int_equal(mailbox_count(box), 2);
    assert_ptr_equal(mailbox_take(box), &m[0]);
    assert_null(mailbox_wait_for(box, 1, &closed));
    assert_false(closed);
    mailbox_close(box);
    assert_err(mailbox_put(box, &m[0]), ERR_CLOSED);
    assert_null(mailbox_wait(box));
    mailbox_free(box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_senders_one_receiver),
        cmocka_unit_test(the_limit_and_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
