/* lines: cuts bytes into lines. The trace's redaction and the relay of bodies call it. */
#include "sip/wire/lines.h"

struct str line_take(struct str *rest)
{
    size_t n = str_find(*rest, '\n');
    struct str line = str_slice(*rest, 0, n < rest->n ? n + 1 : n);
    *rest = str_from(*rest, line.n);
    return line;
}

bool line_is_blank(struct str line)
{
    return line.n && (unsigned char)line.p[0] <= ' ' && str_trim(line).n == 0;
}

struct str header_take(struct str *rest)
{
    struct str h = line_take(rest);
    if (line_is_blank(h))
        return h; /* a body may begin with blanks */
    while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t'))
        h.n += line_take(rest).n;
    return h;
}
