/* Fuzzes URIs and name-addrs: slices must stay inside the text. */
#include <stdlib.h>
#include <string.h>

#include "sip/wire/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void slice_is_inside(struct str part, struct str whole)
{
    if (part.n && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct uri u;
    struct name_addr na;
    struct str text = {(const char *)data, n}, v, rest = text;
    struct buf b;
    if (uri_parse(text, &u) == OK) {
        slice_is_inside(u.user, text);
        slice_is_inside(u.host, text);
        slice_is_inside(u.params, text);
        if (param_find(u.params, STR("transport"), &v))
            slice_is_inside(v, text);
    }
    if (name_addr_parse(text, &na) == OK) {
        slice_is_inside(na.uri_text, text);
        slice_is_inside(na.tag, text);
        buf_init(&b, 1 << 20);
        display_print(na.display, &b);
        if (!str_is_utf8(buf_str(&b)))
            abort();
        buf_fini(&b);
    }
    while (value_next(&rest, &v))
        slice_is_inside(v, text);
    buf_init(&b, 1 << 20);
    (void)!uri_unescape(text, &b);
    buf_fini(&b);
    return 0;
}
