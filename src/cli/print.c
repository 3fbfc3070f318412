/* print: prints answers for people. A column is as wide as its widest value. When the terminal has
 * less room, optional columns are left out, then the widest are cut first, with … at the end.
 * Programs get tabs, or --json. Main thread. */
#include "cli/print.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

enum { COLUMNS_MAX = 16, COLUMN_MIN = 6, VALUE_MAX = 1 << 20, NAME_MAX_ = 64 };

static uint32_t utf8_decode(struct str s, size_t at, size_t n)
{
    const unsigned char *p = (const unsigned char *)s.p + at;
    switch (n) {
    case 1: return p[0];
    case 2: return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
    case 3: return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
    default:
        return (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
    }
}

static bool char_is_safe(uint32_t c)
{
    bool control = c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
    bool turns = c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
                 (c >= 0x2066 && c <= 0x2069);
    return !control && !turns;
}

static size_t columns_of(uint32_t c)
{
    static bool set;
    if (c < 0x300)
        return 1;
    if (!set) {
        setlocale(LC_CTYPE, "C.UTF-8"); /* wcwidth goes by it */
        set = true;
    }
    int n = wcwidth((wchar_t)c);
    return n < 0 ? 1 : (size_t)n;
}

/* Puts as much of s as fits into `columns`; returns the columns used. f NULL: only counts. */
static size_t safe_put(FILE *f, struct str s, size_t columns)
{
    size_t used = 0;
    for (size_t i = 0; i < s.n;) {
        size_t n = str_utf8_at(s, i);
        uint32_t c = n ? utf8_decode(s, i, n) : 0;
        bool safe = n && char_is_safe(c);
        size_t wide = safe ? columns_of(c) : 1;
        if (used + wide > columns)
            break;
        used += wide;
        if (f && safe)
            fwrite(s.p + i, 1, n, f);
        else if (f)
            fputc('?', f);
        i += n ? n : 1;
    }
    return used;
}

void print_safe(FILE *f, struct str s)
{
    safe_put(f, s, SIZE_MAX / 2);
}

size_t print_width(struct str s)
{
    return safe_put(NULL, s, SIZE_MAX / 2);
}

size_t terminal_width(FILE *f)
{
    struct winsize w;
    if (!isatty(fileno(f)))
        return 0;
    return ioctl(fileno(f), TIOCGWINSZ, &w) == 0 && w.ws_col >= 20 ? w.ws_col : 80;
}

/* ---- values ---- */

static bool value_is_plain(const struct json *v)
{
    enum json_kind kind = json_kind(v);
    bool objects =
        kind == JSON_IS_ARRAY && json_len(v) && json_kind(json_at(v, 0)) == JSON_IS_OBJECT;
    return kind != JSON_IS_OBJECT && !objects;
}

/* Prints a value as people read it, an array of words as the words. b is reset first. */
static struct str value_text(const struct json *v, struct buf *b)
{
    struct str s;
    bool flag;
    buf_reset(b);
    if (!v || json_kind(v) == JSON_IS_NULL)
        return STR("-");
    if (json_str(v, &s))
        return s.n ? s : STR("-");
    if (json_bool(v, &flag))
        return flag ? STR("yes") : STR("no");
    if (json_kind(v) == JSON_IS_ARRAY && value_is_plain(v)) {
        for (size_t i = 0; i < json_len(v); i++) {
            if (i)
                buf_putc(b, ',');
            if (json_str(json_at(v, i), &s))
                buf_put_str(b, s);
            else
                buf_put_json(b, json_at(v, i));
        }
        return b->n ? buf_str(b) : STR("-");
    }
    buf_put_json(b, v);
    return buf_str(b);
}

/* ---- tables ---- */

/* Is it "2026-11-24T19:56:31.969Z"? A table on a terminal shows the first two thirds. */
static bool text_is_time(struct str s)
{
    return s.n == 24 && s.p[4] == '-' && s.p[7] == '-' && s.p[10] == 'T' && s.p[13] == ':' &&
           s.p[16] == ':' && s.p[19] == '.' && s.p[23] == 'Z';
}

static struct str value_short_text(const struct json *v, struct buf *b)
{
    struct str s = value_text(v, b);
    if (!text_is_time(s))
        return s;
    buf_reset(b);
    buf_put_str(b, str_slice(s, 0, 10));
    buf_putc(b, ' ');
    buf_put_str(b, str_slice(s, 11, 8));
    return buf_str(b);
}

struct table {
    char name[COLUMNS_MAX][NAME_MAX_];
    bool optional[COLUMNS_MAX];
    size_t n, width[COLUMNS_MAX];
    struct buf text; /* buffer of value_text */
};

static void column_add(struct table *t, struct str name, bool optional)
{
    if (t->n < COLUMNS_MAX && name.n && str_copy(name, t->name[t->n], NAME_MAX_) == OK)
        t->optional[t->n++] = optional;
}

static void column_remove(struct table *t, size_t c)
{
    t->n--;
    for (; c < t->n; c++) {
        memcpy(t->name[c], t->name[c + 1], NAME_MAX_);
        t->optional[c] = t->optional[c + 1];
        t->width[c] = t->width[c + 1];
    }
}

static void choose_columns(struct table *t, const struct json *rows, const char *columns)
{
    struct str rest = str_of(columns), name;
    void *it = NULL;
    const struct json *v;
    while (rest.n) {
        str_cut(rest, ' ', &name, &rest);
        bool optional = name.n && name.p[name.n - 1] == '?';
        column_add(t, str_slice(name, 0, name.n - optional), optional);
    }
    while (!columns && json_next(json_at(rows, 0), &it, &name, &v))
        if (value_is_plain(v))
            column_add(t, name, false);
}

/* Finds the member of that name. An SMS event has its numbers under other names. */
static const struct json *cell_text(const struct json *row, const char *name)
{
    const struct json *v = json_get(row, name);
    if (!v && !strcmp(name, "did_number"))
        v = json_get(row, "to");
    if (!v && !strcmp(name, "caller_id"))
        v = json_get(row, "from");
    return v;
}

static void columns_measure(struct table *t, const struct json *rows, size_t width)
{
    size_t all = t->n ? 2 * (t->n - 1) : 0;
    for (size_t c = 0; c < t->n; c++) {
        t->width[c] = strlen(t->name[c]);
        for (size_t i = 0; i < json_len(rows); i++) {
            size_t w =
                print_width(value_short_text(cell_text(json_at(rows, i), t->name[c]), &t->text));
            if (w > t->width[c])
                t->width[c] = w;
        }
        all += t->width[c];
    }
    for (size_t c = t->n; all > width && c-- > 0;)
        if (t->optional[c]) {
            all -= t->width[c] + 2;
            column_remove(t, c);
        }
    while (all > width) { /* the widest gives */
        size_t widest = 0;
        for (size_t c = 1; c < t->n; c++)
            if (t->width[c] > t->width[widest])
                widest = c;
        if (t->n == 0 || t->width[widest] <= COLUMN_MIN)
            return;
        t->width[widest]--;
        all--;
    }
}

static void cell_put(FILE *f, struct str s, size_t width, bool last)
{
    size_t used = print_width(s);
    if (used > width) {
        used = safe_put(f, s, width - 1) + 1;
        fputs("…", f);
    } else {
        safe_put(f, s, width);
    }
    if (last)
        fputc('\n', f);
    else
        fprintf(f, "%*s", (int)(width - used + 2), "");
}

static void header_put(FILE *f, const struct table *t)
{
    char upper[NAME_MAX_];
    for (size_t c = 0; c < t->n; c++) {
        size_t i = 0;
        for (; t->name[c][i]; i++) {
            char k = t->name[c][i];
            upper[i] = k == '_' ? ' ' : k >= 'a' && k <= 'z' ? (char)(k - 'a' + 'A') : k;
        }
        upper[i] = '\0';
        cell_put(f, str_of(upper), t->width[c], c + 1 == t->n);
    }
}

void print_table(FILE *f, const struct json *rows, const char *columns, size_t width)
{
    struct table t = {.n = 0};
    buf_init(&t.text, VALUE_MAX);
    choose_columns(&t, rows, columns);
    if (width && json_len(rows)) {
        columns_measure(&t, rows, width);
        header_put(f, &t);
    }
    for (size_t i = 0; t.n && i < json_len(rows); i++)
        for (size_t c = 0; c < t.n; c++) {
            const struct json *v = cell_text(json_at(rows, i), t.name[c]);
            if (width) {
                cell_put(f, value_short_text(v, &t.text), t.width[c], c + 1 == t.n);
            } else {
                print_safe(f, value_text(v, &t.text));
                fputc(c + 1 == t.n ? '\n' : '\t', f);
            }
        }
    buf_fini(&t.text);
}

/* ---- objects ---- */

static bool object_has_lists(const struct json *o)
{
    void *it = NULL;
    struct str key;
    const struct json *v;
    while (json_next(o, &it, &key, &v))
        if (json_kind(v) == JSON_IS_ARRAY && !value_is_plain(v))
            return true;
    return false;
}

static void object_put(FILE *f, const struct json *o, size_t width, int indent);

/* Prints a table; rows that have lists of their own are printed as objects, indented. */
static void list_put(FILE *f, const struct json *rows, size_t width, int indent)
{
    bool deep = false;
    for (size_t i = 0; i < json_len(rows); i++)
        deep |= object_has_lists(json_at(rows, i));
    if (!deep || indent > 4)
        print_table(f, rows, NULL, width);
    for (size_t i = 0; deep && indent <= 4 && i < json_len(rows); i++)
        object_put(f, json_at(rows, i), width, indent + 2);
}

static void object_put(FILE *f, const struct json *o, size_t width, int indent)
{
    void *it = NULL;
    struct str key;
    const struct json *v;
    struct buf b;
    size_t widest = 0;
    buf_init(&b, VALUE_MAX);
    while (json_next(o, &it, &key, &v))
        if (value_is_plain(v) && print_width(key) > widest)
            widest = print_width(key);
    while (json_next(o, &it, &key, &v)) {
        size_t used = print_width(key);
        fprintf(f, "%*s", indent, "");
        print_safe(f, key);
        if (json_kind(v) == JSON_IS_ARRAY && !value_is_plain(v)) {
            fputs(":\n", f);
            list_put(f, v, width, indent);
            continue;
        }
        fprintf(f, "%*s", used < widest ? (int)(widest - used + 2) : 2, "");
        print_safe(f, value_text(v, &b));
        fputc('\n', f);
    }
    buf_fini(&b);
}

void print_object(FILE *f, const struct json *o, size_t width)
{
    object_put(f, o, width, 0);
}
