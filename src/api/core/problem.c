/* problem: prints every error of the API in one shape (RFC 9457). Any thread. */
#include "api/core/problem.h"

#include <stdio.h>

bool is_did_path(const char *path)
{
    return str_starts(str_of(path), STR("/api/"));
}

static void problem_start(struct request *r, struct json_writer *w, int status, const char *code,
                          const char *detail)
{
    buf_reset(&r->http.out);
    r->http.status = status;
    r->http.content_type = "application/problem+json";
    *w = (struct json_writer){&r->http.out, false};
    json_obj(w, NULL);
    if (is_did_path(r->http.path)) {
        r->http.status = status == 409 || status == 412 || status == 422 ? 200 : status;
        r->http.content_type = "application/json";
        json_put_bool(w, "status", false);
        json_put_str(w, "error", str_of(detail));
        json_put_str(w, "code", str_of(code));
        return;
    }
    json_put_str(w, "type", STR("about:blank"));
    json_put_str(w, "title", str_of(http_reason(status)));
    json_put_i64(w, "status", status);
    json_put_str(w, "code", str_of(code));
    json_put_str(w, "detail", str_of(detail));
}

void problem(struct request *r, int status, const char *code, const char *detail)
{
    struct json_writer w;
    problem_start(r, &w, status, code, detail);
    json_end_obj(&w);
}

void problem_of_refusal(struct http_request *r, const struct http_refusal *why)
{
    problem(request_of(r), why->status, why->code, why->detail);
}

/* Prints "url is needed.", "foo: no such field; known: …", "limit must be a whole number from 1 to
 * 500." */
static void fault_print(const char *field, const char *allowed, char *out, size_t cap)
{
    struct str why = str_of(allowed);
    const char *verb = str_starts(why, STR("needed"))     ? " is"
                       : str_starts(why, STR("no such ")) ? ":"
                                                          : " must be";
    snprintf(out, cap, "%s%s %s.", field, verb, allowed);
}

void problem_field(struct request *r, const char *field, const char *allowed)
{
    char detail[sizeof r->fault + 128];
    struct json_writer w;
    fault_print(field, allowed, detail, sizeof detail);
    problem_start(r, &w, 422, "invalid_field", detail);
    json_put_str(&w, "field", str_of(field));
    json_put_str(&w, "allowed", str_of(allowed));
    json_end_obj(&w);
}

void problem_items(struct request *r, bool many, const struct item_fault *f, size_t n,
                   size_t faulty)
{
    char name[sizeof f->fault.field + 32];
    char detail[sizeof name + sizeof f->fault.why + 32];
    struct json_writer w;
    const char *field = f->fault.field;
    if (many)
        snprintf(name, sizeof name, "[%zu]%s%s", f->index, *field ? "." : "", field);
    else
        snprintf(name, sizeof name, "%s", *field ? field : "body");
    fault_print(name, f->fault.why, detail, sizeof detail);
    problem_start(r, &w, 422, "invalid_field", detail);
    json_put_str(&w, "field", str_of(name));
    json_put_str(&w, "allowed", str_of(f->fault.why));
    json_put_i64(&w, "faulty", (int64_t)faulty);
    json_arr(&w, "errors");
    for (size_t i = 0; i < n; i++) {
        json_obj(&w, NULL);
        json_put_i64(&w, "index", (int64_t)f[i].index);
        json_put_str(&w, "field", str_of(f[i].fault.field));
        json_put_str(&w, "allowed", str_of(f[i].fault.why));
        json_end_obj(&w);
    }
    json_end_arr(&w);
    json_end_obj(&w);
}

void problem_of_err(struct request *r, enum err err)
{
    switch (err) {
    case ERR_NOT_FOUND: problem(r, 404, "not_found", "There is no such thing."); break;
    case ERR_EXISTS:
        problem(r, 409, r->fault_code ? r->fault_code : "exists",
                r->fault_code && r->fault.why[0] ? r->fault.why : "There is one already.");
        break;
    case ERR_AGAIN:
        problem(r, 412, "changed_meanwhile", "It was changed meanwhile; read it again.");
        break;
    case ERR_INVALID:
        if (r->fault.field[0])
            problem_field(r, r->fault.field, r->fault.why);
        else if (r->fault_code)
            problem(r, 422, r->fault_code, r->fault.why);
        else
            problem(r, 422, "invalid", r->fault.why[0] ? r->fault.why : "A value is not allowed.");
        break;
    case ERR_DENIED:
        problem(r, 403, "forbidden", r->fault.why[0] ? r->fault.why : "This key may not do that.");
        break;
    case ERR_TOO_BIG:
        problem(r, 413, "too_large", "It is larger than what is kept of such a thing.");
        break;
    case ERR_STORE_FULL:
        problem(r, 507, "disk_full", "The disk is full; nothing was written.");
        break;
    case ERR_STORE_UNSURE: /* a repeat has the same ids and does no harm */
    case ERR_NOMEM:
    case ERR_STORE:
    case ERR_FULL: problem(r, 503, "store_unavailable", "It was not taken; try again soon."); break;
    default: problem(r, 500, "internal", err_text(err));
    }
}

void problem_not_taken(struct request *r, enum err err)
{
    if (err != ERR_AGAIN) {
        problem_of_err(r, err);
        return;
    }
    r->http.retry_after_s = 1;
    problem(r, 429, "too_many_at_once",
            "As many of your requests are in hand as may be at once; try again in a moment.");
}

enum err request_refuse(struct request *r, const char *field, const char *why)
{
    r->fault = (struct field_error){0};
    snprintf(r->fault.field, sizeof r->fault.field, "%s", field);
    snprintf(r->fault.why, sizeof r->fault.why, "%s", why);
    return ERR_INVALID;
}
