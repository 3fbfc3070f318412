/* accounts_api: handles accounts as a resource. Handlers on the HTTP server's threads, work on the
 * store's. */
#include <stdio.h>
#include <string.h>

#include "api/resources/handlers.h"
#include "api/core/resource.h"

/* Is it one of the daemon's own two, which are found by their names? */
static bool is_own_account(struct str name)
{
    return str_eq(name, STR("default")) || str_eq(name, STR("pool"));
}

static enum err account_check(struct request *r, struct record *rec, const struct json *doc,
                              const struct json *given, bool is_new)
{
    struct account *a;
    enum err err = account_parse(doc, &a, &r->fault);
    if (err != OK)
        return err;
    if (!is_new && is_own_account(rec->setting.key) && !str_eq(rec->setting.key, str_of(a->name)))
        err = request_refuse(r, "name", "what it is: this account is found by its name");
    if (err == OK)
        err = record_print_key(rec, a->name);
    if (err == OK) {
        account_print(a, &rec->text);
        err = record_printed(rec, strlen(a->name));
    }
    account_free(a);
    return err;
}

/* Wakes the housekeeper, since the retention may have changed. */
static void account_committed(struct request *r, const struct record *rec)
{
    housekeeper_wake(r->api->c.housekeeper);
}

/* Lets an account be deleted only when it is empty, so that no setting loses its account. Its
 * events end by retention. */
static enum err account_allow(struct request *r, struct record *rec, struct db *db, bool deletes)
{
    bool empty = true;
    enum err err = deletes ? setting_account_is_empty(db, rec->setting.n, &empty) : OK;
    if (err != OK || !deletes)
        return err;
    r->fault_code = "not_empty";
    if (is_own_account(rec->setting.key))
        snprintf(r->fault.why, sizeof r->fault.why, "The daemon's own accounts stay.");
    else if (!empty)
        snprintf(r->fault.why, sizeof r->fault.why,
                 "It still has numbers, endpoints, keys, users or extensions; delete or move them "
                 "first.");
    else
        return OK;
    return ERR_EXISTS;
}

const struct resource accounts = {.kind = SETTING_ACCOUNT,
                                  .prefix = "acc",
                                  .collection = "/v1/accounts",
                                  .operator_only = true,
                                  .check = account_check,
                                  .allow = account_allow,
                                  .committed = account_committed};
RESOURCE_HANDLERS(accounts, accounts)

void accounts_patch(struct request *r)
{
    resource_patch(r, &accounts);
}

void accounts_delete(struct request *r)
{
    resource_delete(r, &accounts);
}
