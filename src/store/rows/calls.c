/* calls: reads and writes the rows of calls; the row of an open call holds what a restart needs.
 * Inside a job's run. */
#include "store/rows/calls.h"

#include "base/id.h"
#include "store/walk.h"

enum err call_put(struct db *db, const struct call_row *c)
{
    return db_run(db, SQL_CALL_PUT,
                  DB_ARGS(V_TEXT(c->call_id), V_INT(c->account), V_TEXT(c->trunk),
                          V_TEXT(c->number), V_TEXT(c->peer), V_TEXT(c->destination),
                          V_INT(c->phase), V_INT(c->started_at_ms), V_INT(c->answered_at_ms),
                          V_INT(c->ended_at_ms), V_INT(c->end_reason), V_INT(c->sip_status),
                          V_INT(c->simulated), V_TEXT(c->facts), V_TEXT(c->legs)),
                  NULL, NULL, NULL);
}

enum err call_set_legs(struct db *db, struct str call_id, enum call_phase phase, struct str legs)
{
    return db_run(db, SQL_CALL_SET_LEGS, DB_ARGS(V_TEXT(legs), V_TEXT(call_id), V_INT(phase)), NULL,
                  NULL, NULL);
}

static void call_of_row(const struct value *c, struct call_row *r)
{
    *r = (struct call_row){.n = c[0].i,
                           .call_id = c[1].s,
                           .account = (uint64_t)c[2].i,
                           .trunk = c[3].s,
                           .number = c[4].s,
                           .peer = c[5].s,
                           .destination = c[6].s,
                           .phase = (enum call_phase)c[7].i,
                           .started_at_ms = c[8].i,
                           .answered_at_ms = c[9].i,
                           .ended_at_ms = c[10].i,
                           .end_reason = (int)c[11].i,
                           .sip_status = (int)c[12].i,
                           .simulated = c[13].i != 0,
                           .facts = c[14].s,
                           .legs = c[15].s};
}

struct call_rows {
    call_row_fn *row;
    void *arg;
};

static bool call_row_read(void *arg, const struct value *c, size_t n)
{
    const struct call_rows *r = arg;
    struct call_row row;
    call_of_row(c, &row);
    return r->row(r->arg, &row);
}

struct call_copy {
    struct call_row *row;
    struct buf *mem;
    bool any;
};

/* Copies the row's texts into one buffer. The slices are set last, since the buffer may move while
 * it grows. */
static bool call_copy_row(void *arg, const struct value *c, size_t n)
{
    struct call_copy *got = arg;
    struct call_row *r = got->row;
    call_of_row(c, r);
    got->any = true;
    struct str *slices[] = {&r->call_id,     &r->trunk, &r->number, &r->peer,
                            &r->destination, &r->facts, &r->legs};
    size_t from = got->mem->n;
    for (size_t i = 0; i < sizeof slices / sizeof *slices; i++)
        buf_put_str(got->mem, *slices[i]);
    if (got->mem->err != OK)
        return false;
    for (size_t i = 0; i < sizeof slices / sizeof *slices; i++) {
        slices[i]->p = got->mem->p + from;
        from += slices[i]->n;
    }
    return false;
}

enum err call_get(struct db *db, uint64_t account, struct str call_id, struct call_row *ret,
                  struct buf *mem)
{
    struct call_copy got = {ret, mem, false};
    enum err err = db_run(db, SQL_CALL_GET, DB_ARGS(V_TEXT(call_id), V_INT(account)), call_copy_row,
                          &got, NULL);
    return err != OK ? err : !got.any ? ERR_NOT_FOUND : mem->err;
}

struct gone_job {
    struct store_job job; /* first */
    size_t n;
    const uint8_t *id;
    bool *ret_gone;
};

