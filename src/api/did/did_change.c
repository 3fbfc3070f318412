/* did_change: takes a number from the pool, forwards it, and gives it back. Each is one write job,
 * so that of two requests for the same number one gets it; each goes by the same checks and into
 * the same audit log as PATCH /v1/numbers and /v1/endpoints.
 *
 * The endpoint of a number is one that names this number and no other: that is its mark in the
 * store (model/setting_mark), so that forward and release touch its row and look through no others.
 */
#include <stdio.h>
#include <string.h>

#include "api/did/did.h"
#include "api/core/endpoint_kind.h"

enum { BOUND_MAX = 1000 }; /* endpoints of one number; more than that are no use to anybody */

struct change { /* in r->room */
    struct record *number, *endpoint;
    uint64_t n;             /* did_id, of the row */
    char e164[NUMBER_SIZE]; /* "", or the number was given instead */
    enum target_type type;
    char destination[URL_MAX_BYTES + 1];
    size_t n_bound;
    struct bound {
        uint64_t n;
        char id[ID_SIZE];
    } bound[BOUND_MAX];
};

static const char mine[] = "the did_id of a number of this account";
static const char available[] = "the did_id of a number that did/available lists";

/* The number, into c->number and *ret. */
static enum err get_number(struct request *r, struct db *db, uint64_t account, const char *allowed,
                           struct did **ret)
{
    struct change *c = r->room;
    enum err err = c->e164[0] ? record_get(c->number, db, account, str_of(c->e164))
                              : record_get_n(c->number, db, account, c->n);
    if (err == ERR_NOT_FOUND)
        return request_refuse(r, "did_id", allowed);
    if (err != OK)
        return err;
    c->n = c->number->setting.n;
    return did_parse(c->number->was, ret, &r->fault);
}

static enum err change_by_text(struct request *r, struct record *rec, struct db *db,
                               struct str text)
{
    struct json *patch = NULL;
    enum err err = json_parse(text, &patch, NULL, 0);
    if (err == OK)
        err = resource_change(r, rec, db, patch);
    json_free(patch);
    return err;
}

/* To another account, and what it is then into *ret. */
static enum err move_number(struct request *r, struct db *db, uint64_t account, struct did **ret)
{
    struct record *number = ((struct change *)r->room)->number;
    number->move_to = account;
    enum err err = resource_change(r, number, db, NULL);
    return err == OK ? did_parse(number->now, ret, &r->fault) : err;
}

static struct change *change_begin(struct request *r)
{
    if (!did_begin(r, true))
        return NULL;
    struct change *c = request_room(r, sizeof *c);
    if (!c || !(c->number = record_new(r, &numbers)) ||
        !(c->endpoint = record_new(r, &endpoints))) {
        did_fail(r, ERR_NOMEM);
        return NULL;
    }
    r->record = c->number;
    did_id_arg(r, &c->n, c->e164);
    return c;
}

/* ---- assign ---- */

static enum err assign_work(struct request *r, struct db *db)
{
    struct did *d = NULL, *now = NULL;
    struct json_writer w;
    uint64_t pool = did_pool(r);
    enum err err = !pool || r->account == pool ? request_refuse(r, "did_id", available)
                                               : get_number(r, db, pool, available, &d);
    if (err != OK)
        return err;
    err = move_number(r, db, r->account, &now);
    if (err == OK) {
        did_answer(r, &w, r->record->setting.n, now, true, (struct str){0});
        json_end_obj(&w);
    }
    did_free(d);
    did_free(now);
    return err;
}

void did_assign(struct request *r)
{
    if (change_begin(r))
        request_write(r, assign_work, setting_committed);
}

/* ---- endpoints of one number ---- */

static bool on_endpoint(void *arg, const struct setting *s)
{
    struct change *c = arg;
    struct bound *b = &c->bound[c->n_bound];
    if (str_copy(s->id, b->id, sizeof b->id) == OK) {
        b->n = s->n;
        c->n_bound++;
    }
    return c->n_bound < BOUND_MAX;
}

