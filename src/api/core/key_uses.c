/* key_uses: holds the last use of each key. There is a mutex because requests come on several
 * threads; it is held for a look-up. A use that could not be stored is tried again with the next
 * one. */
#include "api/core/key_uses.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/map.h"
#include "store/rows/tokens.h"

struct key_use {
    uint64_t key;
    int64_t at_ms, stored_ms;
};

struct key_uses {
    struct store *store;
    struct mailbox *home;
    pthread_mutex_t lock;
    struct map *by_key;
};

struct key_use_job {
    struct store_job job; /* first */
    uint64_t key;
    int64_t at_ms;
};

enum err key_uses_new(struct store *s, struct mailbox *home, struct key_uses **ret)
{
    struct key_uses *u = calloc(1, sizeof *u);
    if (!u || !(u->by_key = map_new())) {
        free(u);
        return ERR_NOMEM;
    }
    u->store = s;
    u->home = home;
    pthread_mutex_init(&u->lock, NULL);
    *ret = u;
    return OK;
}

void key_uses_free(struct key_uses *u)
{
    struct key_use *one;
    if (!u)
        return;
    for (size_t i = 0; (one = map_next(u->by_key, &i));)
        free(one);
    map_free(u->by_key);
    pthread_mutex_destroy(&u->lock);
    free(u);
}

static enum err key_use_run(struct store_job *job, struct db *db)
{
    const struct key_use_job *j = (const struct key_use_job *)job;
    return key_use_put(db, j->key, j->at_ms);
}

static void key_use_done(struct store_job *job)
{
    free(job);
}

static bool key_use_store(struct key_uses *u, uint64_t key, int64_t at_ms)
{
    struct key_use_job *j = calloc(1, sizeof *j);
    if (!j)
        return false;
    *j = (struct key_use_job){.job = {.run = key_use_run, .done = key_use_done, .home = u->home},
                              .key = key,
                              .at_ms = at_ms};
    if (store_write(u->store, &j->job) == OK)
        return true;
    free(j);
    return false;
}

/* NULL: out of memory. */
static struct key_use *key_use_of(struct key_uses *u, uint64_t key)
{
    struct key_use *one = map_get(u->by_key, str_of_u64(&key));
    if (one || !(one = calloc(1, sizeof *one)))
        return one;
    one->key = key;
    if (map_put(u->by_key, str_of_u64(&one->key), one, NULL) == OK)
        return one;
    free(one);
    return NULL;
}

void key_uses_touch(struct key_uses *u, uint64_t key, int64_t now_ms)
{
    pthread_mutex_lock(&u->lock);
    struct key_use *one = key_use_of(u, key);
    if (one)
        one->at_ms = now_ms;
    bool due = one && now_ms - one->stored_ms >= KEY_USE_STORED_MS && store_is_writable(u->store);
    if (due && key_use_store(u, key, now_ms))
        one->stored_ms = now_ms;
    pthread_mutex_unlock(&u->lock);
}

int64_t key_uses_get(struct key_uses *u, uint64_t key)
{
    pthread_mutex_lock(&u->lock);
    const struct key_use *one = map_get(u->by_key, str_of_u64(&key));
    int64_t at_ms = one ? one->at_ms : 0;
    pthread_mutex_unlock(&u->lock);
    return at_ms;
}

void key_uses_forget(struct key_uses *u, uint64_t key)
{
    pthread_mutex_lock(&u->lock);
    struct key_use *one = map_remove(u->by_key, str_of_u64(&key));
    pthread_mutex_unlock(&u->lock);
    free(one);
}

static enum err key_uses_flush_run(struct store_job *job, struct db *db)
{
    return OK;
}

/* Waits for an empty job at the end: the writer takes jobs in their order, so those before it are
 * in `home` too. */
void key_uses_flush(struct key_uses *u)
{
    struct store_job last = {.run = key_uses_flush_run};
    struct key_use *one;
    if (!u)
        return;
    pthread_mutex_lock(&u->lock);
    for (size_t i = 0; store_is_writable(u->store) && (one = map_next(u->by_key, &i));)
        if (one->at_ms > one->stored_ms && key_use_store(u, one->key, one->at_ms))
            one->stored_ms = one->at_ms;
    pthread_mutex_unlock(&u->lock);
    (void)!store_write_now(u->store, &last);
}
