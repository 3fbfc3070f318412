/* account: parses and prints the documents of accounts and of API keys. A key's text is never
 * stored, only its hash. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/fields.h"

static void key_scopes_read(struct fields *f, struct api_key *k)
{
    const struct json *v = field_any(f, "scopes");
    struct str s;
    if (!v) {
        k->read = k->write = k->ingest = k->all = true;
        return;
    }
    bool fits = json_kind(v) == JSON_IS_ARRAY && json_len(v) >= 1;
    for (size_t i = 0; fits && i < json_len(v); i++) {
        bool all = (fits = json_str(json_at(v, i), &s)) && str_eq(s, STR("*"));
        bool read = fits && str_eq(s, STR("read")), write = fits && str_eq(s, STR("write"));
        bool ingest = fits && str_eq(s, STR("ingest")), op = fits && str_eq(s, STR("operator"));
        k->read |= all || read;
        k->write |= all || write;
        k->ingest |= all || ingest;
        k->operator_ |= op;
        k->all |= all;
        fits = all || read || write || ingest || op;
    }
    if (!fits)
        field_refuse(f, "scopes", "an array of *, read, write, ingest, operator");
}

enum err api_key_parse(const struct json *doc, struct api_key **ret, struct field_error *ret_fault)
{
    struct fields f;
    struct api_key *k = calloc(1, sizeof *k);
    if (!k)
        return ERR_NOMEM;
    fields_start(&f, doc, ret_fault);
    field_text(&f, "name", k->name, sizeof k->name, true);
    field_own_text(&f, "hash", k->hash, sizeof k->hash);
    field_own_text(&f, "created_by", k->created_by, sizeof k->created_by);
    int64_t user = 0;
    const struct json *n = field_own(&f, "user");
    if (n && (!json_int(n, &user) || user < 0))
        field_refuse(&f, "user", "absent");
    k->user = (uint64_t)user;
    key_scopes_read(&f, k);
    const struct json *expires = field_any(&f, "expires_at_ms");
    if (expires && (!json_int(expires, &k->expires_at_ms) || k->expires_at_ms < 0))
        field_refuse(&f, "expires_at_ms", "milliseconds since 1970, 0 for never");
    struct str text;
    const struct json *at = field_any(&f, "expires_at");
    if (at && (!json_str(at, &text) || clock_parse(text, &k->expires_at_ms) != OK))
        field_refuse(&f, "expires_at", "a time like 2024-11-15T14:32:00Z");
    enum err err = fields_end(&f);
    if (err == OK)
        *ret = k;
    else
        api_key_free(k);
    return err;
}

void api_key_print(const struct api_key *k, struct buf *out)
{
    struct json_writer w = {out, false};
    json_obj(&w, NULL);
    json_put_str(&w, "name", str_of(k->name));
    json_put_str(&w, "hash", str_of(k->hash));
    json_arr(&w, "scopes");
    if (k->all)
        json_put_str(&w, NULL, STR("*"));
    if (k->read && !k->all)
        json_put_str(&w, NULL, STR("read"));
    if (k->write && !k->all)
        json_put_str(&w, NULL, STR("write"));
    if (k->ingest && !k->all)
        json_put_str(&w, NULL, STR("ingest"));
    if (k->operator_)
        json_put_str(&w, NULL, STR("operator"));
    json_end_arr(&w);
    json_put_i64(&w, "expires_at_ms", k->expires_at_ms);
    if (*k->created_by)
        json_put_str(&w, "created_by", str_of(k->created_by));
    if (k->user)
        json_put_i64(&w, "user", (int64_t)k->user);
    json_end_obj(&w);
}

unsigned api_key_rights(const struct api_key *k)
{
    unsigned rights = 0;
    if (k->operator_)
        return RIGHTS_ALL;
    rights |= k->read ? RIGHT_READ : 0;
    rights |= k->write ? RIGHT_WRITE : 0;
    rights |= k->ingest ? RIGHT_INGEST : 0;
    return rights;
}

void api_key_free(struct api_key *k)
{
    free(k);
}

static bool is_decimal(const char *z)
{
    size_t whole, part = 0;
    z += *z == '-';
    z += whole = strspn(z, "0123456789");
    if (*z == '.')
        z += 1 + (part = strspn(z + 1, "0123456789"));
    return !*z && whole > 0 && (part > 0 || z[-1] != '.');
}

enum err account_parse(const struct json *doc, struct account **ret, struct field_error *ret_fault)
{
    struct fields f;
    struct account *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    fields_start(&f, doc, ret_fault);
    field_text(&f, "name", a->name, sizeof a->name, true);
    field_u32(&f, "retention_days", 1, 3650, &a->retention_days);
    field_text(&f, "balance", a->balance, sizeof a->balance, false);
    if (*a->balance && !is_decimal(a->balance))
        field_refuse(&f, "balance", "a decimal number like -12.50");
    field_text(&f, "currency", a->currency, sizeof a->currency, false);
    for (const char *c = a->currency; *c; c++)
        if (*c < 'A' || *c > 'Z' || !a->currency[1] || !a->currency[2])
            field_refuse(&f, "currency", "three capital letters (ISO 4217)");
    enum err err = fields_end(&f);
    if (err == OK)
        *ret = a;
    else
        account_free(a);
    return err;
}

void account_print(const struct account *a, struct buf *out)
{
    struct json_writer w = {out, false};
    json_obj(&w, NULL);
    json_put_str(&w, "name", str_of(a->name));
    if (a->retention_days)
        json_put_i64(&w, "retention_days", a->retention_days);
    if (*a->balance)
        json_put_str(&w, "balance", str_of(a->balance));
    if (*a->currency)
        json_put_str(&w, "currency", str_of(a->currency));
    json_end_obj(&w);
}

void account_free(struct account *a)
{
    free(a);
}
