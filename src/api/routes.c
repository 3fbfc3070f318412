/* routes: finds the handler of a path and method, and checks the asker's rights. There is one
 * table; 404, 405 with Allow, 401 and 403 come out of it. Called on the HTTP server's threads. */
#include "api/routes.h"

#include <stdio.h>
#include <string.h>

#include "api/core/access.h"
#include "api/did/did.h"
#include "api/resources/handlers.h"
#include "api/http/head.h"
#include "api/core/idempotency.h"
#include "api/core/rights.h"
#include "api/core/work.h"

enum needs { NEEDS_NOTHING, NEEDS_READ, NEEDS_WRITE, NEEDS_INGEST, NEEDS_OPERATOR };

static const struct route {
    const char *method, *path;
    enum needs needs;
    bool takes_json;
    request_handler *handle;
    bool looks_itself; /* what its Idempotency-Key was answered is looked up by the handler alone */
    bool takes_basic;  /* the key may come as the password of HTTP Basic, too */
    bool reserved;     /* only for askers that may make numbers (rights_own_numbers) */
    const char *query; /* the parameters it knows, "limit cursor"; "*": any; NULL: none */
} routes[] = {
    {"GET", "/", NEEDS_NOTHING, false, home_get, .query = "*"},
    {"GET", "/healthz", NEEDS_NOTHING, false, health_get},
    {"GET", "/readyz", NEEDS_NOTHING, false, ready_get},
    {"GET", "/metrics", NEEDS_NOTHING, false, metrics_get},
    {"GET", "/v1/openapi.json", NEEDS_NOTHING, false, openapi_get},
    {"GET", "/setup", NEEDS_NOTHING, false, setup_page, .query = "token"},
    {"POST", "/setup", NEEDS_NOTHING, false, setup_create},
    {"GET", "/v1/numbers", NEEDS_READ, false, numbers_list, .query = "limit cursor account"},
    {"POST", "/v1/numbers", NEEDS_WRITE, true, numbers_create, .reserved = true},
    {"GET", "/v1/numbers/{}", NEEDS_READ, false, numbers_get},
    {"PATCH", "/v1/numbers/{}", NEEDS_WRITE, true, numbers_patch},
    {"DELETE", "/v1/numbers/{}", NEEDS_WRITE, false, numbers_delete},
    {"GET", "/v1/numbers/{}/forward", NEEDS_READ, false, forward_get},
    {"PUT", "/v1/numbers/{}/forward", NEEDS_WRITE, true, forward_put},
    {"DELETE", "/v1/numbers/{}/data", NEEDS_WRITE, false, numbers_erase},
    {"GET", "/v1/erasures/{}", NEEDS_READ, false, erasures_get},
    {"GET", "/v1/endpoints", NEEDS_READ, false, endpoints_list, .query = "limit cursor account"},
    {"POST", "/v1/endpoints", NEEDS_WRITE, true, endpoints_create},
    {"GET", "/v1/endpoints/{}", NEEDS_READ, false, endpoints_get},
    {"PATCH", "/v1/endpoints/{}", NEEDS_WRITE, true, endpoints_patch},
    {"DELETE", "/v1/endpoints/{}", NEEDS_WRITE, false, endpoints_delete},
    {"POST", "/v1/endpoints/{}/rotate-secret", NEEDS_WRITE, true, endpoints_rotate},
    {"POST", "/v1/endpoints/{}/enable", NEEDS_WRITE, false, endpoints_enable},
    {"POST", "/v1/endpoints/{}/test", NEEDS_WRITE, false, endpoints_test},
    {"POST", "/v1/endpoints/{}/recover", NEEDS_WRITE, true, endpoints_recover},
    {"GET", "/v1/endpoints/{}/recoveries", NEEDS_READ, false, recoveries_list,
     .query = "limit cursor"},
    {"GET", "/v1/recoveries/{}", NEEDS_READ, false, recoveries_get},
    {"POST", "/v1/recoveries/{}/cancel", NEEDS_WRITE, false, recoveries_cancel},
    {"GET", "/v1/trunks", NEEDS_OPERATOR, false, trunks_list, .query = "limit cursor"},
    {"POST", "/v1/trunks", NEEDS_OPERATOR, true, trunks_create},
    {"GET", "/v1/trunks/{}", NEEDS_OPERATOR, false, trunks_get},
    {"PATCH", "/v1/trunks/{}", NEEDS_OPERATOR, true, trunks_patch},
    {"DELETE", "/v1/trunks/{}", NEEDS_OPERATOR, false, trunks_delete},
    {"GET", "/v1/smpp-links", NEEDS_OPERATOR, false, smpp_links_list, .query = "limit cursor"},
    {"POST", "/v1/smpp-links", NEEDS_OPERATOR, true, smpp_links_create},
    {"GET", "/v1/smpp-links/{}", NEEDS_OPERATOR, false, smpp_links_get},
    {"PATCH", "/v1/smpp-links/{}", NEEDS_OPERATOR, true, smpp_links_patch},
    {"DELETE", "/v1/smpp-links/{}", NEEDS_OPERATOR, false, smpp_links_delete},
    {"GET", "/v1/extensions", NEEDS_READ, false, extensions_list, .query = "limit cursor account"},
    {"POST", "/v1/extensions", NEEDS_WRITE, true, extensions_create},
    {"GET", "/v1/extensions/{}", NEEDS_READ, false, extensions_get},
    {"PATCH", "/v1/extensions/{}", NEEDS_WRITE, true, extensions_patch},
    {"DELETE", "/v1/extensions/{}", NEEDS_WRITE, false, extensions_delete},
    {"GET", "/v1/keys", NEEDS_READ, false, keys_list, .query = "limit cursor"},
    {"POST", "/v1/keys", NEEDS_WRITE, true, keys_create},
    {"GET", "/v1/keys/{}", NEEDS_READ, false, keys_get},
    {"DELETE", "/v1/keys/{}", NEEDS_WRITE, false, keys_delete},
    {"GET", "/v1/accounts", NEEDS_READ, false, accounts_list, .query = "limit cursor"},
    {"POST", "/v1/accounts", NEEDS_OPERATOR, true, accounts_create},
    {"GET", "/v1/accounts/{}", NEEDS_READ, false, accounts_get},
    {"PATCH", "/v1/accounts/{}", NEEDS_OPERATOR, true, accounts_patch},
    {"GET", "/v1/events", NEEDS_READ, false, events_list,
     .query = "limit cursor number type call_id endpoint state since until q account"},
    {"POST", "/v1/events", NEEDS_INGEST, true, events_ingest, true},
    {"GET", "/v1/events/stream", NEEDS_READ, false, events_stream,
     .query = "number type call_id since last_event_id"},
    {"GET", "/v1/events/{}", NEEDS_READ, false, events_get},
    {"POST", "/v1/events/{}/resend", NEEDS_WRITE, true, events_resend},
    {"POST", "/v1/simulate", NEEDS_WRITE, true, simulate_create},
    {"GET", "/v1/calls", NEEDS_READ, false, calls_list,
     .query = "limit cursor number since until account"},
    {"GET", "/v1/calls/{}", NEEDS_READ, false, calls_get},
    {"GET", "/v1/calls/{}/trace", NEEDS_READ, false, calls_trace},
    {"POST", "/v1/calls/{}/hangup", NEEDS_WRITE, false, calls_hangup},
    {"GET", "/v1/messages", NEEDS_READ, false, messages_list,
     .query = "limit cursor number peer since until q account"},
    {"GET", "/v1/messages/threads", NEEDS_READ, false, threads_list,
     .query = "limit cursor number"},
    {"POST", "/v1/ingest/sms", NEEDS_INGEST, false, ingest_sms, true, true,
     .query = "from to text message_id ref total part only strip country national_prefix"
              " international_prefix status"},
    {"GET", "/v1/users", NEEDS_READ, false, users_list, .query = "limit cursor account"},
    {"POST", "/v1/users", NEEDS_WRITE, true, users_create},
    {"GET", "/v1/users/{}", NEEDS_READ, false, users_get},
    {"PATCH", "/v1/users/{}", NEEDS_WRITE, true, users_patch},
    {"DELETE", "/v1/users/{}", NEEDS_WRITE, false, users_delete},
    {"PATCH", "/v1/keys/{}", NEEDS_WRITE, true, keys_patch},
    {"DELETE", "/v1/accounts/{}", NEEDS_OPERATOR, false, accounts_delete},
    {"GET", "/v1/audit", NEEDS_READ, false, audits_list,
     .query = "limit cursor account since until kind id who"},
    /* The DID API: who asks is in the body. */
    {"POST", "/api/login", NEEDS_NOTHING, false, did_login},
    {"POST", "/api/logout", NEEDS_NOTHING, false, did_logout},
    {"POST", "/api/balance", NEEDS_NOTHING, false, did_balance},
    {"POST", "/api/did/type-list", NEEDS_NOTHING, false, did_types},
    {"POST", "/api/did/available", NEEDS_NOTHING, false, did_available},
    {"POST", "/api/did/assign", NEEDS_NOTHING, false, did_assign},
    {"POST", "/api/did/list", NEEDS_NOTHING, false, did_list},
    {"POST", "/api/did/forward", NEEDS_NOTHING, false, did_forward},
    {"POST", "/api/did/release", NEEDS_NOTHING, false, did_release},
};
enum { N_ROUTES = sizeof routes / sizeof *routes };

