/* settings: reads and writes the settings that people make, one row each. Inside a job's run. */
#include "store/rows/settings.h"

#include <stdint.h>

#include "base/clock.h"
#include "store/engine.h"

static const char *const kind_names[SETTING_KIND_COUNT] = {
    "account", "number", "endpoint", "trunk", "key", "user", "smpp_link", "extension"};

const char *setting_kind_name(enum setting_kind kind)
{
    return (unsigned)kind < SETTING_KIND_COUNT ? kind_names[kind] : "?";
}

bool setting_kind_parse(struct str name, enum setting_kind *ret)
{
    for (unsigned i = 0; i < SETTING_KIND_COUNT; i++)
        if (str_eq(name, str_of(kind_names[i]))) {
            *ret = (enum setting_kind)i;
            return true;
        }
    return false;
}

/* Takes over a row that this job put in a commit whose answer was lost. */
static enum err setting_put_before(struct db *db, const struct setting *s)
{
    int64_t version;
    bool found = false;
    enum err err = s->n ? db_run_int(db, SQL_SETTING_AT, DB_ARGS(V_INT(s->kind), V_INT(s->n)),
                                     &version, &found)
                        : OK;
    return err != OK ? err : found ? OK : ERR_EXISTS;
}

enum err setting_put(struct db *db, struct setting *s)
{
    bool made;
    int64_t n = 0, now = clock_wall_ms();
    char mark[MARK_SIZE];
    enum err err = setting_mark_of_text(s->kind, s->doc, mark);
    if (err == OK)
        err = db_run_int(db, SQL_SETTING_PUT,
                         DB_ARGS(V_INT(s->kind), V_TEXT(s->id), V_INT(s->account), V_TEXT(s->key),
                                 V_TEXT(s->doc), V_INT(now), V_TEXT(str_of(mark))),
                         &n, &made);
    if (err != OK)
        return err;
    if (!made)
        return setting_put_before(db, s);
    s->n = (uint64_t)n;
    s->version = 1;
    s->created_at_ms = s->updated_at_ms = now;
    if (s->kind != SETTING_ACCOUNT)
        return OK;
    s->account = s->n;
    return db_run(db, SQL_SETTING_OWN, DB_ARGS(V_INT(n)), NULL, NULL, NULL);
}

static bool changed_row_read(void *arg, const struct value *c, size_t n)
{
    struct setting *s = arg;
    s->version = c[0].i;
    s->created_at_ms = c[1].i;
    return false;
}

struct setting_place { /* what an index leads to the row by, and whether the new document leaves it
                          so */
    const struct setting *now;
    struct str mark;
    int64_t version;
    bool found, key_stays, all_stays;
};

static bool setting_place_row(void *arg, const struct value *c, size_t n)
{
    struct setting_place *p = arg;
    p->found = true;
    p->version = c[0].i;
    p->key_stays = str_eq(c[2].s, p->now->key);
    p->all_stays = p->key_stays && c[1].i == (int64_t)p->now->account && str_eq(c[3].s, p->mark);
    return false;
}

/* An index whose columns a statement names is written, also when they are as they were: each a page
 * of its own, where there are many rows. */
static enum err setting_write(struct db *db, struct setting *s, const struct setting_place *p)
{
    if (p->all_stays)
        return db_run(db, SQL_SETTING_CHANGE_DOC,
                      DB_ARGS(V_TEXT(s->doc), V_INT(s->updated_at_ms), V_INT(s->kind), V_INT(s->n),
                              V_INT(p->version)),
                      changed_row_read, s, NULL);
    return db_run(db, SQL_SETTING_CHANGE,
                  DB_ARGS(V_INT(s->account), V_TEXT(s->key), V_TEXT(s->doc),
                          V_INT(s->updated_at_ms), V_TEXT(p->mark), V_INT(s->kind), V_INT(s->n),
                          V_INT(p->version)),
                  changed_row_read, s, NULL);
}

enum err setting_change(struct db *db, struct setting *s)
{
    int64_t other;
    char mark[MARK_SIZE];
    bool taken = false;
    enum err err = setting_mark_of_text(s->kind, s->doc, mark);
    struct setting_place p = {.now = s, .mark = str_of(mark)};
    if (err == OK)
        err = db_run(db, SQL_SETTING_PLACE, DB_ARGS(V_INT(s->kind), V_INT(s->n)), setting_place_row,
                     &p, NULL);
    if (err != OK || !p.found)
        return err != OK ? err : ERR_NOT_FOUND;
    if (s->version != 0 && p.version != s->version)
        return ERR_AGAIN;
    if (!p.key_stays)
        err = db_run_int(db, SQL_SETTING_KEY_TAKEN,
                         DB_ARGS(V_INT(s->kind), V_TEXT(s->key), V_INT(s->n)), &other, &taken);
    if (err != OK || taken)
        return err != OK ? err : ERR_EXISTS;
    s->updated_at_ms = clock_wall_ms();
    return setting_write(db, s, &p);
}

enum err setting_delete(struct db *db, enum setting_kind kind, uint64_t n)
{
    int64_t changes = 0;
    enum err err =
        db_run(db, SQL_SETTING_DELETE, DB_ARGS(V_INT(kind), V_INT(n)), NULL, NULL, &changes);
    return err != OK ? err : changes ? OK : ERR_NOT_FOUND;
}

