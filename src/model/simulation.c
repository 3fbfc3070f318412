/* simulation: parses the request for a simulated call or message. It also accepts the names that
 * the events use for the same fields. */
#include "model/simulation.h"

#include <stdlib.h>
#include <string.h>

#include "model/fields.h"

static void read_kind(struct fields *f, struct simulation *s)
{
    struct str kind = {0};
    const struct json *v = field_any(f, "kind");
    if (!v || !json_str(v, &kind) || !(str_eq(kind, STR("call")) || str_eq(kind, STR("sms"))))
        field_refuse(f, "kind", "call or sms");
    s->sms = str_eq(kind, STR("sms"));
}

/* Gives the first of the two names that is there. */
static const char *field_name_of(struct fields *f, const char *a, const char *b)
{
    return field_any(f, a) || !field_any(f, b) ? a : b;
}

static void read_outcome(struct fields *f, struct simulation *s)
{
    static const struct {
        const char *name;
        enum end_reason reason;
    } outcomes[] = {{"answered", END_COMPLETED}, {"completed", END_COMPLETED},
                    {"busy", END_BUSY},          {"no_answer", END_NO_ANSWER},
                    {"canceled", END_CANCELED},  {"cancelled", END_CANCELED},
                    {"rejected", END_REJECTED},  {"failed", END_FAILED}};
    struct str text = {0};
    const struct json *v = field_any(f, "outcome");
    s->outcome = END_COMPLETED;
    if (!v)
        return;
    if (json_str(v, &text))
        for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
            if (str_eq(text, str_of(outcomes[i].name))) {
                s->outcome = outcomes[i].reason;
                return;
            }
    field_refuse(f, "outcome", "answered, busy, no_answer, canceled, rejected or failed");
}

static void read_call(struct fields *f, struct simulation *s)
{
    read_outcome(f, s);
    bool answered = s->outcome == END_COMPLETED;
    s->ring_sec = 3;
    s->duration_sec = answered ? 10 : 0;
    field_u32(f, "ring_sec", 0, SIMULATED_RING_MAX_SEC, &s->ring_sec);
    field_u32(f, "duration_sec", 0, SIMULATED_DURATION_MAX_SEC, &s->duration_sec);
    if (!answered && s->duration_sec)
        field_refuse(f, "duration_sec", "0 or absent: only an answered call lasts");
    field_text(f, "caller_name", s->caller_name, sizeof s->caller_name, false);
    field_text(f, "destination", s->destination, sizeof s->destination, false);
}

static void read_message(struct fields *f, struct simulation *s)
{
    static const char allowed[] = "a text of at most 16,384 bytes";
    struct str text = {0};
    const char *name = field_name_of(f, "message", "text");
    const struct json *v = field_any(f, name);
    if (v && (!json_str(v, &text) || text.n > 16384))
        field_refuse(f, name, allowed);
    if (f->err == OK && !(s->message = str_dup(v ? text : STR("Hello, is this line active?"))))
        f->err = ERR_NOMEM;
}

static bool is_caller(struct str s)
{
    return number_is_e164(s) || str_eq(s, STR("anonymous")) || str_eq(s, STR("unknown"));
}

enum err simulation_parse(const struct json *doc, struct simulation **ret,
                          struct field_error *ret_fault)
{
    struct fields f;
    struct simulation *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    fields_start(&f, doc, ret_fault);
    read_kind(&f, s);
    const char *number = field_name_of(&f, "number", s->sms ? "to" : "did_number");
    field_text(&f, number, s->number, sizeof s->number, true);
    if (f.err == OK && !number_is_e164(str_of(s->number)))
        field_refuse(&f, number, "an E.164 number: + and 5 to 15 digits, the first not 0");
    const char *from = field_name_of(&f, "from", s->sms ? "from" : "caller_id");
    memcpy(s->from, "+19175550100", sizeof "+19175550100");
    field_text(&f, from, s->from, sizeof s->from, false);
    if (f.err == OK && (!s->from[0] || (!s->sms && !is_caller(str_of(s->from)))))
        field_refuse(&f, from, "an E.164 number, anonymous or unknown");
    if (s->sms)
        read_message(&f, s);
    else
        read_call(&f, s);
    enum err err = fields_end(&f);
    if (err == OK)
        *ret = s;
    else
        simulation_free(s);
    return err;
}

void simulation_free(struct simulation *s)
{
    if (!s)
        return;
    free(s->message);
    free(s);
}
