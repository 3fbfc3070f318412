/* pages: reads a list to its limit. A request looks at a bounded number of rows and may come back
 * short or empty with a cursor (docs/api.md, "Reading lists"). For a person that is one list: this
 * file makes it one. */
#include "cli/client/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum { LIMIT = 50, PATH_SIZE = 2048, LIST_MAX = 256 << 20 };

struct pages {
    struct buf rows; /* of all pages, commas between */
    char base[PATH_SIZE], next[PATH_SIZE];
    size_t limit, have;
    bool more;
};

/* Copies the path without limit and cursor, ready for one more parameter. */
static enum err path_split(const char *path, struct pages *p)
{
    struct str rest, one, name, value;
    struct buf b;
    buf_wrap(&b, p->base, sizeof p->base - 1);
    p->limit = LIMIT;
    str_cut(str_of(path), '?', &one, &rest);
    buf_put_str(&b, one);
    buf_putc(&b, '?');
    while (rest.n) {
        str_cut(rest, '&', &one, &rest);
        str_cut(one, '=', &name, &value);
        if (str_eq(name, STR("limit"))) {
            uint64_t v;
            p->limit = str_to_u64(value, 500, &v) == OK ? (size_t)v : 0;
        } else if (!str_eq(name, STR("cursor"))) {
            buf_put_str(&b, one);
            buf_putc(&b, '&');
        }
    }
    p->base[b.n] = '\0';
    return b.err;
}

/* Returns false when the answer is no list. */
static bool page_parse(struct pages *p, struct str body)
{
    struct json *doc = NULL;
    struct str next;
    const struct json *data;
    if (json_parse(str_trim(body), &doc, NULL, 0) != OK || !(data = json_get(doc, "data")) ||
        json_kind(data) != JSON_IS_ARRAY) {
        json_free(doc);
        return false;
    }
    for (size_t i = 0; i < json_len(data); i++) {
        if (p->have++)
            buf_putc(&p->rows, ',');
        buf_put_json(&p->rows, json_at(data, i));
    }
    p->more = json_str(json_get(doc, "next_cursor"), &next) &&
              str_copy(next, p->next, sizeof p->next) == OK;
    json_free(doc);
    return true;
}

static enum err page_request(const struct client *c, struct pages *p, struct client_answer *a)
{
    char path[2 * PATH_SIZE];
    struct buf b;
    buf_wrap(&b, path, sizeof path - 1);
    buf_printf(&b, "%slimit=%zu&cursor=", p->base, p->limit - p->have);
    client_put_escaped(&b, p->next, "-._~");
    if (b.err != OK)
        return b.err;
    path[b.n] = '\0';
    buf_fini(&a->body);
    *a = (struct client_answer){0};
    return client_request(c, "GET", path, (struct str){0}, a);
}

static enum err pages_put_list(const struct pages *p, struct client_answer *a)
{
    buf_fini(&a->body);
    buf_init(&a->body, LIST_MAX);
    buf_puts(&a->body, "{\"data\":[");
    buf_put_str(&a->body, buf_str(&p->rows));
    buf_puts(&a->body, "],\"next_cursor\":");
    if (p->more)
        buf_put_json_str(&a->body, str_of(p->next));
    else
        buf_puts(&a->body, "null");
    buf_putc(&a->body, '}');
    return a->body.err;
}

enum err pages_complete(const struct client *c, const char *path, struct client_answer *a)
{
    struct pages p = {0};
    unsigned pages = 1;
    buf_init(&p.rows, LIST_MAX);
    enum err err = path_split(path, &p);
    bool list = err == OK && a->status == 200 && page_parse(&p, buf_str(&a->body));
    while (list && err == OK && p.more && p.have < p.limit && ++pages) {
        err = page_request(c, &p, a);
        list = err == OK && a->status == 200 && page_parse(&p, buf_str(&a->body));
    }
    if (list && err == OK && pages > 1)
        err = p.rows.err != OK ? p.rows.err : pages_put_list(&p, a);
    buf_fini(&p.rows);
    return err;
}
