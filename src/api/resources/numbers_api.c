/* numbers_api: DIDs, and where their calls are forwarded. Handlers on the HTTP server's threads,
 * work on the store's. */
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

/* An account does not free a number for whoever comes: it gives it back, as did/release does. */
static enum err give_back_work(struct request *r, struct db *db)
{
    struct json *nothing = NULL;
    r->move_to = did_pool(r);
    if (!r->move_to || r->move_to == r->account)
        return ERR_DENIED;
    enum err err = json_parse(STR("{}"), &nothing, NULL, 0);
    if (err == OK)
        err = resource_merge(r, db, &numbers, nothing);
    json_free(nothing);
    r->http.status = 204;
    return err;
}

void numbers_delete(struct request *r)
{
    if (rights_own_numbers(r))
        resource_delete(r, &numbers);
    else
        request_write(r, give_back_work, setting_committed);
}

static enum err put_forward(struct request *r)
{
    struct json *doc = NULL;
    enum err err = json_parse(r->setting.doc, &doc, NULL, 0);
    if (err == OK && json_get(doc, "forward"))
        buf_put_json(&r->http.out, json_get(doc, "forward"));
    snprintf(r->http.etag, sizeof r->http.etag, "\"%lld\"", (long long)r->setting.version);
    r->http.status = 200;
    json_free(doc);
    return err;
}

static enum err forward_get_work(struct request *r, struct db *db)
{
    enum err err =
        setting_get(db, SETTING_NUMBER, request_scope(r), str_of(r->arg), &r->setting, &r->mem);
    if (err == OK)
        err = put_forward(r);
    if (err == OK)
        request_if_none_match(r);
    return err;
}

void forward_get(struct request *r)
{
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
        err = resource_merge(r, db, &numbers, patch);
    json_free(patch);
    if (err == ERR_INVALID && !strncmp(r->fault.field, "forward.", 8))
        memmove(r->fault.field, r->fault.field + 8, strlen(r->fault.field + 8) + 1);
    return err == OK ? put_forward(r) : err;
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
    request_write(r, forward_put_work, setting_committed);
}