static enum err find_bound(struct request *r, struct db *db, const struct did *d)
{
    struct change *c = r->room;
    c->n_bound = 0;
    return setting_list_marked(db, SETTING_ENDPOINT, str_of(d->e164), r->account, 0, BOUND_MAX,
                               on_endpoint, c);
}

/* ---- forward ---- */

/* The targets that ask a webhook stay: only the voice target is another. */
static enum err set_voice(struct request *r, struct db *db, const struct did *d)
{
    const struct change *c = r->room;
    struct buf b, old;
    struct json *targets = NULL;
    struct json_writer w = {&b, false};
    buf_init(&b, 1 << 20);
    buf_init(&old, 1 << 20);
    forward_print(d->forward, &old);
    enum err err = old.err != OK ? old.err : json_parse(buf_str(&old), &targets, NULL, 0);
    json_obj(&w, NULL);
    json_obj(&w, "forward");
    json_arr(&w, "targets");
    for (size_t i = 0; err == OK && i < d->forward->n; i++)
        if (d->forward->target[i].type == TARGET_WEBHOOK) {
            json_put_raw(&w, NULL, STR(""));
            buf_put_json(&b, json_at(targets, i));
        }
    json_obj(&w, NULL);
    json_put_str(&w, "type", str_of(target_type_name(c->type)));
    json_put_str(&w, "destination", str_of(c->destination));
    json_end_obj(&w);
    json_end_arr(&w);
    json_end_obj(&w);
    json_end_obj(&w);
    if (err == OK)
        err = b.err != OK ? b.err : change_by_text(r, c->number, db, buf_str(&b));
    json_free(targets);
    buf_fini(&old);
    buf_fini(&b);
    return err;
}

static enum err make_endpoint(struct request *r, struct record *rec, struct db *db, struct str text)
{
    struct json *doc = NULL;
    enum err err = json_parse(text, &doc, NULL, 0);
    rec->setting = (struct setting){.kind = SETTING_ENDPOINT, .account = r->account};
    if (err == OK)
        err = resource_make(r, rec, db, doc);
    json_free(doc);
    return err;
}

/* The number's endpoint gets the URL, and is switched on; or there is one now. */
static enum err set_webhook(struct request *r, struct db *db, const struct did *d)
{
    const struct change *c = r->room;
    struct buf b;
    struct json_writer w = {&b, false};
    enum err err = find_bound(r, db, d);
    bool made = err == OK && (!c->n_bound || !strcmp(c->bound[0].id, c->endpoint->made_id));
    if (!made)
        c->endpoint->secret[0] = '\0'; /* of a run before, which came to nothing */
    buf_init(&b, 16384);
    json_obj(&w, NULL);
    json_put_str(&w, "url", str_of(c->destination));
    if (err == OK && !c->n_bound) {
        json_arr(&w, "numbers");
        json_put_str(&w, NULL, str_of(d->e164));
        json_end_arr(&w);
    } else {
        json_put_bool(&w, "disabled", false);
        json_put_null(&w, "disabled_why");
    }
    json_end_obj(&w);
    if (err == OK)
        err = b.err;
    if (err == OK && !c->n_bound) {
        err = make_endpoint(r, c->endpoint, db, buf_str(&b));
    } else if (err == OK) {
        err = record_get(c->endpoint, db, r->account, str_of(c->bound[0].id));
        if (err == OK)
            err = change_by_text(r, c->endpoint, db, buf_str(&b));
    }
    buf_fini(&b);
    return err;
}

/* Replaces REST's names of fields by this API's. */
static void rename_fault(struct request *r, enum err err)
{
    if (err == ERR_INVALID &&
        (!strncmp(r->fault.field, "forward.", 8) || !strcmp(r->fault.field, "url")))
        snprintf(r->fault.field, sizeof r->fault.field, "destination");
}

