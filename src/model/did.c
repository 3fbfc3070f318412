/* did: parses and prints a number's settings document. */
#include <stdlib.h>

#include "model/block.h"
#include "model/fields.h"

enum { TYPE_MAX = 15, COST_MAX = 15 };

static void did_forward_read(struct fields *f, struct forward **ret)
{
    const struct json *v = field_any(f, "forward"), *targets;
    char field[64], where[64 + 16];
    const char *why;
    if (f->err != OK)
        return;
    targets = v ? json_get(v, "targets") : NULL;
    if (v && (json_kind(v) != JSON_IS_OBJECT || !targets || json_len(v) != 1)) {
        field_refuse(f, "forward", "an object with targets, an array");
        return;
    }
    struct json *none = NULL;
    if (!targets && json_parse(STR("[]"), &none, NULL, 0) != OK) {
        f->err = ERR_NOMEM;
        return;
    }
    enum err err = forward_parse(targets ? targets : none, ret, field, &why);
    json_free(none);
    if (err == ERR_INVALID) {
        struct buf b;
        buf_wrap(&b, where, sizeof where - 1);
        buf_printf(&b, "forward.%s", field);
        where[b.n] = '\0';
        field_refuse(f, where, why);
    } else if (err != OK)
        f->err = err;
}

static struct did *did_place(const struct did *d, struct block_writer *b)
{
    struct did scrap, *made = block_place(b, sizeof *d), *to = made ? made : &scrap;
    *to = *d;
    const char **text[] = {&to->label, &to->type, &to->monthly_cost, &to->setup_fee};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        *text[i] = block_text(b, *text[i]);
    return made;
}

static struct did *did_pack(const struct did *d)
{
    struct block_writer b = {0};
    (void)did_place(d, &b);
    b.mem = malloc(b.n);
    b.n = 0;
    return b.mem ? did_place(d, &b) : NULL;
}

enum err did_parse(const struct json *doc, struct did **ret, struct field_error *ret_fault)
{
    struct fields f;
    struct forward *forward = NULL;
    struct did d = {
        .voice = true, .sms = true, .label = "", .type = "", .monthly_cost = "", .setup_fee = ""};
    fields_start(&f, doc, ret_fault);
    field_text(&f, "number", d.e164, sizeof d.e164, true);
    if (f.err == OK && !number_is_e164(str_of(d.e164)))
        field_refuse(&f, "number", "an E.164 number: + and 5 to 15 digits, the first not 0");
    field_slice(&f, "label", NAME_MAX_BYTES, false, &d.label);
    field_bool(&f, "voice", &d.voice);
    field_bool(&f, "sms", &d.sms);
    d.given_voice = d.voice;
    d.given_sms = d.sms;
    field_own_bool(&f, "given_voice", &d.given_voice);
    field_own_bool(&f, "given_sms", &d.given_sms);
    field_text(&f, "country", d.country, sizeof d.country, false);
    for (char *c = d.country; *c; c++)
        if (*c < 'A' || *c > 'Z' || !d.country[1])
            field_refuse(&f, "country", "two capital letters (ISO 3166)");
    field_slice(&f, "type", TYPE_MAX, false, &d.type);
    field_slice(&f, "monthly_cost", COST_MAX, false, &d.monthly_cost);
    field_slice(&f, "setup_fee", COST_MAX, false, &d.setup_fee);
    did_forward_read(&f, &forward);
    d.forward = forward;
    enum err err = fields_end(&f);
    if (err == OK)
        err = (*ret = did_pack(&d)) ? OK : ERR_NOMEM;
    if (err != OK)
        forward_free(forward);
    return err;
}

void did_print(const struct did *d, struct buf *out)
{
    struct json_writer w = {out, false};
    json_obj(&w, NULL);
    json_put_str(&w, "number", str_of(d->e164));
    json_put_str(&w, "label", str_of(d->label));
    json_put_bool(&w, "voice", d->voice);
    json_put_bool(&w, "sms", d->sms);
    json_put_bool(&w, "given_voice", d->given_voice);
    json_put_bool(&w, "given_sms", d->given_sms);
    if (*d->country)
        json_put_str(&w, "country", str_of(d->country));
    if (*d->type)
        json_put_str(&w, "type", str_of(d->type));
    if (*d->monthly_cost)
        json_put_str(&w, "monthly_cost", str_of(d->monthly_cost));
    if (*d->setup_fee)
        json_put_str(&w, "setup_fee", str_of(d->setup_fee));
    json_obj(&w, "forward");
    json_put_raw(&w, "targets", STR(""));
    forward_print(d->forward, out);
    json_end_obj(&w);
    json_end_obj(&w);
}

void did_leave(const struct did *d, struct did *ret)
{
    static const struct forward nothing;
    *ret = *d;
    ret->label = "";
    ret->forward = &nothing;
    ret->voice = d->given_voice;
    ret->sms = d->given_sms;
}

void did_free(struct did *d)
{
    if (!d)
        return;
    forward_free((struct forward *)(uintptr_t)d->forward); /* const to others */
    free(d);
}
