/* charset: reads text in an older character set by iconv(3), whose header only this file includes.
 * model/sms_text calls it for the rare alphabets, on any thread. Each text has a converter of its
 * own, so nothing is shared. But the C library unloads a set soon after its last converter is
 * closed, and loading it again takes a quarter of a millisecond. So one unused converter of each
 * set that was ever needed stays open. */
#include "model/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdatomic.h>

static const char *const names[] = {
#define X(id, name) name,
    CHARSET_LIST(X)
#undef X
};

static _Atomic(iconv_t) loaded[CHARSET_COUNT];

static bool charset_load(enum charset set)
{
    iconv_t now = atomic_load(&loaded[set]);
    if (!now) {
        iconv_t mine = iconv_open("UTF-8", names[set]);
        if (atomic_compare_exchange_strong(&loaded[set], &now, mine))
            now = mine;
        else if (mine != (iconv_t)-1) /* another thread was faster */
            iconv_close(mine);
    }
    return now != (iconv_t)-1;
}

static void put_all_lost(struct str bytes, struct text_out *out)
{
    for (size_t i = 0; i < bytes.n && !out->full; i++)
        text_put_lost(out);
}

void charset_read(enum charset set, struct str bytes, struct text_out *out)
{
    iconv_t converter = charset_load(set) ? iconv_open("UTF-8", names[set]) : (iconv_t)-1;
    char *in = (char *)(uintptr_t)bytes.p; /* iconv only reads it, in spite of its type */
    size_t left = bytes.n;
    if (converter == (iconv_t)-1) {
        put_all_lost(bytes, out);
        return;
    }
    while (left && !out->full) {
        char chunk[512], *to = chunk;
        size_t room = sizeof chunk;
        size_t done = iconv(converter, &in, &left, &to, &room);
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
    iconv_close(converter);
}
