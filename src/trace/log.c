/* log: runs the thread that writes the trace. A batch of the edge becomes one write: each message
 * is redacted, linked with the call's message before it, and gets its sum. Messages beyond a call's
 * share are left out, with one record that says so.
 *
 * At the start only the newest segment is read before anything is written; the others follow one by
 * one, between batches. Records of this run whose call turns out to have older ones are linked with
 * them then. At last the thread asks the store which of the calls are still there, and forgets
 * those whose rows were deleted right before a crash. */
#include "trace/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "trace/chain.h"

enum {
    NICE = 10,
    OUT_MAX = 2 * TRACE_BATCH_BYTES,
    ASK_CALLS = 200, /* at once */
    MAILS_MAX = TRACE_BATCHES_MAX,
};

struct trace_log {
    struct trace_log_config c;
    struct trace_ring *ring;
    struct trace_index *index;
    struct mailbox *box;
    pthread_t thread;
    bool started;
    struct buf out, redacted;
    /* The start: */
    uint64_t segment[TRACE_SEGMENTS]; /* to be read, the newest first; 0: no more */
    unsigned scanned;
    bool indexed;               /* all were */
    struct trace_read *waiting; /* until then */
    struct trace_id *found;     /* calls that the store may no longer have; NULL: all were asked */
    size_t n_found, asked;
};

static void count_dropped(size_t n)
{
    metric_add(METRIC_TRACE_DROPPED, (int64_t)n);
}

/* ---- writing ---- */

/* Undoes the links of the records in l->out, which were not written. */
static void batch_unwind(struct trace_log *l, uint64_t from)
{
    size_t n = 0;
    for (size_t at = 0; at < l->out.n; n++) {
        const struct trace_record *r = (const void *)(l->out.p + at);
        struct trace_entry *c = trace_index_get(l->index, &r->call);
        if (c && r->before < from)
            c->last = r->before;
        if (c && c->first >= from)
            c->first = 0;
        at += r->size;
    }
    count_dropped(n);
}

static void trace_log_flush(struct trace_log *l)
{
    uint64_t from = trace_ring_at(l->ring);
    if (!l->out.n)
        return;
    enum err err = trace_ring_write(l->ring, buf_str(&l->out));
    if (err != OK) {
        batch_unwind(l, from);
        log_sparse(LOG_WARN, 60000, "trace", "messages are dropped: %s", err_text(err));
    } else {
        metric_add(METRIC_TRACE_BYTES, (int64_t)l->out.n);
    }
    buf_reset(&l->out);
}

/* Makes room for a record of `size` in this segment or the next. */
static bool ring_make_room(struct trace_log *l, size_t size)
{
    uint64_t oldest;
    if (l->out.n + size <= OUT_MAX && l->out.n + size <= trace_ring_left(l->ring))
        return true;
    trace_log_flush(l);
    if (size <= trace_ring_left(l->ring))
        return true;
    enum err err = trace_ring_next(l->ring, &oldest);
    trace_index_evict(l->index, oldest, clock_mono_ms());
    if (err != OK)
        log_sparse(LOG_WARN, 60000, "trace", "messages are dropped: %s",
                   err == ERR_STORE_FULL ? "the disk has too little room besides" : err_text(err));
    return err == OK;
}

static bool record_append(struct trace_log *l, struct trace_entry *c,
                          const struct trace_record *like, struct str message, uint8_t flags)
{
    struct trace_record r = *like;
    struct trace_id id = c->id;
    r.n = (uint32_t)message.n;
    r.size = trace_record_size(r.n);
    r.flags = flags;
    if (!ring_make_room(l, r.size) || !(c = trace_index_make(l->index, &id, clock_mono_ms())))
        return false;
    uint64_t position = trace_ring_at(l->ring) + l->out.n;
    r.segment = trace_ring_number(l->ring);
    r.before = c->last;
    char *p = buf_room(&l->out, r.size);
    if (!p)
        return false;
    memset(p + r.size - 8, 0, 8);
    memcpy(p, &r, sizeof r);
    if (message.n)
        memcpy(p + sizeof r, message.p, message.n);
    struct trace_record *put = (struct trace_record *)(void *)p;
    put->sum = trace_record_sum(put);
    l->out.n += r.size;
    if (!c->first && !c->last && !l->indexed)
        c->first = position;
    c->last = position;
    c->live = true;
    return true;
}

