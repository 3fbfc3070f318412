/* turns: stochastic fair queueing (McKenney, 1990). Owners are spread over LINES lines by a hash
 * with a random salt, and the lines take turns. Two owners that fall into one line share its turn
 * and its share for the life of the process; this is rare, and in return nothing is allocated. The
 * mutex replaces a mailbox's: several threads take mails one by one, which a mailbox does not
 * allow. */
#include "base/turns.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/crypto.h"

enum { LINES = 512 };

struct line {
    struct mail *head, **tail;
    size_t n;
    struct line *next; /* in turn */
};

struct turns {
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct share share;
    size_t own_max, n; /* n: mails of owners, without the daemon's own */
    bool closed, was_own;
    uint64_t salt;
    struct line own, line[LINES];
    struct line *turn, **turn_tail;
};

enum err turns_new(struct turns **ret, const struct share *share, size_t own_max)
{
    struct turns *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->some, NULL);
    t->share = *share;
    t->own_max = own_max;
    t->salt = crypto_random_u64() | 1;
    t->turn_tail = &t->turn;
    t->own.tail = &t->own.head;
    for (size_t i = 0; i < LINES; i++)
        t->line[i].tail = &t->line[i].head;
    *ret = t;
    return OK;
}

void turns_free(struct turns *t)
{
    if (!t)
        return;
    pthread_cond_destroy(&t->some);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static struct line *line_of(struct turns *t, uint64_t owner)
{
    return owner ? &t->line[(owner * t->salt) >> 55] : &t->own;
}

static void line_put_in_turn(struct turns *t, struct line *l)
{
    l->next = NULL;
    *t->turn_tail = l;
    t->turn_tail = &l->next;
}

static enum err line_may_put(const struct turns *t, const struct line *l)
{
    if (t->closed)
        return ERR_CLOSED;
    if (l == &t->own)
        return l->n < t->own_max ? OK : ERR_FULL;
    if (t->n >= t->share.max)
        return ERR_FULL;
    return share_allows(&t->share, l->n, t->n) ? OK : ERR_AGAIN;
}

enum err turns_put(struct turns *t, uint64_t owner, struct mail *m)
{
    pthread_mutex_lock(&t->lock);
    struct line *l = line_of(t, owner);
    enum err err = line_may_put(t, l);
    if (err == OK) {
        m->next = NULL;
        *l->tail = m;
        l->tail = &m->next;
        t->n += l != &t->own;
        if (l->n++ == 0 && l != &t->own)
            line_put_in_turn(t, l);
        pthread_cond_signal(&t->some);
    }
    pthread_mutex_unlock(&t->lock);
    return err;
}

static struct mail *line_take(struct line *l)
{
    struct mail *m = l->head;
    l->head = m->next;
    if (!l->head)
        l->tail = &l->head;
    l->n--;
    m->next = NULL;
    return m;
}

static struct mail *turns_take_locked(struct turns *t)
{
    struct line *l = t->turn;
    t->was_own = t->own.n && (!l || !t->was_own);
    if (t->was_own)
        return line_take(&t->own);
    if (!l)
        return NULL;
    t->turn = l->next;
    if (!t->turn)
        t->turn_tail = &t->turn;
    struct mail *m = line_take(l);
    t->n--;
    if (l->n)
        line_put_in_turn(t, l);
    return m;
}

struct mail *turns_take(struct turns *t)
{
    pthread_mutex_lock(&t->lock);
    struct mail *m = turns_take_locked(t);
    pthread_mutex_unlock(&t->lock);
    return m;
}

struct mail *turns_wait(struct turns *t)
{
    struct mail *m;
    pthread_mutex_lock(&t->lock);
    while (!(m = turns_take_locked(t)) && !t->closed)
        pthread_cond_wait(&t->some, &t->lock);
    pthread_mutex_unlock(&t->lock);
    return m;
}

void turns_close(struct turns *t)
{
    pthread_mutex_lock(&t->lock);
    t->closed = true;
    pthread_cond_broadcast(&t->some);
    pthread_mutex_unlock(&t->lock);
}
