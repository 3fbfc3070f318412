/* rights: compares the rights that a request gives or changes with its asker's. Scopes and roles
 * are sets of rights, so that a role is never higher than a key that lacks one of them. Called
 * while a request is checked, on the HTTP server's threads and the store's; pure but for the
 * request. */
#include "api/core/rights.h"

#include <stdio.h>

void rights_take(struct request *r, unsigned rights)
{
    r->asker.rights = rights;
    r->is_operator = rights & RIGHT_OPERATOR;
    r->can_read = rights & RIGHT_READ;
    r->can_write = rights & RIGHT_WRITE;
    r->can_ingest = rights & RIGHT_INGEST;
}

bool rights_cover(const struct request *r, unsigned rights)
{
    return !(rights & ~r->asker.rights);
}

bool rights_own_numbers(const struct request *r)
{
    const struct book_account *own = book_account_named(r->book, STR("default"));
    return r->is_operator || r->api->c.own_numbers || (own && own->n == r->account);
}

enum err rights_check_reserved(struct request *r, const char *const *reserved,
                               const struct json *before, const struct json *after)
{
    if (!reserved || rights_own_numbers(r))
        return OK;
    for (const char *const *name = reserved; *name; name++) {
        const struct json *a = json_get(before, *name), *b = json_get(after, *name);
        if (a && b ? !json_same(a, b) : a || b)
            return request_refuse(r, *name, "left as it is: the operator sets it");
    }
    return OK;
}

/* 0 is never, which is later than any time. */
static bool ends_later(int64_t a_ms, int64_t b_ms)
{
    return b_ms && (!a_ms || a_ms > b_ms);
}

enum err rights_check_key(struct request *r, const struct api_key *old, struct api_key *now,
                          bool says_expiry)
{
    int64_t own_ms = r->asker.expires_at_ms;
    unsigned rights = api_key_rights(now);
    if (!old && !says_expiry && own_ms)
        now->expires_at_ms = own_ms;
    bool more = !old || (rights & ~api_key_rights(old)) ||
                ends_later(now->expires_at_ms, old->expires_at_ms);
    if (!rights_cover(r, rights))
        return request_refuse(r, "scopes", "what the asking key has itself");
    if (more && ends_later(now->expires_at_ms, own_ms))
        return request_refuse(r, "expires_at",
                              "a time at which the asking key, which expires, is good itself");
    return OK;
}

void rights_put_maker(const struct request *r, uint64_t account, char out[ID_SIZE])
{
    snprintf(out, ID_SIZE, "%s", account == r->account ? r->asker.id : "operator");
}

uint64_t rights_user_of_key(const struct request *r, uint64_t account, const struct api_key *k)
{
    return account == r->account || k->operator_ ? r->asker.maker : 0;
}
