/* resource: what all settings have in common as resources: listing, creating, reading, changing and
 * deleting a row whose document model/ checks. Handlers run on the HTTP server's threads, their
 * work (work.c) on the store's. */
#include "api/core/resource.h"

#include <stdio.h>
#include <string.h>

#include "api/core/audit.h"
#include "api/core/rights.h"

static bool is_in(const char *const *names, struct str key)
{
    for (size_t i = 0; names && names[i]; i++)
        if (str_eq(key, str_of(names[i])))
            return true;
    return false;
}

enum err resource_put(struct request *r, const struct resource *res, const struct setting *s,
                      struct json_writer *w)
{
    enum err err = OK;
    struct json *doc = NULL;
    void *it = NULL;
    struct str key;
    const struct json *v;
    json_obj(w, NULL);
    json_put_str(w, "id", s->id);
    json_put_str(w, "account", /* a new account is in no book yet */
                 res->kind == SETTING_ACCOUNT ? s->id : account_id(r, s->account));
    if (json_parse(s->doc, &doc, NULL, 0) == OK)
        while (json_next(doc, &it, &key, &v)) {
            char name[128];
            if (is_in(res->hidden, key) || str_copy(key, name, sizeof name) != OK)
                continue;
            json_put_raw(w, name, STR(""));
            buf_put_json(w->b, v);
        }
    json_free(doc);
    if (r->secret[0])
        json_put_str(w, res->shown_once ? res->shown_once : "secret", str_of(r->secret));
    if (res->more)
        err = res->more(r, s, w);
    put_time(w, "created_at", s->created_at_ms);
    put_time(w, "updated_at", s->updated_at_ms);
    json_end_obj(w);
    return err;
}

static enum err put_one(struct request *r, const struct resource *res, int status)
{
    struct json_writer w = {&r->http.out, false};
    r->http.status = status;
    snprintf(r->http.etag, sizeof r->http.etag, "\"%lld\"", (long long)r->setting.version);
    if (status == 201)
        snprintf(r->http.location, sizeof r->http.location, "%s/%.*s", res->collection,
                 STR_FMT(r->setting.id));
    return resource_put(r, res, &r->setting, &w);
}

struct listing {
    struct request *r;
    const struct resource *res;
    struct json_writer w;
    unsigned left;
    uint64_t last;
    bool more;
    enum err err;
};

static bool on_row(void *arg, const struct setting *s)
{
    struct listing *l = arg;
    if (l->left == 0) {
        l->more = true;
        return false;
    }
    l->left--;
    l->last = s->n;
    l->err = resource_put(l->r, l->res, s, &l->w);
    return l->err == OK;
}

static enum err list_work(struct request *r, struct db *db)
{
    struct listing l = {.r = r, .res = r->res};
    int64_t cursor;
    uint64_t scope;
    enum err err = request_page(r, CURSOR_SETTINGS + (int)l.res->kind, &l.left, &cursor);
    if (err == OK)
        err = request_list_scope(r, &scope);
    if (err != OK)
        return err;
    list_begin(r, &l.w);
    err = setting_list(db, l.res->kind, scope, (uint64_t)cursor, l.left + 1, on_row, &l);
    list_end(r, &l.w, CURSOR_SETTINGS + (int)l.res->kind, l.more ? (int64_t)l.last : 0);
    return err != OK ? err : l.err;
}

void resource_list(struct request *r, const struct resource *res)
{
    r->res = res;
    r->setting.kind = res->kind;
    request_read(r, list_work);
}

/* What no document has is refused here; the rest is the model's to judge. */
static enum err check_names(struct request *r)
{
    void *it = NULL;
    struct str key;
    const struct json *v;
    while (json_next(r->json, &it, &key, &v))
        if (key.n >= NAME_MAX_BYTES || is_in(r->res->own, key))
            return request_refuse(r, key.p, "no such field");
    return OK;
}

/* The body's document without what is not the model's. */
static enum err strip(struct request *r, struct json **ret)
{
    struct buf b;
    void *it = NULL;
    struct str key;
    const struct json *v;
    buf_init(&b, 1 << 20);
    struct json_writer w = {&b, false};
    if (json_kind(r->json) != JSON_IS_OBJECT)
        return request_refuse(r, "body", "one object");
    enum err err = check_names(r);
    if (err != OK)
        return err;
    json_obj(&w, NULL);
    while (json_next(r->json, &it, &key, &v)) {
        char name[256];
        if (str_eq(key, STR("account")) || str_copy(key, name, sizeof name) != OK)
            continue;
        json_put_raw(&w, name, STR(""));
        buf_put_json(&b, v);
    }
    json_end_obj(&w);
    err = b.err != OK ? b.err : json_parse(buf_str(&b), ret, NULL, 0);
    buf_fini(&b);
    return err;
}

