/* inbox: walks through messages from the newest to the oldest. Each walk uses one index: a
 * thread's, an account's, a number's, or that of all events. Rows are filtered here, one by one,
 * where the index does not filter, and every row that was read counts. */
#include "store/rows/inbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "store/rows/events_own.h"
#include "store/walk.h"

struct inbox_walk {
    const struct inbox_filter *f;
    struct str needle; /* q as it stands in JSON, in lower case */
    inbox_row *row;
    void *arg;
    db_row *on_row;
    enum sql list; /* the index that it goes along, and where */
    struct value key[WALK_KEY_MAX];
    size_t n_key;
    bool stopped;
    struct list_stop *stop;
    /* Of threads: */
    struct db *db;
    int64_t top_n;
    struct map *seen; /* keys on the heap, their own values */
    enum err err;
};

/* ---- q ---- */

static char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool text_contains(struct str s, struct str needle)
{
    for (size_t at = 0; at + needle.n <= s.n; at++) {
        size_t i = 0;
        while (i < needle.n && ascii_lower(s.p[at + i]) == needle.p[i])
            i++;
        if (i == needle.n)
            return true;
    }
    return false;
}

/* True when the message has the text. The payload's bytes are searched first, which is quick; then
 * its values. */
static bool message_has_text(const struct inbox_walk *w, const struct event *e)
{
    static const char *const fields[] = {"message", "from", "to"};
    char text[256];
    struct json *doc = NULL;
    struct str value, q = {text, w->f->q.n};
    bool found = false;
    if (!w->f->q.n)
        return true;
    if (!text_contains(e->payload, w->needle) || json_parse(e->payload, &doc, NULL, 0) != OK)
        return false;
    for (size_t i = 0; i < q.n; i++)
        text[i] = ascii_lower(w->f->q.p[i]);
    for (size_t i = 0; !found && i < sizeof fields / sizeof *fields; i++)
        found = json_str(json_get(doc, fields[i]), &value) && text_contains(value, q);
    json_free(doc);
    return found;
}

static enum err needle_make(struct inbox_walk *w, struct buf *b)
{
    if (w->f->q.n > 255)
        return ERR_TOO_BIG;
    buf_put_json_str(b, w->f->q);
    for (size_t i = 0; i < b->n; i++)
        b->p[i] = ascii_lower(b->p[i]);
    w->needle = str_slice(buf_str(b), 1, b->n - 2); /* without the quotes */
    return b->err;
}

/* ---- messages ---- */

static bool message_fits(const struct inbox_walk *w, const struct event *e)
{
    const struct inbox_filter *f = w->f;
    return e->kind == EVENT_SMS_RECEIVED && e->account != 0 &&
           (f->account == 0 || e->account == f->account) &&
           (!f->number.n || str_eq(e->number, f->number)) &&
           (!f->peer.n || str_eq(e->peer, f->peer)) &&
           (!f->since_ms || e->occurred_at_ms >= f->since_ms) &&
           (!f->until_ms || e->occurred_at_ms < f->until_ms) && message_has_text(w, e);
}

static bool inbox_row_read(void *arg, const struct value *c, size_t n)
{
    struct inbox_walk *w = arg;
    struct event e;
    event_of_row(c, &e);
    if (message_fits(w, &e) && !w->row(w->arg, c[0].i, &e)) {
        w->stopped = true;
        return false;
    }
    w->stop->at_n = c[0].i;
    return true;
}

/* Finds out whether the messages of all accounts belong to one account, whose index then serves.
 * *ret 0: several accounts; ERR_NOT_FOUND: there is no message at all. */
static enum err inbox_only_account(struct db *db, const struct inbox_filter *f, uint64_t *ret)
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

static enum err inbox_chunk_read(void *arg, struct db *db, int64_t from_n, int64_t before_n,
                                 struct list_stop *stop, bool *ret_stopped)
{
    struct inbox_walk *w = arg;
    struct value args[WALK_KEY_MAX + 2];
    memcpy(args, w->key, w->n_key * sizeof *args);
    args[w->n_key] = V_INT(from_n);
    args[w->n_key + 1] = V_INT(before_n);
    w->stop = stop;
    enum err err = db_run(db, w->list, args, w->n_key + 2, w->on_row, w, NULL);
    *ret_stopped = w->stopped;
    return err != OK ? err : w->err;
}

