/* idempotency: finds and keeps the one answer of a request and its key. Called on the HTTP server's
 * threads (begin), the store's (look, keep), and the thread that opens the store's answers. */
#include "api/core/idempotency.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/core/problem.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "store/rows/idempotency.h"

enum { KEY_MAX = 255, KEPT_MAX = 1 << 20 };

struct idempotency {
    struct store_job job; /* for a reader's look; first */
    struct request *r;
    request_handler *handle;
    char key[KEY_MAX + 1], fingerprint[ID_SIZE];
    uint8_t seal[SEAL_KEY_SIZE];
    int64_t own_n; /* the row that a run of this request's job wrote; 0: none yet */
    bool is_own;   /* that row is there, from a commit whose answer was lost */
    struct buf mem;
};

void idempotency_free(struct idempotency *k)
{
    if (!k)
        return;
    crypto_wipe(k->seal, sizeof k->seal);
    buf_fini(&k->mem);
    free(k);
}

static bool is_idempotency_key(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~')
            return false;
    return s.n >= 1 && s.n <= KEY_MAX;
}

/* Makes the seal's key from the asker's secret: "Bearer KEY" without the scheme, or a session's
 * cookie. */
static void idempotency_make_seal(const struct request *r, struct idempotency *k)
{
    struct str scheme, credential, given = request_header(r, "Authorization");
    if (!str_cut(given, ' ', &scheme, &credential))
        credential = request_header(r, "Cookie");
    const struct str parts[] = {STR("idempotency\n"), str_of(k->key)};
    crypto_hmac_sha256(str_trim(credential), parts, 2, k->seal);
}

bool idempotency_begin(struct request *r)
{
    struct str key = request_header(r, "Idempotency-Key");
    if (strcmp(r->http.method, "POST") != 0 || !key.p)
        return true;
    if (!is_idempotency_key(key)) {
        problem_field(r, "Idempotency-Key", "1 to 255 visible ASCII characters");
        return false;
    }
    struct idempotency *k = calloc(1, sizeof *k);
    if (!k || str_copy(key, k->key, sizeof k->key) != OK) {
        free(k);
        problem_of_err(r, ERR_NOMEM);
        return false;
    }
    idempotency_make_seal(r, k);
    /* A body may hold a password: with the seal's key in the fingerprint, the store alone does not
     * let anybody try passwords against it. */
    bool secret = str_starts(str_of(r->http.path), STR("/v1/users"));
    const struct str parts[] = {str_of(r->http.method), str_of(r->http.path),
                                buf_str(&r->http.body), str_of_bytes(k->seal, sizeof k->seal)};
    id_derive("req", parts, secret ? 4 : 3, k->fingerprint);
    buf_init(&k->mem, 2 * KEPT_MAX);
    k->r = r;
    r->idempotency = k;
    return true;
}

static enum err idempotency_refuse(struct request *r, const char *why)
{
    r->fault = (struct field_error){0};
    snprintf(r->fault.why, sizeof r->fault.why, "%s", why);
    r->fault_code = "idempotency_key_reused";
    return ERR_INVALID;
}

/* Answers as before; a kept answer is "etag\nlocation\nbody". */
static enum err idempotency_answer_again(struct request *r, const struct kept_answer *a)
{
    struct idempotency *k = r->idempotency;
    struct buf sealed, plain;
    struct str etag, location, rest, body;
    buf_init(&sealed, 2 * KEPT_MAX);
    buf_init(&plain, 2 * KEPT_MAX);
    enum err err = base64_decode(a->answer, &sealed);
    if (err == OK)
        err = sealed_open(buf_str(&sealed), k->seal, str_of(k->fingerprint), &plain);
    if (err == ERR_DENIED) {
        err = idempotency_refuse(r, "This Idempotency-Key was used with another API key.");
    } else if (err == OK) {
        buf_reset(&r->http.out);
        str_cut(buf_str(&plain), '\n', &etag, &rest);
        str_cut(rest, '\n', &location, &body);
        buf_put_str(&r->http.out, body);
        r->http.status = a->status;
        r->replayed = true;
        r->http.more_header = "Idempotent-Replayed: true";
        if (str_copy(etag, r->http.etag, sizeof r->http.etag) != OK ||
            str_copy(location, r->http.location, sizeof r->http.location) != OK)
            err = ERR_BUG;
    }
    if (plain.p)
        crypto_wipe(plain.p, plain.n);
    buf_fini(&plain);
    buf_fini(&sealed);
    return err;
}

