/* hasher: runs the thread that hashes passwords. A single thread bounds the memory (64 MiB) and the
 * processor time that a client without a password can make the daemon spend.
 *
 * A name that does not exist costs the same time as one that does: its password is compared with a
 * hash that is made at the first such log-in and never shown. */
#include "api/core/hasher.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/metrics.h"
#include "base/turns.h"

static const struct share waiting_share = {.max = HASHES_WAITING, .first = HASHES_FIRST};

struct hasher {
    struct turns *jobs;
    pthread_t thread;
    bool started;
};

/* On the hasher's thread alone. */
static const char *decoy_hash(void)
{
    static char hash[PASSWORD_HASH_SIZE];
    uint8_t random[32];
    if (!hash[0]) {
        crypto_random(random, sizeof random);
        if (password_hash(str_of_bytes(random, sizeof random), hash) != OK)
            hash[0] = '\0';
    }
    return hash;
}

static void hash_job_on_mail(struct mail *m)
{
    struct hash_job *job = (struct hash_job *)m;
    struct str password = {job->password, job->password_n};
    const char *hash = job->makes || job->hash[0] ? job->hash : decoy_hash();
    job->err = OK;
    if (job->makes)
        job->err = password_hash(password, job->hash);
    else
        job->matches = password_matches(password, hash) && job->hash[0];
    crypto_wipe(job->password, sizeof job->password);
    job->done(job);
}

static void *hasher_main(void *arg)
{
    struct hasher *h = arg;
    struct mail *m;
    pthread_setname_np(pthread_self(), "hasher");
    while ((m = turns_wait(h->jobs)))
        m->open(m);
    return NULL;
}

enum err hasher_start(struct hasher **ret)
{
    struct hasher *h = calloc(1, sizeof *h);
    enum err err = h ? turns_new(&h->jobs, &waiting_share, 0) : ERR_NOMEM;
    if (err == OK && pthread_create(&h->thread, NULL, hasher_main, h) != 0)
        err = ERR_NOMEM;
    if (err == OK) {
        h->started = true;
        *ret = h;
    } else {
        hasher_stop(h);
    }
    return err;
}

void hasher_stop(struct hasher *h)
{
    if (!h)
        return;
    if (h->started) {
        turns_close(h->jobs);
        pthread_join(h->thread, NULL);
    }
    turns_free(h->jobs);
    free(h);
}

enum err hasher_put(struct hasher *h, uint64_t owner, struct hash_job *job, struct str password)
{
    if (password.n > sizeof job->password)
        return ERR_TOO_BIG;
    if (password.n)
        memcpy(job->password, password.p, password.n);
    job->password_n = password.n;
    job->mail.open = hash_job_on_mail;
    enum err err = turns_put(h->jobs, owner ? owner : 1, &job->mail);
    metric_add(METRIC_SHARE_HASHES, err == ERR_AGAIN);
    return err;
}
