/* join: joins parts into messages. Parts with the same link, account, sender, number, reference and
 * count are a set. The n-th part of a set is kept once; a repeat of it is absorbed while the set
 * waits, and for a while after the set went out, by the digests in its row. Other content under the
 * same number means that the sender uses its references again: the old set goes out as it is and a
 * new one begins. Two messages may begin alike ("Dear customer, …"), and the repeats that were
 * absorbed before may have been the beginning of the new one. So repeats are kept beside their set,
 * and those with lower numbers go into the new set.
 *
 * Nothing is held in memory. The parts wait in the store, so a restart loses nothing, and a million
 * sets cost no more memory than one. On the writer's thread. */
#include "hub/join.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

/* Sets that one part may push out. A part is at most SMS_DATA_MAX octets, and each set counts for
 * SMS_PART_COST or more, so this always makes room enough. After the limits were lowered there may
 * be more to push out; each part that comes pushes out a few. */
enum { PUSHED_MAX = SMS_DATA_MAX / SMS_PART_COST + 2 };

/* ---- what a job made ---- */

static void joined_clear(struct joined_events *j)
{
    for (size_t i = 0; i < j->n; i++)
        admission_free(j->at[i]);
    j->n = j->partial = 0;
}

void joined_fini(struct joined_events *j)
{
    joined_clear(j);
    free(j->at);
    *j = (struct joined_events){0};
}

enum err joined_begin(struct joined_events *j, struct db *db, bool *ret_done)
{
    enum err err = OK;
    *ret_done = false;
    for (size_t i = 0; err == OK && i < j->n && !*ret_done; i++)
        err = admission_find(j->at[i], db, ret_done); /* one of them is there: so are all */
    if (!*ret_done)
        joined_clear(j);
    return err;
}

void joined_tell(const struct joined_events *j)
{
    for (size_t i = 0; i < j->n; i++)
        admission_tell(j->at[i]);
    metric_add(METRIC_SMS_PARTIAL, (int64_t)j->partial);
}

static enum err joined_add(struct joined_events *j, struct admission *t)
{
    if (j->n == j->cap) {
        size_t cap = j->cap ? 2 * j->cap : 1;
        struct admission **at = realloc(j->at, cap * sizeof *at);
        if (!at) {
            admission_free(t);
            return ERR_NOMEM;
        }
        j->at = at;
        j->cap = cap;
    }
    j->at[j->n++] = t;
    return OK;
}

/* ---- a set goes out ---- */

struct set_parts {
    struct sms_part part[SMS_PARTS_MAX];
    const struct sms_part *list[SMS_PARTS_MAX];
    size_t n;
    struct buf mem; /* where their data is */
};

static bool set_parts_on_part(void *arg, const struct sms_part *p)
{
    struct set_parts *g = arg;
    if (g->n == SMS_PARTS_MAX)
        return false;
    g->part[g->n++] = *p;
    buf_put_str(&g->mem, p->data);
    return g->mem.err == OK;
}

typedef enum err parts_list(struct db *db, int64_t set_n, sms_part_row *row, void *arg);

static enum err set_parts_read(struct db *db, const struct sms_set *s, parts_list *list,
                               struct set_parts *g)
{
    size_t at = 0;
    g->n = 0;
    buf_init(&g->mem, (size_t)SMS_PARTS_MAX * SMS_DATA_MAX);
    enum err err = list(db, s->n, set_parts_on_part, g);
    if (err == OK)
        err = g->mem.err;
    for (size_t i = 0; err == OK && i < g->n; i++) {
        g->part[i].data.p = g->mem.p ? g->mem.p + at : "";
        at += g->part[i].data.n;
        g->list[i] = &g->part[i];
    }
    return err;
}

/* Eight bytes that tell this part from any other under its number; never 0. */
static uint64_t part_digest(const struct sms_part *p)
{
    char text[64];
    struct buf b;
    buf_wrap(&b, text, sizeof text);
    buf_printf(&b, "%016llx %u %d %u %u %u", (unsigned long long)hash64(p->data), p->data_coding,
               (int)p->coding.alphabet, p->coding.single_shift, p->coding.locking_shift,
               p->coding.fill);
    uint64_t h = hash64(buf_str(&b));
    return h ? h : 1;
}