static enum err forward_work(struct request *r, struct db *db)
{
    const struct change *c = r->room;
    struct did *d = NULL, *now = NULL;
    struct json_writer w;
    bool webhook = c->type == TARGET_WEBHOOK;
    struct str url = {0};
    enum err err = get_number(r, db, r->account, mine, &d);
    if (err == OK)
        err = webhook ? set_webhook(r, db, d) : set_voice(r, db, d);
    rename_fault(r, err);
    if (err == OK && !webhook)
        err = did_parse(c->number->now, &now, &r->fault);
    const struct book_endpoint *ep =
        !webhook && d ? did_endpoint(r->book, r->account, str_of(d->e164)) : NULL;
    if (ep)
        url = str_of(ep->set->url);
    if (err == OK) {
        did_answer(r, &w, c->n, now ? now : d, true, webhook ? str_of(c->destination) : url);
        if (webhook)
            json_put_str(&w, "endpoint", c->endpoint->setting.id);
        if (webhook && c->endpoint->secret[0])
            json_put_str(&w, "secret", str_of(c->endpoint->secret));
        json_end_obj(&w);
    }
    did_free(d);
    did_free(now);
    return err;
}

/* "Access Number", "direct-ip" and "SIP" are types too. */
static bool type_parse(char *text, enum target_type *ret)
{
    for (char *c = text; *c; c++)
        *c = *c == ' ' || *c == '-' ? '_' : (char)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c);
    return target_type_parse(str_of(text), ret);
}

static enum err read_forward(struct request *r, struct change *c)
{
    char type[32], given[URL_MAX_BYTES - 8];
    if (did_arg(r, "type", type, sizeof type) != OK || !type_parse(type, &c->type))
        return request_refuse(r, "type", "sip, access_number, direct_ip or webhook");
    if (c->type == TARGET_PSTN || c->type == TARGET_EXTENSION)
        return request_refuse(r, "type",
                              "sip, access_number, direct_ip or webhook: pstn and extension are "
                              "not carried out by the SIP edge yet");
    if (did_arg(r, "destination", given, sizeof given) != OK)
        return request_refuse(r, "destination", "a SIP URI, number, host:port or URL");
    bool bare_uri = c->type == TARGET_SIP && !str_starts_nocase(str_of(given), STR("sip:")) &&
                    !str_starts_nocase(str_of(given), STR("sips:"));
    bool bare_number = c->type == TARGET_ACCESS_NUMBER && given[0] != '+';
    snprintf(c->destination, sizeof c->destination, "%s%s",
             bare_uri      ? "sip:"
             : bare_number ? "+"
                           : "",
             given);
    return OK;
}

void did_forward(struct request *r)
{
    struct change *c = change_begin(r);
    enum err err = c ? read_forward(r, c) : OK;
    if (err != OK)
        did_fail(r, err);
    if (err != OK || !c)
        return;
    r->record = c->type == TARGET_WEBHOOK ? c->endpoint : c->number;
    request_write(r, forward_work, setting_committed_nudge);
}

/* ---- release ---- */

static enum err release_work(struct request *r, struct db *db)
{
    const struct change *c = r->room;
    struct did *d = NULL, *now = NULL;
    struct json_writer w;
    uint64_t pool = did_pool(r);
    enum err err = r->account == pool ? request_refuse(r, "did_id", mine)
                                      : get_number(r, db, r->account, mine, &d);
    if (err == OK)
        err = find_bound(r, db, d);
    for (size_t i = 0; err == OK && i < c->n_bound; i++) {
        err = record_get(c->endpoint, db, r->account, str_of(c->bound[i].id));
        if (err == OK)
            err = resource_remove(r, c->endpoint, db);
    }
    if (err == OK)
        err = move_number(r, db, pool, &now);
    if (err == OK) {
        did_answer(r, &w, c->n, now, false, (struct str){0});
        json_end_obj(&w);
    }
    did_free(d);
    did_free(now);
    return err;
}

static void release_committed(struct request *r)
{
    const struct change *c = r->room;
    for (size_t i = 0; i < c->n_bound; i++) {
        const struct setting gone = {
            .kind = SETTING_ENDPOINT, .n = c->bound[i].n, .id = str_of(c->bound[i].id)};
        books_changed(r->api->c.books, &gone, true);
        if (r->api->c.nudge)
            r->api->c.nudge(r->api->c.arg, gone.n);
    }
    setting_committed(r);
}

void did_release(struct request *r)
{
    if (change_begin(r))
        request_write(r, release_work, release_committed);
}
