/* did_body: reads the bodies of the DID API, and prints its numbers. Clients of this API send JSON
 * or forms, numbers as strings or as numbers; all become one JSON object here. */
#include "api/did/did.h"

#include <stdio.h>
#include <string.h>

#include "api/core/access.h"
#include "base/form.h"

static enum err form_to_json(struct str body, struct json **ret)
{
    struct form f;
    struct buf b;
    struct json_writer w = {&b, false};
    enum err err = form_parse(body, &f);
    if (err != OK)
        return err;
    buf_init(&b, 4 << 20);
    json_obj(&w, NULL);
    for (size_t i = 0; i < f.n; i++) {
        char name[64]; /* no longer one is looked at; of equal names the first counts */
        if (str_copy(f.at[i].name, name, sizeof name) == OK &&
            form_get(&f, name).p == f.at[i].value.p)
            json_put_str(&w, name, f.at[i].value);
    }
    json_end_obj(&w);
    form_fini(&f);
    err = b.err != OK ? b.err : json_parse(buf_str(&b), ret, NULL, 0);
    buf_fini(&b);
    return err;
}

bool did_read(struct request *r)
{
    char where[160], detail[200];
    struct str body = str_trim(buf_str(&r->http.body));
    struct str type = request_header(r, "Content-Type");
    if (str_starts_nocase(type, STR("multipart/"))) {
        problem(r, 415, "unsupported_media_type",
                "The body must be application/json or application/x-www-form-urlencoded.");
        request_done(r);
        return false;
    }
    enum err err = OK;
    snprintf(detail, sizeof detail, "The body is neither JSON nor a form of at most %d fields.",
             FORM_MAX);
    if (body.n && body.p[0] == '{') { /* no form begins so, and some clients name the wrong type */
        err = json_parse(body, &r->json, where, sizeof where);
        if (err != OK)
            snprintf(detail, sizeof detail, "The body is not valid JSON: %s.", where);
    } else {
        err = form_to_json(body, &r->json);
    }
    if (err == ERR_NOMEM) {
        did_fail(r, err);
        return false;
    }
    if (err != OK) {
        problem(r, 400, "bad_body", detail);
        request_done(r);
    }
    return err == OK;
}

enum err did_arg(const struct request *r, const char *name, char *out, size_t cap)
{
    const struct json *v = json_get(r->json, name);
    struct str s;
    int64_t i;
    out[0] = '\0';
    if (!v || json_kind(v) == JSON_IS_NULL)
        return ERR_NOT_FOUND;
    if (json_int(v, &i))
        return (size_t)snprintf(out, cap, "%lld", (long long)i) < cap ? OK : ERR_INVALID;
    if (!json_str(v, &s) || memchr(s.p, '\0', s.n))
        return ERR_INVALID;
    s = str_trim(s);
    if (str_copy(s, out, cap) != OK)
        return ERR_INVALID;
    return s.n ? OK : ERR_NOT_FOUND;
}

void did_id_arg(const struct request *r, uint64_t *ret_n, char ret_e164[NUMBER_SIZE])
{
    enum { ROW_DIGITS = 9 };
    char text[24], number[sizeof text + 1];
    *ret_n = 0;
    ret_e164[0] = '\0';
    if (did_arg(r, "did_id", text, sizeof text) != OK)
        return;
    snprintf(number, sizeof number, "%s%s", text[0] == '+' ? "" : "+", text);
    if ((text[0] == '+' || strlen(text) > ROW_DIGITS) && number_is_e164(str_of(number)))
        (void)!str_copy(str_of(number), ret_e164, NUMBER_SIZE);
    else if (str_to_u64(str_of(text), INT64_MAX, ret_n) != OK)
        *ret_n = 0;
}

void did_fail(struct request *r, enum err err)
{
    problem_of_err(r, err);
    request_done(r);
}

bool did_begin(struct request *r, bool writes)
{
    char token[128];
    if (!did_read(r))
        return false;
    enum err err = did_arg(r, "token", token, sizeof token);
    bool known = err == ERR_NOT_FOUND ? access_by_header(r, false)
                                      : access_by(r, err == OK ? str_of(token) : (struct str){0});
    if (!known)
        problem(r, 401, "unauthorized", "A valid token is needed: log in.");
    else if (!(writes ? r->can_write : r->can_read))
        problem(r, 403, "forbidden", "This token may not do that.");
    else if (r->http.rate = rates_take(r->api->rates, r->key), !r->http.rate.allowed)
        problem(r, 429, "too_many_requests", "This token asks too often; try again in a second.");
    else
        return true;
    request_done(r);
    return false;
}

const struct book_endpoint *did_endpoint(const struct book *b, uint64_t account, struct str e164)
{
    struct book_watchers w = book_watchers(b, account, e164);
    const struct book_endpoint *ep;
    while ((ep = book_watcher_next(&w)) && ep->set->n_numbers != 1)
        ;
    return ep;
}

static void put_forward(struct json_writer *w, const struct did *d)
{
    const struct target *first = NULL;
    for (size_t i = 0; i < d->forward->n && !first; i++)
        if (d->forward->target[i].type != TARGET_WEBHOOK)
            first = &d->forward->target[i];
    json_put_str(w, "forward_type", first ? str_of(target_type_name(first->type)) : STR(""));
    json_put_str(w, "forward_destination", first ? first->destination : STR(""));
    json_put_raw(w, "forward", STR(""));
    forward_print(d->forward, w->b);
}

void did_put(struct json_writer *w, const char *key, uint64_t n, const struct did *d, bool is_mine,
             struct str webhook)
{
    char id[24];
    snprintf(id, sizeof id, "%llu", (unsigned long long)n);
    json_obj(w, key);
    json_put_str(w, "did_id", str_of(id));
    json_put_str(w, "did_number", str_of(d->e164));
    json_put_str(w, "type", str_of(d->type));
    json_put_str(w, "country", str_of(d->country));
    json_put_str(w, "monthly_cost", d->monthly_cost[0] ? str_of(d->monthly_cost) : STR("0.00"));
    json_put_str(w, "setup_fee", d->setup_fee[0] ? str_of(d->setup_fee) : STR("0.00"));
    json_put_str(w, "status", is_mine ? STR("active") : STR("available"));
    json_put_bool(w, "voice", d->voice);
    json_put_bool(w, "sms", d->sms);
    if (is_mine) {
        json_put_str(w, "label", str_of(d->label));
        json_put_str(w, "webhook_url", webhook.p ? webhook : STR(""));
        put_forward(w, d);
    }
    json_end_obj(w);
}

void did_answer(struct request *r, struct json_writer *w, uint64_t n, const struct did *d,
                bool is_mine, struct str webhook)
{
    char id[24];
    snprintf(id, sizeof id, "%llu", (unsigned long long)n);
    r->http.status = 200;
    *w = (struct json_writer){&r->http.out, false};
    json_obj(w, NULL);
    json_put_bool(w, "status", true);
    json_put_str(w, "did_id", str_of(id));
    json_put_str(w, "did_number", str_of(d->e164));
    did_put(w, "did", n, d, is_mine, webhook);
}
