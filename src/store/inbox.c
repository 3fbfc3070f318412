/* inbox: walks through messages from the newest to the oldest. Each walk goes along one index:
 * a thread's, an account's, a number's, or all events'; what the index does not tell apart is told
 * apart here, row by row, and every row that was looked at counts. */
#include "store/inbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "store/engine.h"
#include "store/expiry.h"

enum { APART_MS = 3600 * 1000 }; /* rows are in the order of time, but for so much */

struct walk {
    const struct inbox_filter *f;
    struct str needle; /* q as it stands in JSON, in lower case */
    inbox_row *row;
    void *arg;
    unsigned looked;
    bool stopped;
    struct inbox_stop *stop;
    /* Of threads: */
    struct db *db;
    int64_t top_n;
    struct map *seen; /* keys on the heap, their own values */
    enum err err;
};

static void event_of_row(const struct value *c, struct event *e)
{
    *e = (struct event){.account = (uint64_t)c[1].i,
                        .id = c[2].s,
                        .kind = (enum event_kind)c[3].i,
                        .number = c[4].s,
                        .peer = c[5].s,
                        .call_id = c[6].s,
                        .occurred_at_ms = c[7].i,
                        .simulated = c[8].i != 0,
                        .payload = c[9].s};
}

/* ---- q ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool contains(struct str s, struct str needle)
{
    for (size_t at = 0; at + needle.n <= s.n; at++) {
        size_t i = 0;
        while (i < needle.n && lower(s.p[at + i]) == needle.p[i])
            i++;
        if (i == needle.n)
            return true;
    }
    return false;
}

/* The payload's bytes first, which is quick; then whether it was in the values. */
static bool has_text(const struct walk *w, const struct event *e)
{
    static const char *const fields[] = {"message", "from", "to"};
    char text[256];
    struct json *doc = NULL;
    struct str value, q = {text, w->f->q.n};
    bool found = false;
    if (!w->f->q.n)
        return true;
    if (!contains(e->payload, w->needle) || json_parse(e->payload, &doc, NULL, 0) != OK)
        return false;
    for (size_t i = 0; i < q.n; i++)
        text[i] = lower(w->f->q.p[i]);
    for (size_t i = 0; !found && i < sizeof fields / sizeof *fields; i++)
        found = json_str(json_get(doc, fields[i]), &value) && contains(value, q);
    json_free(doc);
    return found;
}

static enum err needle_make(struct walk *w, struct buf *b)
{
    if (w->f->q.n > 255)
        return ERR_TOO_BIG;
    buf_put_json_str(b, w->f->q);
    for (size_t i = 0; i < b->n; i++)
        b->p[i] = lower(b->p[i]);
    w->needle = str_slice(buf_str(b), 1, b->n - 2); /* without the quotes */
    return b->err;
}

/* ---- messages ---- */

static bool fits(const struct walk *w, const struct event *e)
{
    const struct inbox_filter *f = w->f;
    return e->kind == EVENT_SMS_RECEIVED && e->account != 0 &&
           (f->account == 0 || e->account == f->account) &&
           (!f->number.n || str_eq(e->number, f->number)) &&
           (!f->peer.n || str_eq(e->peer, f->peer)) &&
           (!f->since_ms || e->occurred_at_ms >= f->since_ms) &&
           (!f->until_ms || e->occurred_at_ms < f->until_ms) && has_text(w, e);
}

static bool on_row(void *arg, const struct value *c, size_t n)
{
    struct walk *w = arg;
    struct event e;
    event_of_row(c, &e);
    w->looked++;
    if (w->f->since_ms && e.occurred_at_ms < w->f->since_ms - APART_MS) {
        w->stop->at_end = true;
        return false;
    }
    if (fits(w, &e) && !w->row(w->arg, c[0].i, &e)) {
        w->stopped = true;
        return false;
    }
    w->stop->at_n = c[0].i;
    return true;
}

/* Who asks for all accounts' may be asking for one's: then its index is the way. *ret 0: several;
 * ERR_NOT_FOUND: there is no message at all. */
static enum err only_account(struct db *db, const struct inbox_filter *f, uint64_t *ret)
{
    int64_t first = 0, last = 0;
    bool thread = f->number.n && f->peer.n;
    const struct value of[] = {V_TEXT(f->number), V_TEXT(f->peer)};
    *ret = f->account;
    if (f->account)
        return OK;
    enum err err = db_run_int(db, thread ? SQL_INBOX_FIRST_ACCOUNT : SQL_INBOX_LOWEST, of,
                              thread ? 2 : 0, &first, NULL);
    if (err == OK)
        err = db_run_int(db, thread ? SQL_INBOX_LAST_ACCOUNT : SQL_INBOX_HIGHEST, of,
                         thread ? 2 : 0, &last, NULL);
    if (err == OK && last == 0)
        err = ERR_NOT_FOUND;
    if (err == OK && first == last)
        *ret = (uint64_t)first;
    return err;
}

