/* user: parses and prints the document of a person who may log in: name, role, and the hash of the
 * password. The password itself comes with the API's input only and is never printed. Pure. */
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "model/fields.h"

static const char *const names[] = {
#define X(id, name) name,
    ROLE_LIST(X)
#undef X
};

const char *role_name(enum role r)
{
    return names[r];
}

bool role_parse(struct str name, enum role *ret)
{
    for (unsigned i = 0; i < ROLE_COUNT; i++)
        if (str_eq(name, str_of(names[i]))) {
            *ret = (enum role)i;
            return true;
        }
    return false;
}

unsigned role_rights(enum role r)
{
    static const unsigned rights[ROLE_COUNT] = {
        [ROLE_SUPPORT] = RIGHT_READ,
        [ROLE_DEVELOPER] = RIGHT_READ | RIGHT_WRITE | RIGHT_INGEST,
        [ROLE_OWNER] = RIGHT_READ | RIGHT_WRITE | RIGHT_INGEST | RIGHT_USERS,
        [ROLE_OPERATOR] = RIGHTS_ALL,
    };
    return rights[r];
}

static bool is_letter(char c)
{
    char low = (char)(c | 0x20);
    return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || memchr("-._@+", c, 5);
}

void user_key(struct str username, char out[65])
{
    size_t n = username.n <= 64 ? username.n : 0;
    for (size_t i = 0; i < n; i++) {
        char c = username.p[i];
        if (!is_letter(c))
            n = 0;
        else
            out[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    out[n] = '\0';
}

/* Reads a password: any UTF-8, also blanks and control bytes, but no NUL. */
static void read_password(struct fields *f, struct user *u)
{
    const struct json *v = field_any(f, "password");
    struct str s;
    if (!v)
        return;
    if (!json_str(v, &s) || s.n < PASSWORD_MIN || s.n > PASSWORD_MAX || memchr(s.p, '\0', s.n) ||
        str_copy(s, u->password, sizeof u->password) != OK)
        field_refuse(f, "password", "a string of 8 to 256 bytes");
}

enum err user_parse(const struct json *doc, struct user **ret, struct field_error *ret_fault)
{
    struct fields f;
    struct str role;
    char key[65];
    struct user *u = calloc(1, sizeof *u);
    if (!u)
        return ERR_NOMEM;
    fields_start(&f, doc, ret_fault);
    field_text(&f, "username", u->username, sizeof u->username, true);
    user_key(str_of(u->username), key);
    if (f.err == OK && !key[0])
        field_refuse(&f, "username", "1 to 64 letters, digits, - . _ @ +");
    read_password(&f, u);
    const struct json *v = field_any(&f, "role");
    if (!v || !json_str(v, &role) || !role_parse(role, &u->role))
        field_refuse(&f, "role", "owner, developer, support, or operator");
    field_own_text(&f, "password_hash", u->password_hash, sizeof u->password_hash);
    field_own_text(&f, "created_by", u->created_by, sizeof u->created_by);
    enum err err = fields_end(&f);
    if (err == OK)
        *ret = u;
    else
        user_free(u);
    return err;
}

void user_print(const struct user *u, struct buf *out)
{
    struct json_writer w = {out, false};
    json_obj(&w, NULL);
    json_put_str(&w, "username", str_of(u->username));
    json_put_str(&w, "role", str_of(role_name(u->role)));
    json_put_str(&w, "password_hash", str_of(u->password_hash));
    if (*u->created_by)
        json_put_str(&w, "created_by", str_of(u->created_by));
    json_end_obj(&w);
}

void user_free(struct user *u)
{
    if (u)
        crypto_wipe(u, sizeof *u);
    free(u);
}
