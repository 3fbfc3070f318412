/* number_kind: checks a number beyond the model's parser: webhooks are URLs, and SIP URIs have no
 * password. For REST and for the DID API; on the HTTP server's threads and the store's. */
#include "api/core/number_kind.h"

#include <stdio.h>
#include <string.h>

#include "api/core/rights.h"

uint64_t did_pool(const struct request *r)
{
    const struct book_account *pool = book_account_named(r->book, STR("pool"));
    return pool ? pool->n : 0;
}

static enum err number_check_targets(struct request *r, const struct forward *f)
{
    char field[64];
    enum err err = OK;
    for (size_t i = 0; err == OK && i < f->n; i++) {
        snprintf(field, sizeof field, "forward.targets[%zu].destination", i);
        if (f->target[i].type == TARGET_WEBHOOK)
            err = request_check_url(r, field, f->target[i].destination);
        else if (target_has_password(&f->target[i]))
            err = request_refuse(r, field, "a SIP URI without a password");
    }
    return err;
}

static enum err number_check(struct request *r, struct record *rec, const struct json *doc,
                             const struct json *given, bool is_new)
{
    struct did *d;
    enum err err = did_parse(doc, &d, &r->fault);
    if (err != OK)
        return err;
    if (!is_new && !str_eq(str_of(d->e164), rec->setting.id)) {
        r->fault = (struct field_error){"number", "the number itself, which cannot be changed"};
        err = ERR_INVALID;
    }
    if (err == OK)
        err = number_check_targets(r, d->forward);
    if (json_get(given, "voice") && rights_own_numbers(r))
        d->given_voice = d->voice;
    if (json_get(given, "sms") && rights_own_numbers(r))
        d->given_sms = d->sms;
    if (err == OK)
        err = record_print_key(rec, d->e164);
    if (err == OK) {
        did_print(d, &rec->text);
        err = record_printed(rec, strlen(d->e164));
    }
    did_free(d);
    return err;
}

static enum err number_leave(struct request *r, const struct json *doc, struct json **ret)
{
    struct did *d = NULL, left;
    struct buf b;
    enum err err = did_parse(doc, &d, &r->fault);
    if (err != OK)
        return err;
    did_leave(d, &left);
    buf_init(&b, 1 << 20);
    did_print(&left, &b);
    err = b.err != OK ? b.err : json_parse(buf_str(&b), ret, NULL, 0);
    buf_fini(&b);
    did_free(d);
    return err;
}

static const char *const number_own[] = {"given_voice", "given_sms", NULL};
static const char *const number_reserved[] = {"country", "type", "monthly_cost", "setup_fee", NULL};
const struct resource numbers = {.kind = SETTING_NUMBER,
                                 .collection = "/v1/numbers",
                                 .hidden = number_own,
                                 .own = number_own,
                                 .reserved = number_reserved,
                                 .check = number_check,
                                 .leave = number_leave};
