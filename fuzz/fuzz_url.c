/* Fuzzes webhook URLs: an accepted one is printable, has a host, and reads the same a second time.
 */
#include <stdlib.h>
#include <string.h>

#include "net/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct url u, again;
    char text[4096];
    struct buf b;
    if (url_parse((struct str){(const char *)data, n}, &u, NULL) != OK)
        return 0;
    for (const char *p = u.target; *p; p++)
        if (*p <= ' ' || *p > '~')
            abort();
    if (!u.host[0] || u.target[0] != '/')
        abort();
    buf_wrap(&b, text, sizeof text);
    buf_puts(&b, u.https ? "https://" : "http://");
    url_print_authority(&u, &b);
    buf_puts(&b, u.target);
    if (b.err != OK || url_parse(buf_str(&b), &again, NULL) != OK)
        abort();
    if (strcmp(u.host, again.host) || u.port != again.port || strcmp(u.target, again.target))
        abort();
    return 0;
}
