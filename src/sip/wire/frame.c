/* frame: finds the end of a message in a stream (RFC 3261 §18.3, §20.14), by its headers alone. It
 * is called with all bytes so far, whenever some came; bytes that come one by one cost no more than
 * bytes that come at once. Pure. */
#include <string.h>

#include "sip/wire/message.h"
#include "sip/wire/syntax.h"

enum { HEAD_LINES_MAX = 512 }; /* sip_parse takes SIP_HEADERS_MAX headers, which may be folded */

static bool is_length_header(struct str name)
{
    return str_eq_nocase(name, STR("Content-Length")) || str_eq_nocase(name, STR("l"));
}

/* Reads the value after the colon, over folded lines: digits with blanks around them. */
static enum err length_read(struct str value, uint64_t *ret)
{
    size_t at = 0;
    while (at < value.n && strchr(" \t\r\n", value.p[at]))
        at++;
    size_t end = chars_end(value, at, CHAR_DIGIT);
    for (size_t i = end; i < value.n; i++)
        if (!strchr(" \t\r\n", value.p[i]))
            return ERR_SYNTAX;
    return str_to_u64(str_slice(value, at, end - at), UINT32_MAX, ret);
}

/* Reads the Content-Length of a whole head; repeated headers must have the same value. */
static enum err head_length(struct str head, uint64_t *ret)
{
    bool found = false;
    uint64_t v;
    size_t lines = 0;
    while (head.n) {
        size_t end = 0;
        for (;; end++) { /* a line ends at CRLF not followed by a blank */
            if (++lines > HEAD_LINES_MAX)
                return ERR_TOO_BIG;
            const char *lf = memchr(head.p + end, '\n', head.n - end);
            end = lf ? (size_t)(lf - head.p) : head.n;
            if (end + 1 >= head.n || !char_is(head.p[end + 1], CHAR_BLANK))
                break;
        }
        struct str name, value, line = str_slice(head, 0, end);
        head = str_from(head, end + 1);
        if (!str_cut(line, ':', &name, &value) || !is_length_header(str_trim(name)))
            continue;
        if (length_read(value, &v) != OK || (found && v != *ret))
            return ERR_SYNTAX;
        *ret = v;
        found = true;
    }
    return found ? OK : ERR_SYNTAX;
}

enum err sip_frame(struct sip_framing *f, const char *bytes, size_t n, size_t *ret_skip,
                   size_t *ret_size)
{
    size_t skip = 0;
    uint64_t length = 0;
    while (!f->looked && !f->size && skip < n && (bytes[skip] == '\r' || bytes[skip] == '\n'))
        skip++;
    *ret_skip = skip;
    *ret_size = 0;
    const char *head = bytes + skip;
    n -= skip;
    if (!f->size) {
        size_t from = f->looked > 3 ? f->looked - 3 : 0; /* the end may lie across */
        const char *end = n > from ? memmem(head + from, n - from, "\r\n\r\n", 4) : NULL;
        f->looked = n;
        if (!end)
            return n > SIP_MESSAGE_MAX ? ERR_TOO_BIG : ERR_AGAIN;
        size_t head_n = (size_t)(end - head) + 4;
        enum err err = head_length(str_of_bytes(head, head_n), &length);
        *ret_size = head_n;
        if (err != OK)
            return err;
        f->size = head_n + length;
        if (f->size > SIP_MESSAGE_MAX)
            return ERR_TOO_BIG;
    }
    *ret_size = (size_t)f->size;
    if (n < f->size)
        return ERR_AGAIN;
    *f = (struct sip_framing){0};
    return OK;
}
