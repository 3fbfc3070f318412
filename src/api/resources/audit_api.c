/* audit_api: GET /v1/audit. The operator sees all rows, an account its own; when the change was
 * made by nobody of its own, it sees only that it was the operator. */
#include <string.h>

#include "api/resources/handlers.h"
#include "api/core/query.h"
#include "store/rows/audit.h"

struct audit_page {
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

static bool audit_page_on_row(void *arg, const struct audit *a)
{
    struct audit_page *l = arg;
    if (l->left == 0)
        return false;
    l->left--;
    put_audit(&l->w, l->r, a);
    return true;
}

static enum err audit_list_work(struct request *r, struct db *db)
{
    struct audit_page l = {.r = r};
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
    err = audit_list(db, &f, audit_page_on_row, &l, &stop);
    list_end(r, &l.w, CURSOR_AUDIT, stop.at_end ? 0 : stop.at_n);
    return err;
}

void audits_list(struct request *r)
{
    request_read(r, audit_list_work);
}
