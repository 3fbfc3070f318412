/* The OpenAPI file and the routes are the same list: what the server takes is described, what is
 * described is taken, with the scope that it needs and the query parameters that it knows. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "api/http/files.h"
#include "api/core/endpoint_kind.h"
#include "api/resources/handlers.h"
#include "api/core/key_kind.h"
#include "api/core/number_kind.h"
#include "api/routes.h"

enum { OPERATIONS_MAX = 512 };

struct operation {
    char text[256]; /* "GET /v1/numbers read ?limit cursor", " numbers" where it is reserved */
};
struct list {
    size_t n;
    struct operation at[OPERATIONS_MAX];
};

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct operation *)a)->text, ((const struct operation *)b)->text);
}

/* The names between braces are for people. */
static void put(struct list *l, const char *method, struct str path, const char *scope,
                const char *query, bool reserved)
{
    struct operation *o = &l->at[l->n++];
    struct buf b;
    bool inside = false;
    assert_true(l->n < OPERATIONS_MAX);
    buf_wrap(&b, o->text, sizeof o->text - 1);
    for (const char *c = method; *c; c++)
        buf_putc(&b, *c >= 'a' ? (char)(*c - 32) : *c);
    buf_putc(&b, ' ');
    for (size_t i = 0; i < path.n; i++) {
        inside = inside && path.p[i] != '}';
        if (!inside)
            buf_putc(&b, path.p[i]);
        inside |= path.p[i] == '{';
    }
    buf_printf(&b, " %s ?%s%s", scope, query, reserved ? " numbers" : "");
    assert_ok(b.err);
    o->text[b.n] = '\0';
}

/* The names of an operation's query parameters, in the file's order. */
static void put_query(struct buf *b, const struct json *doc, const struct json *operation)
{
    static const struct str components = STR("#/components/parameters/");
    const struct json *list = json_get(operation, "parameters");
    struct str ref, in, name;
    for (size_t i = 0; list && i < json_len(list); i++) {
        const struct json *p = json_at(list, i);
        char shared[64];
        if (json_str(json_get(p, "$ref"), &ref)) {
            assert_ok(str_copy(str_from(ref, components.n), shared, sizeof shared));
            p = json_get(json_get(json_get(doc, "components"), "parameters"), shared);
        }
        assert_true(json_str(json_get(p, "in"), &in) && json_str(json_get(p, "name"), &name));
        if (str_eq(in, STR("query")))
            buf_printf(b, "%s%.*s", b->n ? " " : "", STR_FMT(name));
    }
    buf_putc(b, '\0');
    assert_ok(b->err);
}

/* Does the operation, or the member of a body, say that it is for those? */
static bool writable_by(const struct json *o, const char *whom)
{
    struct str said;
    return json_str(json_get(o, "x-writable-by"), &said) && str_eq(said, str_of(whom));
}

static void described(struct list *l)
{
    struct json *doc;
    char query[160];
    void *p = NULL, *m;
    struct str path, method, scope;
    const struct json *item, *o;
    char word[64];
    assert_ok(json_parse(str_trim(file_openapi()), &doc, word, sizeof word));
    while (json_next(json_get(doc, "paths"), &p, &path, &item))
        for (m = NULL; json_next(item, &m, &method, &o);) {
            char name[16];
            assert_ok(str_copy(method, name, sizeof name));
            if (!json_str(json_get(o, "x-scope"), &scope))
                scope = STR("");
            assert_ok(str_copy(scope, word, sizeof word));
            struct buf b;
            buf_wrap(&b, query, sizeof query);
            put_query(&b, doc, o);
            put(l, name, path, word, query, writable_by(o, "numbers"));
        }
    json_free(doc);
}

