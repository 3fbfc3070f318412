/* cursor_key: keeps the key as two numbers of 64 bits in `meta`. */
#include "store/cursor_key.h"

#include <string.h>

#include "base/crypto.h"
#include "store/engine.h"

static const char *const names[] = {"cursor_key_1", "cursor_key_2"};
enum { HALVES = 2 };

enum err cursor_key_make(struct db *db)
{
    enum err err = OK;
    for (size_t i = 0; err == OK && i < HALVES; i++) {
        int64_t half;
        bool found;
        err = db_run_int(db, SQL_META_GET, DB_ARGS(V_TEXT(str_of(names[i]))), &half, &found);
        if (err != OK || found)
            continue;
        crypto_random(&half, sizeof half);
        err = db_run(db, SQL_META_PUT, DB_ARGS(V_TEXT(str_of(names[i])), V_INT(half)), NULL, NULL,
                     NULL);
    }
    return err;
}

enum err cursor_key_get(struct db *db, uint8_t ret[CURSOR_KEY_BYTES])
{
    enum err err = OK;
    for (size_t i = 0; err == OK && i < HALVES; i++) {
        int64_t half;
        bool found;
        err = db_run_int(db, SQL_META_GET, DB_ARGS(V_TEXT(str_of(names[i]))), &half, &found);
        if (err == OK && !found)
            err = ERR_NOT_FOUND;
        if (err == OK)
            memcpy(ret + i * sizeof half, &half, sizeof half);
    }
    return err;
}
