/* users_api: handles users, the people who may log in, as a resource. Passwords are hashed before
 * the write job begins, by the hasher: never on the store's writer.
 *
 * The rules of rights (docs/api.md has them, too): an asker gives a role when it has all the role's
 * rights. It changes or deletes a user when it has all the user's rights and one more; owners and
 * operators also do so among themselves, and a user with itself. A user has no end: a key that has
 * one neither makes nor changes users. */
#include <stdio.h>
#include <string.h>

#include "api/resources/handlers.h"
#include "api/core/hasher.h"
#include "api/core/key_kind.h"
#include "api/core/rights.h"

struct user_request {     /* in r->room */
    struct hash_job hash; /* first */
    struct request *r;
    void (*then)(struct request *r, const struct resource *res);
};

static const char password_allowed[] = "a string of 8 to 256 bytes";

static enum err user_check_expiry(struct request *r)
{
    if (!r->asker.expires_at_ms)
        return OK;
    snprintf(r->fault.why, sizeof r->fault.why,
             "A key that expires may neither make nor change users, who do not expire.");
    return ERR_DENIED;
}

static enum err user_check_input(struct request *r, const struct record *rec, struct user *u,
                                 const struct json *given, bool is_new)
{
    const struct user_request *user_request = r->room;
    enum err err = user_check_expiry(r);
    if (err != OK)
        return err;
    if ((is_new || json_get(given, "role")) && !rights_cover(r, role_rights(u->role)))
        return request_refuse(r, "role", "one that may do no more than who gives it");
    if (is_new)
        rights_put_maker(r, rec->setting.account, u->created_by);
    else if (rec->move_to && rec->move_to != rec->setting.account)
        rights_put_maker(r, rec->move_to, u->created_by);
    if (is_new && !u->password[0])
        return request_refuse(r, "password", password_allowed);
    if (u->password[0]) {
        ASSERT(user_request);
        return str_copy(str_of(user_request->hash.hash), u->password_hash, sizeof u->password_hash);
    }
    return OK;
}

static enum err user_check(struct request *r, struct record *rec, const struct json *doc,
                           const struct json *given, bool is_new)
{
    struct user *u;
    char key[sizeof u->username];
    enum err err = user_parse(doc, &u, &r->fault);
    if (err == OK)
        err = user_check_input(r, rec, u, given, is_new);
    else
        u = NULL;
    if (err == OK) {
        user_key(str_of(u->username), key);
        err = record_print_key(rec, key);
    }
    if (err == OK) {
        user_print(u, &rec->text);
        err = record_printed(rec, strlen(key));
    }
    user_free(u);
    return err;
}

static bool outranks(const struct request *r, unsigned rights)
{
    return rights_cover(r, rights) && (rights != r->asker.rights || r->asker.rights & RIGHT_USERS);
}

static enum err user_allow(struct request *r, struct record *rec, struct db *db, bool deletes)
{
    struct user *u = NULL;
    enum err err = user_parse(rec->was, &u, &r->fault);
    if (err == OK && r->asker.user != rec->setting.n && !outranks(r, role_rights(u->role)))
        err = ERR_DENIED;
    user_free(u);
    return err;
}

static void user_committed(struct request *r, const struct record *rec)
{
    if (rec->deleted)
        keys_ended(r, rec);
}

static const char *const user_hidden[] = {"password_hash", NULL};
static const char *const user_own[] = {"password_hash", "created_by", NULL};
const struct resource users = {.kind = SETTING_USER,
                               .prefix = "user",
                               .collection = "/v1/users",
                               .hidden = user_hidden,
                               .own = user_own,
                               .check = user_check,
                               .allow = user_allow,
                               .removed = keys_end_with_user,
                               .committed = user_committed};

void users_list(struct request *r)
{
    resource_list(r, &users);
}

void users_get(struct request *r)
{
    resource_get(r, &users);
}

static void user_refuse(struct request *r, enum err err)
{
    problem_of_err(r, err);
    request_done(r);
}

/* On the hasher's thread. */
static void user_on_hashed(struct hash_job *job)
{
    struct user_request *user_request = (struct user_request *)job;
    if (job->err != OK)
        user_refuse(user_request->r, job->err);
    else
        user_request->then(user_request->r, &users);
}

/* Hashes the body's password, where there is one, and goes on. */
static void user_hash_then(struct request *r,
                           void (*then)(struct request *, const struct resource *))
{
    struct str password = {0};
    const struct json *v =
        json_kind(r->json) == JSON_IS_OBJECT ? json_get(r->json, "password") : NULL;
    if (!v || json_kind(v) == JSON_IS_NULL) {
        then(r, &users);
        return;
    }
    struct user_request *user_request = request_room(r, sizeof *user_request);
    enum err err = user_request ? OK : ERR_NOMEM;
    if (err == OK && (!json_str(v, &password) || password.n < PASSWORD_MIN ||
                      password.n > PASSWORD_MAX || memchr(password.p, '\0', password.n)))
        err = request_refuse(r, "password", password_allowed);
    if (err == OK) {
        user_request->r = r;
        user_request->then = then;
        user_request->hash.makes = true;
        user_request->hash.done = user_on_hashed;
        err = hasher_put(r->api->hasher, r->account, &user_request->hash, password);
        if (err == ERR_AGAIN) {
            problem_not_taken(r, err);
            request_done(r);
            return;
        }
    }
    if (err != OK)
        user_refuse(r, err);
}

void users_create(struct request *r)
{
    user_hash_then(r, resource_create);
}

void users_patch(struct request *r)
{
    user_hash_then(r, resource_patch);
}

void users_delete(struct request *r)
{
    resource_delete(r, &users);
}
