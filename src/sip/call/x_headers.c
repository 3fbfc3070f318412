/* x_headers: collects the X-* headers of a message. Called by sip/call_in for each INVITE. */
#include "sip/call/x_headers.h"

#include <string.h>

#include "model/event.h"
#include "sip/wire/syntax.h"

static bool is_wanted(const struct sip_header *h, const struct secrets *hidden)
{
    return str_starts_nocase(h->name, STR("X-")) &&
           header_leaves(h->id, h->name, h->value, TO_EVENTS, hidden);
}

struct key {
    size_t n;
    char text[X_HEADER_NAME_MAX];
};

static struct str key_of(struct str name, struct key *k)
{
    k->n = sip_header_key(name, k->text, sizeof k->text);
    return (struct str){k->text, k->n};
}

static void put_cut(struct buf *b, struct str s, size_t room, bool *ret_cut)
{
    struct str part = str_slice_utf8(s, room);
    *ret_cut |= part.n < s.n;
    buf_put_str(b, part);
}

/* Puts a value, in which linear white space is one blank (§7.3.1), until X_HEADER_VALUE_MAX bytes
 * stand behind index `from`. */
static void put_value(struct buf *b, struct str s, size_t from, bool *ret_cut)
{
    while (s.n) {
        size_t blanks = chars_end(s, 0, CHAR_BLANK), end = blanks;
        while (end < s.n && !char_is(s.p[end], CHAR_BLANK))
            end++;
        if (blanks)
            put_cut(b, STR(" "), X_HEADER_VALUE_MAX - (b->n - from), ret_cut);
        put_cut(b, str_slice(s, blanks, end - blanks), X_HEADER_VALUE_MAX - (b->n - from), ret_cut);
        s = str_from(s, end);
    }
}

/* The value, with those of the same name behind it. */
static void put_joined(const struct sip_msg *m, const struct secrets *hidden, size_t first,
                       struct str key, struct buf *b, bool *ret_cut)
{
    struct key k;
    size_t from = b->n;
    for (size_t i = first; i < m->n_headers; i++) {
        const struct sip_header *h = &m->header[i];
        if (!is_wanted(h, hidden) || h->name.n > X_HEADER_NAME_MAX ||
            !str_eq(key_of(h->name, &k), key))
            continue;
        if (i != first)
            put_cut(b, STR(", "), X_HEADER_VALUE_MAX - (b->n - from), ret_cut);
        put_value(b, h->value, from, ret_cut);
    }
}

static bool was_there(const struct key *keys, size_t n, struct str key)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(str_of_bytes(keys[i].text, keys[i].n), key))
            return true;
    return false;
}

void x_headers_read(const struct sip_msg *m, const struct secrets *hidden, struct buf *out,
                    bool *ret_cut)
{
    struct key keys[X_HEADERS_MAX], k;
    size_t n = 0;
    *ret_cut = false;
    for (size_t i = 0; i < m->n_headers; i++) {
        const struct sip_header *h = &m->header[i];
        if (!is_wanted(h, hidden))
            continue;
        if (h->name.n > X_HEADER_NAME_MAX) {
            *ret_cut = true;
            continue;
        }
        struct str key = key_of(h->name, &k);
        if (was_there(keys, n, key))
            continue;
        if (n == X_HEADERS_MAX) {
            *ret_cut = true;
            continue;
        }
        keys[n++] = k;
        buf_put_str(out, key);
        buf_putc(out, '\n');
        put_joined(m, hidden, i, key, out, ret_cut);
        buf_putc(out, '\n');
    }
}
