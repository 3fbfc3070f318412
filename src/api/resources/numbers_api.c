/* numbers_api: handles DIDs and the forwarding of their calls. Handlers on the HTTP server's
 * threads, work on the store's. */
#include <stdio.h>
#include <string.h>

#include "api/resources/handlers.h"
#include "api/core/number_kind.h"
#include "api/core/rights.h"

RESOURCE_HANDLERS(numbers, numbers)

void numbers_patch(struct request *r)
{
    resource_patch(r, &numbers);
}

/* Gives an account's number back to the pool, as did/release does; an account cannot free it. */
static enum err number_give_back_work(struct request *r, struct db *db)
{
    r->record->move_to = did_pool(r);
    r->http.status = 204;
    if (!r->record->move_to || r->record->move_to == r->account)
        return ERR_DENIED;
    return resource_merge(r, r->record, db, NULL);
}

/* Begins a request about a number. False: it is answered. */
static bool number_begin(struct request *r)
{
    r->record = record_new(r, &numbers);
    if (r->record)
        return true;
    problem_of_err(r, ERR_NOMEM);
    request_done(r);
    return false;
}

void numbers_delete(struct request *r)
{
    if (rights_own_numbers(r))
        resource_delete(r, &numbers);
    else if (number_begin(r))
        request_write(r, number_give_back_work, setting_committed);
}

static void forward_show(struct request *r, const struct json *doc)
{
    if (json_get(doc, "forward"))
        buf_put_json(&r->http.out, json_get(doc, "forward"));
    request_put_etag(r, r->record->setting.version);
    r->http.status = 200;
}

static enum err forward_get_work(struct request *r, struct db *db)
{
    struct record *rec = r->record;
    enum err err = record_get(rec, db, request_scope(r), str_of(r->arg));
    if (err != OK)
        return err;
    forward_show(r, rec->was);
    request_if_none_match(r, rec->setting.version);
    return OK;
}

void forward_get(struct request *r)
{
    if (number_begin(r))
        request_read(r, forward_get_work);
}

static enum err forward_put_work(struct request *r, struct db *db)
{
    struct json *patch = NULL;
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_puts(&b, "{\"forward\":");
    buf_put_json(&b, r->json);
    buf_putc(&b, '}');
    enum err err = b.err == OK ? json_parse(buf_str(&b), &patch, NULL, 0) : b.err;
    buf_fini(&b);
    if (err == ERR_SYNTAX) /* one level more than a body may have */
        err = request_refuse(r, "targets", "nested less deep");
    if (err == OK)
        err = resource_merge(r, r->record, db, patch);
    json_free(patch);
    if (err == ERR_INVALID && !strncmp(r->fault.field, "forward.", 8))
        memmove(r->fault.field, r->fault.field + 8, strlen(r->fault.field + 8) + 1);
    if (err == OK)
        forward_show(r, r->record->now);
    return err;
}

void forward_put(struct request *r)
{
    enum err err = request_members(r, "targets");
    if (err == OK && !json_get(r->json, "targets"))
        err = request_refuse(r, "targets", "an array of targets");
    if (err != OK) {
        problem_of_err(r, err);
        request_done(r);
        return;
    }
    if (number_begin(r))
        request_write(r, forward_put_work, setting_committed);
}
