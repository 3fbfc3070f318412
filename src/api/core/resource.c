/* resource: handles a kind of setting as a resource: list, create, get, patch, delete. The
 * differences between the kinds are in their `struct resource`. Handlers on the HTTP server's
 * threads, work on the store's. */
#include "api/core/resource.h"

#include <stdio.h>
#include <string.h>

#include "api/core/audit.h"
#include "api/core/rights.h"

static bool is_among(const char *const *names, struct str key)
{
    for (size_t i = 0; names && names[i]; i++)
        if (str_eq(key, str_of(names[i])))
            return true;
    return false;
}

/* Prints a setting. `doc` NULL: it cannot be read, and nothing of it is shown. */
static enum err setting_show(struct request *r, const struct resource *res, const struct setting *s,
                             const struct json *doc, const char *secret, struct json_writer *w)
{
    enum err err = OK;
    void *it = NULL;
    struct str key;
    const struct json *v;
    json_obj(w, NULL);
    json_put_str(w, "id", s->id);
    json_put_str(w, "account", /* a new account is in no book yet */
                 res->kind == SETTING_ACCOUNT ? s->id : account_id(r, s->account));
    while (doc && json_next(doc, &it, &key, &v)) {
        char name[128];
        if (record_hides(res, key) || str_copy(key, name, sizeof name) != OK)
            continue;
        json_put_raw(w, name, STR(""));
        buf_put_json(w->b, v);
    }
    if (secret[0])
        json_put_str(w, res->shown_once ? res->shown_once : "secret", str_of(secret));
    if (res->more)
        err = res->more(r, s, doc, w);
    put_time(w, "created_at", s->created_at_ms);
    put_time(w, "updated_at", s->updated_at_ms);
    json_end_obj(w);
    return err;
}

enum err resource_put(struct request *r, const struct record *rec, struct json_writer *w)
{
    const struct json *doc = rec->now ? rec->now : rec->was;
    return setting_show(r, rec->res, &rec->setting, doc, rec->secret, w);
}

static enum err resource_answer(struct request *r, const struct record *rec, int status)
{
    struct json_writer w = {&r->http.out, false};
    r->http.status = status;
    request_put_etag(r, rec->setting.version);
    if (status == 201)
        snprintf(r->http.location, sizeof r->http.location, "%s/%.*s", rec->res->collection,
                 STR_FMT(rec->setting.id));
    return resource_put(r, rec, &w);
}

static void resource_refuse(struct request *r, enum err err)
{
    problem_of_err(r, err);
    request_done(r);
}

/* Makes r->record. False: there is no memory, and the request is answered. */
static bool resource_begin(struct request *r, const struct resource *res)
{
    r->record = record_new(r, res);
    if (!r->record)
        resource_refuse(r, ERR_NOMEM);
    return r->record;
}

/* ---- list, get ---- */

struct setting_page {
    struct request *r;
    const struct resource *res;
    struct json_writer w;
    unsigned left;
    uint64_t last;
    bool more;
    enum err err;
};

static bool setting_page_on_row(void *arg, const struct setting *s)
{
    struct setting_page *l = arg;
    struct json *doc = NULL;
    if (l->left == 0) {
        l->more = true;
        return false;
    }
    l->left--;
    l->last = s->n;
    if (json_parse(s->doc, &doc, NULL, 0) != OK)
        doc = NULL;
    l->err = setting_show(l->r, l->res, s, doc, "", &l->w);
    json_free(doc);
    return l->err == OK;
}

static enum err resource_list_work(struct request *r, struct db *db)
{
    struct setting_page l = {.r = r, .res = r->record->res};
    int64_t cursor;
    uint64_t scope;
    enum err err = request_page(r, CURSOR_SETTINGS + (int)l.res->kind, &l.left, &cursor);
    if (err == OK)
        err = request_list_scope(r, &scope);
    if (err != OK)
        return err;
    list_begin(r, &l.w);
    err =
        setting_list(db, l.res->kind, scope, (uint64_t)cursor, l.left + 1, setting_page_on_row, &l);
    list_end(r, &l.w, CURSOR_SETTINGS + (int)l.res->kind, l.more ? (int64_t)l.last : 0);
    return err != OK ? err : l.err;
}

