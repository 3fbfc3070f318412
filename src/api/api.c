/* api: runs the HTTP side: the server, and the thread that opens the store's answers. */
#include "api/api.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/core/access.h"
#include "api/core/hasher.h"
#include "api/core/key_uses.h"
#include "api/core/work.h"
#include "api/routes.h"
#include "api/core/logins.h"
#include "api/http/peers.h"
#include "api/core/sms_fields.h"
#include "api/core/throttle.h"
#include "base/crypto.h"
#include "base/log.h"
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

static struct peers_settings peers_settings_of(const struct api_config *c)
{
    return (struct peers_settings){c->trusted_proxies, c->proxy_header, c->connections_per_address};
}

enum err api_reload(struct api *a, const struct api_config *now, char *why, size_t cap)
{
    const struct peers_settings proxied = peers_settings_of(now);
    rates_set(a->rates, now->rate_per_sec);
    return peers_set(a->peers, &proxied, why, cap);
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
    const struct peers_settings proxied = peers_settings_of(c);
    if ((err = read_sms_fields(a, why, cap)) != OK ||
        (err = peers_new(&proxied, &a->peers, why, cap)) != OK) {
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
