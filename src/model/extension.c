/* extension: parses and prints the document of a SIP account that phones register with: username
 * and password. The password itself is kept, not a hash: digest (RFC 7616, RFC 8760) computes
 * H(username:realm: password) by the algorithm that the phone chooses, for the realm of the day. It
 * is ASCII, so that every phone hashes the same bytes. Pure. */
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "model/fields.h"

bool extension_name_is(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], low = (char)(c | 0x20);
        if (!((low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || memchr("-._~+", c, 5)))
            return false;
    }
    return s.n > 0 && s.n <= EXTENSION_NAME_MAX;
}

void extension_key(struct str username, char out[EXTENSION_NAME_MAX + 1])
{
    size_t n = extension_name_is(username) ? username.n : 0;
    for (size_t i = 0; i < n; i++) {
        char c = username.p[i];
        out[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    out[n] = '\0';
}

static bool is_password(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] > '~')
            return false;
    return s.n >= EXTENSION_PASSWORD_MIN && s.n <= EXTENSION_PASSWORD_MAX && s.p[0] != ' ' &&
           s.p[s.n - 1] != ' ';
}

static void read_password(struct fields *f, struct extension *e)
{
    const struct json *v = field_any(f, "password");
    struct str s;
    if (!v)
        return;
    if (!json_str(v, &s) || !is_password(s) || str_eq_nocase(s, str_of(e->username)) ||
        str_copy(s, e->password, sizeof e->password) != OK)
        field_refuse(f, "password",
                     "6 to 128 printable ASCII characters, no blank at an end, not the username");
}

enum err extension_parse(const struct json *doc, struct extension **ret,
                         struct field_error *ret_fault)
{
    struct fields f;
    struct extension *e = calloc(1, sizeof *e);
    if (!e)
        return ERR_NOMEM;
    fields_start(&f, doc, ret_fault);
    field_text(&f, "username", e->username, sizeof e->username, true);
    if (f.err == OK && !extension_name_is(str_of(e->username)))
        field_refuse(&f, "username", "1 to 64 letters, digits, - . _ ~ +");
    read_password(&f, e);
    field_text(&f, "label", e->label, sizeof e->label, false);
    enum err err = fields_end(&f);
    if (err == OK)
        *ret = e;
    else
        extension_free(e);
    return err;
}

void extension_print(const struct extension *e, struct buf *out)
{
    struct json_writer w = {out, false};
    json_obj(&w, NULL);
    json_put_str(&w, "username", str_of(e->username));
    json_put_str(&w, "password", str_of(e->password));
    json_put_str(&w, "label", str_of(e->label));
    json_end_obj(&w);
}

/* Makes a password of 20 characters, 100 bits. The 32 characters are easy to tell apart, and every
 * phone's keys have them. */
void extension_password_new(char out[EXTENSION_PASSWORD_MAX + 1])
{
    static const char sign[] = "abcdefghjkmnpqrstuvwxyz023456789";
    _Static_assert(sizeof sign == 33, "five bits each");
    uint8_t random[20];
    crypto_random(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++)
        out[i] = sign[random[i] & 31];
    out[sizeof random] = '\0';
    crypto_wipe(random, sizeof random);
}

void extension_free(struct extension *e)
{
    if (e)
        crypto_wipe(e, sizeof *e);
    free(e);
}
