/* housekeeper: the thread that lets each chore work when it is due, and opens the store's answers
 * to them. Started and stopped by main; woken by the API. */
#include "hub/chores/housekeeper.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "hub/chores/kinds.h"

enum { CHORES = 6, WAIT_MAX_MS = 60000 };

struct housekeeper {
    struct housekeeper_config c;
    struct mailbox *home;
    pthread_t thread;
    bool started;
    struct mail wake;
    atomic_bool woken; /* `wake` is in the box */
    struct chore *chore[CHORES];
};

static void on_wake(struct mail *m)
{
    struct housekeeper *hk = (struct housekeeper *)((char *)m - offsetof(struct housekeeper, wake));
    atomic_store(&hk->woken, false);
    for (size_t i = 0; i < CHORES; i++) {
        hk->chore[i]->woken = true;
        hk->chore[i]->due_ms = 0;
    }
}

void housekeeper_wake(struct housekeeper *hk)
{
    if (!hk || atomic_exchange(&hk->woken, true))
        return;
    hk->wake.open = on_wake;
    if (mailbox_put(hk->home, &hk->wake) != OK)
        atomic_store(&hk->woken, false); /* closed: the next start looks by itself */
}

/* How long nothing is to do, in milliseconds; what is due begins. */
static int64_t begin_due(struct housekeeper *hk)
{
    int64_t wait = WAIT_MAX_MS, now = clock_mono_ms();
    for (size_t i = 0; i < CHORES; i++) {
        struct chore *c = hk->chore[i];
        if (!c->busy && c->due_ms <= now)
            c->begin(c);
        if (!c->busy && c->due_ms - now < wait)
            wait = c->due_ms > now ? c->due_ms - now : 0;
    }
    return wait;
}

static bool is_busy(const struct housekeeper *hk)
{
    for (size_t i = 0; i < CHORES; i++)
        if (hk->chore[i]->busy)
            return true;
    return false;
}

static void *housekeeper_main(void *arg)
{
    struct housekeeper *hk = arg;
    bool closed = false;
    pthread_setname_np(pthread_self(), "housekeeper");
    while (!closed) {
        int64_t wait = begin_due(hk);
        mail_open_all(mailbox_wait_for(hk->home, wait, &closed));
    }
    while (is_busy(hk)) /* each has one answer to come: the store runs still */
        mail_open_all(mailbox_wait_for(hk->home, CHORE_RETRY_MS, &closed));
    return NULL;
}

enum err housekeeper_start(const struct housekeeper_config *c, struct housekeeper **ret)
{
    static struct chore *(*const make[CHORES])(void) = {
        erase_chore, recover_chore, retention_chore, idempotency_chore, partial_chore, spans_chore};
    struct housekeeper *hk = calloc(1, sizeof *hk);
    if (!hk)
        return ERR_NOMEM;
    hk->c = *c;
    enum err err = mailbox_new(&hk->home, 2 * CHORES + 1, NULL, NULL);
    for (size_t i = 0; err == OK && i < CHORES; i++) {
        if (!(hk->chore[i] = make[i]())) {
            err = ERR_NOMEM;
            break;
        }
        hk->chore[i]->config = &hk->c;
        hk->chore[i]->home = hk->home;
    }
    if (err == OK && pthread_create(&hk->thread, NULL, housekeeper_main, hk) != 0)
        err = ERR_NOMEM;
    hk->started = err == OK;
    if (err == OK)
        *ret = hk;
    else
        housekeeper_stop(hk);
    return err;
}

void housekeeper_stop(struct housekeeper *hk)
{
    if (!hk)
        return;
    if (hk->started) {
        mailbox_close(hk->home);
        pthread_join(hk->thread, NULL);
    }
    for (size_t i = 0; i < CHORES; i++)
        free(hk->chore[i]);
    mailbox_free(hk->home);
    free(hk);
}