static void setting_of_row(const struct value *c, struct setting *s)
{
    *s = (struct setting){.n = (uint64_t)c[0].i,
                          .kind = (enum setting_kind)c[1].i,
                          .id = c[2].s,
                          .account = (uint64_t)c[3].i,
                          .key = c[4].s,
                          .doc = c[5].s,
                          .version = c[6].i,
                          .created_at_ms = c[7].i,
                          .updated_at_ms = c[8].i};
}

struct setting_copy {
    struct setting *s;
    struct buf *mem;
    bool any;
};

static bool setting_copy_row(void *arg, const struct value *c, size_t n)
{
    struct setting_copy *got = arg;
    struct setting *s = got->s;
    setting_of_row(c, s);
    got->any = true;
    size_t from = got->mem->n;
    buf_put_str(got->mem, s->id);
    buf_put_str(got->mem, s->key);
    buf_put_str(got->mem, s->doc);
    if (got->mem->err != OK)
        return false;
    s->id.p = got->mem->p + from;
    s->key.p = s->id.p + s->id.n;
    s->doc.p = s->key.p + s->key.n;
    return false;
}

enum err setting_get(struct db *db, enum setting_kind kind, uint64_t account, struct str id,
                     struct setting *ret, struct buf *mem)
{
    struct setting_copy got = {ret, mem, false};
    enum err err = db_run(db, SQL_SETTING_GET, DB_ARGS(V_INT(kind), V_TEXT(id), V_INT(account)),
                          setting_copy_row, &got, NULL);
    return err != OK ? err : !got.any ? ERR_NOT_FOUND : mem->err;
}

enum err setting_get_by_key(struct db *db, enum setting_kind kind, struct str key,
                            struct setting *ret, struct buf *mem)
{
    struct setting_copy got = {ret, mem, false};
    enum err err = db_run(db, SQL_SETTING_GET_KEY, DB_ARGS(V_INT(kind), V_TEXT(key)),
                          setting_copy_row, &got, NULL);
    return err != OK ? err : !got.any ? ERR_NOT_FOUND : mem->err;
}

enum err setting_get_n(struct db *db, enum setting_kind kind, uint64_t account, uint64_t n,
                       struct setting *ret, struct buf *mem)
{
    struct setting_copy got = {ret, mem, false};
    enum err err = db_run(db, SQL_SETTING_GET_N, DB_ARGS(V_INT(n), V_INT(kind), V_INT(account)),
                          setting_copy_row, &got, NULL);
    return err != OK ? err : !got.any ? ERR_NOT_FOUND : mem->err;
}

enum err setting_account_is_empty(struct db *db, uint64_t account, bool *ret)
{
    enum err err = OK;
    bool found = false;
    int64_t n;
    for (int kind = 0; err == OK && !found && kind < SETTING_KIND_COUNT; kind++)
        err = db_run_int(db, SQL_SETTING_OF_ACCOUNT, DB_ARGS(V_INT(kind), V_INT(account)), &n,
                         &found);
    *ret = !found;
    return err;
}

struct setting_rows {
    setting_row *row;
    void *arg;
};

static bool setting_row_read(void *arg, const struct value *c, size_t n)
{
    const struct setting_rows *r = arg;
    struct setting s;
    setting_of_row(c, &s);
    return r->row(r->arg, &s);
}

enum err setting_list(struct db *db, enum setting_kind kind, uint64_t account, uint64_t after_n,
                      unsigned limit, setting_row *row, void *arg)
{
    struct setting_rows r = {row, arg};
    return db_run(
        db, account ? SQL_SETTING_LIST_ACCOUNT : SQL_SETTING_LIST,
        DB_ARGS(V_INT(kind), V_INT(account), V_INT(after_n), V_INT(limit ? limit : INT64_MAX)),
        setting_row_read, &r, NULL);
}

enum err setting_list_marked(struct db *db, enum setting_kind kind, struct str mark,
                             uint64_t account, uint64_t after_n, unsigned limit, setting_row *row,
                             void *arg)
{
    struct setting_rows r = {row, arg};
    const struct value n = V_INT(after_n), many = V_INT(limit ? limit : INT64_MAX);
    if (!account)
        return db_run(db, SQL_SETTING_LIST_MARK, DB_ARGS(V_INT(kind), V_TEXT(mark), n, many),
                      setting_row_read, &r, NULL);
    return db_run(db, SQL_SETTING_LIST_ACCOUNT_MARK,
                  DB_ARGS(V_INT(kind), V_TEXT(mark), V_INT(account), n, many), setting_row_read, &r,
                  NULL);
}

enum err setting_last(struct db *db, uint64_t *ret)
{
    int64_t n = 0;
    enum err err = db_run_int(db, SQL_SETTING_LAST, NULL, 0, &n, NULL);
    *ret = (uint64_t)n;
    return err;
}

static bool walk_row(void *arg, const struct value *c, size_t n)
{
    const struct setting_rows *r = arg;
    const struct setting s = {.n = (uint64_t)c[0].i,
                              .kind = (enum setting_kind)c[1].i,
                              .id = c[2].s,
                              .account = (uint64_t)c[3].i,
                              .key = c[4].s,
                              .doc = c[5].s};
    return r->row(r->arg, &s);
}

enum err setting_walk(struct db *db, uint64_t after_n, uint64_t last_n, setting_row *row, void *arg)
{
    struct setting_rows r = {row, arg};
    return db_run(db, SQL_SETTING_WALK, DB_ARGS(V_INT(after_n), V_INT(last_n)), walk_row, &r, NULL);
}