bool api_route(size_t i, struct route_facts *ret)
{
    static const char *const scope[] = {"", "read", "write", "ingest", "operator"};
    if (i >= N_ROUTES)
        return false;
    *ret = (struct route_facts){.method = routes[i].method,
                                .path = routes[i].path,
                                .scope = scope[routes[i].needs],
                                .query = routes[i].query ? routes[i].query : "",
                                .reserved = routes[i].reserved};
    return true;
}

/* One byte of a path's fixed part, escaped or not: RFC 3986 §6.2.2.2 has them as equal, but a %2F,
 * which is no slash. */
static bool route_matches_byte(char wanted, const char **path)
{
    char one[4] = "";
    if (**path == '%') {
        memcpy(one, *path, strnlen(*path, 3));
        head_unescape_path(one, false);
    }
    bool escaped = one[0] && !one[1];
    bool fits = wanted == (escaped ? one[0] : **path);
    *path += escaped ? 3 : 1;
    return fits;
}

/* "/v1/numbers/{}/forward" against the path as it came; what stands for {} goes to arg, decoded. */
static bool route_matches(const char *pattern, const char *path, char *arg, size_t cap)
{
    char part[sizeof((struct http_request *)NULL)->path];
    arg[0] = '\0';
    for (; *pattern; pattern++) {
        if (*pattern != '{') {
            if (!*path || !route_matches_byte(*pattern, &path))
                return false;
            continue;
        }
        struct str raw = {path, strcspn(path, "/")};
        if (raw.n == 0 || str_copy(raw, part, sizeof part) != OK)
            return false;
        head_unescape_path(part, true);
        if (str_copy(str_of(part), arg, cap) != OK)
            return false;
        path += raw.n;
        pattern++; /* the closing brace */
    }
    return *path == '\0';
}

