/* row: the text about a call's legs in its row. Each event writes it (store.c); here it is written
 * when something changed without an event, and read when the probe needs what it says. Edge's
 * thread; the jobs run on the store's. */
#include "sip/call/row.h"

#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/log.h"
#include "sip/call/unanswered.h"
#include "store/rows/calls.h"

enum { ROW_MAX = 65536 };

/* The call's token and which start of the daemon wrote it, the caller's dialog, and then the other
 * one and the session, or the INVITEs that wait for an answer. */
void call_put_legs(const struct call *c, bool answered, struct buf *out)
{
    buf_printf(out, "%s %u\n", c->token, c->calls->starts);
    dialog_print(&c->a.dialog, c->core->transport, out);
    if (answered) {
        dialog_print(&c->b.dialog, c->core->transport, out);
        session_print(c, out);
    } else {
        unanswered_print(c, out);
    }
}

struct row_job {
    struct store_job job; /* first */
    struct calls *calls;
    handle call;
    char leg;
    char call_id[ID_SIZE];
    row_session_then *then;
    bool answered;       /* written: in this phase alone */
    struct call_row row; /* read: its texts lie in `mem` */
    struct buf mem;      /* written: the legs */
};

static struct row_job *row_job_new(struct call *c)
{
    struct row_job *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    j->job.home = loop_mailbox(c->core->c.loop);
    j->calls = c->calls;
    j->call = c->self;
    memcpy(j->call_id, c->call_id, sizeof j->call_id);
    buf_init(&j->mem, ROW_MAX);
    return j;
}

static void row_job_free(struct row_job *j)
{
    buf_fini(&j->mem);
    free(j);
}

/* ---- written ---- */

static enum err row_write_run(struct store_job *job, struct db *db)
{
    struct row_job *j = (struct row_job *)job;
    return call_set_legs(db, str_of(j->call_id),
                         j->answered ? CALL_PHASE_ANSWERED : CALL_PHASE_TRYING, buf_str(&j->mem));
}

static void row_on_written(struct store_job *job)
{
    struct row_job *j = (struct row_job *)job;
    struct call *c = pool_at(j->calls->pool, j->call);
    if (c && job->err == OK)
        session_stored(c, j);
    else if (c)
        session_not_stored(c, j);
    row_job_free(j);
}

static void row_write(struct call *c, bool answered)
{
    struct row_job *j = row_job_new(c);
    if (!j)
        return;
    j->job.run = row_write_run;
    j->job.done = row_on_written;
    j->answered = answered;
    call_put_legs(c, answered, &j->mem);
    if (answered)
        session_hand_in(c, j);
    if (j->mem.err == OK && store_write(c->core->c.store, &j->job) == OK)
        return;
    session_not_stored(c, j);
    row_job_free(j);
}

void row_write_session(struct call *c)
{
    if (!session_is_new(c) || !outbox_is_empty(c) || c->state != CALL_UP)
        return; /* behind an event that waits: it is written later */
    row_write(c, true);
}

void row_write_ringing(struct call *c)
{
    if (outbox_is_empty(c))
        row_write(c, false);
}

/* ---- read ---- */

static enum err row_read_run(struct store_job *job, struct db *db)
{
    struct row_job *j = (struct row_job *)job;
    buf_reset(&j->mem);
    return call_get(db, 0, str_of(j->call_id), &j->row, &j->mem);
}

static void row_on_read(struct store_job *job)
{
    struct row_job *j = (struct row_job *)job;
    struct call *c = pool_at(j->calls->pool, j->call);
    struct session_text s;
    struct str text = job->err == OK ? j->row.legs : (struct str){0}, line;
    if (job->err != OK)
        log_sparse(LOG_WARN, 5000, "sip", "%s: its row cannot be read: %s", j->call_id,
                   err_text(job->err));
    str_cut(text, '\n', &line, &text);
    dialog_skip(&text);
    dialog_skip(&text);
    session_parse(text, &s);
    if (c)
        j->then(j->leg == 'a' ? &c->a : &c->b, s.sdp[j->leg - 'a']);
    row_job_free(j);
}

bool row_read_session(struct leg *leg, row_session_then *then)
{
    struct call *c = leg->call;
    struct row_job *j = row_job_new(c);
    if (!j)
        return false;
    j->job.run = row_read_run;
    j->job.done = row_on_read;
    j->leg = leg->name;
    j->then = then;
    if (store_read(c->core->c.store, &j->job) == OK)
        return true;
    row_job_free(j);
    return false;
}
