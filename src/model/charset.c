/* charset: text in an older character set, read by iconv(3). The only file that includes its
 * header; called by model/sms_text for the rare alphabets. A converter is opened for each text:
 * they are few, and so nothing is shared between threads. */
#include "model/charset.h"

#include <errno.h>
#include <iconv.h>

static void put_all_lost(struct str bytes, struct text_out *out)
{
    for (size_t i = 0; i < bytes.n && !out->full; i++)
        text_put_lost(out);
}

void charset_read(const char *name, struct str bytes, struct text_out *out)
{
    iconv_t set = iconv_open("UTF-8", name);
    char *in = (char *)(uintptr_t)bytes.p; /* iconv only reads it, its type says otherwise */
    size_t left = bytes.n;
    if (set == (iconv_t)-1) {
        put_all_lost(bytes, out);
        return;
    }
    while (left && !out->full) {
        char chunk[512], *to = chunk;
        size_t room = sizeof chunk;
        size_t done = iconv(set, &in, &left, &to, &room);
        int why = done == (size_t)-1 ? errno : 0;
        text_put_utf8(out, str_of_bytes(chunk, sizeof chunk - room));
        if (why == EINVAL) { /* it ends within a character */
            text_put_lost(out);
            break;
        }
        if (why && why != E2BIG) {
            text_put_lost(out);
            in++;
            left--;
        }
    }
    iconv_close(set);
}
