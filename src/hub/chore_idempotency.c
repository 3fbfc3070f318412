/* chore_idempotency: forgets what was answered under an Idempotency-Key more than a day ago, oldest
 * first, a chunk at a time. */
#include <stdlib.h>

#include "base/clock.h"
#include "hub/chore.h"
#include "store/idempotency.h"

enum { KEPT_MS = 24 * 3600 * 1000, LOOK_MS = 600 * 1000, CHUNK = 200 };

struct forgetting {
    struct chore chore; /* first */
    int64_t last_n;     /* of the chunk; 0: nothing is old enough */
};

static enum err look(struct chore *c, struct db *db)
{
    struct forgetting *f = (struct forgetting *)c;
    return answered_before(db, clock_wall_ms() - KEPT_MS, CHUNK, &f->last_n);
}

static enum err forget(struct chore *c, struct db *db)
{
    int64_t deleted;
    return answered_delete(db, ((struct forgetting *)c)->last_n, &deleted);
}

static void after_forget(struct chore *c, enum err err)
{
    if (err == OK)
        chore_rest_in_proportion(c);
    else
        chore_rest(c, CHORE_RETRY_MS);
}

static void after_look(struct chore *c, enum err err)
{
    if (err != OK)
        chore_rest(c, CHORE_RETRY_MS);
    else if (((struct forgetting *)c)->last_n)
        chore_write(c, forget, NULL, after_forget);
    else
        chore_rest(c, LOOK_MS);
}

static void begin(struct chore *c)
{
    c->woken = false;
    chore_read(c, look, after_look);
}

struct chore *idempotency_chore(void)
{
    struct forgetting *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->chore.begin = begin;
    return &f->chore;
}
