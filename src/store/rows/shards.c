/* shards: a row for each, made with the schema. */
#include "store/rows/shards.h"

#include "store/engine.h"

/* By the golden ratio: numbers that follow each other, or every second one, spread evenly. */
unsigned shard_of(uint64_t endpoint)
{
    return (unsigned)(endpoint * UINT64_C(0x9E3779B97F4A7C15) >> 58);
}

enum err shard_take(struct db *db, struct shard_hold *h)
{
    return db_run_int(db, SQL_SHARD_TAKE, DB_ARGS(V_INT(h->shard)), &h->epoch, NULL);
}

enum err shard_get(struct db *db, struct shard_hold *h)
{
    return db_run_int(db, SQL_SHARD_GET, DB_ARGS(V_INT(h->shard)), &h->epoch, NULL);
}
