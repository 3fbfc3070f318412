/* marks: gives each setting of an older store its mark. Only the schema's migration calls it. It
 * reads a page, then writes that page's marks, so that no statement changes a table that another
 * one walks. */
#include "store/marks.h"

#include <stdint.h>

#include "model/setting_mark.h"
#include "store/engine.h"

enum { PAGE = 500 };

struct mark_page {
    size_t n;
    enum err err;
    struct {
        int64_t n;
        char mark[MARK_SIZE];
    } row[PAGE];
};

static bool mark_page_row(void *arg, const struct value *c, size_t n)
{
    struct mark_page *p = arg;
    p->row[p->n].n = c[0].i;
    p->err = setting_mark_of_text((enum setting_kind)c[1].i, c[2].s, p->row[p->n].mark);
    p->n++;
    return p->err == OK;
}

enum err marks_fill(struct db *db)
{
    struct mark_page p;
    int64_t after = 0;
    enum err err = OK;
    do {
        p.n = 0;
        p.err = OK;
        err = db_run(db, SQL_SETTING_DOCS, DB_ARGS(V_INT(after), V_INT(PAGE)), mark_page_row, &p,
                     NULL);
        err = err == OK ? p.err : err;
        for (size_t i = 0; err == OK && i < p.n; i++) {
            after = p.row[i].n;
            if (p.row[i].mark[0])
                err =
                    db_run(db, SQL_SETTING_MARK,
                           DB_ARGS(V_TEXT(str_of(p.row[i].mark)), V_INT(after)), NULL, NULL, NULL);
        }
    } while (err == OK && p.n == PAGE);
    return err;
}
