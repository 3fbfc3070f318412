/* idempotency: deletes the answers that were given under an Idempotency-Key more than a day ago,
 * oldest first, a chunk at a time. The rows have steady time (base/clock.h), so that setting the
 * wall clock ends no key's day. */
#include <stdlib.h>

#include "base/clock.h"
#include "hub/chores/kinds.h"
#include "store/rows/idempotency.h"

enum {
    KEPT_MS = 24 * 3600 * 1000,
    LOOK_MS = 600 * 1000,
    CHUNK_MIN = 5, /* the answer to a large batch is a hundred kilobytes */
    CHUNK_MAX = 200,
    CHUNK_US = 10000, /* that one transaction may take */
};

struct answer_forgetter {
    struct chore chore; /* first */
    unsigned chunk;
    int64_t last_n; /* of the chunk; 0: nothing is old enough */
};

static enum err idempotency_look(struct chore *c, struct db *db)
{
    struct answer_forgetter *f = (struct answer_forgetter *)c;
    return kept_answer_before(db, clock_wall_ms() - clock_moved_ms() - KEPT_MS, f->chunk,
                              &f->last_n);
}

static enum err idempotency_delete(struct chore *c, struct db *db)
{
    int64_t deleted;
    return kept_answer_delete(db, ((struct answer_forgetter *)c)->last_n, &deleted);
}

static void idempotency_after_delete(struct chore *c, enum err err)
{
    struct answer_forgetter *f = (struct answer_forgetter *)c;
    if (err != OK) {
        chore_rest(c, CHORE_RETRY_MS);
        return;
    }
    if (c->ran_us > CHUNK_US && f->chunk / 2 >= CHUNK_MIN)
        f->chunk /= 2;
    else if (c->ran_us < CHUNK_US / 2 && f->chunk * 2 <= CHUNK_MAX)
        f->chunk *= 2;
    chore_rest_in_proportion(c);
}

static void idempotency_after_look(struct chore *c, enum err err)
{
    if (err != OK)
        chore_rest(c, CHORE_RETRY_MS);
    else if (((struct answer_forgetter *)c)->last_n)
        chore_write(c, idempotency_delete, NULL, idempotency_after_delete);
    else
        chore_rest(c, LOOK_MS);
}

static void idempotency_begin(struct chore *c)
{
    c->woken = false;
    chore_read(c, idempotency_look, idempotency_after_look);
}

struct chore *idempotency_chore(void)
{
    struct answer_forgetter *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->chore.begin = idempotency_begin;
    f->chunk = CHUNK_MIN;
    return &f->chore;
}
