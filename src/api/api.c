/* api: the HTTP side as one thing: the server, the thread that opens the store's answers, and the
 * pages that need nobody's key. */
#include "api/api.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/files.h"
#include "api/hasher.h"
#include "api/key_uses.h"
#include "api/resource.h"
#include "api/logins.h"
#include "api/peers.h"
#include "api/sms_fields.h"
#include "api/throttle.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/metrics.h"
#include "hub/endpoint_room.h"
#include "store/cursor_key.h"

static void *answers_main(void *arg)
{
    struct api *a = arg;
    struct mail *batch;
    pthread_setname_np(pthread_self(), "answers");
    while ((batch = mailbox_wait(a->home)))
        mail_open_all(batch);
    return NULL;
}

static enum err read_sms_fields(struct api *a, char *why, size_t cap)
{
    const char *fault = "";
    if (!(a->sms_fields = malloc(sizeof *a->sms_fields)))
        return ERR_NOMEM;
    enum err err = sms_fields_parse(str_of(a->c.sms_fields), a->sms_fields, &fault);
    if (err == ERR_INVALID)
        snprintf(why, cap, "ingest.sms_fields: %s", fault);
    return err;
}

/* The server's memory goes last: threads that have called it may still be on their way out. */
static void parts_free(struct api *a)
{
    hasher_stop(a->hasher); /* of a start that failed */
    server_free(a->server);
    throttle_free(a->throttle);
    key_uses_free(a->key_uses);
    logins_free(a->logins);
    rates_free(a->rates);
    endpoint_room_free(a->endpoint_room);
    peers_free(a->peers);
    mailbox_free(a->home);
    free(a->sms_fields);
    free(a);
}

struct key_job {
    struct store_job job; /* first */
    struct api *api;
};

static enum err key_run(struct store_job *job, struct db *db)
{
    return cursor_key_get(db, ((struct key_job *)job)->api->cursor_key);
}

static enum err start_parts(struct api *a)
{
    _Static_assert((int)CURSOR_KEY_SIZE == (int)CURSOR_KEY_BYTES, "one key");
    struct key_job key = {.job.run = key_run, .api = a};
    enum err err = store_read_now(a->c.store, &key.job);
    if (err == OK)
        err = rates_new(a->c.rate_per_sec, &a->rates);
    if (err == OK)
        err = endpoint_room_new(&a->endpoint_room);
    if (err == OK)
        err = logins_open(a->c.store, &a->logins);
    if (err == OK)
        err = key_uses_new(a->c.store, a->home, &a->key_uses);
    if (err == OK)
        err = throttle_new(&a->throttle);
    return err == OK ? hasher_start(&a->hasher) : err;
}

enum err api_start(const struct api_config *c, struct api **ret, char *why, size_t cap)
{
    struct api *a = calloc(1, sizeof *a);
    enum err err = a ? mailbox_new(&a->home, 1 << 20, NULL, NULL) : ERR_NOMEM;
    if (err != OK) {
        free(a);
        return err;
    }
    a->c = *c;
    if (!a->c.token_hours)
        a->c.token_hours = 24;
    if (c->setup_token)
        credential_hash(str_of(c->setup_token), a->setup_hash);
    a->c.setup_token = NULL;
    if ((err = read_sms_fields(a, why, cap)) != OK ||
        (err = peers_new(c->trusted_proxies, c->proxy_header, c->connections_per_address, &a->peers,
                         why, cap)) != OK) {
        parts_free(a);
        return err;
    }
    struct server_config sc = {.threads = c->threads ? c->threads : 2,
                               .peers = a->peers,
                               .stall_s = (unsigned)((2 * c->heartbeat_ms + 999) / 1000),
                               .request_size = sizeof(struct request),
                               .handle = api_handle,
                               .over = request_over,
                               .refuse = problem_of_refusal,
                               .arg = a};
    err = addr_parse(str_of(c->listen), 8080, &sc.listen);
    if (err == OK)
        err = start_parts(a);
    if (err == OK && pthread_create(&a->answers, NULL, answers_main, a) != 0)
        err = ERR_NOMEM;
    if (err == OK && (err = server_start(&sc, &a->server, why, cap)) != OK) {
        mailbox_close(a->home);
        pthread_join(a->answers, NULL);
    }
    if (err != OK) {
        parts_free(a);
        return err;
    }
    *ret = a;
    return OK;
}

struct addr api_local(const struct api *a)
{
    return server_local(a->server);
}

void api_stop(struct api *a)
{
    if (!a)
        return;
    feed_close(a->c.feed);
    server_stop(a->server);
    key_uses_flush(a->key_uses);
    mailbox_close(a->home);
    pthread_join(a->answers, NULL);
    hasher_stop(a->hasher);
    a->hasher = NULL;
}

void api_free(struct api *a)
{
    if (a)
        parts_free(a);
}

void health_get(struct request *r)
{
    r->http.status = 200;
    buf_puts(&r->http.out, "{\"status\":\"ok\"}");
    request_done(r);
}