static bool message_keep(struct trace_log *l, const struct trace_record *r)
{
    int64_t now = clock_mono_ms();
    struct trace_entry *c = trace_index_make(l->index, &r->call, now);
    if (!c || c->forgotten_at_ms)
        return false;
    if (!trace_entry_admits(c, r->size, now)) {
        bool first = !c->omits;
        c->omits = true;
        if (first)
            (void)!record_append(l, c, r, STR(""), TRACE_OMITTED);
        return false;
    }
    c->omits = false;
    buf_reset(&l->redacted);
    if (l->c.redact)
        l->c.redact(trace_record_bytes(r), &l->redacted);
    else
        buf_put_str(&l->redacted, trace_record_bytes(r));
    return record_append(l, c, r, str_slice(buf_str(&l->redacted), 0, TRACE_MESSAGE_MAX), 0);
}

static void trace_log_on_batch(struct mail *m)
{
    struct trace_batch *b = (struct trace_batch *)m;
    struct trace_log *l = b->log;
    size_t kept = 0, n = 0;
    for (size_t at = 0; at < b->n; n++) {
        const struct trace_record *r = (const void *)(b->bytes + at);
        kept += message_keep(l, r);
        at += r->size;
    }
    metric_add(METRIC_TRACE_KEPT, (int64_t)kept);
    count_dropped(n - kept);
    trace_log_flush(l);
    free(b);
}

void trace_log_put(struct trace_log *l, struct trace_batch **batch)
{
    struct trace_batch *b = *batch;
    *batch = NULL;
    b->mail.open = trace_log_on_batch;
    b->log = l;
    if (b->n && mailbox_put(l->box, &b->mail) == OK)
        return;
    count_dropped(b->count);
    free(b);
}

/* ---- reading ---- */

static void on_read_done(struct mail *m)
{
    struct trace_read *r = (struct trace_read *)m;
    r->done(r);
}

static void trace_read_end(struct trace_read *r, enum err err)
{
    r->err = err;
    r->mail.open = on_read_done;
    mailbox_put_answer(r->home, &r->mail);
}

static void trace_log_on_read(struct mail *m)
{
    struct trace_read *r = (struct trace_read *)m;
    struct trace_log *l = r->log;
    if (!l->indexed) {
        r->next = l->waiting;
        l->waiting = r;
        return;
    }
    trace_read_end(r, chain_read(l->ring, trace_index_get(l->index, &r->call), r));
}

enum err trace_log_read(struct trace_log *l, struct trace_read *r)
{
    r->mail.open = trace_log_on_read;
    r->log = l;
    r->kept = r->truncated = false;
    buf_init(&r->records, TRACE_READ_BYTES + 2 * TRACE_RECORD_MAX);
    return mailbox_put(l->box, &r->mail);
}

/* ---- forgetting ---- */

static void call_forget(struct trace_log *l, const struct trace_id *id)
{
    int64_t now = clock_mono_ms();
    struct trace_entry *c = trace_index_make(l->index, id, now);
    if (!c)
        return;
    enum err err = chain_blank(l->ring, c);
    if (err != OK)
        log_sparse(LOG_WARN, 60000, "trace", "a message could not be erased: %s", err_text(err));
    trace_index_forget(l->index, c, now);
}

struct forget_mail {
    struct mail mail; /* first */
    struct trace_log *log;
    size_t n;
    struct trace_id call[];
};

static void trace_log_on_forget(struct mail *m)
{
    struct forget_mail *f = (struct forget_mail *)m;
    for (size_t i = 0; i < f->n; i++)
        if (trace_id_is_set(&f->call[i]))
            call_forget(f->log, &f->call[i]);
    free(f);
}

void trace_log_forget(struct trace_log *l, const struct trace_id *call, size_t n)
{
    struct forget_mail *f = n ? malloc(sizeof *f + n * sizeof *call) : NULL;
    if (!f)
        return; /* their rows are gone, which the next start notices */
    f->mail.open = trace_log_on_forget;
    f->log = l;
    f->n = n;
    memcpy(f->call, call, n * sizeof *call);
    mailbox_put_answer(l->box, &f->mail);
}

/* ---- the start ---- */

static void found_call_add(void *arg, uint64_t position, const struct trace_record *rec)
{
    struct trace_log *l = arg;
    struct trace_entry *c = trace_index_make(l->index, &rec->call, clock_mono_ms());
    if (!c)
        return;
    if (c->forgotten_at_ms) {
        (void)!trace_ring_blank(l->ring, position);
    } else if (position > c->last) {
        c->last = position;
        c->found = true;
    } else if (c->first && position < c->first && (!c->linked || c->linked == rec->segment)) {
        /* the last of this segment is its newest before this run */
        c->linked = rec->segment;
        (void)!trace_ring_link(l->ring, c->first, position);
    }
}