/* The id of what is made, and where the row has nothing else to be found by, its key. */
static void name_it(struct request *r, const struct resource *res)
{
    if (res->prefix && !r->made_id[0])
        id_new(res->prefix, r->made_id);
    if (res->prefix)
        r->setting.id = str_of(r->made_id);
    if (!r->setting.key.n)
        r->setting.key = r->setting.id;
    if (!r->setting.id.n)
        r->setting.id = r->setting.key;
}

static enum err check_new(struct request *r, const struct resource *res, const struct json *doc)
{
    enum err err = res->check(r, doc, doc, true);
    return err == OK ? rights_check_reserved(r, res->reserved, (struct str){0}, r->setting.doc)
                     : err;
}

static enum err insert(struct request *r, struct db *db, const struct resource *res)
{
    enum err err = res->fits ? res->fits(r, db) : OK;
    if (err == OK)
        err = setting_put(db, &r->setting);
    return err == OK ? request_audit(r, db, res, NULL, &r->setting, "created") : err;
}

enum err resource_make(struct request *r, struct db *db, const struct resource *res,
                       const struct json *doc)
{
    enum err err = check_new(r, res, doc);
    if (err == OK)
        name_it(r, res);
    return err == OK ? insert(r, db, res) : err;
}

static enum err create_work(struct request *r, struct db *db)
{
    const struct resource *res = r->res;
    enum err err = insert(r, db, res);
    return err == OK ? put_one(r, res, 201) : err;
}

void setting_committed(struct request *r)
{
    books_changed(r->api->c.books, &r->setting, r->deleted);
    if (r->res && r->res->committed)
        r->res->committed(r);
}

void setting_committed_nudge(struct request *r)
{
    setting_committed(r);
    if (r->api->c.nudge)
        r->api->c.nudge(r->api->c.arg, r->setting.n);
}

void resource_create(struct request *r, const struct resource *res)
{
    struct json *doc = NULL;
    r->res = res;
    r->setting = (struct setting){.kind = res->kind};
    enum err err = request_account(r, &r->setting.account);
    if (err == OK)
        err = strip(r, &doc);
    if (err == OK)
        err = check_new(r, res, doc);
    json_free(doc);
    if (err != OK) {
        problem_of_err(r, err);
        request_done(r);
        return;
    }
    name_it(r, res);
    request_write(r, create_work, setting_committed);
}

/* The row that the path names, into r->setting. */
static enum err find(struct request *r, struct db *db, const struct resource *res)
{
    enum err err =
        setting_get(db, res->kind, request_scope(r), str_of(r->arg), &r->setting, &r->mem);
    if (err == ERR_NOT_FOUND && res->kind != SETTING_NUMBER && r->is_operator) {
        buf_reset(&r->mem); /* the operator may say a name */
        err = setting_get_by_key(db, res->kind, str_of(r->arg), &r->setting, &r->mem);
        if (res->kind == SETTING_KEY)
            err = ERR_NOT_FOUND;
    }
    return err;
}

static enum err get_work(struct request *r, struct db *db)
{
    const struct resource *res = r->res;
    enum err err = find(r, db, res);
    if (err == OK)
        err = put_one(r, res, 200);
    if (err == OK && !res->more)
        request_if_none_match(r);
    return err;
}

void resource_get(struct request *r, const struct resource *res)
{
    r->res = res;
    r->setting.kind = res->kind;
    request_read(r, get_work);
}

static void put_member(struct json_writer *w, struct str key, const struct json *v)
{
    char name[256];
    if (str_copy(key, name, sizeof name) != OK)
        return;
    json_put_raw(w, name, STR(""));
    buf_put_json(w->b, v);
}

static enum err merged(const struct json *old, const struct json *patch, struct json **ret)
{
    struct buf b;
    void *it = NULL;
    struct str key;
    const struct json *v;
    char name[256];
    buf_init(&b, 4 << 20);
    struct json_writer w = {&b, false};
    json_obj(&w, NULL);
    while (json_next(old, &it, &key, &v))
        if (str_copy(key, name, sizeof name) == OK && !json_get(patch, name))
            put_member(&w, key, v);
    it = NULL;
    while (json_next(patch, &it, &key, &v))
        if (json_kind(v) != JSON_IS_NULL && !str_eq(key, STR("account")))
            put_member(&w, key, v);
    json_end_obj(&w);
    enum err err = b.err != OK ? b.err : json_parse(buf_str(&b), ret, NULL, 0);
    buf_fini(&b);
    return err;
}

/* The next of a list of entity tags (RFC 9110 §8.8.3); false: that is none. */
static bool cut_tag(struct str *list, struct str *ret_tag, bool *ret_weak)
{
    size_t n = 1;
    struct str s = str_trim(*list);
    if ((*ret_weak = str_starts(s, STR("W/"))))
        s = str_from(s, 2);
    while (n < s.n && s.p[n] != '"')
        n++;
    if (n >= s.n || s.p[0] != '"')
        return false;
    *ret_tag = str_slice(s, 0, n + 1);
    s = str_trim(str_from(s, n + 1));
    *list = str_from(s, 1);
    return s.n == 0 || (s.p[0] == ',' && str_trim(*list).n > 0);
}

