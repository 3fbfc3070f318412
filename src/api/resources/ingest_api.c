/* ingest_api: takes events from another PBX: POST /v1/events with one object or an array of them.
 * All are checked before any is taken, and stored in one transaction: all or none, so that a
 * request that is repeated cannot change the order of a call's events. 202 comes when all are on
 * disk; a refusal names each item that is at fault, a hundred at the most. */
#include <stdio.h>
#include <stdlib.h>

#include "api/core/idempotency.h"
#include "api/resources/handlers.h"
#include "api/core/query.h"

enum { INGEST_MAX = 1000, FAULTS_MAX = 100 };

struct batch { /* one request's events on their way */
    struct request *r;
    size_t n;
    bool many; /* an array came */
    struct {
        char id[EVENT_ID_MAX + 1];
        bool duplicate;
    } item[];
};

static void batch_put_item(struct json_writer *w, const struct batch *b, size_t i)
{
    json_put_str(w, "id", str_of(b->item[i].id));
    json_put_bool(w, "duplicate", b->item[i].duplicate);
}

/* Answers with one object when one was posted. */
static void batch_put_answer(struct batch *b)
{
    struct request *r = b->r;
    struct json_writer w = {&r->http.out, false};
    buf_reset(&r->http.out);
    r->http.status = 202;
    json_obj(&w, NULL);
    if (!b->many)
        batch_put_item(&w, b, 0);
    json_arr(&w, "data");
    for (size_t i = 0; i < b->n; i++) {
        json_obj(&w, NULL);
        batch_put_item(&w, b, i);
        json_end_obj(&w);
    }
    json_end_arr(&w);
    json_end_obj(&w);
}

/* On the answers' thread. */
static void batch_on_stored(void *arg, enum err err, const bool *duplicate, size_t n)
{
    struct batch *b = arg;
    struct request *r = b->r;
    for (size_t i = 0; i < n; i++)
        b->item[i].duplicate = duplicate[i];
    if (err != OK)
        problem_of_err(r, err);
    else if (!r->replayed)
        batch_put_answer(b);
    free(b);
    request_done(r);
}

/* With an Idempotency-Key the answer is part of the transaction. */
static enum err batch_before(void *arg, struct db *db, bool *ret_skip)
{
    return idempotency_before(((struct batch *)arg)->r, db, ret_skip);
}

static enum err batch_after(void *arg, struct db *db, const struct admission *const *t, size_t n)
{
    struct batch *b = arg;
    for (size_t i = 0; i < n; i++)
        b->item[i].duplicate = !admission_is_new(t[i]);
    batch_put_answer(b);
    return idempotency_keep(b->r, db);
}

/* ---- faults ---- */

struct faults {
    struct item_fault *at; /* heap, made for the first */
    size_t n, faulty;      /* kept; all */
};

static enum err fault_add(struct faults *f, size_t index, const struct field_error *fault)
{
    if (!f->at && !(f->at = calloc(FAULTS_MAX, sizeof *f->at)))
        return ERR_NOMEM;
    if (f->n < FAULTS_MAX)
        f->at[f->n++] = (struct item_fault){index, *fault};
    f->faulty++;
    return OK;
}

/* Prepares an item. Its fault is noted, and the other items are still looked at, so that the sender
 * learns of all at once. After the first fault none is prepared any more (*ret stays NULL). */
static enum err item_prepare(struct request *r, const struct json *doc, size_t i, struct faults *f,
                             struct admission **ret, char id[EVENT_ID_MAX + 1])
{
    struct event *made;
    enum err err = event_of_ingest(r->account, doc, clock_wall_ms(), &made, &r->fault);
    if (err == ERR_INVALID)
        return fault_add(f, i, &r->fault);
    if (err != OK)
        return err;
    snprintf(id, EVENT_ID_MAX + 1, "%.*s", STR_FMT(made->id));
    const struct event *e = made;
    if (!f->faulty)
        return admission_new(r->api->c.intake, r->book, &e, NULL, NULL, ret);
    event_drop(&e);
    return OK;
}

static void batch_refuse(struct request *r, enum err err, const struct faults *f)
{
    if (f->faulty)
        problem_items(r, json_kind(r->json) == JSON_IS_ARRAY, f->at, f->n, f->faulty);
    else
        problem_of_err(r, err);
    request_done(r);
}

void events_ingest(struct request *r)
{
    bool many = json_kind(r->json) == JSON_IS_ARRAY;
    size_t n = many ? json_len(r->json) : 1, made = 0;
    struct faults faults = {0};
    enum err err = n >= 1 && n <= INGEST_MAX ? OK : ERR_INVALID;
    struct admission **t = calloc(n ? n : 1, sizeof *t);
    struct batch *b = calloc(1, sizeof *b + n * sizeof b->item[0]);
    if (err != OK)
        r->fault = (struct field_error){"body", "an object, or an array of 1 to 1000 of them"};
    else if (!t || !b)
        err = ERR_NOMEM;
    for (; err == OK && made < n; made++)
        err = item_prepare(r, many ? json_at(r->json, made) : r->json, made, &faults, &t[made],
                           b->item[made].id);
    if (err == OK && faults.faulty)
        err = ERR_INVALID;
    if (err == OK) {
        b->r = r;
        b->many = many;
        b->n = n;
        const struct intake_companion keep = {batch_before, batch_after, b};
        err = intake_batch(r->api->c.intake, t, n, r->idempotency ? &keep : NULL, r->api->home,
                           batch_on_stored, b);
    } /* OK: b and r may be gone now */
    if (err != OK) {
        for (size_t i = 0; t && i < made; i++)
            admission_free(t[i]);
        free(b);
        batch_refuse(r, err, &faults);
    }
    free(faults.at);
    free(t);
}
