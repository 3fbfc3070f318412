/* access: finds the asker of a credential and the asker's rights. A credential is found by its
 * hash, so that the time of no comparison tells of a secret. Called on the HTTP server's threads.
 */
#include "api/core/access.h"

#include <stdio.h>

#include "api/core/key_uses.h"
#include "api/core/logins.h"
#include "api/core/rights.h"
#include "base/clock.h"
#include "base/crypto.h"

void credential_hash(struct str credential, char out[65])
{
    uint8_t sum[SHA256_SIZE];
    struct buf b;
    crypto_sha256(credential, sum);
    buf_wrap(&b, out, 64);
    buf_put_hex(&b, str_of_bytes(sum, sizeof sum));
    out[64] = '\0';
}

void credential_new(const char *prefix, char out[CREDENTIAL_SIZE], char ret_hash[65])
{
    uint8_t random[20];
    struct buf b;
    crypto_random(random, sizeof random);
    buf_wrap(&b, out, CREDENTIAL_SIZE - 1);
    buf_puts(&b, prefix);
    buf_put_hex(&b, str_of_bytes(random, sizeof random));
    ASSERT(b.err == OK);
    out[b.n] = '\0';
    credential_hash(buf_str(&b), ret_hash);
}

/* Makes the key the asker. False: it expired, or ended with its user. A key of a user has no right
 * that the user lacks. */
static bool asker_set_key(struct request *r, const struct book_key *k, int64_t now_ms)
{
    const struct api_key *set = k->set;
    const struct book_user *u = set->user ? book_user(r->book, set->user) : NULL;
    if ((set->expires_at_ms && set->expires_at_ms <= now_ms) || (set->user && !u))
        return false;
    rights_take(r, api_key_rights(set) & (u ? role_rights(u->set->role) : RIGHTS_ALL));
    r->key = k->n;
    r->account = k->account;
    r->asker.user = 0;
    r->asker.maker = set->user;
    r->asker.expires_at_ms = set->expires_at_ms;
    snprintf(r->asker.id, sizeof r->asker.id, "%s", k->id);
    snprintf(r->asker.name, sizeof r->asker.name, "%s", set->name);
    return true;
}

static void asker_set_user(struct request *r, const struct book_user *u)
{
    rights_take(r, role_rights(u->set->role));
    r->key = u->n;
    r->account = u->account;
    r->asker.user = r->asker.maker = u->n;
    r->asker.expires_at_ms = 0; /* the log-in ends, the user does not */
    snprintf(r->asker.id, sizeof r->asker.id, "%s", u->id);
    snprintf(r->asker.name, sizeof r->asker.name, "%s", u->set->username);
}

bool access_by(struct request *r, struct str credential)
{
    char hash[65];
    int64_t now = clock_wall_ms(); /* wall clock, because a key's maker gives a date */
    book_drop(&r->book);
    r->book = book_take(r->api->c.books);
    if (!credential.n)
        return false;
    credential_hash(credential, hash);
    const struct book_key *k = book_key(r->book, str_of(hash));
    if (k) {
        bool good = asker_set_key(r, k, now);
        if (good)
            key_uses_touch(r->api->key_uses, k->n, now);
        return good;
    }
    const struct book_user *u = logins_user(r->api->logins, r->book, str_of(hash));
    if (u)
        asker_set_user(r, u);
    return u;
}

/* The KEY of "user:KEY" in base64 (RFC 7617); the user may be any. */
static struct str basic_password(struct str basic, struct buf *mem)
{
    struct str user, key = {0};
    if (base64_decode(str_trim(basic), mem) == OK)
        str_cut(buf_str(mem), ':', &user, &key);
    return key;
}

bool access_by_header(struct request *r, bool takes_basic)
{
    static const struct str bearer = STR("Bearer "), basic = STR("Basic ");
    char text[512];
    struct buf mem;
    struct str given = request_header(r, "Authorization");
    r->http.challenge = takes_basic ? "Basic realm=\"hookswitch\", Bearer" : NULL;
    if (str_starts_nocase(given, bearer))
        return access_by(r, str_trim(str_from(given, bearer.n)));
    if (!takes_basic || !str_starts_nocase(given, basic))
        return access_by(r, (struct str){0});
    buf_wrap(&mem, text, sizeof text);
    bool known = access_by(r, basic_password(str_from(given, basic.n), &mem));
    crypto_wipe(text, sizeof text);
    return known;
}

bool request_is_still_allowed(struct request *r)
{
    uint64_t account = r->account;
    bool is_operator = r->is_operator;
    book_drop(&r->book);
    return access_by_header(r, false) && r->can_read && r->account == account &&
           r->is_operator == is_operator;
}
