/* erase: deletes a number's data, one chunk at a time, oldest first: parts of messages that wait,
 * then events with their deliveries and attempts, then ended calls. Before the first chunk deliver
 * lets go of the number's events in memory; a later attempt reads its event from the store and
 * finds it gone. A call in progress stays, and so do rows younger than the request to erase. */
#include <stdlib.h>

#include "base/log.h"
#include "base/metrics.h"
#include "hub/chores/kinds.h"
#include "store/rows/erasures.h"
#include "store/rows/expiry.h"
#include "store/rows/sms_parts.h"

enum { CHUNK = 100, ROWS = 20000 };

struct eraser {
    struct chore chore; /* first */
    bool any;           /* there is an erasure: `now` */
    struct erasure now, next;
    int64_t event[CHUNK], call[CHUNK], set[CHUNK];
    struct trace_id trace[CHUNK]; /* of these calls */
    size_t events, calls, sets, looked;
    int64_t at_set; /* not in the store: sets are few, and a restart walks them again */
    bool sets_done, at_end;
};

static bool eraser_on_event(void *arg, const struct walk_item *w)
{
    struct eraser *e = arg;
    e->looked++;
    e->next.at_n = w->n;
    if (w->account == e->now.account)
        e->event[e->events++] = w->n;
    return true;
}

static bool eraser_on_call(void *arg, const struct walk_item *w)
{
    struct eraser *e = arg;
    if (e->calls == CHUNK)
        return false;
    e->looked++;
    e->next.at_call = w->n;
    if (w->account == e->now.account && w->ended && str_eq(w->number, str_of(e->now.number))) {
        (void)!trace_id_parse(w->call_id, &e->trace[e->calls]);
        e->call[e->calls++] = w->n;
    }
    return true;
}

static bool eraser_on_set(void *arg, int64_t n, uint64_t account, struct str number)
{
    struct eraser *e = arg;
    if (e->sets == CHUNK)
        return false;
    e->looked++;
    e->at_set = n;
    if (account == e->now.account && str_eq(number, str_of(e->now.number)))
        e->set[e->sets++] = n;
    return true;
}

static enum err look_at_sets(struct eraser *e, struct db *db)
{
    enum err err = sms_set_walk(db, e->at_set, e->now.last_set, ROWS, eraser_on_set, e);
    e->sets_done = err == OK && e->looked < ROWS && e->sets < CHUNK;
    e->looked = 0;
    return err;
}

static enum err erase_look(struct chore *c, struct db *db)
{
    struct eraser *e = (struct eraser *)c;
    int64_t before = e->now.n;
    e->events = e->calls = e->sets = e->looked = 0;
    e->at_end = false;
    enum err err = erasure_next(db, &e->now);
    e->any = err == OK;
    if (err != OK)
        return err == ERR_NOT_FOUND ? OK : err;
    if (e->now.n != before) {
        e->at_set = 0;
        e->sets_done = false;
    }
    e->next = e->now;
    if (!e->sets_done && ((err = look_at_sets(e, db)) != OK || !e->sets_done || e->sets))
        return err;
    err = event_walk_number(db, str_of(e->now.number), e->now.at_n, e->now.last_n, CHUNK,
                            eraser_on_event, e);
    if (err != OK || e->looked)
        return err;
    err = call_walk(db, e->now.at_call, e->now.last_call, ROWS, eraser_on_call, e);
    e->at_end = e->looked < ROWS && e->calls < CHUNK;
    return err;
}

static enum err delete_set(struct db *db, int64_t n)
{
    struct sms_set s;
    enum err err = sms_set_get(db, n, &s);
    return err == ERR_NOT_FOUND ? OK : err == OK ? sms_set_delete(db, &s) : err;
}

static enum err erase_chunk(struct chore *c, struct db *db)
{
    struct eraser *e = (struct eraser *)c;
    enum err err = OK;
    for (size_t i = 0; err == OK && i < e->sets; i++)
        err = delete_set(db, e->set[i]);
    for (size_t i = 0; err == OK && i < e->events; i++)
        err = event_delete(db, e->event[i]);
    for (size_t i = 0; err == OK && i < e->calls; i++)
        err = call_delete(db, e->call[i]);
    if (err == OK)
        err = erasure_step(db, &e->next, (int64_t)e->events, (int64_t)e->calls);
    return err == OK && e->at_end ? erasure_end(db, e->now.n) : err;
}

static void erase_after_chunk(struct chore *c, enum err err)
{
    struct eraser *e = (struct eraser *)c;
    if (err != OK) {
        e->at_set = 0; /* the sets that are still there are found again */
        e->sets_done = false;
        chore_rest(c, CHORE_RETRY_MS);
        return;
    }
    metric_add(METRIC_EVENTS_ERASED, (int64_t)e->events);
    if (c->config->on_calls_gone)
        c->config->on_calls_gone(c->config->arg, e->trace, e->calls);
    if (e->at_end)
        log_info("erase", "%s: finished", e->now.id);
    chore_rest_in_proportion(c);
}

static void erase_after_look(struct chore *c, enum err err)
{
    struct eraser *e = (struct eraser *)c;
    const struct housekeeper_config *hc = c->config;
    if (err != OK) {
        chore_rest(c, CHORE_RETRY_MS);
        return;
    }
    if (!e->any) {
        chore_sleep(c);
        return;
    }
    if (e->now.at_n == 0 && hc->on_erase)
        hc->on_erase(hc->arg, e->now.account, str_of(e->now.number));
    chore_write(c, erase_chunk, NULL, erase_after_chunk);
}

static void erase_begin(struct chore *c)
{
    c->woken = false;
    chore_read(c, erase_look, erase_after_look);
}

struct chore *erase_chore(void)
{
    struct eraser *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->chore.begin = erase_begin;
    return &e->chore;
}