static enum err gone_job_run(struct store_job *job, struct db *db)
{
    struct gone_job *j = (struct gone_job *)job;
    struct buf mem;
    enum err err = OK;
    buf_init(&mem, 1 << 20);
    for (size_t i = 0; i < j->n && err == OK; i++) {
        struct call_row row;
        char id[ID_SIZE];
        buf_reset(&mem);
        id_print("call", j->id + i * 16, id);
        err = call_get(db, 0, str_of(id), &row, &mem);
        j->ret_gone[i] = err == ERR_NOT_FOUND;
        if (err == ERR_NOT_FOUND)
            err = OK;
    }
    buf_fini(&mem);
    return err;
}

enum err calls_gone(struct store *s, size_t n, const uint8_t *id, bool *ret_gone)
{
    struct gone_job j = {.job.run = gone_job_run, .n = n, .id = id, .ret_gone = ret_gone};
    return store_read_now(s, &j.job);
}

enum err call_list_open(struct db *db, int64_t after_n, unsigned limit, call_row_fn *row, void *arg)
{
    struct call_rows r = {row, arg};
    return db_run(db, SQL_CALL_LIST_OPEN, DB_ARGS(V_INT(after_n), V_INT(limit)), call_row_read, &r,
                  NULL);
}

enum err call_count_open(struct db *db, size_t *ret)
{
    int64_t n = 0;
    enum err err = db_run_int(db, SQL_CALL_COUNT_OPEN, NULL, 0, &n, NULL);
    *ret = (size_t)n;
    return err;
}

enum err call_count_start(struct db *db, int64_t *ret)
{
    static const struct str name = STR("edge_starts");
    *ret = 0;
    enum err err = db_run_int(db, SQL_META_GET, DB_ARGS(V_TEXT(name)), ret, NULL);
    if (err == OK)
        err = db_run(db, SQL_META_PUT, DB_ARGS(V_TEXT(name), V_INT(++*ret)), NULL, NULL, NULL);
    return err;
}

/* ---- lists ---- */

struct call_listing {
    const struct call_filter *f;
    enum sql list;
    struct value key;
    call_row_fn *row;
    void *arg;
    struct list_stop *stop;
    bool stopped;
};

static bool call_listing_row(void *arg, const struct value *c, size_t n)
{
    struct call_listing *l = arg;
    struct call_row row;
    call_of_row(c, &row);
    l->stopped = !l->row(l->arg, &row);
    if (!l->stopped)
        l->stop->at_n = row.n;
    return !l->stopped;
}

static enum err call_chunk_read(void *arg, struct db *db, int64_t from_n, int64_t before_n,
                                struct list_stop *stop, bool *ret_stopped)
{
    struct call_listing *l = arg;
    const struct call_filter *f = l->f;
    l->stop = stop;
    enum err err = db_run(db, l->list,
                          DB_ARGS(l->key, V_INT(from_n), V_INT(before_n), V_INT(f->account),
                                  V_INT(f->phase), V_INT(f->since_ms), V_INT(f->until_ms)),
                          call_listing_row, l, NULL);
    *ret_stopped = l->stopped;
    return err;
}

enum err call_list(struct db *db, const struct call_filter *f, call_row_fn *row, void *arg,
                   struct list_stop *ret)
{
    struct call_listing l = {.f = f, .row = row, .arg = arg};
    struct walk w = {.key = &l.key,
                     .n_key = 1,
                     .spans = {.of = SPAN_CALLS, .since_ms = f->since_ms, .until_ms = f->until_ms},
                     .before_n = f->before_n,
                     .rows_max = f->rows_max,
                     .rows = call_chunk_read,
                     .arg = &l};
    l.list = f->number.n  ? SQL_CALL_LIST_NUMBER
             : f->account ? SQL_CALL_LIST_ACCOUNT
                          : SQL_CALL_LIST;
    w.next = f->number.n  ? SQL_CALL_NEXT_NUMBER
             : f->account ? SQL_CALL_NEXT_ACCOUNT
                          : SQL_CALL_NEXT;
    l.key = f->number.n ? V_TEXT(f->number) : f->account ? V_INT(f->account) : V_TEXT(STR(""));
    return walk_run(db, &w, ret);
}
