/* logins: keeps log-ins in memory. There is a mutex because requests come on several threads; it is
 * held for a look-up, at a log-in for a walk. */
#include "api/core/logins.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/map.h"

struct login {
    char hash[LOGIN_HASH_SIZE];
    uint64_t user, stamp;
    int64_t ends_ms; /* mono: a step of the wall clock neither ends nor prolongs it */
};

struct logins {
    pthread_mutex_t lock;
    struct map *by_hash;
};

static void logins_sweep(struct logins *s, int64_t now)
{
    struct login *one;
    for (size_t i = 0; (one = map_next(s->by_hash, &i));)
        if (one->ends_ms <= now) {
            map_remove(s->by_hash, str_of(one->hash));
            free(one);
        }
}

static bool logins_on_token(void *arg, const struct token *t)
{
    logins_add(arg, t);
    return true;
}

struct logins_load_job {
    struct store_job job; /* first */
    struct logins *logins;
};

static enum err logins_load_run(struct store_job *job, struct db *db)
{
    return token_list(db, logins_on_token, ((struct logins_load_job *)job)->logins);
}

enum err logins_open(struct store *store, struct logins **ret)
{
    struct logins *s = calloc(1, sizeof *s);
    struct logins_load_job load = {.job.run = logins_load_run, .logins = s};
    if (!s || !(s->by_hash = map_new())) {
        free(s);
        return ERR_NOMEM;
    }
    pthread_mutex_init(&s->lock, NULL);
    enum err err = store_read_now(store, &load.job);
    if (err == OK)
        *ret = s;
    else
        logins_free(s);
    return err;
}

void logins_free(struct logins *s)
{
    struct login *one;
    if (!s)
        return;
    for (size_t i = 0; (one = map_next(s->by_hash, &i));)
        free(one);
    map_free(s->by_hash);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

const struct book_user *logins_user(struct logins *s, const struct book *b, struct str hash)
{
    struct login found = {0};
    pthread_mutex_lock(&s->lock);
    const struct login *one = map_get(s->by_hash, hash);
    if (one)
        found = *one;
    pthread_mutex_unlock(&s->lock);
    if (!one || found.ends_ms <= clock_mono_ms())
        return NULL;
    const struct book_user *u = book_user(b, found.user);
    return u && login_stamp(u->set) == found.stamp ? u : NULL;
}

enum err logins_room(struct logins *s, uint64_t user, char ret_end[LOGIN_HASH_SIZE])
{
    size_t n = 0;
    const struct login *one, *oldest = NULL;
    ret_end[0] = '\0';
    pthread_mutex_lock(&s->lock);
    logins_sweep(s, clock_mono_ms());
    for (size_t i = 0; (one = map_next(s->by_hash, &i));)
        if (one->user == user) {
            n++;
            if (!oldest || one->ends_ms < oldest->ends_ms)
                oldest = one;
        }
    bool full = map_count(s->by_hash) >= LOGINS_MAX;
    if (oldest && (n >= LOGINS_OF_USER || full)) {
        enum err err = str_copy(str_of(oldest->hash), ret_end, LOGIN_HASH_SIZE);
        ASSERT(err == OK);
    }
    pthread_mutex_unlock(&s->lock);
    return full && !ret_end[0] ? ERR_FULL : OK;
}

void logins_add(struct logins *s, const struct token *t)
{
    struct login *one = calloc(1, sizeof *one);
    enum err err = one ? str_copy(t->hash, one->hash, sizeof one->hash) : ERR_NOMEM;
    void *old = NULL;
    if (err == OK) {
        one->user = t->user;
        one->stamp = t->stamp;
        one->ends_ms = clock_mono_of(t->expires_at_ms);
        pthread_mutex_lock(&s->lock);
        err = map_put(s->by_hash, str_of(one->hash), one, &old);
        pthread_mutex_unlock(&s->lock);
    }
    if (err != OK) {
        log_error("api", "a log-in is good from the next start on: %s", err_text(err));
        free(one);
    }
    free(old);
}

void logins_remove(struct logins *s, struct str hash)
{
    pthread_mutex_lock(&s->lock);
    struct login *one = map_remove(s->by_hash, hash);
    pthread_mutex_unlock(&s->lock);
    free(one);
}

/* The hash has a random salt: another password, or the same one set again, gives another stamp. */
uint64_t login_stamp(const struct user *u)
{
    return hash64(str_of(u->password_hash));
}
