/* form: parses a form body into names and values. The readers of HTTP requests call it, on any
 * thread. Decoded text is never longer than the body, so memory is allocated once and slices into
 * it stay valid. */
#include "base/form.h"

static int hex_of(char c)
{
    char low = (char)(c | 0x20);
    return c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

static enum err form_decode(struct str s, struct buf *mem, struct str *ret)
{
    size_t from = mem->n;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i] == '+' ? ' ' : s.p[i];
        if (c == '%') {
            int high = i + 2 < s.n ? hex_of(s.p[i + 1]) : -1;
            int low = i + 2 < s.n ? hex_of(s.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return ERR_SYNTAX;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0')
            return ERR_SYNTAX;
        buf_putc(mem, c);
    }
    *ret = (struct str){mem->p + from, mem->n - from};
    return mem->err != OK ? mem->err : str_is_utf8(*ret) ? OK : ERR_SYNTAX;
}

enum err form_parse(struct str body, struct form *ret)
{
    struct str piece, name, value;
    enum err err = OK;
    ret->n = 0;
    buf_init(&ret->mem, body.n + 1);
    if (!buf_room(&ret->mem, body.n + 1))
        err = ret->mem.err;
    while (err == OK && body.n) {
        str_cut(body, '&', &piece, &body);
        if (piece.n == 0)
            continue;
        str_cut(piece, '=', &name, &value);
        if (ret->n == FORM_MAX) {
            err = ERR_TOO_BIG;
            break;
        }
        err = form_decode(name, &ret->mem, &ret->at[ret->n].name);
        if (err == OK)
            err = form_decode(value, &ret->mem, &ret->at[ret->n].value);
        ret->n += err == OK;
    }
    if (err != OK)
        form_fini(ret);
    return err;
}

void form_fini(struct form *f)
{
    buf_fini(&f->mem);
    f->n = 0;
}

struct str form_get(const struct form *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++)
        if (str_eq(f->at[i].name, str_of(name)))
            return f->at[i].value;
    return (struct str){0};
}