static enum err event_of_set(const struct sms_set *s, const struct set_parts *g, int64_t now_ms,
                             struct event **ret)
{
    struct sms_facts f = {.account = s->account,
                          .from = str_of(s->from),
                          .to = str_of(s->to),
                          .message_id = str_of(s->message_id),
                          .link = str_of(s->link),
                          .parts = s->parts,
                          .partial = g->n < s->parts,
                          .arrived_at_ms = s->last_at_ms,
                          .simulated = s->simulated};
    return event_of_parts(&f, g->list, g->n, now_ms, ret);
}

static enum err event_put_joined(const struct joiner *by, struct db *db, const struct event *e,
                                 struct joined_events *out)
{
    struct admission *t = NULL;
    const struct book *book = book_take(by->books);
    enum err err = admission_new(by->intake, book, &e, NULL, NULL, &t);
    book_drop(&book);
    if (err == OK)
        err = joined_add(out, t);
    return err == OK ? admission_put(t, db) : err;
}

enum err join_end(const struct joiner *by, struct db *db, struct sms_set *s, int64_t now_ms,
                  struct joined_events *out)
{
    struct event *e = NULL;
    struct set_parts *g = malloc(sizeof *g);
    if (!g)
        return ERR_NOMEM;
    enum err err = set_parts_read(db, s, sms_part_list, g);
    if (err == OK && g->n) {
        err = event_of_set(s, g, now_ms, &e);
        if (err == OK)
            err = event_put_joined(by, db, e, out);
        if (err_is_final(err)) { /* a bug of ours; the other jobs of the batch go on all the same */
            log_error("messages", "%s is lost: %s", s->message_id, err_text(err));
            err = OK;
        }
        out->partial += g->n < s->parts;
    }
    memset(s->digest, 0, sizeof s->digest);
    for (size_t i = 0; err == OK && i < g->n; i++)
        if (g->part[i].number - 1 < s->parts)
            s->digest[g->part[i].number - 1] = part_digest(&g->part[i]);
    if (err == OK)
        err = sms_set_end(db, s, now_ms - clock_moved_ms() + by->join_ms);
    buf_fini(&g->mem);
    free(g);
    return err;
}

/* ---- a part comes ---- */

void part_set_id(struct part_in *in)
{
    char count[64];
    struct buf b;
    buf_wrap(&b, count, sizeof count);
    buf_printf(&b, "%llu %lu %d %u", (unsigned long long)in->account,
               (unsigned long)in->part.reference, in->part.wide, in->part.parts);
    struct str what[] = {STR("set"), in->link, in->from, in->to, buf_str(&b)};
    id_derive("set", what, sizeof what / sizeof *what, in->set_id);
}

static enum err set_begin(const struct joiner *by, struct db *db, const struct part_in *in,
                          struct sms_set *s)
{
    *s = (struct sms_set){.account = in->account,
                          .parts = in->part.parts,
                          .simulated = in->simulated,
                          .last_at_ms = in->at_ms,
                          .ends_at_ms = in->at_ms - clock_moved_ms() + by->join_ms};
    enum err err = str_copy(in->link, s->link, sizeof s->link);
    if (err == OK)
        err = str_copy(in->from, s->from, sizeof s->from);
    if (err == OK)
        err = str_copy(in->to, s->to, sizeof s->to);
    memcpy(s->id, in->set_id, sizeof s->id);
    memcpy(s->message_id, in->message_id, sizeof s->message_id);
    return err == OK ? sms_set_put(db, s) : err;
}

/* Compares the part with its set as the store has it. *ret_same: the set has the part already.
 * *ret_over: the part does not belong to this set. */
