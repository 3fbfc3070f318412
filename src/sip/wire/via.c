/* via: parses one value of a Via header (RFC 3261 §20.42, RFC 3581).
 *
 * Called for the topmost Via of every message. Blanks may stand around '/' and ':'. When only the
 * parameters are broken, *ret still has what came before the fault, so that the 400 can be sent
 * with a Via that names its transaction. The destination of the reply is never read from here
 * (maddr is ignored). */
#include "sip/wire/message.h"
#include "sip/wire/syntax.h"

static bool token_take(struct str *s, struct str *ret)
{
    size_t n = chars_end(*s, 0, CHAR_TOKEN);
    *ret = str_slice(*s, 0, n);
    *s = blanks_skip(str_from(*s, n));
    return n > 0;
}

static bool slash_take(struct str *s)
{
    if (s->n == 0 || s->p[0] != '/')
        return false;
    *s = blanks_skip(str_from(*s, 1));
    return true;
}

static enum err sent_by_parse(struct str *s, struct via *ret)
{
    size_t n = host_length(*s);
    if (n == 0)
        return ERR_SYNTAX;
    ret->host = str_slice(*s, 0, n);
    *s = str_from(*s, n);
    struct str after = blanks_skip(*s);
    if (after.n && after.p[0] == ':') {
        after = blanks_skip(str_from(after, 1));
        n = chars_end(after, 0, CHAR_DIGIT);
        if (port_parse(str_slice(after, 0, n), &ret->port) != OK)
            return ERR_SYNTAX;
        *s = str_from(after, n);
    }
    return OK;
}

/* Cuts ret->params off at the first parameter that cannot be read. */
static enum err params_read(struct via *ret)
{
    struct str all = ret->params, rest = all;
    struct param p;
    enum err err;
    while ((err = param_next(&rest, &p)) == OK) {
        ret->params = str_slice(all, 0, (size_t)(p.text.p + p.text.n - all.p));
        if (!ret->branch.p && str_eq_nocase(p.name, STR("branch"))) {
            if (!p.value.p || p.value.n == 0)
                return ERR_SYNTAX;
            ret->branch = p.value;
        } else if (str_eq_nocase(p.name, STR("rport")) && p.value.n == 0)
            ret->rport = true;
    }
    if (err == ERR_NOT_FOUND)
        return OK;
    if (rest.p == all.p)
        ret->params = str_slice(all, 0, 0);
    return ERR_SYNTAX;
}

enum err via_parse(struct str value, struct via *ret)
{
    struct str name, version, s = blanks_skip(value);
    *ret = (struct via){0};
    if (!token_take(&s, &name) || !slash_take(&s) || !token_take(&s, &version) || !slash_take(&s))
        return ERR_SYNTAX;
    struct str before = s;
    if (!token_take(&s, &ret->transport) || s.p == before.p + ret->transport.n)
        return ERR_SYNTAX; /* a blank stands before the host */
    if (sent_by_parse(&s, ret) != OK) {
        ret->host = (struct str){0};
        return ERR_SYNTAX;
    }
    ret->params = str_slice(s, 0, 0);
    s = blanks_skip(s);
    if (s.n == 0)
        return OK;
    if (s.p[0] != ';')
        return ERR_SYNTAX;
    ret->params = str_from(s, 1);
    return params_read(ret);
}