/* Chooses the index, and the place in it. */
static enum sql inbox_index_choose(struct inbox_walk *w, uint64_t account)
{
    const struct inbox_filter *f = w->f;
    w->n_key = 1;
    if (f->number.n && f->peer.n && account) {
        w->key[0] = V_TEXT(f->number);
        w->key[1] = V_TEXT(f->peer);
        w->key[2] = V_INT(account);
        w->n_key = 3;
        w->list = SQL_INBOX_THREAD;
        return SQL_EVENT_NEXT_THREAD;
    }
    if (f->number.n || !account) {
        w->key[0] = V_TEXT(f->number);
        w->list = f->number.n ? SQL_INBOX_NUMBER : SQL_INBOX_ALL;
        return f->number.n ? SQL_EVENT_NEXT_NUMBER : SQL_EVENT_NEXT;
    }
    w->key[0] = V_INT(account);
    w->list = SQL_INBOX_ACCOUNT;
    return SQL_EVENT_NEXT_MESSAGES;
}

static enum err walk_along(struct db *db, struct inbox_walk *w, int64_t before_n,
                           struct list_stop *ret)
{
    const struct inbox_filter *f = w->f;
    uint64_t account;
    enum err err = inbox_only_account(db, f, &account);
    *ret = (struct list_stop){.at_n = before_n, .at_end = true};
    if (err != OK)
        return err == ERR_NOT_FOUND ? OK : err;
    struct walk walk = {.next = inbox_index_choose(w, account),
                        .key = w->key,
                        .n_key = w->n_key,
                        .spans = {.of = SPAN_EVENTS,
                                  .kinds = UINT64_C(1) << EVENT_SMS_RECEIVED,
                                  .since_ms = f->since_ms,
                                  .until_ms = f->until_ms},
                        .before_n = before_n,
                        .rows_max = f->rows_max,
                        .rows = inbox_chunk_read,
                        .arg = w};
    return walk_run(db, &walk, ret);
}

enum err inbox_walk(struct db *db, const struct inbox_filter *f, inbox_row *row, void *arg,
                    struct list_stop *ret)
{
    struct inbox_walk w = {.f = f, .row = row, .arg = arg, .on_row = inbox_row_read};
    struct buf needle;
    buf_init(&needle, 4096);
    enum err err = needle_make(&w, &needle);
    if (err == OK)
        err = walk_along(db, &w, f->before_n, ret);
    buf_fini(&needle);
    return err;
}

/* ---- threads ---- */

/* Tells whether this walk met the thread before, and remembers it. */
static enum err thread_seen_before(struct inbox_walk *w, const struct event *e, bool *ret)
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

/* Tells whether this is the thread's last message as of top_n; if not, the thread stands further
 * up. */
static enum err thread_is_head(struct inbox_walk *w, const struct event *e, int64_t n, bool *ret)
{
    int64_t last = 0;
    enum err err =
        db_run_int(w->db, SQL_INBOX_LAST,
                   DB_ARGS(V_TEXT(e->number), V_TEXT(e->peer), V_INT(e->account), V_INT(w->top_n)),
                   &last, NULL);
    *ret = last == n;
    return err;
}

static bool thread_row_read(void *arg, const struct value *c, size_t n)
{
    struct inbox_walk *w = arg;
    struct event e;
    bool seen = true, head = false;
    event_of_row(c, &e);
    if (message_fits(w, &e))
        w->err = thread_seen_before(w, &e, &seen);
    if (w->err == OK && !seen)
        w->err = thread_is_head(w, &e, c[0].i, &head);
    if (w->err != OK || (head && !w->row(w->arg, c[0].i, &e))) {
        w->stopped = true;
        return false;
    }
    w->stop->at_n = c[0].i;
    return true;
}

enum err inbox_threads(struct db *db, const struct inbox_filter *f, int64_t top_n, inbox_row *row,
                       void *arg, struct list_stop *ret)
{
    struct inbox_walk w = {.f = f,
                           .row = row,
                           .arg = arg,
                           .on_row = thread_row_read,
                           .db = db,
                           .top_n = top_n,
                           .seen = map_new()};
    void *key;
    if (!w.seen)
        return ERR_NOMEM;
    enum err err = walk_along(db, &w, f->before_n ? f->before_n : top_n + 1, ret);
    for (size_t i = 0; (key = map_next(w.seen, &i));)
        free(key);
    map_free(w.seen);
    return err;
}

enum err inbox_count(struct db *db, const struct event *of, int64_t top_n, int64_t max,
                     int64_t *ret)
{
    return db_run_int(
        db, SQL_INBOX_COUNT,
        DB_ARGS(V_TEXT(of->number), V_TEXT(of->peer), V_INT(of->account), V_INT(top_n), V_INT(max)),
        ret, NULL);
}
