/* did_login: gives a token for a name and a password, and ends it. The password is compared by the
 * hasher, the token is stored before it is told. A name that does not exist, a wrong password: one
 * answer, after the same time. */
#include <stdio.h>
#include <string.h>

#include "api/core/access.h"
#include "api/did/did.h"
#include "api/core/hasher.h"
#include "api/core/logins.h"
#include "api/core/throttle.h"

struct login {            /* in r->room */
    struct hash_job hash; /* first */
    struct request *r;
    char name[LOGIN_HASH_SIZE], address[ADDR_TEXT_SIZE]; /* what the throttle counts by */
    const struct book_user *user;                        /* of r->book; NULL: there is none */
    char secret[CREDENTIAL_SIZE], token_hash[65], ends[LOGIN_HASH_SIZE];
    struct token token;
};

static enum err login_work(struct request *r, struct db *db)
{
    const struct login *l = r->room;
    struct json_writer w = {&r->http.out, false};
    enum err err = l->ends[0] ? token_delete(db, str_of(l->ends)) : OK;
    if (err == OK)
        err = token_put(db, &l->token);
    r->http.status = 200;
    json_obj(&w, NULL);
    json_put_bool(&w, "status", true);
    json_put_str(&w, "account_token", str_of(l->secret));
    put_time(&w, "expires_at", l->token.expires_at_ms);
    json_put_i64(&w, "expires_in", r->api->c.token_hours * 3600LL);
    json_put_str(&w, "username", str_of(l->user->set->username));
    json_put_str(&w, "role", str_of(role_name(l->user->set->role)));
    json_put_str(&w, "account", account_id(r, l->user->account));
    json_end_obj(&w);
    return err;
}

static void login_committed(struct request *r)
{
    const struct login *l = r->room;
    if (l->ends[0])
        logins_remove(r->api->logins, str_of(l->ends));
    logins_add(r->api->logins, &l->token);
}

/* On the hasher's thread. */
static void login_on_compared(struct hash_job *job)
{
    struct login *l = (struct login *)job;
    struct request *r = l->r;
    if (!job->matches) {
        problem(r, 401, "bad_login", "Wrong username or password.");
        request_done(r);
        return;
    }
    throttle_forgive(r->api->throttle, str_of(l->name), str_of(l->address));
    enum err err = logins_room(r->api->logins, l->user->n, l->ends);
    if (err != OK) {
        did_fail(r, err);
        return;
    }
    credential_new("hst_", l->secret, l->token_hash);
    l->token = (struct token){.hash = str_of(l->token_hash),
                              .user = l->user->n,
                              .stamp = login_stamp(l->user->set),
                              .expires_at_ms = clock_wall_ms() + r->api->c.token_hours * 3600000LL};
    request_write(r, login_work, login_committed);
}

/* A customer's line has a /64 of its own, and all of its addresses are one. */
static void login_print_network(const char *address, char out[ADDR_TEXT_SIZE])
{
    struct addr a;
    snprintf(out, ADDR_TEXT_SIZE, "%s", address);
    if (addr_parse(str_of(address), 0, &a) != OK || a.family != 6)
        return;
    memset(a.ip + 8, 0, 8);
    addr_print_host(&a, out);
}

static bool login_may_try(struct request *r, const struct login *l)
{
    char detail[96];
    unsigned wait_s;
    if (throttle_begin(r->api->throttle, str_of(l->name), str_of(l->address), &wait_s))
        return true;
    snprintf(detail, sizeof detail, "Too many attempts to log in; try again in %u s.", wait_s);
    r->http.retry_after_s = wait_s;
    problem(r, 429, "too_many_attempts", detail);
    request_done(r);
    return false;
}

void did_login(struct request *r)
{
    char name[256];
    const struct json *v;
    struct str password = {0};
    if (!did_read(r))
        return;
    struct login *l = request_room(r, sizeof *l);
    if (!l) {
        did_fail(r, ERR_NOMEM);
        return;
    }
    enum err err = did_arg(r, "username", name, sizeof name);
    if (err != OK)
        err = request_refuse(r, "username", "the name of a user");
    v = json_get(r->json, "password"); /* as it is: blanks count */
    if (err == OK &&
        (!v || !json_str(v, &password) || !password.n || password.n > HASHED_PASSWORD_MAX))
        err = request_refuse(r, "password", "a string of at most 256 bytes");
    if (err != OK) {
        did_fail(r, err);
        return;
    }
    user_key(str_of(name), l->name); /* what is no name shares one count */
    login_print_network(r->http.address, l->address);
    if (!login_may_try(r, l))
        return;
    l->r = r;
    l->hash.done = login_on_compared;
    r->book = book_take(r->api->c.books);
    l->user = book_user_named(r->book, str_of(l->name));
    if (l->user &&
        str_copy(str_of(l->user->set->password_hash), l->hash.hash, PASSWORD_HASH_SIZE) != OK)
        l->user = NULL;
    err = hasher_put(r->api->hasher, hash64(str_of(l->address)), &l->hash, password);
    if (err == OK)
        return;
    problem_not_taken(r, err);
    request_done(r);
}

/* ---- the end ---- */

static enum err logout_work(struct request *r, struct db *db)
{
    struct json_writer w = {&r->http.out, false};
    r->http.status = 200;
    json_obj(&w, NULL);
    json_put_bool(&w, "status", true);
    json_end_obj(&w);
    return token_delete(db, str_of(r->arg));
}

static void logout_committed(struct request *r)
{
    logins_remove(r->api->logins, str_of(r->arg));
}

void did_logout(struct request *r)
{
    static const struct str bearer = STR("Bearer ");
    char token[128];
    if (!did_begin(r, false))
        return;
    if (!r->asker.user) {
        did_fail(r, request_refuse(r, "token", "what login gave: an API key has no end here"));
        return;
    }
    if (did_arg(r, "token", token, sizeof token) == OK)
        credential_hash(str_of(token), r->arg);
    else
        credential_hash(str_trim(str_from(request_header(r, "Authorization"), bearer.n)), r->arg);
    request_write(r, logout_work, logout_committed);
}
