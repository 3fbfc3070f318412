/* target_walk: finds the next target that applies. Called by hub/decision; one step looks at no
 * more targets than are left of the call's count. */
#include "hub/target_walk.h"

static bool target_applies(const struct target *t, int last_status)
{
    if (!last_status || t->when == WHEN_ALWAYS)
        return true;
    enum end_reason o = end_reason_of_status(last_status);
    return t->when == WHEN_BUSY             ? o == END_BUSY
           : t->when == WHEN_NO_ANSWER      ? o == END_NO_ANSWER
           : t->when == WHEN_FAILED         ? o == END_FAILED || o == END_REJECTED
           : t->when == WHEN_NOT_REGISTERED ? last_status == 480 || last_status == 404
                                            : false;
}

static bool walk_add_level(struct target_walk *w, const struct forward *f,
                           const struct book_number *n)
{
    for (size_t i = 0; i < w->depth; i++)
        if (n && w->level[i].number == n)
            return false; /* a loop */
    if (w->depth == NUMBERS_DEPTH_MAX)
        return false;
    w->level[w->depth].forward = f;
    w->level[w->depth].number = n;
    w->level[w->depth++].next = 0;
    return true;
}

/* Enters another number of the same account, whose targets then apply. */
static bool walk_enter_number(struct target_walk *w, const struct target *t)
{
    const struct book_number *n = book_number(w->book, t->destination);
    return n && n->account == w->account && walk_add_level(w, n->set->forward, n);
}

void target_walk_start(struct target_walk *w, const struct book *book,
                       const struct book_number *number)
{
    *w = (struct target_walk){.book = book, .account = number->account};
    (void)walk_add_level(w, number->set->forward, number);
}

void target_walk_answer(struct target_walk *w, const struct book *book, uint64_t account,
                        const struct forward *f)
{
    *w = (struct target_walk){.book = book, .account = account, .looked_at = w->looked_at};
    (void)walk_add_level(w, f, NULL);
}

enum walk_step target_walk_next(struct target_walk *w, int last_status, const struct target **ret)
{
    while (w->depth) {
        const struct forward *f = w->level[w->depth - 1].forward;
        size_t *next = &w->level[w->depth - 1].next;
        if (*next == f->n) {
            w->depth--;
            continue;
        }
        if (w->looked_at == TARGETS_LOOKED_AT_MAX)
            return WALK_LIMIT;
        const struct target *t = &f->target[(*next)++];
        w->looked_at++;
        if (!target_applies(t, last_status))
            continue;
        *ret = t;
        if (t->type != TARGET_ACCESS_NUMBER)
            return WALK_TARGET;
        if (!walk_enter_number(w, t))
            return WALK_NUMBER_FAILED;
    }
    return WALK_EXHAUSTED;
}
