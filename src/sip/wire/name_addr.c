/* name_addr: parses one value of From, To, Contact, Route, P-Asserted-Identity and their like: a
 * display name, a URI in <> or bare, and the header's parameters (RFC 3261 §20.10, §25.1).
 *
 * Called for From and To of every message, for others where they are needed; pure. A bare URI may
 * have neither ',' nor '?', and what follows its first ';' belongs to the header, not to the URI.
 * Unquoted display names may have any character but those that end a value: carriers send them. */
#include "sip/wire/syntax.h"
#include "sip/wire/uri.h"

static enum err params_read(struct str params, struct name_addr *ret)
{
    struct param p;
    enum err err;
    while ((err = param_next(&params, &p)) == OK)
        if (!ret->tag.p && str_eq_nocase(p.name, STR("tag"))) {
            if (!p.value.p || !is_token(p.value))
                return ERR_SYNTAX;
            ret->tag = p.value;
        }
    return err == ERR_NOT_FOUND ? OK : ERR_SYNTAX;
}

/* Reads the display name before '<' at index `open`; false when the text cannot be one. */
static bool display_read(struct str s, size_t open, struct name_addr *ret)
{
    struct str name = str_trim(str_slice(s, 0, open));
    if (name.n && name.p[0] == '"') { /* the caller saw it close right before '<' */
        ret->display = str_slice(name, 1, name.n - 2);
        return true;
    }
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] == ',' || name.p[i] == ';' || name.p[i] == '"' || name.p[i] == '>')
            return false;
    ret->display = name;
    return true;
}

/* Finds the index of the '<' that opens the URI; s.n when there is none. */
static size_t bracket_find(struct str s)
{
    size_t at = 0;
    if (s.n && s.p[0] == '"') {
        at = quoted_end(s, 0);
        if (at == 0)
            return s.n;
        at = chars_end(s, at, CHAR_BLANK);
        return at < s.n && s.p[at] == '<' ? at : s.n;
    }
    return str_find(s, '<');
}

enum err name_addr_parse(struct str text, struct name_addr *ret)
{
    struct str rest;
    *ret = (struct name_addr){.display = STR(""), .params = STR("")};
    text = str_trim(text);
    size_t open = bracket_find(text);
    if (open < text.n) {
        if (!display_read(text, open, ret))
            return ERR_SYNTAX;
        if (!str_cut(str_from(text, open + 1), '>', &ret->uri_text, &rest))
            return ERR_SYNTAX;
        rest = blanks_skip(rest);
    } else {
        size_t end = str_find(text, ';');
        ret->uri_text = str_trim(str_slice(text, 0, end));
        rest = str_from(text, end);
        if (str_find(ret->uri_text, '?') < ret->uri_text.n ||
            str_find(ret->uri_text, ',') < ret->uri_text.n)
            return ERR_SYNTAX;
    }
    if (uri_parse(ret->uri_text, &ret->uri) != OK)
        return ERR_SYNTAX;
    if (rest.n && rest.p[0] != ';')
        return ERR_SYNTAX;
    if (rest.n)
        ret->params = str_from(rest, 1);
    return params_read(ret->params, ret);
}

/* Linear white space is one blank, however it is written (§7.3.1). */
void display_print(struct str display, struct buf *out)
{
    display = str_trim(display);
    for (size_t i = 0; i < display.n;) {
        size_t blanks = chars_end(display, i, CHAR_BLANK) - i;
        if (blanks) {
            buf_putc(out, ' ');
            i += blanks;
            continue;
        }
        if (display.p[i] == '\\' && i + 1 < display.n)
            i++;
        size_t n = str_utf8_at(display, i);
        unsigned char c = (unsigned char)display.p[i];
        if (n == 0)
            buf_put_str(out, STR("\xEF\xBF\xBD")); /* U+FFFD */
        else if (c >= 0x20 && c != 0x7F)
            buf_put(out, display.p + i, n);
        i += n ? n : 1;
    }
}
