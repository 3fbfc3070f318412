/* declared: reads the settings of a daemon without the members that only a daemon sets (ids,
 * times, health), so that another daemon can get the same ones. Main thread. */
#include "cli/declared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/print.h"

enum { DOC_MAX = 1 << 20, SETTINGS_MAX = 1000000 };

static const char *const unsaid[] = {"id",     "account",      "created_at", "updated_at",
                                     "status", "disabled_why", "health",     NULL};
static const char *const no_secret[] = {NULL};
static const char *const password[] = {"password", NULL};
static const char *const endpoint_secret[] = {"secret", "key_pem", NULL};

const struct setting_list declared_kinds[DECLARED_KINDS] = {
    {"trunks", "trunk", "/v1/trunks", "name", true, unsaid, password},
    {"smpp_links", "smpp-link", "/v1/smpp-links", "name", true, unsaid, password},
    {"numbers", "number", "/v1/numbers", "number", false, unsaid, no_secret},
    {"extensions", "extension", "/v1/extensions", "username", false, unsaid, password},
    {"endpoints", "endpoint", "/v1/endpoints", "url", false, unsaid, endpoint_secret},
};

bool declared_is_one_of(const char *const *names, struct str name)
{
    for (; *names; names++)
        if (str_eq(name, str_of(*names)))
            return true;
    return false;
}

enum err declared_request(const struct client *c, const char *method, const char *path,
                          struct str body, struct json **ret, int *ret_code)
{
    struct client_answer a = {0};
    struct json *doc = NULL;
    struct str detail = {0};
    enum err err = client_request(c, method, path, body, &a);
    *ret_code = client_exit_code(err, a.status);
    if (err != OK) {
        client_print_failure(c, err, &a);
    } else if (*ret_code && a.status == 403 && ret) { /* the caller can do without */
        err = ERR_DENIED;
    } else if (*ret_code) {
        err = a.status == 403 ? ERR_DENIED : ERR_INVALID;
        if (json_parse(buf_str(&a.body), &doc, NULL, 0) == OK)
            json_str(json_get(doc, "detail"), &detail);
        fprintf(stderr, "hookswitch: %s %s: %d ", method, path, a.status);
        print_safe(stderr, detail);
        fputc('\n', stderr);
    } else if (ret && json_parse(buf_str(&a.body), &doc, NULL, 0) != OK) {
        fprintf(stderr, "hookswitch: %s %s: the answer is not JSON\n", method, path);
        *ret_code = 1;
        err = ERR_SYNTAX;
    } else if (ret) {
        *ret = doc;
        doc = NULL;
    }
    json_free(doc);
    buf_fini(&a.body);
    return err;
}

/* Finds the name of an account by its id, as the operator sees it; "" for `default`, and for a key
 * that sees one account alone. */
static struct str account_name(const struct json *accounts, const struct json *one)
{
    struct str id, other, name;
    const struct json *data = accounts ? json_get(accounts, "data") : NULL;
    for (size_t i = 0; data && json_str(json_get(one, "account"), &id) && i < json_len(data); i++) {
        const struct json *a = json_at(data, i);
        if (json_str(json_get(a, "id"), &other) && str_eq(id, other) &&
            json_str(json_get(a, "name"), &name))
            return str_eq(name, STR("default")) ? STR("") : name;
    }
    return STR("");
}

static enum err declared_add(struct setting_lists *d, const struct setting_list *k,
                             const struct json *accounts, const struct json *one)
{
    void *it = NULL;
    struct str key, id = {0}, account = account_name(accounts, one);
    const struct json *v;
    struct buf b;
    if (d->n == d->cap) {
        size_t cap = d->cap ? 2 * d->cap : 64;
        void *at = cap <= SETTINGS_MAX ? realloc(d->at, cap * sizeof *d->at) : NULL;
        if (!at)
            return ERR_NOMEM;
        d->at = at;
        d->cap = cap;
    }
    buf_init(&b, DOC_MAX);
    struct json_writer w = {&b, false};
    json_obj(&w, NULL);
    if (account.n)
        json_put_str(&w, "account", account);
    while (json_next(one, &it, &key, &v)) {
        char name[256];
        if (declared_is_one_of(k->unsaid, key) || str_copy(key, name, sizeof name) != OK)
            continue;
        json_put_raw(&w, name, STR(""));
        buf_put_json(&b, v);
    }
    json_end_obj(&w);
    struct declared_one *new = &d->at[d->n];
    *new = (struct declared_one){0};
    json_str(json_get(one, "id"), &id);
    new->id = str_dup(id);
    enum err err = b.err != OK ? b.err
                   : new->id   ? json_parse(buf_str(&b), &new->doc, NULL, 0)
                               : ERR_NOMEM;
    buf_fini(&b);
    d->n++;
    return err;
}

enum err declared_read(const struct client *c, const struct setting_list *k,
                       struct setting_lists *d, int *ret_code)
{
    char path[512];
    struct json *accounts = NULL, *page = NULL;
    struct str next = STR("");
    *d = (struct setting_lists){0};
    enum err err =
        declared_request(c, "GET", "/v1/accounts?limit=500", (struct str){0}, &accounts, ret_code);
    if (err == ERR_DENIED) /* a key that sees one account need not name it */
        err = OK;
    while (err == OK) {
        snprintf(path, sizeof path, "%s?limit=500%s%.*s", k->collection, next.n ? "&cursor=" : "",
                 STR_FMT(next));
        json_free(page);
        page = NULL;
        if ((err = declared_request(c, "GET", path, (struct str){0}, &page, ret_code)) != OK)
            break;
        const struct json *data = json_get(page, "data");
        for (size_t i = 0; err == OK && data && i < json_len(data); i++)
            err = declared_add(d, k, accounts, json_at(data, i));
        if (!json_str(json_get(page, "next_cursor"), &next))
            break;
    }
    json_free(page);
    json_free(accounts);
    if (err != OK)
        declared_fini(d);
    return err;
}

void declared_fini(struct setting_lists *d)
{
    for (size_t i = 0; i < d->n; i++) {
        free(d->at[i].id);
        json_free(d->at[i].doc);
    }
    free(d->at);
    *d = (struct setting_lists){0};
}

static struct str account_of(const struct json *doc)
{
    struct str s = STR("");
    json_str(json_get(doc, "account"), &s);
    return str_eq(s, STR("default")) ? STR("") : s;
}

struct declared_one *declared_find(struct setting_lists *d, const struct setting_list *k,
                                   const struct json *wanted)
{
    struct str key, other;
    if (!json_str(json_get(wanted, k->key), &key))
        return NULL;
    for (size_t i = 0; i < d->n; i++)
        if (!d->at[i].matched && json_str(json_get(d->at[i].doc, k->key), &other) &&
            str_eq(key, other) && str_eq(account_of(wanted), account_of(d->at[i].doc)))
            return &d->at[i];
    return NULL;
}
