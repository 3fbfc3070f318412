/* trunk: parses and prints a carrier's settings document: the sources of its packets, the way it
 * writes numbers, and which of its headers we trust. net/addr, which model does not know, judges
 * CIDR texts. */
#include <stdlib.h>
#include <string.h>

#include "model/fields.h"

static const char *const called_from_names[] = {
#define X(id, name) name,
    CALLED_FROM_LIST(X)
#undef X
};

static bool called_from_parse(struct str s, uint8_t *ret)
{
    for (uint8_t i = 0; i < CALLED_FROM_COUNT; i++)
        if (str_eq_nocase(s, str_of(called_from_names[i]))) {
            *ret = i;
            return true;
        }
    return false;
}

static void read_called_from(struct fields *f, struct trunk *t)
{
    static const uint8_t usual[] = {CALLED_FROM_RURI, CALLED_FROM_PCPID, CALLED_FROM_TO};
    const struct json *v = field_any(f, "called_from");
    struct str s;
    memcpy(t->called_from, usual, sizeof usual);
    t->n_called_from = sizeof usual;
    if (!v)
        return;
    bool fits =
        json_kind(v) == JSON_IS_ARRAY && json_len(v) >= 1 && json_len(v) <= CALLED_FROM_COUNT;
    t->n_called_from = 0;
    for (size_t i = 0; fits && i < json_len(v); i++)
        fits = json_str(json_at(v, i), &s) &&
               called_from_parse(s, &t->called_from[t->n_called_from++]);
    if (!fits)
        field_refuse(f, "called_from",
                     "an array of ruri, p-called-party-id, to, history-info, diversion");
}

enum err trunk_parse(const struct json *doc, struct trunk **ret, struct field_error *ret_fault)
{
    struct fields f;
    struct trunk *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    t->trust_identity = true;
    fields_start(&f, doc, ret_fault);
    field_text(&f, "name", t->name, sizeof t->name, true);
    field_sources(&f, 1, t->sources, &t->n_sources);
    field_text(&f, "server", t->server, sizeof t->server, false);
    field_text(&f, "username", t->username, sizeof t->username, false);
    field_text(&f, "password", t->password, sizeof t->password, false);
    field_u32(&f, "max_calls", 0, 1000000, &t->max_calls);
    field_u32(&f, "max_cps", 0, 100000, &t->max_cps);
    field_number_rules(&f, &t->rules);
    read_called_from(&f, t);
    field_bool(&f, "trust_identity", &t->trust_identity);
    field_bool(&f, "outbound", &t->outbound);
    enum err err = fields_end(&f);
    if (err == OK)
        *ret = t;
    else
        trunk_free(t);
    return err;
}

void trunk_print(const struct trunk *t, struct buf *out)
{
    struct json_writer w = {out, false};
    json_obj(&w, NULL);
    json_put_str(&w, "name", str_of(t->name));
    put_sources(&w, t->sources, t->n_sources);
    json_put_str(&w, "server", str_of(t->server));
    json_put_str(&w, "username", str_of(t->username));
    json_put_str(&w, "password", str_of(t->password));
    json_put_i64(&w, "max_calls", t->max_calls);
    json_put_i64(&w, "max_cps", t->max_cps);
    put_number_rules(&w, &t->rules);
    json_arr(&w, "called_from");
    for (size_t i = 0; i < t->n_called_from; i++)
        json_put_str(&w, NULL, str_of(called_from_names[t->called_from[i]]));
    json_end_arr(&w);
    json_put_bool(&w, "trust_identity", t->trust_identity);
    json_put_bool(&w, "outbound", t->outbound);
    json_end_obj(&w);
}

void trunk_free(struct trunk *t)
{
    free(t);
}
