/* sql: holds the table of the statements. */
#include "store/sql.h"

const struct sql_statement sql_table[SQL_COUNT] = {
#define X(id, writes, text) {text, writes},
    SQL_LIST(X)
#undef X
};
