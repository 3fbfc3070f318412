/* sms_parts: keeps the rows of messages that are not whole yet. A row per account counts what
 * waits, in the same transaction that changes it, so that it cannot drift. Only this file adds and
 * deletes parts. */
#include "store/rows/sms_parts.h"

#include <string.h>

#include "store/engine.h"

/* A repeat is the row of its number beyond those of the parts. */
enum { REPEATS = SMS_PARTS_MAX };

struct sms_set_read {
    struct sms_set *ret;
    bool found;
    enum err err;
};

static bool sms_set_row_read(void *arg, const struct value *c, size_t n)
{
    struct sms_set_read *got = arg;
    struct sms_set *s = got->ret;
    *s = (struct sms_set){.n = c[0].i,
                          .account = (uint64_t)c[2].i,
                          .parts = (unsigned)c[7].i,
                          .have = (unsigned)c[8].i,
                          .bytes = c[9].i,
                          .state = (enum sms_set_state)c[10].i,
                          .simulated = c[11].i != 0,
                          .last_at_ms = c[12].i,
                          .ends_at_ms = c[13].i};
    const struct {
        char *to;
        size_t cap;
    } text[] = {[1] = {s->id, sizeof s->id},
                [3] = {s->link, sizeof s->link},
                [4] = {s->from, sizeof s->from},
                [5] = {s->to, sizeof s->to},
                [6] = {s->message_id, sizeof s->message_id}};
    for (size_t i = 1; got->err == OK && i <= 6; i++)
        if (text[i].to)
            got->err = str_copy(c[i].s, text[i].to, text[i].cap);
    if (c[14].s.n > sizeof s->digest || s->parts > SMS_PARTS_MAX)
        got->err = ERR_TOO_BIG;
    else if (c[14].s.n)
        memcpy(s->digest, c[14].s.p, c[14].s.n);
    got->found = true;
    return false;
}

static enum err sms_set_one(struct db *db, enum sql sql, struct value key, struct sms_set *ret)
{
    struct sms_set_read got = {.ret = ret};
    enum err err = db_run(db, sql, &key, 1, sms_set_row_read, &got, NULL);
    return err != OK ? err : !got.found ? ERR_NOT_FOUND : got.err;
}

enum err sms_set_find(struct db *db, struct str id, struct sms_set *ret)
{
    return sms_set_one(db, SQL_SMS_SET_FIND, V_TEXT(id), ret);
}

enum err sms_set_get(struct db *db, int64_t n, struct sms_set *ret)
{
    return sms_set_one(db, SQL_SMS_SET_GET, V_INT(n), ret);
}

enum err sms_set_oldest(struct db *db, uint64_t account, int64_t *ret_n)
{
    bool found;
    enum err err = db_run_int(db, SQL_SMS_SET_OLDEST, DB_ARGS(V_INT(account)), ret_n, &found);
    return err != OK ? err : found ? OK : ERR_NOT_FOUND;
}

/* ---- what an account has ---- */

static bool sms_held_row_read(void *arg, const struct value *c, size_t n)
{
    *(struct sms_held *)arg = (struct sms_held){c[0].i, c[1].i};
    return true;
}

static enum err sms_held_add(struct db *db, uint64_t account, int64_t sets, int64_t bytes,
                             struct sms_held *ret)
{
    return db_run(db, SQL_SMS_HELD_ADD, DB_ARGS(V_INT(account), V_INT(sets), V_INT(bytes)),
                  sms_held_row_read, ret, NULL);
}

enum err sms_held_get(struct db *db, uint64_t account, struct sms_held *ret)
{
    *ret = (struct sms_held){0};
    return db_run(db, SQL_SMS_HELD_GET, DB_ARGS(V_INT(account)), sms_held_row_read, ret, NULL);
}

/* ---- come and go ---- */