void resource_list(struct request *r, const struct resource *res)
{
    if (resource_begin(r, res))
        request_read(r, resource_list_work);
}

/* Gets the row that the path names. */
static enum err resource_find(struct request *r, struct record *rec, struct db *db)
{
    enum setting_kind kind = rec->res->kind;
    enum err err = record_get(rec, db, request_scope(r), str_of(r->arg));
    if (err == ERR_NOT_FOUND && kind != SETTING_NUMBER && kind != SETTING_KEY && r->is_operator)
        err = record_get_by_key(rec, db, str_of(r->arg)); /* the operator may give a name */
    return err;
}

static enum err resource_get_work(struct request *r, struct db *db)
{
    struct record *rec = r->record;
    enum err err = resource_find(r, rec, db);
    if (err == OK)
        err = resource_answer(r, rec, 200);
    if (err == OK && !rec->res->more)
        request_if_none_match(r, rec->setting.version);
    return err;
}

void resource_get(struct request *r, const struct resource *res)
{
    if (resource_begin(r, res))
        request_read(r, resource_get_work);
}

/* ---- create ---- */

/* Refuses members that no document has; the model judges the rest. */
static enum err resource_check_names(struct request *r, const struct resource *res)
{
    void *it = NULL;
    struct str key;
    const struct json *v;
    while (json_next(r->json, &it, &key, &v))
        if (key.n >= NAME_MAX_BYTES || is_among(res->own, key))
            return request_refuse(r, key.p, "no such field");
    return OK;
}

/* Gives a new setting its id, and the id as its key when it has no other. */
static void record_name(struct record *rec)
{
    struct setting *s = &rec->setting;
    if (rec->res->prefix && !rec->made_id[0])
        id_new(rec->res->prefix, rec->made_id);
    if (rec->res->prefix)
        s->id = str_of(rec->made_id);
    if (!s->key.n)
        s->key = s->id;
    if (!s->id.n)
        s->id = s->key;
}

/* Lets the kind check and print the document; from here on the printed one is used. */
static enum err record_check(struct request *r, struct record *rec, const struct json *doc,
                             const struct json *given, bool is_new)
{
    enum err err = rec->res->check(r, rec, doc, given, is_new);
    if (err == OK && json_parse(rec->setting.doc, &rec->now, NULL, 0) != OK)
        err = ERR_BUG;
    return err == OK ? rights_check_reserved(r, rec->res->reserved, rec->was, rec->now) : err;
}

static enum err record_insert(struct request *r, struct record *rec, struct db *db)
{
    enum err err = rec->res->fits ? rec->res->fits(r, rec, db) : OK;
    if (err == OK)
        err = setting_put(db, &rec->setting);
    return err == OK ? request_audit(r, db, rec, NULL, &rec->setting, "created") : err;
}

enum err resource_make(struct request *r, struct record *rec, struct db *db, const struct json *doc)
{
    record_begin(rec);
    enum err err = record_check(r, rec, doc, doc, true);
    if (err == OK)
        record_name(rec);
    return err == OK ? record_insert(r, rec, db) : err;
}

static enum err resource_create_work(struct request *r, struct db *db)
{
    enum err err = record_insert(r, r->record, db);
    return err == OK ? resource_answer(r, r->record, 201) : err;
}

void resource_create(struct request *r, const struct resource *res)
{
    struct json *doc = NULL;
    if (!resource_begin(r, res))
        return;
    enum err err = request_account(r, &r->record->setting.account);
    if (err == OK && json_kind(r->json) != JSON_IS_OBJECT)
        err = request_refuse(r, "body", "one object");
    if (err == OK)
        err = resource_check_names(r, res);
    if (err == OK) {
        doc = json_merged(r->json, NULL, "account");
        err = record_check(r, r->record, doc, doc, true);
    }
    json_free(doc);
    if (err != OK) {
        resource_refuse(r, err);
        return;
    }
    record_name(r->record);
    request_write(r, resource_create_work, setting_committed);
}

/* ---- after the commit ---- */

