/* outages: a row for each endpoint that fails. Inside a job's run. */
#include "store/rows/outages.h"

#include <stdio.h>

#include "store/engine.h"

enum err outage_put(struct db *db, const struct outage *o)
{
    return db_run(db, SQL_OUTAGE_PUT,
                  DB_ARGS(V_INT(o->endpoint), V_INT(o->since_ms), V_INT(o->last_at_ms),
                          V_INT(o->status), V_INT(o->err), V_TEXT(str_of(o->detail)),
                          V_INT(o->next_at_ms), V_INT(o->is_failing), V_INT(o->under.epoch),
                          V_INT(o->under.shard)),
                  NULL, NULL, NULL);
}

enum err outage_delete(struct db *db, const struct outage *o)
{
    return db_run(db, SQL_OUTAGE_DELETE,
                  DB_ARGS(V_INT(o->endpoint), V_INT(o->under.epoch), V_INT(o->under.shard)), NULL,
                  NULL, NULL);
}

struct outage_rows {
    outage_row *row;
    void *arg;
};

static bool outage_row_read(void *arg, const struct value *c, size_t n)
{
    const struct outage_rows *r = arg;
    struct outage o = {.endpoint = (uint64_t)c[0].i,
                       .since_ms = c[1].i,
                       .last_at_ms = c[2].i,
                       .status = (int)c[3].i,
                       .err = (enum err)c[4].i,
                       .next_at_ms = c[6].i,
                       .is_failing = c[7].i != 0};
    snprintf(o.detail, sizeof o.detail, "%.*s", STR_FMT(c[5].s));
    r->row(r->arg, &o);
    return true;
}

static void outage_keep(void *arg, const struct outage *o)
{
    *(struct outage *)arg = *o;
}

enum err outage_get(struct db *db, uint64_t endpoint, struct outage *ret)
{
    struct outage_rows r = {outage_keep, ret};
    *ret = (struct outage){.endpoint = endpoint};
    return db_run(db, SQL_OUTAGE_GET, DB_ARGS(V_INT(endpoint)), outage_row_read, &r, NULL);
}

enum err outage_list(struct db *db, outage_row *row, void *arg)
{
    struct outage_rows r = {row, arg};
    return db_run(db, SQL_OUTAGE_LIST, NULL, 0, outage_row_read, &r, NULL);
}
