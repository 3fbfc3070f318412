/* extensions_api: handles the SIP accounts of an account as a resource. A password that the request
 * does not give is made here and shown in the answer, once; no other answer, nor the audit log or a
 * log line, has one. Phones cannot register with them yet. */
#include <string.h>

#include "api/resources/handlers.h"
#include "api/core/resource.h"

/* Makes a password; the answer shows rec->secret, which is the same in each run of the job. */
static enum err extension_make_password(struct record *rec, struct extension *e)
{
    char made[sizeof e->password];
    if (!rec->secret[0]) {
        extension_password_new(made);
        enum err err = str_copy(str_of(made), rec->secret, sizeof rec->secret);
        if (err != OK)
            return err;
    }
    return str_copy(str_of(rec->secret), e->password, sizeof e->password);
}

static enum err extension_check(struct request *r, struct record *rec, const struct json *doc,
                                const struct json *given, bool is_new)
{
    struct extension *e;
    char key[sizeof e->username];
    enum err err = extension_parse(doc, &e, &r->fault);
    if (err != OK)
        return err;
    if (!e->password[0])
        err = extension_make_password(rec, e);
    extension_key(str_of(e->username), key);
    if (err == OK)
        err = record_print_key(rec, key);
    if (err == OK) {
        extension_print(e, &rec->text);
        err = record_printed(rec, strlen(key));
    }
    extension_free(e);
    return err;
}

static const char *const extension_hidden[] = {"password", NULL};
const struct resource extensions = {.kind = SETTING_EXTENSION,
                                    .prefix = "ext",
                                    .collection = "/v1/extensions",
                                    .hidden = extension_hidden,
                                    .shown_once = "password",
                                    .check = extension_check};
RESOURCE_HANDLERS(extensions, extensions)

void extensions_patch(struct request *r)
{
    resource_patch(r, &extensions);
}

void extensions_delete(struct request *r)
{
    resource_delete(r, &extensions);
}
