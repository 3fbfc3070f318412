/* db: runs the statements of the table on a connection, whatever engine is behind it. The rows'
 * files call it, inside a job's run, on the thread of that connection. */
#include "store/engine.h"

enum err db_run(struct db *db, enum sql sql, const struct value *args, size_t n_args, db_row *row,
                void *arg, int64_t *ret_changes)
{
    ASSERT(db->writer || !sql_table[sql].writes);
    db->writes += sql_table[sql].writes;
    return db->engine->run(db, sql, args, n_args, row, arg, ret_changes);
}

uint64_t db_transaction(const struct db *db)
{
    return db->begun;
}

struct first_number { /* of a query of one number */
    int64_t *v;
    bool found;
};

static bool first_number_read(void *arg, const struct value *column, size_t n)
{
    struct first_number *one = arg;
    one->found = column[0].kind == VALUE_INT;
    if (one->found)
        *one->v = column[0].i;
    return false;
}

enum err db_run_int(struct db *db, enum sql sql, const struct value *args, size_t n_args,
                    int64_t *ret, bool *ret_found)
{
    struct first_number one = {.v = ret};
    enum err err = db_run(db, sql, args, n_args, first_number_read, &one, NULL);
    if (ret_found)
        *ret_found = one.found;
    return err;
}