/* OK: the header names this version or "*"; ERR_AGAIN: others; ERR_INVALID: it is no list of tags.
 * Weak tags are as good where one may be wrong by a little. */
static enum err names_version(struct request *r, const char *header, int64_t version, bool weak_too)
{
    char own[32];
    bool weak, found = false;
    struct str tag, list = str_trim(request_header(r, header));
    if (str_eq(list, STR("*")))
        return OK;
    snprintf(own, sizeof own, "\"%lld\"", (long long)version);
    do {
        if (!cut_tag(&list, &tag, &weak))
            return request_refuse(r, header, "*, or ETags like \"3\"");
        found |= str_eq(tag, str_of(own)) && (weak_too || !weak);
    } while (list.n);
    return found ? OK : ERR_AGAIN;
}

static enum err if_match(struct request *r, int64_t version)
{
    return request_header(r, "If-Match").p ? names_version(r, "If-Match", version, false) : OK;
}

/* A header that is no list of tags asks for nothing. Only where the version says all that is shown.
 */
void request_if_none_match(struct request *r)
{
    if (!request_header(r, "If-None-Match").p || strcmp(r->http.method, "GET") != 0 ||
        names_version(r, "If-None-Match", r->setting.version, true) != OK)
        return;
    buf_reset(&r->http.out);
    r->http.status = 304;
}

enum err resource_change(struct request *r, struct db *db, const struct resource *res,
                         const struct json *patch)
{
    struct json *old = NULL, *doc = NULL;
    const struct setting before = r->setting;
    enum err err = res->allow ? res->allow(r, db, false) : OK;
    if (err == OK)
        err = json_parse(before.doc, &old, NULL, 0);
    if (err == OK && res->leave && r->move_to && r->move_to != before.account)
        err = res->leave(r, &old);
    if (err == OK)
        err = merged(old, patch, &doc);
    if (err == OK)
        err = res->check(r, doc, patch, false);
    if (err == OK)
        err = rights_check_reserved(r, res->reserved, before.doc, r->setting.doc);
    if (err == OK && r->move_to)
        r->setting.account = r->move_to;
    if (err == OK && res->fits)
        err = res->fits(r, db);
    if (err == OK)
        err = setting_change(db, &r->setting);
    if (err == OK)
        err = request_audit(r, db, res, &before, &r->setting, "changed");
    json_free(old);
    json_free(doc);
    return err;
}

enum err resource_merge(struct request *r, struct db *db, const struct resource *res,
                        const struct json *patch)
{
    enum err err = find(r, db, res);
    if (err == OK)
        err = if_match(r, r->setting.version);
    return err == OK ? resource_change(r, db, res, patch) : err;
}

static enum err patch_work(struct request *r, struct db *db)
{
    const struct resource *res = r->res;
    enum err err = check_names(r);
    if (err == OK && json_get(r->json, "account"))
        err = res->kind == SETTING_ACCOUNT
                  ? request_refuse(r, "account", "absent: an account belongs to nobody")
                  : request_account(r, &r->move_to);
    if (err == OK)
        err = resource_merge(r, db, res, r->json);
    return err == OK ? put_one(r, res, 200) : err;
}

void resource_patch(struct request *r, const struct resource *res)
{
    r->res = res;
    r->setting.kind = res->kind;
    if (json_kind(r->json) != JSON_IS_OBJECT) {
        problem_field(r, "body", "one object");
        request_done(r);
        return;
    }
    request_write(r, patch_work, res->nudges ? setting_committed_nudge : setting_committed);
}

enum err resource_remove(struct request *r, struct db *db, const struct resource *res)
{
    enum err err = res->allow ? res->allow(r, db, true) : OK;
    if (err == OK)
        err = setting_delete(db, res->kind, r->setting.n);
    if (err == OK && res->removed)
        err = res->removed(r, db);
    return err == OK ? request_audit(r, db, res, &r->setting, NULL, "deleted") : err;
}

static enum err delete_work(struct request *r, struct db *db)
{
    const struct resource *res = r->res;
    enum err err = find(r, db, res);
    if (err == OK)
        err = if_match(r, r->setting.version);
    if (err == OK)
        err = resource_remove(r, db, res);
    r->http.status = 204;
    r->deleted = true;
    return err;
}

void resource_delete(struct request *r, const struct resource *res)
{
    r->res = res;
    r->setting.kind = res->kind;
    request_write(r, delete_work, res->nudges ? setting_committed_nudge : setting_committed);
}

/* ---- for `check` ---- */

enum err document_begin(struct request *r, const char *key)
{
    buf_reset(&r->doc);
    buf_puts(&r->doc, key);
    return r->doc.err;
}

/* The document goes behind the key in r->doc. */
enum err document_end(struct request *r, size_t key_n)
{
    r->setting.key = str_of_bytes(r->doc.p, key_n);
    r->setting.doc = str_of_bytes(r->doc.p + key_n, r->doc.n - key_n);
    return r->doc.err;
}
