/* audit: writes a row of the audit log for each change of a setting, in the transaction of the
 * change. On the store's writer. */
#include "api/core/audit.h"

#include <stdio.h>

#include "api/core/work.h"
#include "base/clock.h"
#include "store/rows/audit.h"

enum { DOCUMENT_MAX = 4 << 20 };

static void audit_print_document(const struct request *r, const struct resource *res,
                                 const struct setting *s, const struct json *doc, struct buf *b)
{
    struct json_writer w = {b, false};
    void *it = NULL;
    struct str key;
    const struct json *v;
    char name[128];
    json_obj(&w, NULL);
    json_put_str(&w, "account", account_id(r, s->account));
    while (json_next(doc, &it, &key, &v)) {
        if (record_hides(res, key) || str_copy(key, name, sizeof name) != OK)
            continue;
        json_put_raw(&w, name, STR(""));
        buf_put_json(b, v);
    }
    json_end_obj(&w);
}

static void changed_put_name(struct buf *b, struct str name)
{
    if (b->n)
        buf_putc(b, ',');
    buf_put_str(b, name);
}

/* Prints the names of members that differ; those that do not fit any more are left out. */
static void changed_print(const struct json *old, const struct json *now, struct buf *b)
{
    void *it = NULL;
    struct str key;
    const struct json *v;
    char name[128];
    while (json_next(now, &it, &key, &v)) {
        const struct json *was =
            str_copy(key, name, sizeof name) == OK ? json_get(old, name) : NULL;
        if (!was || !json_same(was, v))
            changed_put_name(b, key);
    }
    for (it = NULL; json_next(old, &it, &key, &v);)
        if (str_copy(key, name, sizeof name) == OK && !json_get(now, name))
            changed_put_name(b, key);
}

/* Makes a row's id: the same in each run of the job, another for each row of it. */
static void audit_row_id(struct request *r, char out[ID_SIZE])
{
    uint16_t ordinal = r->n_audits++;
    if (!r->audit_seed[0])
        id_new("aud", r->audit_seed);
    const struct str parts[] = {str_of(r->audit_seed), str_of_bytes(&ordinal, sizeof ordinal)};
    if (ordinal)
        id_derive("aud", parts, 2, out);
    else
        snprintf(out, ID_SIZE, "%s", r->audit_seed);
}

static enum err audit_put_row(struct request *r, struct db *db, struct audit *a, const char *action,
                              uint64_t account)
{
    char id[ID_SIZE];
    audit_row_id(r, id);
    a->id = str_of(id);
    a->account = account;
    a->action = str_of(action);
    return audit_put(db, a);
}

/* Of a setting that moves, each account gets its own side. */
static enum err audit_put_rows(struct request *r, struct db *db, const struct resource *res,
                               const struct setting *before, const struct setting *after,
                               struct audit *a, const char *action)
{
    uint64_t from = res->operator_only ? 0 : before ? before->account : after->account;
    uint64_t to = res->operator_only ? 0 : after ? after->account : from;
    if (from == to)
        return audit_put_row(r, db, a, action, to);
    struct audit out = *a, in = *a;
    out.changed = in.changed = out.after = in.before = (struct str){"", 0};
    enum err err = audit_put_row(r, db, &out, "moved_out", from);
    return err == OK ? audit_put_row(r, db, &in, "moved_in", to) : err;
}

enum err request_audit(struct request *r, struct db *db, const struct record *rec,
                       const struct setting *before, const struct setting *after,
                       const char *action)
{
    char names[AUDIT_CHANGED_MAX];
    struct buf was, now, changed;
    const struct setting *one = after ? after : before;
    buf_wrap(&changed, names, sizeof names);
    buf_init(&was, DOCUMENT_MAX);
    buf_init(&now, DOCUMENT_MAX);
    if (before)
        audit_print_document(r, rec->res, before, rec->was, &was);
    if (after)
        audit_print_document(r, rec->res, after, rec->now, &now);
    if (before && after)
        changed_print(rec->was, rec->now, &changed);
    struct audit a = {.at_ms = clock_wall_ms(),
                      .by_account = r->account,
                      .who = str_of(r->asker.id),
                      .who_name = str_of(r->asker.name),
                      .address = str_of(r->http.address),
                      .kind = rec->res->kind,
                      .target = one->id,
                      .changed = buf_str(&changed),
                      .before = buf_str(&was),
                      .after = buf_str(&now)};
    enum err err = was.err != OK ? was.err : now.err;
    if (err == OK)
        err = audit_put_rows(r, db, rec->res, before, after, &a, action);
    buf_fini(&was);
    buf_fini(&now);
    return err;
}
