/* share: dynamic thresholds, as switches share out their buffers (Choudhury and Hahne, 1998): one
 * may hold at most SHARE_TIMES what is free. Alone it comes to two thirds; n that take all they may
 * come to 2 / (2n + 1) of it each, and 1 / (2n + 1) is free. An eighth of all is not shared out
 * that way: it is for those that have less than `first`. */
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
