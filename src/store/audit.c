/* audit: who changed what. Inside a job's run. Rows are found by account and by target without
 * walking those of others; a list by who or kind alone walks from the newest on and stops at its
 * limit. */
#include "store/audit.h"

#include "store/engine.h"

enum err audit_put(struct db *db, const struct audit *a)
{
    return db_run(db, SQL_AUDIT_PUT,
                  DB_ARGS(V_TEXT(a->id), V_INT(a->at_ms), V_INT(a->account), V_INT(a->by_account),
                          V_TEXT(a->who), V_TEXT(a->who_name), V_TEXT(a->address), V_INT(a->kind),
                          V_TEXT(a->target), V_TEXT(a->action), V_TEXT(a->changed),
                          V_TEXT(a->before), V_TEXT(a->after)),
                  NULL, NULL, NULL);
}

struct rows {
    audit_row *row;
    void *arg;
};

static bool on_row(void *arg, const struct value *c, size_t n)
{
    const struct rows *r = arg;
    struct audit a = {.n = c[0].i,
                      .id = c[1].s,
                      .at_ms = c[2].i,
                      .account = (uint64_t)c[3].i,
                      .by_account = (uint64_t)c[4].i,
                      .who = c[5].s,
                      .who_name = c[6].s,
                      .address = c[7].s,
                      .kind = (enum setting_kind)c[8].i,
                      .target = c[9].s,
                      .action = c[10].s,
                      .changed = c[11].s,
                      .before = c[12].s,
                      .after = c[13].s};
    return r->row(r->arg, &a);
}

enum err audit_list(struct db *db, const struct audit_filter *f, audit_row *row, void *arg)
{
    struct rows r = {row, arg};
    enum sql sql = f->target.n  ? SQL_AUDIT_LIST_TARGET
                   : f->account ? SQL_AUDIT_LIST_ACCOUNT
                                : SQL_AUDIT_LIST;
    struct value first = f->target.n  ? V_TEXT(f->target)
                         : f->account ? V_INT(f->account)
                                      : V_TEXT(STR(""));
    return db_run(db, sql,
                  DB_ARGS(first, V_INT(f->account), V_TEXT(f->who), V_INT(f->kind),
                          V_INT(f->since_ms), V_INT(f->until_ms), V_INT(f->before_n),
                          V_INT(f->limit)),
                  on_row, &r, NULL);
}

enum err audit_forget(struct db *db, int64_t ms, int64_t keep, unsigned limit)
{
    return db_run(db, SQL_AUDIT_FORGET, DB_ARGS(V_INT(limit), V_INT(ms), V_INT(keep)), NULL, NULL,
                  NULL);
}
