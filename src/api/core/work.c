/* work: does the store's part of a request. A handler hands in its work and returns; the work runs
 * on the writer or a reader, and the answer leaves on the API's own thread. A write under an
 * Idempotency-Key looks for its answer first and leaves it there, in the same transaction. */
#include "api/core/work.h"

#include "api/core/idempotency.h"
#include "api/core/record.h"
#include "api/core/room.h"

enum { ROOM_MAX = 4 << 20 };

void request_begin(struct request *r, struct api *a)
{
    r->api = a;
    buf_init(&r->mem, ROOM_MAX);
}

void request_over(struct http_request *h)
{
    struct request *r = request_of(h);
    if (r->over)
        r->over(r);
    buf_fini(&r->mem);
    idempotency_free(r->idempotency);
    records_free(r->records);
    json_free(r->json);
    book_drop(&r->book);
    room_free(r);
}

static void request_on_done(struct store_job *job)
{
    struct request *r = (struct request *)((char *)job - offsetof(struct request, job));
    if (r->job.err != OK)
        problem_of_err(r, r->job.err);
    request_done(r);
}

static enum err request_on_run(struct store_job *job, struct db *db)
{
    struct request *r = (struct request *)((char *)job - offsetof(struct request, job));
    bool done = false;
    enum err err = r->writes ? idempotency_look(r, db, &done) : OK;
    if (err != OK || done)
        return err;
    buf_reset(&r->http.out);
    buf_reset(&r->mem);
    r->db = db;
    r->n_audits = 0;
    err = r->work(r, db);
    return err == OK && r->writes ? idempotency_keep(r, db) : err;
}

static void request_on_committed(struct store_job *job)
{
    struct request *r = (struct request *)((char *)job - offsetof(struct request, job));
    if (r->committed && !r->replayed)
        r->committed(r);
}

static void request_submit(struct request *r, enum err (*work)(struct request *, struct db *),
                           enum err (*put)(struct store *, struct store_job *))
{
    r->work = work;
    r->job = (struct store_job){.run = request_on_run,
                                .committed = request_on_committed,
                                .done = request_on_done,
                                .home = r->api->home,
                                .owner = r->account};
    enum err err = put(r->api->c.store, &r->job);
    if (err == OK)
        return;
    problem_not_taken(r, err);
    request_done(r);
}

void request_write(struct request *r, enum err (*work)(struct request *, struct db *),
                   void (*committed)(struct request *))
{
    r->committed = committed;
    r->writes = true;
    request_submit(r, work, store_write);
}

void request_read(struct request *r, enum err (*work)(struct request *, struct db *))
{
    r->writes = false;
    request_submit(r, work, store_read);
}

uint64_t request_scope(const struct request *r)
{
    return r->is_operator ? 0 : r->account;
}

enum err request_account(struct request *r, uint64_t *ret)
{
    struct str name;
    const struct json *v = json_get(r->json, "account");
    *ret = r->account;
    if (!v)
        return OK;
    if (!r->is_operator || !json_str(v, &name))
        return request_refuse(r, "account",
                              "an account's id or name, and the operator alone may give it");
    const struct book_account *a = book_account_named(r->book, name);
    if (!a)
        return request_refuse(r, "account", "an account's id or name");
    *ret = a->n;
    return OK;
}

struct str account_id(const struct request *r, uint64_t n)
{
    const struct book_account *a = book_account(r->book, n);
    return a ? str_of(a->id) : (struct str){0};
}
