/* did_api: answers the questions of the DID API: the balance, the kinds of numbers, the pool's
 * numbers, the account's own. Lists are read on the store's readers, in the order of did_id; `next`
 * is what `after` takes. */
#include <stdio.h>
#include <string.h>

#include "api/did/did.h"

void did_balance(struct request *r)
{
    struct json_writer w = {&r->http.out, false};
    if (!did_begin(r, false))
        return;
    const struct book_account *a = book_account(r->book, r->account);
    const char *balance = a ? a->set->balance : "", *currency = a ? a->set->currency : "";
    r->http.status = 200;
    json_obj(&w, NULL);
    json_put_bool(&w, "status", true);
    json_put_str(&w, "balance", *balance ? str_of(balance) : STR("0.00"));
    json_put_str(&w, "currency", *currency ? str_of(currency) : STR("USD"));
    json_end_obj(&w);
    request_done(r);
}

void did_types(struct request *r)
{
    static const char *const types[] = {"local", "mobile", "tollfree", "national"};
    static const enum target_type carried_out[] = {TARGET_SIP, TARGET_ACCESS_NUMBER,
                                                   TARGET_DIRECT_IP, TARGET_WEBHOOK};
    struct json_writer w = {&r->http.out, false};
    if (!did_begin(r, false))
        return;
    r->http.status = 200;
    json_obj(&w, NULL);
    json_put_bool(&w, "status", true);
    json_arr(&w, "types");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        json_put_str(&w, NULL, str_of(types[i]));
    json_end_arr(&w);
    json_arr(&w, "forward_types");
    for (size_t i = 0; i < sizeof carried_out / sizeof *carried_out; i++)
        json_put_str(&w, NULL, str_of(target_type_name(carried_out[i])));
    json_end_arr(&w);
    json_end_obj(&w);
    request_done(r);
}

struct did_page { /* in r->room */
    uint64_t account, after, last;
    char country[3]; /* "": any */
    unsigned left;
    bool is_mine, more;
    const struct book *book;
    struct json_writer w;
    enum err err;
};

static void did_page_put(struct did_page *l, const struct setting *s)
{
    struct json *doc = NULL;
    struct did *d = NULL;
    struct field_error fault;
    enum err err = json_parse(s->doc, &doc, NULL, 0);
    if (err == OK)
        err = did_parse(doc, &d, &fault);
    if (err == OK) {
        const struct book_endpoint *ep =
            l->is_mine ? did_endpoint(l->book, l->account, str_of(d->e164)) : NULL;
        did_put(&l->w, NULL, s->n, d, l->is_mine, ep ? str_of(ep->set->url) : (struct str){0});
        l->left--;
    }
    if (err == OK)
        did_free(d);
    json_free(doc);
}

static bool did_page_on_row(void *arg, const struct setting *s)
{
    struct did_page *l = arg;
    if (l->left == 0) {
        l->more = true;
        return false;
    }
    l->last = s->n;
    did_page_put(l, s);
    return true;
}

static enum err list_work(struct request *r, struct db *db)
{
    struct did_page l = *(const struct did_page *)r->room;
    char next[24];
    l.book = r->book;
    r->http.status = 200;
    l.w = (struct json_writer){&r->http.out, false};
    json_obj(&l.w, NULL);
    json_put_bool(&l.w, "status", true);
    json_arr(&l.w, "dids");
    enum err err =
        l.country[0] ? setting_list_marked(db, SETTING_NUMBER, str_of(l.country), l.account,
                                           l.after, 0, did_page_on_row, &l)
                     : setting_list(db, SETTING_NUMBER, l.account, l.after, 0, did_page_on_row, &l);
    json_end_arr(&l.w);
    snprintf(next, sizeof next, "%llu", (unsigned long long)l.last);
    json_put_str(&l.w, "next", l.more ? str_of(next) : (struct str){0});
    json_end_obj(&l.w);
    return err;
}

static enum err did_read_page(struct request *r, struct did_page *l)
{
    char text[24];
    uint64_t v = DID_PAGE_MAX;
    enum err err = did_arg(r, "limit", text, sizeof text);
    if (err != ERR_NOT_FOUND &&
        (err != OK || str_to_u64(str_of(text), DID_PAGE_MAX, &v) != OK || !v))
        return request_refuse(r, "limit", "a whole number from 1 to 1000");
    l->left = (unsigned)v;
    err = did_arg(r, "after", text, sizeof text);
    if (err != ERR_NOT_FOUND && (err != OK || str_to_u64(str_of(text), INT64_MAX, &l->after) != OK))
        return request_refuse(r, "after", "`next` of an answer");
    return OK;
}

static enum err did_read_country(struct request *r, struct did_page *l)
{
    char text[8];
    enum err err = did_arg(r, "country", text, sizeof text);
    if (err == ERR_NOT_FOUND)
        return OK;
    for (size_t i = 0; err == OK && i < 2; i++) {
        char low = (char)(text[i] | 0x20);
        if (low < 'a' || low > 'z' || text[2])
            err = ERR_INVALID;
        else
            l->country[i] = (char)(low & ~0x20);
    }
    return err == OK ? OK
                     : request_refuse(r, "country", "two letters (ISO 3166), or nothing for all");
}

static void list(struct request *r, bool is_mine)
{
    if (!did_begin(r, false))
        return;
    struct did_page *l = request_room(r, sizeof *l);
    enum err err = l ? did_read_page(r, l) : ERR_NOMEM;
    if (err == OK && !is_mine)
        err = did_read_country(r, l);
    if (err != OK) {
        did_fail(r, err);
        return;
    }
    l->is_mine = is_mine;
    l->account = is_mine ? r->account : did_pool(r);
    request_read(r, list_work);
}

void did_available(struct request *r)
{
    list(r, false);
}

void did_list(struct request *r)
{
    list(r, true);
}
