/* record: keeps a setting's row and documents in memory while a request works on it. One thread at
 * a time: the HTTP server's while it is checked, then the store's. */
#include "api/core/record.h"

#include "api/core/kind.h"
#include "api/core/room.h"

enum { RECORD_MAX = 4 << 20 };

struct record *record_new(struct request *r, const struct resource *res)
{
    struct record *rec = request_take(r, sizeof *rec);
    if (!rec)
        return NULL;
    rec->res = res;
    rec->setting.kind = res->kind;
    buf_init(&rec->mem, RECORD_MAX);
    buf_init(&rec->text, RECORD_MAX);
    rec->next = r->records;
    r->records = rec;
    return rec;
}

void record_begin(struct record *rec)
{
    json_free(rec->was);
    json_free(rec->now);
    rec->was = rec->now = NULL;
    buf_reset(&rec->mem);
}

void records_free(struct record *first)
{
    for (struct record *rec = first; rec; rec = rec->next) {
        record_begin(rec);
        buf_fini(&rec->mem);
        buf_fini(&rec->text);
    }
}

static enum err record_read_document(struct record *rec, enum err err)
{
    if (err == OK)
        err = json_parse(rec->setting.doc, &rec->was, NULL, 0);
    return err == ERR_SYNTAX ? ERR_BUG : err;
}

enum err record_get(struct record *rec, struct db *db, uint64_t account, struct str id)
{
    record_begin(rec);
    return record_read_document(
        rec, setting_get(db, rec->res->kind, account, id, &rec->setting, &rec->mem));
}

enum err record_get_by_key(struct record *rec, struct db *db, struct str key)
{
    record_begin(rec);
    return record_read_document(
        rec, setting_get_by_key(db, rec->res->kind, key, &rec->setting, &rec->mem));
}

enum err record_get_n(struct record *rec, struct db *db, uint64_t account, uint64_t n)
{
    record_begin(rec);
    return record_read_document(
        rec, setting_get_n(db, rec->res->kind, account, n, &rec->setting, &rec->mem));
}

enum err record_print_key(struct record *rec, const char *key)
{
    buf_reset(&rec->text);
    buf_puts(&rec->text, key);
    return rec->text.err;
}

enum err record_printed(struct record *rec, size_t key_n)
{
    const struct buf *b = &rec->text;
    if (b->err != OK)
        return b->err;
    rec->setting.key = str_of_bytes(b->p, key_n);
    rec->setting.doc = str_of_bytes(b->p + key_n, b->n - key_n);
    return OK;
}

uint64_t record_owner(const struct record *rec)
{
    return rec->move_to ? rec->move_to : rec->setting.account;
}

bool record_hides(const struct resource *res, struct str member)
{
    for (size_t i = 0; res->hidden && res->hidden[i]; i++)
        if (str_eq(member, str_of(res->hidden[i])))
            return true;
    return false;
}