/* A number is found by its digits, too, and by the blank that a `+` becomes in some clients. */
static void complete_number(struct request *r)
{
    size_t n = strlen(r->arg), skip = r->arg[0] == ' ';
    if (strncmp(r->http.path, "/v1/numbers/", 12) != 0 || r->arg[0] == '+' || n + 2 > sizeof r->arg)
        return;
    memmove(r->arg + 1, r->arg + skip, n - skip + 1);
    r->arg[0] = '+';
}

static const struct route *route_find(struct request *r, bool *ret_path_known)
{
    char arg[sizeof r->arg];
    struct buf allow;
    buf_wrap(&allow, r->http.allow, sizeof r->http.allow - 1);
    for (size_t i = 0; i < N_ROUTES; i++) {
        if (!route_matches(routes[i].path, r->http.raw_path, arg, sizeof arg))
            continue;
        if (!strcmp(routes[i].method, r->http.method)) {
            memcpy(r->arg, arg, sizeof arg);
            complete_number(r);
            r->http.allow[0] = '\0';
            return &routes[i];
        }
        *ret_path_known = true;
        bool reads = !strcmp(routes[i].method, "GET");
        if (!strstr(r->http.allow, routes[i].method)) /* two patterns may fit; the room is zeroed */
            buf_printf(&allow, "%s%s", routes[i].method, reads ? ", HEAD, " : ", ");
    }
    if (*ret_path_known)
        buf_puts(&allow, "OPTIONS");
    r->http.allow[allow.n] = '\0';
    return NULL;
}

static bool asker_may(const struct request *r, enum needs needs)
{
    return needs == NEEDS_READ     ? r->can_read
           : needs == NEEDS_WRITE  ? r->can_write
           : needs == NEEDS_INGEST ? r->can_ingest
                                   : needs != NEEDS_OPERATOR || r->is_operator;
}