enum err sms_set_put(struct db *db, struct sms_set *s)
{
    struct sms_held held;
    enum err err =
        db_run_int(db, SQL_SMS_SET_PUT,
                   DB_ARGS(V_TEXT(str_of(s->id)), V_INT(s->account), V_TEXT(str_of(s->link)),
                           V_TEXT(str_of(s->from)), V_TEXT(str_of(s->to)),
                           V_TEXT(str_of(s->message_id)), V_INT(s->parts), V_INT(s->simulated),
                           V_INT(s->last_at_ms), V_INT(s->ends_at_ms), V_OCTETS(STR(""))),
                   &s->n, NULL);
    return err == OK ? sms_held_add(db, s->account, 1, 0, &held) : err;
}

static enum err sms_part_insert(struct db *db, int64_t set_n, unsigned number,
                                const struct sms_part *p, int64_t *ret_changes)
{
    return db_run(db, SQL_SMS_PART_PUT,
                  DB_ARGS(V_INT(set_n), V_INT(number), V_INT(p->data_coding),
                          V_INT(p->coding.alphabet), V_INT(p->coding.single_shift),
                          V_INT(p->coding.locking_shift), V_INT(p->coding.fill), V_OCTETS(p->data)),
                  NULL, NULL, ret_changes);
}

enum err sms_repeat_put(struct db *db, int64_t set_n, const struct sms_part *p)
{
    return sms_part_insert(db, set_n, REPEATS + p->number, p, NULL);
}

enum err sms_part_put(struct db *db, struct sms_set *s, const struct sms_part *p, int64_t at_ms,
                      bool *ret_new)
{
    int64_t changes = 0, size = (int64_t)p->data.n + SMS_PART_COST;
    struct sms_held held;
    enum err err = sms_part_insert(db, s->n, p->number, p, &changes);
    *ret_new = changes > 0;
    if (err != OK || !*ret_new)
        return err;
    err = db_run(db, SQL_SMS_SET_GROW, DB_ARGS(V_INT(size), V_INT(at_ms), V_INT(s->n)), NULL, NULL,
                 NULL);
    s->have++;
    s->bytes += size;
    s->last_at_ms = at_ms;
    return err == OK ? sms_held_add(db, s->account, 0, size, &held) : err;
}

enum err sms_repeats_delete(struct db *db, const struct sms_set *s)
{
    return db_run(db, SQL_SMS_PART_DELETE, DB_ARGS(V_INT(s->n)), NULL, NULL, NULL);
}

static enum err sms_set_release(struct db *db, const struct sms_set *s)
{
    struct sms_held held;
    enum err err = db_run(db, SQL_SMS_PART_DELETE, DB_ARGS(V_INT(s->n)), NULL, NULL, NULL);
    return err == OK ? sms_held_add(db, s->account, -1, -s->bytes, &held) : err;
}

enum err sms_set_end(struct db *db, struct sms_set *s, int64_t ends_at_ms)
{
    struct str digests = str_of_bytes(s->digest, s->parts * sizeof s->digest[0]);
    enum err err = sms_set_release(db, s);
    if (err == OK)
        err = db_run(db, SQL_SMS_SET_END,
                     DB_ARGS(V_INT(ends_at_ms), V_OCTETS(digests), V_INT(s->n)), NULL, NULL, NULL);
    s->state = SMS_SET_DONE;
    s->bytes = 0;
    s->ends_at_ms = ends_at_ms;
    return err;
}

enum err sms_set_delete(struct db *db, const struct sms_set *s)
{
    enum err err = s->state == SMS_SET_WAITING ? sms_set_release(db, s) : sms_repeats_delete(db, s);
    return err == OK ? db_run(db, SQL_SMS_SET_DELETE, DB_ARGS(V_INT(s->n)), NULL, NULL, NULL) : err;
}

/* ---- parts ---- */

struct part_rows {
    sms_part_row *row;
    void *arg;
    bool any;
};

