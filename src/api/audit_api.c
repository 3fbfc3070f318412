/* audit_api: the audit log: written by whatever changes a setting, on the store's writer; read by
 * GET /v1/audit. The operator sees all; an account what is its own, and of who did it, where that
 * was nobody of its own, no more than that it was the operator. */
#include <stdio.h>
#include <string.h>

#include "api/audit.h"
#include "store/rows/audit.h"

/* ---- writing ---- */

static bool is_hidden(const struct resource *res, struct str key)
{
    for (size_t i = 0; res->hidden && res->hidden[i]; i++)
        if (str_eq(key, str_of(res->hidden[i])))
            return true;
    return false;
}

static void put_visible(const struct request *r, const struct resource *res,
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
        if (is_hidden(res, key) || str_copy(key, name, sizeof name) != OK)
            continue;
        json_put_raw(&w, name, STR(""));
        buf_put_json(b, v);
    }
    json_end_obj(&w);
}

static void put_name(struct buf *b, struct str name)
{
    if (b->n)
        buf_putc(b, ',');
    buf_put_str(b, name);
}

/* Names of members that differ; what does not fit any more is left out. */
static void put_changed(const struct json *old, const struct json *now, struct buf *b)
{
    void *it = NULL;
    struct str key;
    const struct json *v;
    char name[128];
    while (json_next(now, &it, &key, &v)) {
        const struct json *was =
            str_copy(key, name, sizeof name) == OK ? json_get(old, name) : NULL;
        if (!was || !json_same(was, v))
            put_name(b, key);
    }
    for (it = NULL; json_next(old, &it, &key, &v);)
        if (str_copy(key, name, sizeof name) == OK && !json_get(now, name))
            put_name(b, key);
}

/* The same in each run of the job; another for each row of it. */
static void id_of_row(struct request *r, char out[ID_SIZE])
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

static enum err put_row(struct request *r, struct db *db, struct audit *a, const char *action,
                        uint64_t account)
{
    char id[ID_SIZE];
    id_of_row(r, id);
    a->id = str_of(id);
    a->account = account;
    a->action = str_of(action);
    return audit_put(db, a);
}

/* Of what moves, each account is told its own side. */
static enum err put_rows(struct request *r, struct db *db, const struct resource *res,
                         const struct setting *before, const struct setting *after, struct audit *a,
                         const char *action)
{
    uint64_t from = res->operator_only ? 0 : before ? before->account : after->account;
    uint64_t to = res->operator_only ? 0 : after ? after->account : from;
    if (from == to)
        return put_row(r, db, a, action, to);
    struct audit out = *a, in = *a;
    out.changed = in.changed = out.after = in.before = (struct str){"", 0};
    enum err err = put_row(r, db, &out, "moved_out", from);
    return err == OK ? put_row(r, db, &in, "moved_in", to) : err;
}

enum err request_audit(struct request *r, struct db *db, const struct resource *res,
                       const struct setting *before, const struct setting *after,
                       const char *action)
{
    struct json *old = NULL, *now = NULL;
    char names[AUDIT_CHANGED_MAX];
    struct buf texts[2], changed;
    const struct setting *one = after ? after : before;
    enum err err = before ? json_parse(before->doc, &old, NULL, 0) : OK;
    buf_wrap(&changed, names, sizeof names);
    for (int i = 0; i < 2; i++)
        buf_init(&texts[i], 4 << 20);
    if (err == OK && after)
        err = json_parse(after->doc, &now, NULL, 0);
    if (err == OK && old)
        put_visible(r, res, before, old, &texts[0]);
    if (err == OK && now)
        put_visible(r, res, after, now, &texts[1]);
    if (err == OK && old && now)
        put_changed(old, now, &changed);
    struct audit a = {.at_ms = clock_wall_ms(),
                      .by_account = r->account,
                      .who = str_of(r->asker.id),
                      .who_name = str_of(r->asker.name),
                      .address = str_of(r->http.address),
                      .kind = res->kind,
                      .target = one->id,
                      .changed = buf_str(&changed),
                      .before = buf_str(&texts[0]),
                      .after = buf_str(&texts[1])};
    if (err == OK)
        err = texts[0].err != OK ? texts[0].err : texts[1].err;
    if (err == OK)
        err = put_rows(r, db, res, before, after, &a, action);
    for (int i = 0; i < 2; i++)
        buf_fini(&texts[i]);
    json_free(old);
    json_free(now);
    return err == ERR_SYNTAX ? ERR_BUG : err;
}

/* ---- reading ---- */

struct listing {
    struct request *r;
    struct json_writer w;
    unsigned left;
};

static void put_names(struct json_writer *w, struct str names)
{
    struct str name;
    json_arr(w, "changed");
    while (names.n) {
        str_cut(names, ',', &name, &names);
        json_put_str(w, NULL, name);
    }
    json_end_arr(w);
}

static void put_audit(struct json_writer *w, const struct request *r, const struct audit *a)
{
    bool foreign = !r->is_operator && a->by_account && a->by_account != r->account;
    struct str none = {0};
    json_obj(w, NULL);
    json_put_str(w, "id", a->id);
    put_time(w, "at", a->at_ms);
    json_put_str(w, "account", a->account ? account_id(r, a->account) : none);
    json_put_str(w, "who", foreign ? STR("operator") : a->who);
    json_put_str(w, "who_name", foreign ? none : a->who_name);
    json_put_str(w, "address", foreign || !a->address.n ? none : a->address);
    json_put_str(w, "kind", str_of(setting_kind_name(a->kind)));
    json_put_str(w, "target", a->target);
    json_put_str(w, "action", a->action);
    put_names(w, a->changed);
    json_put_raw(w, "before", a->before.n ? a->before : STR("null"));
    json_put_raw(w, "after", a->after.n ? a->after : STR("null"));
    json_end_obj(w);
}

static bool on_audit(void *arg, const struct audit *a)
{
    struct listing *l = arg;
    if (l->left == 0)
        return false;
    l->left--;
    put_audit(&l->w, l->r, a);
    return true;
}

static enum err list_work(struct request *r, struct db *db)
{
    struct listing l = {.r = r};
    struct audit_filter f = {.kind = -1, .rows_max = LIST_ROWS_MAX};
    struct list_stop stop;
    struct str kind = request_query(r, "kind"), target = request_query(r, "id");
    enum setting_kind k;
    char room[128];
    enum err err = request_page(r, CURSOR_AUDIT, &l.left, &f.before_n);
    if (err == OK)
        err = request_list_scope(r, &f.account);
    if (err == OK)
        err = request_time(r, "since", &f.since_ms);
    if (err == OK)
        err = request_time(r, "until", &f.until_ms);
    if (err == OK && kind.n && !setting_kind_parse(kind, &k))
        err = request_refuse(r, "kind",
                             "account, number, endpoint, trunk, key, user, smpp_link or extension");
    if (err == OK && target.n && str_copy(target, room, sizeof room) != OK)
        err = request_refuse(r, "id", "the id of a setting");
    if (err != OK)
        return err;
    if (target.n && room[0] == ' ')
        room[0] = '+'; /* a + in a query arrives as a blank */
    f.kind = kind.n ? (int)k : -1;
    f.target = target.n ? str_of(room) : target;
    f.who = request_query(r, "who");
    list_begin(r, &l.w);
    err = audit_list(db, &f, on_audit, &l, &stop);
    list_end(r, &l.w, CURSOR_AUDIT, stop.at_end ? 0 : stop.at_n);
    return err;
}

void audits_list(struct request *r)
{
    request_read(r, list_work);
}
