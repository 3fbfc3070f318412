/* str: compares, cuts and reads slices. Pure. The one invariant: no function reads past p + n, and
 * none needs a NUL. */
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

struct str str_of(const char *z)
{
    return (struct str){z, z ? strlen(z) : 0};
}

bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static unsigned char fold(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (fold(a.p[i]) != fold(b.p[i]))
            return false;
    return true;
}

bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq(str_slice(s, 0, prefix.n), prefix);
}

bool str_starts_nocase(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq_nocase(str_slice(s, 0, prefix.n), prefix);
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    if (order)
        return order;
    return a.n < b.n ? -1 : a.n > b.n;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.n && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

struct str str_from(struct str s, size_t at)
{
    if (at > s.n)
        at = s.n;
    return s.p ? (struct str){s.p + at, s.n - at} : s;
}

struct str str_slice(struct str s, size_t at, size_t n)
{
    s = str_from(s, at);
    if (n < s.n)
        s.n = n;
    return s;
}

size_t str_find(struct str s, char byte)
{
    const char *at = s.n ? memchr(s.p, byte, s.n) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

bool str_cut(struct str s, char byte, struct str *ret_head, struct str *ret_tail)
{
    size_t at = str_find(s, byte);
    bool found = at < s.n;
    struct str tail = str_from(s, at + found);
    *ret_head = str_slice(s, 0, at);
    *ret_tail = tail;
    return found;
}

enum err str_to_u64(struct str s, uint64_t max, uint64_t *ret)
{
    uint64_t v = 0;
    if (s.n == 0)
        return ERR_SYNTAX;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return ERR_SYNTAX;
        if (__builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v) || v > max) {
            for (; i < s.n; i++) /* too big, or no number at all? */
                if (s.p[i] < '0' || s.p[i] > '9')
                    return ERR_SYNTAX;
            return ERR_TOO_BIG;
        }
    }
    *ret = v;
    return OK;
}

/* Gives the length of the well-formed sequence at p (RFC 3629 §4), or 0. */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
    unsigned char c = p[0], low = 0x80, high = 0xBF;
    size_t more;
    if (c < 0x80)
        return 1;
    if (c >= 0xC2 && c <= 0xDF)
        more = 1;
    else if (c >= 0xE0 && c <= 0xEF) {
        more = 2;
        if (c == 0xE0)
            low = 0xA0;
        if (c == 0xED)
            high = 0x9F;
    } else if (c >= 0xF0 && c <= 0xF4) {
        more = 3;
        if (c == 0xF0)
            low = 0x90;
        if (c == 0xF4)
            high = 0x8F;
    } else
        return 0;
    if (n <= more || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i <= more; i++)
        if (p[i] < 0x80 || p[i] > 0xBF)
            return 0;
    return more + 1;
}

size_t str_utf8_at(struct str s, size_t at)
{
    return at < s.n ? utf8_sequence((const unsigned char *)s.p + at, s.n - at) : 0;
}

struct str str_slice_utf8(struct str s, size_t max)
{
    struct str part = str_slice(s, 0, max);
    size_t n = part.n;
    while (n < s.n && n && part.n - n < 4 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--;
    return str_slice(s, 0, n < s.n && str_utf8_at(s, n) ? n : part.n);
}

/* Eight bytes at once, while they are ASCII. */
static size_t ascii_run(struct str s)
{
    uint64_t eight;
    size_t i = 0;
    for (; i + sizeof eight <= s.n; i += sizeof eight) {
        memcpy(&eight, s.p + i, sizeof eight);
        if (eight & UINT64_C(0x8080808080808080))
            break;
    }
    return i;
}

bool str_is_utf8(struct str s)
{
    for (size_t i = ascii_run(s); i < s.n;) {
        size_t n = str_utf8_at(s, i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

enum err str_copy(struct str s, char *dst, size_t cap)
{
    ASSERT(cap > 0);
    dst[0] = '\0';
    if (s.n >= cap)
        return ERR_TOO_BIG;
    if (s.n)
        memcpy(dst, s.p, s.n);
    dst[s.n] = '\0';
    return OK;
}

char *str_dup(struct str s)
{
    char *z = malloc(s.n + 1);
    if (!z)
        return NULL;
    if (s.n)
        memcpy(z, s.p, s.n);
    z[s.n] = '\0';
    return z;
}
