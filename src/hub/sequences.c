/* sequences: how many events of its call each endpoint was sent; what `sequence` counts. */
#include <stdlib.h>

#include "hub/intake.h"

void sequences_fini(struct sequences *s)
{
    free(s->at);
    *s = (struct sequences){0};
}

void sequences_print(const struct sequences *s, struct buf *out)
{
    for (size_t i = 0; i < s->n; i++)
        buf_printf(out, "%s%u:%u", i ? "," : "", s->at[i].endpoint, s->at[i].count);
}

enum err sequences_parse(struct str text, struct sequences *ret)
{
    *ret = (struct sequences){0};
    while (text.n) {
        struct str one, endpoint, count;
        uint64_t e, c;
        str_cut(text, ',', &one, &text);
        if (!str_cut(one, ':', &endpoint, &count) || str_to_u64(endpoint, UINT32_MAX, &e) != OK ||
            str_to_u64(count, UINT8_MAX, &c) != OK || ret->n == SEQUENCES_MAX) {
            sequences_fini(ret);
            return ERR_SYNTAX;
        }
        if (ret->n == ret->cap) {
            size_t cap = ret->cap ? 2u * ret->cap : 2;
            void *at = realloc(ret->at, cap * sizeof *ret->at);
            if (!at) {
                sequences_fini(ret);
                return ERR_NOMEM;
            }
            ret->at = at;
            ret->cap = (uint8_t)cap;
        }
        ret->at[ret->n].endpoint = (uint32_t)e;
        ret->at[ret->n++].count = (uint8_t)c;
    }
    return OK;
}
