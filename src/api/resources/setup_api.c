/* setup_api: makes the first operator key of a daemon that was started without one. `serve` prints
 * a URL with a token that is in this process's memory alone; the page behind it (GET changes
 * nothing, so that a preview of the link does not use it up) posts the token back and shows the
 * key, once. As soon as there is an operator, there is no setup; the transaction that makes the key
 * checks that, so that of two requests at once one gets it. Handlers on the HTTP server's threads.
 */
#include <string.h>

#include "api/core/access.h"
#include "api/core/bootstrap.h"
#include "api/resources/handlers.h"
#include "api/core/key_kind.h"
#include "api/core/rights.h"
#include "base/crypto.h"
#include "base/form.h"

static const char page_head[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>hookswitch: setup</title>"
    "<meta name=\"viewport\" content=\"width=device-width\"><style>body{font:16px/1.5 "
    "system-ui,sans-serif;max-width:40em;margin:3em auto;padding:0 1em}code{overflow-wrap:anywhere}"
    "</style><h1>hookswitch</h1>";

/* ---- the token ---- */

static bool is_token(const struct request *r, struct str token)
{
    char hash[65];
    const char *own = r->api->setup_hash;
    credential_hash(token, hash);
    return own[0] && crypto_equal(str_of(hash), str_of(own));
}

static bool is_form(const struct request *r)
{
    return str_starts_nocase(request_header(r, "Content-Type"),
                             STR("application/x-www-form-urlencoded"));
}

/* Has the request the token, in JSON or in the page's form? */
static bool knows_token(struct request *r)
{
    struct form f;
    struct str token = {0};
    bool known;
    if (!is_form(r)) {
        known = json_parse(buf_str(&r->http.body), &r->json, NULL, 0) == OK &&
                json_kind(r->json) == JSON_IS_OBJECT &&
                json_str(json_get(r->json, "token"), &token) && is_token(r, token);
        json_free(r->json);
        r->json = NULL;
        return known;
    }
    if (form_parse(buf_str(&r->http.body), &f) != OK)
        return false;
    token = form_get(&f, "token");
    known = token.p && is_token(r, token);
    form_fini(&f);
    return known;
}

/* ---- the page ---- */

void setup_page(struct request *r)
{
    struct str token = request_query(r, "token");
    bool known = is_token(r, token);
    r->http.status = known ? 200 : 404;
    r->http.content_type = "text/html; charset=utf-8";
    buf_puts(&r->http.out, page_head);
    if (known)
        buf_printf(&r->http.out,
                   "<p>There is no operator key yet. It is made here, shown once, and this page is "
                   "gone.</p><form method=\"post\" action=\"/setup\"><input type=\"hidden\" "
                   "name=\"token\" value=\"%.*s\"><button>Make the first operator key</button>"
                   "</form></html>",
                   STR_FMT(token)); /* ours, in hex */
    else
        buf_puts(&r->http.out, "<p>This setup link is not good, or not any more. While there is no "
                               "operator, the daemon prints a new one at each start.</p></html>");
    request_done(r);
}

/* ---- the key ---- */

static void setup_put_key_page(struct request *r)
{
    const char *key = r->record->secret;
    r->http.content_type = "text/html; charset=utf-8";
    buf_printf(&r->http.out,
               "%s<p>The first operator key, shown this once:</p><p><code>%s</code></p>"
               "<p>In the shell: <code>export HOOKSWITCH_KEY=%s</code></p></html>",
               page_head, key, key);
}

static enum err setup_work(struct request *r, struct db *db)
{
    struct json *doc = NULL;
    struct json_writer w = {&r->http.out, false};
    bool there;
    enum err err = operator_exists(db, &there);
    if (err == OK && there)
        err = ERR_NOT_FOUND;
    if (err == OK)
        err = json_parse(STR("{\"name\":\"setup\",\"scopes\":[\"read\",\"write\",\"ingest\","
                             "\"operator\"]}"),
                         &doc, NULL, 0);
    if (err == OK) {
        r->record->setting = (struct setting){.kind = SETTING_KEY, .account = r->account};
        err = resource_make(r, r->record, db, doc);
    }
    json_free(doc);
    r->http.status = 201;
    if (err == OK && is_form(r))
        setup_put_key_page(r);
    else if (err == OK)
        err = resource_put(r, r->record, &w);
    return err;
}

void setup_create(struct request *r)
{
    r->book = book_take(r->api->c.books);
    const struct book_account *a = book_account_named(r->book, STR("default"));
    if (!a || !knows_token(r)) {
        problem(r, 404, "not_found", "There is no such setup, or not any more.");
        request_done(r);
        return;
    }
    r->account = a->n;
    r->asker = (struct asker){.id = "setup", .name = "setup"};
    rights_take(r, RIGHTS_ALL);
    if ((r->record = record_new(r, &keys))) {
        request_write(r, setup_work, setting_committed);
        return;
    }
    problem_of_err(r, ERR_NOMEM);
    request_done(r);
}