/* Ready: what comes in now can be made durable. */
void ready_get(struct request *r)
{
    const struct api_config *c = &r->api->c;
    bool ready = store_is_writable(c->store) && (!c->sip_ready || c->sip_ready(c->arg));
    if (ready) {
        r->http.status = 200;
        buf_puts(&r->http.out, "{\"status\":\"ready\"}");
    } else {
        problem(r, 503, "store_unavailable", "The store cannot write.");
    }
    request_done(r);
}

void metrics_get(struct request *r)
{
    r->http.status = 200;
    r->http.content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_print(&r->http.out);
    request_done(r);
}

void openapi_get(struct request *r)
{
    r->http.status = 200;
    buf_put_str(&r->http.out, file_openapi());
    request_done(r);
}

void home_get(struct request *r)
{
    r->http.status = 200;
    r->http.content_type = "text/html; charset=utf-8";
    buf_puts(&r->http.out,
             "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>hookswitch</title>"
             "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:3em "
             "auto;padding:0 1em}"
             "</style><h1>hookswitch</h1><p>Version " HOOKSWITCH_VERSION
             ". It is running. The dashboard is not here yet; these are:</p><ul>"
             "<li><a href=\"/healthz\">/healthz</a>, <a href=\"/readyz\">/readyz</a></li>"
             "<li><a href=\"/metrics\">/metrics</a></li>"
             "<li>the API under <code>/v1</code>, with a key</li></ul></html>");
    request_done(r);
}

/* ---- the first accounts and key ---- */

struct bootstrap_job {
    struct store_job job; /* first */
    struct books *books;
    const char *key;
    struct setting made[3];
    size_t n;
    char id[3][ID_SIZE], hash[2 * SHA256_SIZE + 1];
    struct buf doc[3], mem;
    uint64_t account;
    bool has_operator;
};

static enum err put(struct bootstrap_job *j, struct db *db, enum setting_kind kind,
                    const char *prefix, struct str key)
{
    struct setting found, *s = &j->made[j->n];
    buf_reset(&j->mem);
    enum err err = setting_get_by_key(db, kind, key, &found, &j->mem);
    if (err == OK && kind == SETTING_ACCOUNT && !j->account)
        j->account = found.n;
    if (err != ERR_NOT_FOUND)
        return err;
    id_new(prefix, j->id[j->n]);
    *s = (struct setting){.kind = kind,
                          .id = str_of(j->id[j->n]),
                          .account = j->account,
                          .key = key,
                          .doc = buf_str(&j->doc[j->n])};
    buf_reset(&j->doc[j->n]);
    if (kind == SETTING_ACCOUNT) {
        struct account a = {0};
        (void)!str_copy(key, a.name, sizeof a.name);
        account_print(&a, &j->doc[j->n]);
    } else {
        struct api_key k = {
            .name = "bootstrap", .read = true, .write = true, .ingest = true, .operator_ = true};
        (void)!str_copy(key, k.hash, sizeof k.hash);
        api_key_print(&k, &j->doc[j->n]);
    }
    s->doc = buf_str(&j->doc[j->n]);
    err = setting_put(db, s);
    if (err == OK && kind == SETTING_ACCOUNT && !j->account)
        j->account = s->n;
    j->n += err == OK;
    return err;
}

static enum err bootstrap_run(struct store_job *job, struct db *db)
{
    struct bootstrap_job *j = (struct bootstrap_job *)job;
    j->n = 0;
    j->account = 0;
    enum err err = put(j, db, SETTING_ACCOUNT, "acc", STR("default"));
    if (err == OK)
        err = put(j, db, SETTING_ACCOUNT, "acc", STR("pool"));
    if (err == OK && j->key[0])
        err = put(j, db, SETTING_KEY, "key", str_of(j->hash));
    return err == OK ? operator_exists(db, &j->has_operator) : err;
}

static void bootstrap_committed(struct store_job *job)
{
    struct bootstrap_job *j = (struct bootstrap_job *)job;
    for (size_t i = 0; i < j->n; i++)
        books_changed(j->books, &j->made[i], false);
}

enum err api_bootstrap(struct store *s, struct books *b, const char *admin_key,
                       bool *ret_has_operator)
{
    uint8_t sum[SHA256_SIZE];
    struct buf hex;
    struct bootstrap_job j = {.job = {.run = bootstrap_run, .committed = bootstrap_committed},
                              .books = b,
                              .key = admin_key};
    crypto_sha256(str_of(admin_key), sum);
    buf_wrap(&hex, j.hash, sizeof j.hash - 1);
    buf_put_hex(&hex, str_of_bytes(sum, sizeof sum));
    for (size_t i = 0; i < 3; i++)
        buf_init(&j.doc[i], 65536);
    buf_init(&j.mem, 1 << 20);
    enum err err = store_write_now(s, &j.job);
    for (size_t i = 0; i < 3; i++)
        buf_fini(&j.doc[i]);
    buf_fini(&j.mem);
    *ret_has_operator = j.has_operator;
    return err;
}