static enum err set_compare(struct db *db, const struct part_in *in, const struct sms_set *s,
                            bool *ret_same, bool *ret_over)
{
    if (s->state == SMS_SET_DONE) {
        *ret_same = in->at_ms - clock_moved_ms() < s->ends_at_ms &&
                    s->digest[in->part.number - 1] == part_digest(&in->part);
        *ret_over = !*ret_same;
        return OK;
    }
    enum err err = sms_part_same(db, s->n, &in->part, ret_same);
    *ret_over = err == OK && !*ret_same;
    return err == ERR_NOT_FOUND ? OK : err;
}

/* The reference is used again: the old set goes out, and the new one begins with the repeats that
 * belong to it. A repeat with a higher number was sent before this part, so it is one of the old
 * message: parts are sent in their order. */
static enum err set_renew(const struct joiner *by, struct db *db, const struct part_in *in,
                          struct sms_set *s, struct joined_events *out)
{
    struct set_parts *g = malloc(sizeof *g);
    bool is_new;
    if (!g)
        return ERR_NOMEM;
    enum err err = set_parts_read(db, s, sms_repeat_list, g);
    if (err == OK && s->state == SMS_SET_WAITING)
        err = join_end(by, db, s, in->at_ms, out);
    if (err == OK)
        err = sms_set_delete(db, s);
    if (err == OK)
        err = set_begin(by, db, in, s);
    for (size_t i = 0; err == OK && i < g->n && g->part[i].number < in->part.number; i++)
        err = sms_part_put(db, s, &g->part[i], in->at_ms, &is_new);
    buf_fini(&g->mem);
    free(g);
    return err;
}

static bool repeats_count_one(void *arg, const struct sms_part *p)
{
    ++*(unsigned *)arg;
    return true;
}

/* Keeps a repeat. When all of a message came again it was that message, and no new one begins. */
static enum err repeat_keep(struct db *db, const struct sms_set *s, const struct sms_part *p)
{
    unsigned n = 0;
    enum err err = sms_repeat_put(db, s->n, p);
    if (err == OK && s->state == SMS_SET_DONE)
        err = sms_repeat_list(db, s->n, repeats_count_one, &n);
    return err == OK && n == s->parts ? sms_repeats_delete(db, s) : err;
}

/* Sends out the account's oldest sets until it has no more than it may. */
static enum err account_make_room(const struct joiner *by, struct db *db, uint64_t account,
                                  int64_t now_ms, struct joined_events *out)
{
    for (int i = 0; i < PUSHED_MAX; i++) {
        struct sms_held held;
        struct sms_set s;
        int64_t n = 0;
        enum err err = sms_held_get(db, account, &held);
        if (err != OK || (held.sets <= by->max_sets && held.bytes <= by->max_bytes))
            return err;
        err = sms_set_oldest(db, account, &n);
        if (err == OK)
            err = sms_set_get(db, n, &s);
        if (err == OK)
            err = join_end(by, db, &s, now_ms, out);
        if (err != OK)
            return err == ERR_NOT_FOUND ? OK : err;
    }
    return OK;
}

enum err join_part(const struct joiner *by, struct db *db, const struct part_in *in,
                   struct joined_events *out, struct part_out *ret)
{
    struct sms_set s;
    bool same = false, over = false, is_new = false;
    enum err err = sms_set_find(db, str_of(in->set_id), &s);
    if (err == ERR_NOT_FOUND)
        err = set_begin(by, db, in, &s);
    else if (err == OK)
        err = set_compare(db, in, &s, &same, &over);
    if (err == OK && over)
        err = set_renew(by, db, in, &s, out);
    if (err == OK && !same)
        err = sms_part_put(db, &s, &in->part, in->at_ms, &is_new);
    else if (err == OK && !ret->put)
        err = repeat_keep(db, &s, &in->part);
    if (err != OK)
        return err;
    memcpy(ret->message_id, s.message_id, sizeof ret->message_id);
    ret->duplicate = same && !ret->put;
    if (same)
        return OK;
    ret->put = true;
    return s.have == s.parts ? join_end(by, db, &s, in->at_ms, out)
                             : account_make_room(by, db, in->account, in->at_ms, out);
}