static bool read_json(struct request *r)
{
    char where[160], detail[200];
    struct str text = str_trim(buf_str(&r->http.body));
    if (text.n == 0)
        text = STR("{}");
    if (json_parse(text, &r->json, where, sizeof where) == OK) {
        enum json_kind kind = json_kind(r->json);
        if (kind != JSON_IS_OBJECT && kind != JSON_IS_ARRAY)
            problem_field(r, "body", "an object");
        return kind == JSON_IS_OBJECT || kind == JSON_IS_ARRAY;
    }
    snprintf(detail, sizeof detail, "The body is not valid JSON: %s.", where);
    problem(r, 400, "bad_json", detail);
    return false;
}

/* A body without a type is taken for what is asked for; one that says it is something else is not.
 */
static bool is_json(const struct request *r)
{
    struct str type = request_header(r, "Content-Type"), rest;
    str_cut(type, ';', &type, &rest);
    type = str_trim(type);
    size_t n = type.n;
    return r->http.body.n == 0 || n == 0 || str_eq_nocase(type, STR("application/json")) ||
           (n > 5 && str_eq_nocase(str_from(type, n - 5), STR("+json")));
}

/* A page of another site may ask, and is told nothing that would let it in: there is no CORS. */
static void answer_options(struct request *r)
{
    r->http.status = 204;
    buf_reset(&r->http.out);
}

static bool is_within_rate(struct request *r)
{
    r->http.rate = rates_take(r->api->rates, r->key);
    return r->http.rate.allowed;
}

/* Refuses unknown parameters: were they ignored, a mistyped one would look like an answer. */
static bool query_fits(struct request *r, const struct route *route)
{
    char other[sizeof r->fault.field], allowed[sizeof r->fault.why];
    struct buf b;
    if (!route->query || strcmp(route->query, "*")) {
        switch (http_query_check(&r->http, route->query ? route->query : "", other, sizeof other)) {
        case QUERY_FITS: return true;
        case QUERY_REPEATED: problem_field(r, other, "given once"); return false;
        case QUERY_HAS_NUL: problem_field(r, other, "a value without %00"); return false;
        case QUERY_UNKNOWN: break;
        }
        buf_wrap(&b, allowed, sizeof allowed - 1);
        buf_puts(&b,
                 route->query ? "one of the parameters " : "absent: this path knows no parameters");
        for (const char *c = route->query ? route->query : ""; *c; c++)
            buf_puts(&b, *c == ' ' ? ", " : (char[]){*c, '\0'});
        allowed[b.n] = '\0';
        problem_field(r, other, allowed);
        return false;
    }
    return true;
}

void api_handle(struct http_request *h)
{
    struct request *r = request_of(h);
    bool path_known = false;
    request_begin(r, server_arg(h->server));
    size_t n = strlen(r->http.raw_path);
    if (is_did_path(r->http.path) && n > 5 && r->http.raw_path[n - 1] == '/') {
        r->http.raw_path[n - 1] = '\0'; /* its clients write it either way */
        r->http.path[strlen(r->http.path) - 1] = '\0';
    }
    const struct route *route = route_find(r, &path_known);
    if (!route) {
        if (!strcmp(r->http.method, "OPTIONS") && (path_known || !strcmp(r->http.path, "*")))
            answer_options(r);
        else if (path_known)
            problem(r, 405, "method_not_allowed", "This path does not take that method.");
        else
            problem(r, 404, "not_found", "There is no such path.");
    } else if (route->needs != NEEDS_NOTHING && !access_by_header(r, route->takes_basic)) {
        problem(r, 401, "unauthorized", "A valid key is needed: Authorization: Bearer KEY.");
    } else if (!asker_may(r, route->needs)) {
        problem(r, 403, "forbidden", "This key may not do that.");
    } else if (route->reserved && !rights_own_numbers(r)) {
        problem(
            r, 403, "numbers_are_assigned",
            "An account gets numbers by assignment (/api/did/assign, or the operator), and does "
            "not make them.");
    } else if (route->needs != NEEDS_NOTHING && !is_within_rate(r)) {
        problem(r, 429, "too_many_requests", "This key asks too often; try again in a second.");
    } else if (!query_fits(r, route)) {
        /* said there */
    } else if (route->takes_json && !is_json(r)) {
        problem(r, 415, "unsupported_media_type",
                "The body's Content-Type must be application/json.");
    } else if ((!route->takes_json || read_json(r)) &&
               (route->needs == NEEDS_NOTHING || idempotency_begin(r))) {
        if (r->idempotency && !route->looks_itself)
            idempotency_handle(r, route->handle);
        else
            route->handle(r);
        return;
    }
    request_done(r);
}
