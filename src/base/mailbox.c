/* mailbox: the bounded queue between threads, and the only lock between loops.
 *
 * A put is a few instructions under a mutex; a take empties the whole list at once. A wake-up is
 * sent only when the box was empty, so that a burst costs one wake-up. */
#include "base/mailbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct mailbox {
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct mail *head, **tail;
    size_t n, max;
    bool closed;
    void (*wake)(void *);
    void *arg;
};

enum err mailbox_new(struct mailbox **ret, size_t max, void (*wake)(void *), void *arg)
{
    struct mailbox *mb = calloc(1, sizeof *mb);
    if (!mb)
        return ERR_NOMEM;
    pthread_mutex_init(&mb->lock, NULL);
    pthread_cond_init(&mb->some, NULL);
    mb->tail = &mb->head;
    mb->max = max;
    mb->wake = wake;
    mb->arg = arg;
    *ret = mb;
    return OK;
}

void mailbox_free(struct mailbox *mb)
{
    if (!mb)
        return;
    pthread_cond_destroy(&mb->some);
    pthread_mutex_destroy(&mb->lock);
    free(mb);
}

static enum err mailbox_append(struct mailbox *mb, struct mail *first, struct mail *last, size_t n,
                               bool is_answer)
{
    enum err err = OK;
    bool was_empty = false;
    pthread_mutex_lock(&mb->lock);
    if (mb->closed && !is_answer)
        err = ERR_CLOSED;
    else if (mb->n >= mb->max && !is_answer)
        err = ERR_FULL;
    else {
        was_empty = mb->head == NULL;
        last->next = NULL;
        *mb->tail = first;
        mb->tail = &last->next;
        mb->n += n;
        if (was_empty)
            pthread_cond_signal(&mb->some);
    }
    /* Read before the unlock: a receiver that waits in mailbox_wait may free the box as soon as it
     * has the mail. */
    void (*wake)(void *) = was_empty ? mb->wake : NULL;
    void *arg = mb->arg;
    pthread_mutex_unlock(&mb->lock);
    if (wake)
        wake(arg);
    return err;
}

enum err mailbox_put(struct mailbox *mb, struct mail *m)
{
    return mailbox_append(mb, m, m, 1, false);
}

void mailbox_put_answers(struct mailbox *mb, struct mail *first, struct mail *last, size_t n)
{
    enum err err = mailbox_append(mb, first, last, n, true);
    ASSERT(err == OK);
}

void mailbox_put_answer(struct mailbox *mb, struct mail *m)
{
    mailbox_put_answers(mb, m, m, 1);
}

static struct mail *mailbox_take_locked(struct mailbox *mb)
{
    struct mail *all = mb->head;
    mb->head = NULL;
    mb->tail = &mb->head;
    mb->n = 0;
    return all;
}

struct mail *mailbox_take(struct mailbox *mb)
{
    pthread_mutex_lock(&mb->lock);
    struct mail *all = mailbox_take_locked(mb);
    pthread_mutex_unlock(&mb->lock);
    return all;
}

struct mail *mailbox_wait(struct mailbox *mb)
{
    pthread_mutex_lock(&mb->lock);
    while (!mb->head && !mb->closed)
        pthread_cond_wait(&mb->some, &mb->lock);
    struct mail *all = mailbox_take_locked(mb);
    pthread_mutex_unlock(&mb->lock);
    return all;
}

struct mail *mailbox_wait_for(struct mailbox *mb, int64_t ms, bool *ret_closed)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&mb->lock);
    while (!mb->head && !mb->closed &&
           pthread_cond_clockwait(&mb->some, &mb->lock, CLOCK_MONOTONIC, &until) == 0)
        ;
    struct mail *all = mailbox_take_locked(mb);
    *ret_closed = mb->closed;
    pthread_mutex_unlock(&mb->lock);
    return all;
}

void mail_open_all(struct mail *batch)
{
    while (batch) {
        struct mail *next = batch->next; /* open may free the mail */
        batch->open(batch);
        batch = next;
    }
}

void mailbox_close(struct mailbox *mb)
{
    pthread_mutex_lock(&mb->lock);
    mb->closed = true;
    pthread_cond_broadcast(&mb->some);
    pthread_mutex_unlock(&mb->lock);
}

size_t mailbox_count(struct mailbox *mb)
{
    pthread_mutex_lock(&mb->lock);
    size_t n = mb->n;
    pthread_mutex_unlock(&mb->lock);
    return n;
}