static enum err walk_along(struct db *db, const struct inbox_filter *f, int64_t before_n,
                           db_row *row, struct walk *w)
{
    uint64_t account;
    enum err err = only_account(db, f, &account);
    if (err != OK)
        return err == ERR_NOT_FOUND ? OK : err;
    if (f->number.n && f->peer.n && account)
        return db_run(db, SQL_INBOX_THREAD,
                      DB_ARGS(V_TEXT(f->number), V_TEXT(f->peer), V_INT(account), V_INT(before_n),
                              V_INT(f->rows_max)),
                      row, w, NULL);
    if (f->number.n)
        return db_run(db, SQL_INBOX_NUMBER,
                      DB_ARGS(V_TEXT(f->number), V_INT(before_n), V_INT(f->rows_max)), row, w,
                      NULL);
    if (account)
        return db_run(db, SQL_INBOX_ACCOUNT,
                      DB_ARGS(V_INT(account), V_INT(before_n), V_INT(f->rows_max)), row, w, NULL);
    return db_run(db, SQL_INBOX_ALL, DB_ARGS(V_INT(before_n), V_INT(f->rows_max)), row, w, NULL);
}

static enum err walk_end(struct walk *w, enum err err)
{
    if (!w->stopped && w->looked < w->f->rows_max)
        w->stop->at_end = true;
    return err != OK ? err : w->err;
}

enum err inbox_walk(struct db *db, const struct inbox_filter *f, inbox_row *row, void *arg,
                    struct inbox_stop *ret)
{
    struct walk w = {.f = f, .row = row, .arg = arg, .stop = ret};
    struct buf needle;
    int64_t before_n = f->before_n ? f->before_n : INT64_MAX, last = 0;
    buf_init(&needle, 4096);
    *ret = (struct inbox_stop){.at_n = f->before_n};
    enum err err = needle_make(&w, &needle);
    if (err == OK && f->until_ms)
        err = event_before(db, f->until_ms + APART_MS, &last);
    if (f->until_ms && last < before_n - 1)
        before_n = last + 1;
    if (err == OK)
        err = walk_along(db, f, before_n, on_row, &w);
    buf_fini(&needle);
    return walk_end(&w, err);
}

/* ---- threads ---- */

/* Once a walk: was it there before? */
static enum err seen_before(struct walk *w, const struct event *e, bool *ret)
{
    struct str *key = malloc(sizeof *key + sizeof e->account + e->number.n + 1 + e->peer.n);
    if (!key)
        return ERR_NOMEM;
    char *p = (char *)(key + 1);
    *key = (struct str){p, sizeof e->account + e->number.n + 1 + e->peer.n};
    memcpy(p, &e->account, sizeof e->account);
    memcpy(p + sizeof e->account, e->number.p, e->number.n);
    p[sizeof e->account + e->number.n] = '\0';
    if (e->peer.n)
        memcpy(p + sizeof e->account + e->number.n + 1, e->peer.p, e->peer.n);
    *ret = map_get(w->seen, *key) != NULL;
    enum err err = *ret ? ERR_EXISTS : map_put(w->seen, *key, key, NULL);
    if (err != OK)
        free(key);
    return err == ERR_EXISTS ? OK : err;
}

/* Its last message as of top_n: otherwise the thread stands further up. */
static enum err is_head(struct walk *w, const struct event *e, int64_t n, bool *ret)
{
    int64_t last = 0;
    enum err err =
        db_run_int(w->db, SQL_INBOX_LAST,
                   DB_ARGS(V_TEXT(e->number), V_TEXT(e->peer), V_INT(e->account), V_INT(w->top_n)),
                   &last, NULL);
    *ret = last == n;
    return err;
}

static bool on_thread_row(void *arg, const struct value *c, size_t n)
{
    struct walk *w = arg;
    struct event e;
    bool seen = true, head = false;
    event_of_row(c, &e);
    w->looked++;
    if (fits(w, &e))
        w->err = seen_before(w, &e, &seen);
    if (w->err == OK && !seen)
        w->err = is_head(w, &e, c[0].i, &head);
    if (w->err != OK || (head && !w->row(w->arg, c[0].i, &e))) {
        w->stopped = true;
        return false;
    }
    w->stop->at_n = c[0].i;
    return true;
}

enum err inbox_threads(struct db *db, const struct inbox_filter *f, int64_t top_n, inbox_row *row,
                       void *arg, struct inbox_stop *ret)
{
    struct walk w = {
        .f = f, .row = row, .arg = arg, .stop = ret, .db = db, .top_n = top_n, .seen = map_new()};
    void *key;
    if (!w.seen)
        return ERR_NOMEM;
    *ret = (struct inbox_stop){.at_n = f->before_n};
    enum err err = walk_along(db, f, f->before_n ? f->before_n : top_n + 1, on_thread_row, &w);
    for (size_t i = 0; (key = map_next(w.seen, &i));)
        free(key);
    map_free(w.seen);
    return walk_end(&w, err);
}

enum err inbox_count(struct db *db, const struct event *of, int64_t top_n, int64_t max,
                     int64_t *ret)
{
    return db_run_int(
        db, SQL_INBOX_COUNT,
        DB_ARGS(V_TEXT(of->number), V_TEXT(of->peer), V_INT(of->account), V_INT(top_n), V_INT(max)),
        ret, NULL);
}