static bool sms_part_row_read(void *arg, const struct value *c, size_t n)
{
    struct part_rows *r = arg;
    struct sms_part p = {.number = (unsigned)c[0].i,
                         .data_coding = (uint8_t)c[1].i,
                         .coding = {.alphabet = (enum sms_alphabet)c[2].i,
                                    .single_shift = (uint8_t)c[3].i,
                                    .locking_shift = (uint8_t)c[4].i,
                                    .fill = (uint8_t)c[5].i},
                         .data = c[6].s};
    if ((unsigned)p.coding.alphabet >= SMS_ALPHABET_COUNT) /* of a newer program */
        p.coding.alphabet = SMS_BINARY;
    if (p.number > REPEATS)
        p.number -= REPEATS;
    r->any = true;
    return r->row(r->arg, &p);
}

static enum err sms_parts_between(struct db *db, int64_t set_n, int after, sms_part_row *row,
                                  void *arg)
{
    struct part_rows r = {.row = row, .arg = arg};
    return db_run(db, SQL_SMS_PART_LIST,
                  DB_ARGS(V_INT(set_n), V_INT(after), V_INT(after + SMS_PARTS_MAX)),
                  sms_part_row_read, &r, NULL);
}

enum err sms_part_list(struct db *db, int64_t set_n, sms_part_row *row, void *arg)
{
    return sms_parts_between(db, set_n, 0, row, arg);
}

enum err sms_repeat_list(struct db *db, int64_t set_n, sms_part_row *row, void *arg)
{
    return sms_parts_between(db, set_n, REPEATS, row, arg);
}

struct part_comparison {
    const struct sms_part *with;
    bool same;
};

static bool part_comparison_row(void *arg, const struct sms_part *p)
{
    struct part_comparison *c = arg;
    const struct sms_part *q = c->with;
    c->same = p->data_coding == q->data_coding && p->coding.alphabet == q->coding.alphabet &&
              p->coding.single_shift == q->coding.single_shift &&
              p->coding.locking_shift == q->coding.locking_shift &&
              p->coding.fill == q->coding.fill && str_eq(p->data, q->data);
    return false;
}

enum err sms_part_same(struct db *db, int64_t set_n, const struct sms_part *p, bool *ret)
{
    struct part_comparison c = {.with = p};
    struct part_rows r = {.row = part_comparison_row, .arg = &c};
    enum err err = db_run(db, SQL_SMS_PART_GET, DB_ARGS(V_INT(set_n), V_INT(p->number)),
                          sms_part_row_read, &r, NULL);
    *ret = c.same;
    return err != OK ? err : r.any ? OK : ERR_NOT_FOUND;
}

/* ---- lists ---- */

struct due_rows {
    sms_set_due *row;
    void *arg;
};

static bool due_row_read(void *arg, const struct value *c, size_t n)
{
    const struct due_rows *r = arg;
    return r->row(r->arg, c[0].i, c[1].i);
}

enum err sms_set_list_due(struct db *db, enum sms_set_state state, unsigned limit, sms_set_due *row,
                          void *arg)
{
    struct due_rows r = {row, arg};
    return db_run(db, SQL_SMS_SET_DUE, DB_ARGS(V_INT(state), V_INT(limit)), due_row_read, &r, NULL);
}

struct walk_rows {
    sms_set_walked *row;
    void *arg;
};

static bool walk_row_read(void *arg, const struct value *c, size_t n)
{
    const struct walk_rows *r = arg;
    return r->row(r->arg, c[0].i, (uint64_t)c[1].i, c[2].s);
}

enum err sms_set_walk(struct db *db, int64_t after_n, int64_t last_n, unsigned limit,
                      sms_set_walked *row, void *arg)
{
    struct walk_rows r = {row, arg};
    return db_run(db, SQL_SMS_SET_WALK, DB_ARGS(V_INT(after_n), V_INT(last_n), V_INT(limit)),
                  walk_row_read, &r, NULL);
}
