/* spans: writes for each full block of events, calls and audit rows between which times its rows
 * lie and of which kinds they are (store/spans), a few blocks at a time, oldest first. A store of
 * an earlier version has no spans yet: the chore works through all its blocks, which takes half a
 * minute for a million rows. A reader sums up; the writer adds one small row a block. Spans of
 * blocks that lost their rows are deleted on the way. */
#include <stdlib.h>

#include "hub/chores/kinds.h"
#include "store/spans.h"

enum {
    BLOCKS = 16,    /* some 10 ms of a reader's */
    LOOK_MS = 1000, /* until then a list looks at each row of a newly full block */
};

struct span_maker {
    struct chore chore; /* first */
    struct span span[SPAN_OF_COUNT * BLOCKS];
    size_t n;
    int64_t first[SPAN_OF_COUNT];
    int64_t looked_us;
};

static enum err spans_look(struct chore *c, struct db *db)
{
    struct span_maker *s = (struct span_maker *)c;
    enum err err = OK;
    s->n = 0;
    for (int of = 0; err == OK && of < SPAN_OF_COUNT; of++) {
        size_t found = 0;
        err = spans_find(db, (enum span_of)of, &s->span[s->n], BLOCKS, &found, &s->first[of]);
        s->n += found;
    }
    return err;
}

static enum err spans_write(struct chore *c, struct db *db)
{
    struct span_maker *s = (struct span_maker *)c;
    enum err err = OK;
    for (size_t i = 0; err == OK && i < s->n; i++)
        err = span_put(db, &s->span[i]);
    for (int of = 0; err == OK && of < SPAN_OF_COUNT; of++)
        err = spans_forget(db, (enum span_of)of, s->first[of]);
    return err;
}

static void spans_after_write(struct chore *c, enum err err)
{
    struct span_maker *s = (struct span_maker *)c;
    if (err != OK) {
        chore_rest(c, CHORE_RETRY_MS);
        return;
    }
    c->ran_us += s->looked_us;
    chore_rest_in_proportion(c);
}

static void spans_after_look(struct chore *c, enum err err)
{
    struct span_maker *s = (struct span_maker *)c;
    s->looked_us = c->ran_us;
    if (err != OK)
        chore_rest(c, CHORE_RETRY_MS);
    else if (s->n)
        chore_write(c, spans_write, NULL, spans_after_write);
    else
        chore_rest(c, LOOK_MS);
}

static void spans_begin(struct chore *c)
{
    c->woken = false;
    chore_read(c, spans_look, spans_after_look);
}

struct chore *spans_chore(void)
{
    struct span_maker *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->chore.begin = spans_begin;
    return &s->chore;
}