enum err idempotency_look(struct request *r, struct db *db, bool *ret_done)
{
    struct idempotency *k = r->idempotency;
    struct kept_answer found;
    *ret_done = r->replayed = false;
    r->http.more_header = NULL;
    if (!k)
        return OK;
    k->is_own = false;
    buf_reset(&k->mem);
    enum err err = kept_answer_get(db, r->account, str_of(k->key), &found, &k->mem);
    if (err != OK)
        return err == ERR_NOT_FOUND ? OK : err;
    *ret_done = true;
    if ((k->is_own = found.n == k->own_n))
        return OK;
    if (!str_eq(found.fingerprint, str_of(k->fingerprint)))
        return idempotency_refuse(r, "This Idempotency-Key was used for another request.");
    return idempotency_answer_again(r, &found);
}

enum err idempotency_keep(struct request *r, struct db *db)
{
    struct idempotency *k = r->idempotency;
    struct buf plain, sealed, text;
    if (!k || k->is_own || r->http.status < 200 || r->http.status > 299)
        return OK;
    buf_init(&plain, KEPT_MAX);
    buf_init(&sealed, 2 * KEPT_MAX);
    buf_init(&text, 2 * KEPT_MAX);
    buf_printf(&plain, "%s\n%s\n", r->http.etag, r->http.location);
    buf_put_str(&plain, buf_str(&r->http.out));
    buf_put_sealed(&sealed, k->seal, str_of(k->fingerprint), buf_str(&plain));
    buf_put_base64(&text, buf_str(&sealed));
    enum err err = plain.err != OK ? plain.err : sealed.err != OK ? sealed.err : text.err;
    const struct kept_answer a = {
        .fingerprint = str_of(k->fingerprint), .status = r->http.status, .answer = buf_str(&text)};
    if (err == OK)
        err = kept_answer_put(db, r->account, str_of(k->key), &a,
                              clock_wall_ms() - clock_moved_ms(), &k->own_n);
    if (plain.p)
        crypto_wipe(plain.p, plain.n);
    buf_fini(&plain);
    buf_fini(&sealed);
    buf_fini(&text);
    return err;
}

enum err idempotency_before(void *request, struct db *db, bool *ret_skip)
{
    struct request *r = request;
    bool done;
    enum err err = idempotency_look(r, db, &done);
    *ret_skip = err == OK && r->replayed; /* intake finds its own rows by itself */
    return err;
}

/* ---- before the handler ---- */

static enum err idempotency_look_run(struct store_job *job, struct db *db)
{
    struct idempotency *k = (struct idempotency *)job;
    bool done;
    return idempotency_look(k->r, db, &done);
}

static void idempotency_look_done(struct store_job *job)
{
    struct idempotency *k = (struct idempotency *)job;
    struct request *r = k->r;
    if (job->err == OK && !r->replayed) {
        k->handle(r);
        return;
    }
    if (job->err != OK)
        problem_of_err(r, job->err);
    request_done(r);
}

void idempotency_handle(struct request *r, request_handler *handle)
{
    struct idempotency *k = r->idempotency;
    k->handle = handle;
    k->job = (struct store_job){.run = idempotency_look_run,
                                .done = idempotency_look_done,
                                .home = r->api->home,
                                .owner = r->account};
    enum err err = store_read(r->api->c.store, &k->job);
    if (err == OK)
        return;
    problem_not_taken(r, err);
    request_done(r);
}
