/* spans: tells of each full block of events, calls and audit rows what its rows have in
 * common (store/spans), a few blocks at a time, oldest first; on a store from before it works
 * through all of them, half a minute for a million rows. A reader sums up, the writer adds one
 * small row a block. Blocks that lost their rows are forgotten on the way. */
#include <stdlib.h>

#include "hub/chores/kinds.h"
#include "store/spans.h"

enum {
    BLOCKS = 16,    /* some 10 ms of a reader's */
    LOOK_MS = 1000, /* so long a full block is looked through like the newest one */
};

struct summing {
    struct chore chore; /* first */
    struct span span[SPAN_OF_COUNT * BLOCKS];
    size_t n;
    int64_t first[SPAN_OF_COUNT];
    int64_t looked_us;
};

static enum err look(struct chore *c, struct db *db)
{
    struct summing *s = (struct summing *)c;
    enum err err = OK;
    s->n = 0;
    for (int of = 0; err == OK && of < SPAN_OF_COUNT; of++) {
        size_t found = 0;
        err = spans_find(db, (enum span_of)of, &s->span[s->n], BLOCKS, &found, &s->first[of]);
        s->n += found;
    }
    return err;
}

static enum err put(struct chore *c, struct db *db)
{
    struct summing *s = (struct summing *)c;
    enum err err = OK;
    for (size_t i = 0; err == OK && i < s->n; i++)
        err = span_put(db, &s->span[i]);
    for (int of = 0; err == OK && of < SPAN_OF_COUNT; of++)
        err = spans_forget(db, (enum span_of)of, s->first[of]);
    return err;
}

static void after_put(struct chore *c, enum err err)
{
    struct summing *s = (struct summing *)c;
    if (err != OK) {
        chore_rest(c, CHORE_RETRY_MS);
        return;
    }
    c->ran_us += s->looked_us;
    chore_rest_in_proportion(c);
}

static void after_look(struct chore *c, enum err err)
{
    struct summing *s = (struct summing *)c;
    s->looked_us = c->ran_us;
    if (err != OK)
        chore_rest(c, CHORE_RETRY_MS);
    else if (s->n)
        chore_write(c, put, NULL, after_put);
    else
        chore_rest(c, LOOK_MS);
}

static void begin(struct chore *c)
{
    c->woken = false;
    chore_read(c, look, after_look);
}

struct chore *spans_chore(void)
{
    struct summing *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->chore.begin = begin;
    return &s->chore;
}
