/* sms_fields: keeps the names under which providers post a message's fields, and finds the values.
 * Pure. */
#include "api/core/sms_fields.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *names;
} table[] = {
#define X(id, name, names) {name, names},
    SMS_FIELD_LIST(X)
#undef X
};

const char *sms_field_name(enum sms_field f)
{
    return table[f].name;
}

enum err sms_fields_set(struct sms_fields *f, enum sms_field field, struct str names)
{
    names = str_trim(names);
    if (names.n == 0 || str_copy(names, f->names[field], sizeof f->names[field]) != OK)
        return ERR_INVALID;
    return OK;
}

static bool field_find(struct str name, enum sms_field *ret)
{
    for (int i = 0; i < SMS_FIELD_COUNT; i++)
        if (str_eq(name, str_of(table[i].name))) {
            *ret = (enum sms_field)i;
            return true;
        }
    return false;
}

enum err sms_fields_parse(struct str text, struct sms_fields *ret, const char **ret_why)
{
    struct str one, name, names;
    enum sms_field field;
    for (int i = 0; i < SMS_FIELD_COUNT; i++)
        if (sms_fields_set(ret, (enum sms_field)i, str_of(table[i].names)) != OK)
            return ERR_BUG;
    *ret_why = "a list like from=msisdn|sender, to=recipient is needed";
    while (text.n) {
        str_cut(text, ',', &one, &text);
        if (!str_trim(one).n)
            continue;
        if (!str_cut(one, '=', &name, &names))
            return ERR_INVALID;
        if (!field_find(str_trim(name), &field)) {
            *ret_why = "the fields are from, to, text, message_id, ref, total and part";
            return ERR_INVALID;
        }
        if (sms_fields_set(ret, field, names) != OK)
            return ERR_INVALID;
    }
    *ret_why = "";
    return OK;
}

struct str sms_value_of_form(struct str names, const struct form *form)
{
    struct str name, value = {0};
    char text[SMS_FIELD_NAMES_MAX];
    while (!value.p && names.n) {
        str_cut(names, '|', &name, &names);
        if (str_copy(str_trim(name), text, sizeof text) == OK)
            value = form_get(form, text);
    }
    return value;
}

static const struct json *json_at_step(const struct json *v, struct str step, size_t item)
{
    char name[SMS_FIELD_NAMES_MAX];
    uint64_t i = item;
    if (json_kind(v) == JSON_IS_OBJECT)
        return str_copy(step, name, sizeof name) == OK ? json_get(v, name) : NULL;
    if (json_kind(v) != JSON_IS_ARRAY || json_len(v) == 0)
        return NULL;
    bool found = str_eq(step, STR("*")) || str_to_u64(step, json_len(v) - 1, &i) == OK;
    return found && i < json_len(v) ? json_at(v, (size_t)i) : NULL;
}

/* Follows "data.payload.to.0.number": members of objects, places of arrays. */
static const struct json *json_at_path(const struct json *v, struct str path, size_t item)
{
    for (struct str step; v && path.n;) {
        str_cut(path, '.', &step, &path);
        v = json_at_step(v, step, item);
    }
    return v;
}

struct str sms_value_of_json(struct str names, const struct json *doc, size_t item, char mem[32])
{
    struct str name, value;
    int64_t number;
    bool truth;
    while (names.n) {
        str_cut(names, '|', &name, &names);
        const struct json *v = json_at_path(doc, str_trim(name), item);
        if (json_str(v, &value))
            return value;
        if (json_int(v, &number)) {
            snprintf(mem, 32, "%lld", (long long)number);
            return str_of(mem);
        }
        if (json_bool(v, &truth))
            return truth ? STR("true") : STR("false");
    }
    return (struct str){0};
}

/* The array that `*` stands for in this name, or NULL. */
static const struct json *json_items_at(const struct json *v, struct str path)
{
    for (struct str step; v && path.n;) {
        str_cut(path, '.', &step, &path);
        if (str_eq(step, STR("*")))
            return json_kind(v) == JSON_IS_ARRAY ? v : NULL;
        v = json_at_step(v, step, 0);
    }
    return NULL;
}

const struct json *sms_items_of_json(const struct sms_fields *f, const struct json *doc)
{
    for (int i = 0; i < SMS_FIELD_COUNT; i++) {
        struct str name, names = str_of(f->names[i]);
        while (names.n) {
            str_cut(names, '|', &name, &names);
            const struct json *items = json_items_at(doc, str_trim(name));
            if (items)
                return items;
        }
    }
    return NULL;
}