static void found_calls_list(struct trace_log *l)
{
    const struct trace_entry *c;
    size_t max = trace_index_count(l->index);
    l->found = l->c.gone && max ? malloc(max * sizeof *l->found) : NULL;
    for (size_t i = 0; l->found && (c = trace_index_next(l->index, &i));)
        if (c->found)
            l->found[l->n_found++] = c->id;
}

static void index_finish(struct trace_log *l)
{
    struct trace_entry *c;
    struct trace_read *r;
    l->indexed = true;
    for (size_t i = 0; (c = trace_index_next(l->index, &i));)
        c->first = 0;
    found_calls_list(l);
    while ((r = l->waiting)) {
        l->waiting = r->next;
        trace_read_end(r, chain_read(l->ring, trace_index_get(l->index, &r->call), r));
    }
}

static void segment_scan_next(struct trace_log *l)
{
    enum err err = OK;
    if (l->scanned < TRACE_SEGMENTS && l->segment[l->scanned])
        err = trace_ring_scan(l->ring, l->segment[l->scanned++], found_call_add, l);
    if (err != OK)
        log_warn("trace", "a segment cannot be read: %s", err_text(err));
    if (l->scanned == TRACE_SEGMENTS || !l->segment[l->scanned])
        index_finish(l);
}

/* Asks about the next of the calls that were found, and forgets those that the store no longer has.
 */
static void found_calls_ask_next(struct trace_log *l)
{
    const struct trace_id *call = l->found + l->asked;
    size_t left = l->n_found - l->asked, n = left < ASK_CALLS ? left : ASK_CALLS;
    bool gone[ASK_CALLS] = {0};
    enum err err = n ? l->c.gone(l->c.gone_arg, call, n, gone) : OK;
    if (err != OK)
        log_warn("trace", "the store could not say which calls were erased: %s", err_text(err));
    for (size_t i = 0; err == OK && i < n; i++) {
        const struct trace_entry *c = trace_index_get(l->index, &call[i]);
        if (gone[i] && c && !c->live)
            call_forget(l, &call[i]);
    }
    l->asked += n;
    if (err == OK && l->asked < l->n_found)
        return;
    free(l->found);
    l->found = NULL;
}

static void *trace_log_run(void *arg)
{
    struct trace_log *l = arg;
    bool closed = false;
    pthread_setname_np(pthread_self(), "trace");
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* this thread alone, below the calls */
    segment_scan_next(l);                            /* where to go on is known from here on */
    while (!l->indexed || (l->found && !closed)) {   /* a scan is ended, for what it links */
        mail_open_all(mailbox_wait_for(l->box, 0, &closed));
        if (!l->indexed)
            segment_scan_next(l);
        else
            found_calls_ask_next(l);
    }
    for (struct mail *batch; (batch = mailbox_wait(l->box));)
        mail_open_all(batch);
    return NULL;
}

enum err trace_log_open(const struct trace_log_config *c, struct trace_log **ret, char *why,
                        size_t cap)
{
    struct trace_log *l = calloc(1, sizeof *l);
    enum err err = l ? OK : ERR_NOMEM;
    snprintf(why, cap, "%s", err_text(ERR_NOMEM));
    if (err != OK)
        return err;
    l->c = *c;
    buf_init(&l->out, OUT_MAX);
    buf_init(&l->redacted, TRACE_RECORD_MAX);
    if (!(l->index = trace_index_new()))
        err = ERR_NOMEM;
    if (err == OK)
        err = mailbox_new(&l->box, MAILS_MAX, NULL, NULL);
    if (err == OK)
        err = trace_ring_open(c->dir, c->bytes, &l->ring, why, cap);
    for (unsigned i = 0; err == OK && i < TRACE_SEGMENTS; i++)
        l->segment[i] = trace_ring_segment(l->ring, i);
    if (err == OK && pthread_create(&l->thread, NULL, trace_log_run, l) != 0)
        err = ERR_NOMEM;
    l->started = err == OK;
    if (err != OK)
        trace_log_close(l);
    else
        *ret = l;
    return err;
}

void trace_log_close(struct trace_log *l)
{
    if (!l)
        return;
    if (l->started) {
        mailbox_close(l->box);
        pthread_join(l->thread, NULL);
    }
    if (l->box)
        mailbox_free(l->box);
    trace_ring_close(l->ring);
    trace_index_free(l->index);
    buf_fini(&l->out);
    buf_fini(&l->redacted);
    free(l->found);
    free(l);
}
