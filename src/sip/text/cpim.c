/* cpim: what a carrier's messaging gateway wraps texts in (RFC 3862). Who it says the message is
 * from, and to whom, is not read: the trunk's own word counts, as it does for calls
 * (sip/core/identity.h). Called by text_body.c for each MESSAGE of that type; pure. */
#include "sip/text/cpim.h"

#include "sip/wire/syntax.h"

/* Cuts the first line off, without its end; false when it has none. */
static bool line_next(struct str *rest, struct str *ret)
{
    if (!str_cut(*rest, '\n', ret, rest))
        return false;
    if (ret->n && ret->p[ret->n - 1] == '\r')
        ret->n--;
    return true;
}

/* "Name: value"; a name may have a prefix, "imdn.Message-ID" (§3.4). */
static enum err header_parse(struct str line, struct str *ret_name, struct str *ret_value)
{
    if (!str_cut(line, ':', ret_name, ret_value) || !is_token(*ret_name))
        return ERR_SYNTAX;
    *ret_value = str_trim(*ret_value);
    return OK;
}

/* A header line that goes on (MIME's do, the message's own do not, §2.3): up to the end of the last
 * line that begins with a blank. */
static void unfold(struct str *rest, struct str *value)
{
    struct str line;
    while (rest->n && char_is(rest->p[0], CHAR_BLANK) && line_next(rest, &line))
        value->n = (size_t)(line.p + line.n - value->p);
}

static enum err once(struct str *ret, struct str value)
{
    if (ret->p)
        return ERR_SYNTAX; /* another reader might take the other one */
    *ret = value;
    return OK;
}

static enum err block_read(struct str *rest, bool mime, struct cpim *ret)
{
    struct str line, name, value;
    for (int n = 0; n <= CPIM_HEADERS_MAX; n++) {
        if (!line_next(rest, &line))
            return ERR_SYNTAX;
        if (line.n == 0)
            return OK;
        enum err err = header_parse(line, &name, &value);
        if (err == OK && mime)
            unfold(rest, &value);
        if (err == OK && mime && str_eq_nocase(name, STR("Content-Type")))
            err = once(&ret->content_type, value);
        else if (err == OK && mime && str_eq_nocase(name, STR("Content-Transfer-Encoding")))
            err = once(&ret->transfer_encoding, value);
        else if (err == OK && !mime && str_eq_nocase(name, STR("Require")))
        ret->requires = true;
        if (err != OK)
            return err;
    }
    return ERR_TOO_BIG;
}

enum err cpim_parse(struct str text, struct cpim *ret)
{
    struct str rest = text;
    *ret = (struct cpim){0};
    enum err err = block_read(&rest, false, ret);
    if (err == OK)
        err = block_read(&rest, true, ret);
    if (err == OK)
        ret->body = rest;
    return err;
}