static void the_file_and_the_routes_are_one_list(void **state)
{
    static struct list routes, file;
    struct route_facts r;
    for (size_t i = 0; api_route(i, &r); i++)
        if (strcmp(r.path, "/"))
            put(&routes, r.method, str_of(r.path), r.scope, r.query, r.reserved);
    described(&file);
    qsort(routes.at, routes.n, sizeof routes.at[0], by_text);
    qsort(file.at, file.n, sizeof file.at[0], by_text);
    for (size_t i = 0, k = 0; i < routes.n || k < file.n;) {
        int order = i == routes.n ? 1 : k == file.n ? -1 : by_text(&routes.at[i], &file.at[k]);
        if (order < 0)
            fail_msg("\"%s\" is a route that the OpenAPI file does not have", routes.at[i].text);
        if (order > 0)
            fail_msg("\"%s\" is in the OpenAPI file and no route takes it", file.at[k].text);
        i++;
        k++;
    }
    assert_true(routes.n > 40);
}

static bool is_named(const char *const *names, struct str name)
{
    for (; names && *names; names++)
        if (str_eq(name, str_of(*names)))
            return true;
    return false;
}

static const struct json *members(const struct json *doc, const char *noun, const char *more)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s", noun, more);
    const struct json *schema = json_get(json_get(json_get(doc, "components"), "schemas"), name);
    assert_non_null(schema);
    return json_get(schema, "properties");
}

/* The members that one may send: each says who may set it, and none is the program's own. */
static void check_sent(const struct resource *res, const struct json *properties)
{
    static const char *const whom[] = {"scope", "within", "numbers", "operator", NULL};
    void *it = NULL;
    struct str name, said;
    const struct json *p;
    size_t reserved = 0, due = 0;
    while (json_next(properties, &it, &name, &p)) {
        if (!json_str(json_get(p, "x-writable-by"), &said) || !is_named(whom, said))
            fail_msg("%s: %.*s does not say who may set it", res->collection, STR_FMT(name));
        if (is_named(res->reserved, name) != writable_by(p, "numbers"))
            fail_msg("%s: %.*s is reserved in one place alone", res->collection, STR_FMT(name));
        if (str_eq(name, STR("account")) != writable_by(p, "operator"))
            fail_msg("%s: %.*s: the account alone is the operator's", res->collection,
                     STR_FMT(name));
        if (is_named(res->own, name) && !str_eq(name, STR("disabled_why")))
            fail_msg("%s: %.*s is the program's own", res->collection, STR_FMT(name));
        reserved += writable_by(p, "numbers");
    }
    for (const char *const *n = res->reserved; n && *n; n++)
        due++;
    assert_int_equal(reserved, due);
}

/* The members that one is shown: each says to whom, and a hidden one is shown once or never. */
static void check_shown(const struct resource *res, const struct json *properties)
{
    static const char *const whom[] = {"scope", "operator", "once", NULL};
    void *it = NULL;
    struct str name, said;
    const struct json *p;
    const char *once = res->shown_once ? res->shown_once : "secret";
    while (json_next(properties, &it, &name, &p)) {
        if (!json_str(json_get(p, "x-readable-by"), &said) || !is_named(whom, said))
            fail_msg("%s: %.*s does not say who sees it", res->collection, STR_FMT(name));
        if (str_eq(said, STR("once")) != str_eq(name, str_of(once)))
            fail_msg("%s: %.*s is shown once, or is not", res->collection, STR_FMT(name));
        if (is_named(res->hidden, name) && !str_eq(said, STR("once")))
            fail_msg("%s: %.*s is hidden", res->collection, STR_FMT(name));
    }
}

static void the_members_are_whose_the_file_says(void **state)
{
    static const struct {
        const struct resource *res;
        const char *noun;
    } all[] = {{&numbers, "Number"}, {&endpoints, "Endpoint"},  {&trunks, "Trunk"},
               {&keys, "Key"},       {&accounts, "Account"},    {&smpp_links, "SmppLink"},
               {&users, "User"},     {&extensions, "Extension"}};
    struct json *doc;
    char word[64];
    assert_ok(json_parse(str_trim(file_openapi()), &doc, word, sizeof word));
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        check_sent(all[i].res, members(doc, all[i].noun, "New"));
        check_sent(all[i].res, members(doc, all[i].noun, "Patch"));
        check_shown(all[i].res, members(doc, all[i].noun, ""));
    }
    json_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_and_the_routes_are_one_list),
        cmocka_unit_test(the_members_are_whose_the_file_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
