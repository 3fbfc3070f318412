/* share: computes dynamic thresholds, as switches share their buffers (Choudhury and Hahne, 1998).
 * One owner may hold at most SHARE_TIMES what is free. A single owner gets two thirds; n owners
 * that take all they may get 2 / (2n + 1) each, and 1 / (2n + 1) stays free. An eighth of the whole
 * is not shared out that way: it is kept for owners that hold less than `first`. */
#include "base/share.h"

enum { SHARE_TIMES = 2, SHARE_KEPT = 8 };

static size_t shared_out(const struct share *s)
{
    return s->max - s->max / SHARE_KEPT;
}

bool share_allows(const struct share *s, size_t own, size_t all)
{
    size_t open = shared_out(s);
    if (all >= s->max)
        return false;
    return own < s->first || (all < open && own < SHARE_TIMES * (open - all));
}

size_t share_of(const struct share *s, size_t others)
{
    size_t open = shared_out(s);
    size_t left = others < open ? open - others : 0;
    size_t most = left * SHARE_TIMES / (SHARE_TIMES + 1);
    return most > s->first ? most : s->first;
}
