/* messages: takes text messages from carriers. A whole message becomes an event on the caller's
 * thread and goes through intake. A part goes to the writer, which keeps it and looks whether it
 * was the last one missing (hub/join). Any thread; all it remembers is in the store. */
#include "hub/messages.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "hub/join.h"

enum { ID_MAX = 256 };

struct messages {
    struct store *store;
    struct joiner by;
};

enum err messages_new(const struct messages_config *c, struct messages **ret)
{
    struct messages *m = malloc(sizeof *m);
    if (!m)
        return ERR_NOMEM;
    *m = (struct messages){.store = c->store,
                           .by = {.intake = c->intake,
                                  .books = c->books,
                                  .join_ms = c->join_ms,
                                  .max_sets = c->max_sets,
                                  .max_bytes = c->max_bytes}};
    *ret = m;
    return OK;
}

void messages_free(struct messages *m)
{
    free(m);
}

/* ---- a whole message ---- */

/* Does the part contradict itself, such as part 4 of 3? Then it belongs to no message, and goes out
 * alone. */
static bool part_contradicts_itself(const struct sms_part *p)
{
    return p->parts > SMS_PARTS_MAX || (p->parts && p->number > p->parts) ||
           (p->parts > 1 && p->number == 0);
}

struct whole_message { /* on its way through intake */
    messages_on_taken *on_taken;
    void *arg;
    bool partial;
    size_t id_n;
    char id[];
};

static void whole_message_on_taken(void *arg, uint64_t token, struct admission **t, enum err err,
                                   bool duplicate)
{
    struct whole_message *w = arg;
    if (err == OK && !duplicate)
        metric_add(METRIC_SMS_PARTIAL, w->partial);
    w->on_taken(w->arg, token, err, duplicate, str_of_bytes(w->id, w->id_n));
    free(w);
}

static enum err whole_message_prepare(struct messages *m, const struct book *book,
                                      const struct message_in *in, struct str message_id,
                                      struct admission **ret)
{
    const struct sms_part *part = &in->part;
    struct sms_facts f = {.account = in->account,
                          .from = in->from,
                          .to = in->to,
                          .message_id = message_id,
                          .link = in->link,
                          .parts = part->parts ? part->parts : 1,
                          .partial = part_contradicts_itself(part),
                          .simulated = in->simulated};
    struct event *made;
    enum err err = event_of_parts(&f, &part, 1, clock_wall_ms(), &made);
    if (err != OK)
        return err;
    const struct event *e = made;
    return admission_new(m->by.intake, book, &e, NULL, NULL, ret);
}

static enum err whole_message_take(struct messages *m, const struct book *book,
                                   const struct message_in *in, struct mailbox *home,
                                   messages_on_taken *on_taken, void *arg, uint64_t token)
{
    char own[ID_SIZE];
    struct str id = in->message_id;
    struct admission *t = NULL;
    if (!id.n) {
        id_new("msg", own);
        id = str_of(own);
    }
    struct whole_message *w = malloc(sizeof *w + id.n);
    if (!w)
        return ERR_NOMEM;
    *w = (struct whole_message){.on_taken = on_taken,
                                .arg = arg,
                                .partial = part_contradicts_itself(&in->part),
                                .id_n = id.n};
    memcpy(w->id, id.p, id.n);
    enum err err = whole_message_prepare(m, book, in, id, &t);
    if (err == OK)
        err = intake_one(m->by.intake, &t, home, whole_message_on_taken, w, token);
    if (err != OK) {
        admission_free(t);
        free(w);
    }
    return err;
}

/* ---- a part of one ---- */

struct arrival {          /* of a part */
    struct store_job job; /* first */
    struct messages *m;
    messages_on_taken *on_taken;
    void *arg;
    uint64_t token;
    struct part_in in;
    struct part_out part;
    struct joined_events joined;
    char bytes[]; /* the bytes of `in`'s slices */
};

static enum err arrival_run(struct store_job *job, struct db *db)
{
    struct arrival *a = (struct arrival *)job;
    bool done;
    enum err err = joined_begin(&a->joined, db, &done);
    return err == OK && !done ? join_part(&a->m->by, db, &a->in, &a->joined, &a->part) : err;
}

static void arrival_committed(struct store_job *job)
{
    struct arrival *a = (struct arrival *)job;
    metric_add(a->part.duplicate ? METRIC_SMS_PARTS_DUPLICATE : METRIC_SMS_PARTS, 1);
    joined_tell(&a->joined);
}

static void arrival_done(struct store_job *job)
{
    struct arrival *a = (struct arrival *)job;
    a->on_taken(a->arg, a->token, job->err, job->err == OK && a->part.duplicate,
                str_of(a->part.message_id));
    joined_fini(&a->joined);
    free(a);
}

static struct str slice_copy(char **at, struct str s)
{
    struct str copy = {*at, s.n};
    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

static enum err part_take(struct messages *m, const struct message_in *in, struct mailbox *home,
                          messages_on_taken *on_taken, void *arg, uint64_t token)
{
    struct arrival *a = malloc(sizeof *a + in->link.n + in->from.n + in->to.n + in->part.data.n);
    if (!a)
        return ERR_NOMEM;
    *a = (struct arrival){.job = {.run = arrival_run,
                                  .committed = arrival_committed,
                                  .done = arrival_done,
                                  .home = home},
                          .m = m,
                          .on_taken = on_taken,
                          .arg = arg,
                          .token = token,
                          .in = {.account = in->account,
                                 .simulated = in->simulated,
                                 .part = in->part,
                                 .at_ms = clock_wall_ms()}};
    char *at = a->bytes;
    a->in.link = slice_copy(&at, in->link);
    a->in.from = slice_copy(&at, in->from);
    a->in.to = slice_copy(&at, in->to);
    a->in.part.data = slice_copy(&at, in->part.data);
    part_set_id(&a->in);
    id_new("msg", a->in.message_id);
    enum err err = store_write(m->store, &a->job);
    if (err != OK)
        free(a);
    return err;
}

static bool has_nul(struct str s)
{
    return str_find(s, '\0') < s.n;
}

enum err messages_take(struct messages *m, const struct book *book, const struct message_in *in,
                       struct mailbox *home, messages_on_taken *on_taken, void *arg, uint64_t token)
{
    if (in->link.n > SMS_LINK_MAX || in->from.n > SMS_PARTY_MAX || in->to.n > SMS_PARTY_MAX ||
        in->message_id.n > ID_MAX || in->part.data.n > SMS_DATA_MAX || has_nul(in->link) ||
        has_nul(in->from) || has_nul(in->to))
        return ERR_INVALID;
    if (!store_is_writable(m->store))
        return ERR_STORE;
    return in->part.parts > 1 && !part_contradicts_itself(&in->part)
               ? part_take(m, in, home, on_taken, arg, token)
               : whole_message_take(m, book, in, home, on_taken, arg, token);
}
