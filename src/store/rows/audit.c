/* audit: writes and lists the rows of the audit log. Inside a job's run. Indexes find rows by
 * account and by target without walking those of others; a list by person, kind or time alone walks
 * all rows, a bounded number at a time. */
#include "store/rows/audit.h"

#include "store/walk.h"

enum err audit_put(struct db *db, const struct audit *a)
{
    return db_run(db, SQL_AUDIT_PUT,
                  DB_ARGS(V_TEXT(a->id), V_INT(a->at_ms), V_INT(a->account), V_INT(a->by_account),
                          V_TEXT(a->who), V_TEXT(a->who_name), V_TEXT(a->address), V_INT(a->kind),
                          V_TEXT(a->target), V_TEXT(a->action), V_TEXT(a->changed),
                          V_TEXT(a->before), V_TEXT(a->after)),
                  NULL, NULL, NULL);
}

struct audit_listing {
    const struct audit_filter *f;
    enum sql list;
    struct value key;
    audit_row *row;
    void *arg;
    struct list_stop *stop;
    bool stopped;
};

static bool audit_row_read(void *arg, const struct value *c, size_t n)
{
    struct audit_listing *l = arg;
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
    l->stopped = !l->row(l->arg, &a);
    if (!l->stopped)
        l->stop->at_n = a.n;
    return !l->stopped;
}

static enum err audit_chunk_read(void *arg, struct db *db, int64_t from_n, int64_t before_n,
                                 struct list_stop *stop, bool *ret_stopped)
{
    struct audit_listing *l = arg;
    const struct audit_filter *f = l->f;
    l->stop = stop;
    enum err err =
        db_run(db, l->list,
               DB_ARGS(l->key, V_INT(from_n), V_INT(before_n), V_INT(f->account), V_TEXT(f->who),
                       V_INT(f->kind), V_INT(f->since_ms), V_INT(f->until_ms)),
               audit_row_read, l, NULL);
    *ret_stopped = l->stopped;
    return err;
}

enum err audit_list(struct db *db, const struct audit_filter *f, audit_row *row, void *arg,
                    struct list_stop *ret)
{
    struct audit_listing l = {.f = f, .row = row, .arg = arg};
    struct walk w = {.key = &l.key,
                     .n_key = 1,
                     .spans = {.of = SPAN_AUDIT,
                               .kinds = f->kind < 0 ? 0 : UINT64_C(1) << f->kind,
                               .since_ms = f->since_ms,
                               .until_ms = f->until_ms},
                     .before_n = f->before_n,
                     .rows_max = f->rows_max,
                     .rows = audit_chunk_read,
                     .arg = &l};
    l.list = f->target.n  ? SQL_AUDIT_LIST_TARGET
             : f->account ? SQL_AUDIT_LIST_ACCOUNT
                          : SQL_AUDIT_LIST;
    w.next = f->target.n  ? SQL_AUDIT_NEXT_TARGET
             : f->account ? SQL_AUDIT_NEXT_ACCOUNT
                          : SQL_AUDIT_NEXT;
    l.key = f->target.n ? V_TEXT(f->target) : f->account ? V_INT(f->account) : V_TEXT(STR(""));
    return walk_run(db, &w, ret);
}

enum err audit_forget(struct db *db, int64_t ms, int64_t keep, unsigned limit)
{
    return db_run(db, SQL_AUDIT_FORGET, DB_ARGS(V_INT(limit), V_INT(ms), V_INT(keep)), NULL, NULL,
                  NULL);
}
