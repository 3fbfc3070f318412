/* trunks_api: handles trunks, the carriers that send calls, for the operator alone. Handlers on the
 * HTTP server's threads, work on the store's. */
#include <string.h>

#include "api/resources/handlers.h"
#include "api/core/resource.h"

static enum err trunk_check(struct request *r, struct record *rec, const struct json *doc,
                            const struct json *given, bool is_new)
{
    struct trunk *t;
    struct cidr cidr;
    enum err err = trunk_parse(doc, &t, &r->fault);
    if (err != OK)
        return err;
    for (size_t i = 0; err == OK && i < t->n_sources; i++)
        if (cidr_parse(str_of(t->sources[i]), &cidr) != OK) {
            r->fault = (struct field_error){"sources", "addresses or CIDR blocks"};
            err = ERR_INVALID;
        }
    if (err == OK)
        err = record_print_key(rec, t->name);
    if (err == OK) {
        trunk_print(t, &rec->text);
        err = record_printed(rec, strlen(t->name));
    }
    trunk_free(t);
    return err;
}
static const char *const trunk_hidden[] = {"password", NULL};
const struct resource trunks = {.kind = SETTING_TRUNK,
                                .prefix = "trunk",
                                .collection = "/v1/trunks",
                                .hidden = trunk_hidden,
                                .operator_only = true,
                                .check = trunk_check};
RESOURCE_HANDLERS(trunks, trunks)

void trunks_patch(struct request *r)
{
    resource_patch(r, &trunks);
}

void trunks_delete(struct request *r)
{
    resource_delete(r, &trunks);
}