void record_committed(struct request *r, const struct record *rec)
{
    books_changed(r->api->c.books, &rec->setting, rec->deleted);
    if (rec->res->committed)
        rec->res->committed(r, rec);
}

void record_nudge(struct request *r, const struct record *rec)
{
    record_committed(r, rec);
    if (r->api->c.nudge)
        r->api->c.nudge(r->api->c.arg, rec->setting.n);
}

void setting_committed(struct request *r)
{
    record_committed(r, r->record);
}

void setting_committed_nudge(struct request *r)
{
    record_nudge(r, r->record);
}

/* ---- change ---- */

/* Merges the patch into the stored document, without the members that a move leaves behind, and
 * checks it. */
static enum err record_merge(struct request *r, struct record *rec, const struct json *patch)
{
    struct json *left = NULL, *doc = NULL;
    bool moves = rec->move_to && rec->move_to != rec->setting.account;
    enum err err = rec->res->leave && moves ? rec->res->leave(r, rec->was, &left) : OK;
    if (err == OK) {
        doc = json_merged(left ? left : rec->was, patch, "account");
        err = record_check(r, rec, doc, patch, false);
    }
    json_free(doc);
    json_free(left);
    return err;
}

enum err resource_change(struct request *r, struct record *rec, struct db *db,
                         const struct json *patch)
{
    const struct resource *res = rec->res;
    const struct setting before = rec->setting;
    enum err err = res->allow ? res->allow(r, rec, db, false) : OK;
    if (err == OK)
        err = record_merge(r, rec, patch);
    if (err == OK && rec->move_to)
        rec->setting.account = rec->move_to;
    if (err == OK && res->fits)
        err = res->fits(r, rec, db);
    if (err == OK)
        err = setting_change(db, &rec->setting);
    return err == OK ? request_audit(r, db, rec, &before, &rec->setting, "changed") : err;
}

enum err resource_merge(struct request *r, struct record *rec, struct db *db,
                        const struct json *patch)
{
    enum err err = resource_find(r, rec, db);
    if (err == OK)
        err = request_if_match(r, rec->setting.version);
    return err == OK ? resource_change(r, rec, db, patch) : err;
}

static enum err resource_patch_work(struct request *r, struct db *db)
{
    struct record *rec = r->record;
    enum err err = resource_check_names(r, rec->res);
    if (err == OK && json_get(r->json, "account"))
        err = rec->res->kind == SETTING_ACCOUNT
                  ? request_refuse(r, "account", "absent: an account belongs to nobody")
                  : request_account(r, &rec->move_to);
    if (err == OK)
        err = resource_merge(r, rec, db, r->json);
    return err == OK ? resource_answer(r, rec, 200) : err;
}

void resource_patch(struct request *r, const struct resource *res)
{
    if (json_kind(r->json) != JSON_IS_OBJECT) {
        problem_field(r, "body", "one object");
        request_done(r);
        return;
    }
    if (resource_begin(r, res))
        request_write(r, resource_patch_work,
                      res->nudges ? setting_committed_nudge : setting_committed);
}

/* ---- delete ---- */

enum err resource_remove(struct request *r, struct record *rec, struct db *db)
{
    const struct resource *res = rec->res;
    enum err err = res->allow ? res->allow(r, rec, db, true) : OK;
    if (err == OK)
        err = setting_delete(db, res->kind, rec->setting.n);
    if (err == OK && res->removed)
        err = res->removed(r, rec, db);
    rec->deleted = true;
    return err == OK ? request_audit(r, db, rec, &rec->setting, NULL, "deleted") : err;
}

static enum err resource_delete_work(struct request *r, struct db *db)
{
    struct record *rec = r->record;
    enum err err = resource_find(r, rec, db);
    if (err == OK)
        err = request_if_match(r, rec->setting.version);
    if (err == OK)
        err = resource_remove(r, rec, db);
    r->http.status = 204;
    return err;
}

void resource_delete(struct request *r, const struct resource *res)
{
    if (resource_begin(r, res))
        request_write(r, resource_delete_work,
                      res->nudges ? setting_committed_nudge : setting_committed);
}
