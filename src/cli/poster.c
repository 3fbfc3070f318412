/* poster: sends the daemon's own request (deliver/request, deliver/http/client) to one URL. Any
 * answer counts, whatever its status. Where nobody answers (the program is being restarted) the
 * same event is tried again, so that the order holds and nothing is lost. `sequence` counts each
 * call's events as for an endpoint, from the first that this run saw. */
#include "cli/poster.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "deliver/http/client.h"
#include "deliver/request.h"

enum { TIMEOUT_MS = 15000, AGAIN_MIN_MS = 250, AGAIN_MAX_MS = 5000, CALLS = 1024 };

struct poster {
    struct poster_config c;
    struct guard *guard; /* lets all pass: it is the developer's own URL */
    struct http_client *http;
    struct http_exchange *exchange;
    struct endpoint set;
    struct buf body, headers;
    struct json *doc; /* of the event under way; `event` points into it */
    unsigned attempt;
    int64_t started_us;
    struct timer again;
    struct {
        uint64_t call;
        unsigned count;
    } seen[CALLS];
    struct event event; /* last: it has room for bytes behind it */
};

enum err poster_open(const struct poster_config *c, struct poster **ret)
{
    struct poster *f = calloc(1, sizeof *f);
    if (!f)
        return ERR_NOMEM;
    f->c = *c;
    f->set = (struct endpoint){.format = c->format, .secret = {f->c.secret, ""}};
    buf_init(&f->body, 4 * EVENT_PAYLOAD_MAX);
    buf_init(&f->headers, 16384);
    enum err err = guard_new("0.0.0.0/0,::/0", &f->guard);
    struct http_client_config hc = {.loop = c->loop, .guard = f->guard, .ca_file = c->ca_file};
    if (err == OK)
        err = http_client_new(&hc, &f->http);
    if (err != OK)
        poster_close(f);
    else
        *ret = f;
    return err;
}

void poster_close(struct poster *f)
{
    if (!f)
        return;
    timer_stop(&f->again);
    http_cancel(f->exchange);
    http_client_free(f->http);
    guard_free(f->guard);
    json_free(f->doc);
    buf_fini(&f->body);
    buf_fini(&f->headers);
    free(f);
}

static unsigned call_next_sequence(struct poster *f, struct str call_id)
{
    if (!call_id.n)
        return 0;
    uint64_t call = hash64(call_id);
    size_t at = call % CALLS;
    if (f->seen[at].call != call)
        f->seen[at].count = 0; /* an older call gives its place up */
    f->seen[at].call = call;
    return ++f->seen[at].count;
}

static void post_now(struct poster *f);

static void on_retry_due(struct timer *t)
{
    post_now(t->arg);
}

static bool is_unreached(const struct http_result *r)
{
    return r->status == 0 && (r->err == ERR_UNREACHABLE || r->err == ERR_RESET ||
                              r->err == ERR_DNS || r->err == ERR_TIMEOUT);
}

static void poster_report(struct poster *f, const struct http_result *r)
{
    struct post_outcome told = {.status = r->status,
                                .err = r->err,
                                .detail = r->detail[0] ? r->detail : err_text(r->err),
                                .duration_ms = (clock_mono_us() - f->started_us) / 1000,
                                .attempt = f->attempt,
                                .again = is_unreached(r)};
    if (told.again) {
        unsigned doubled = f->attempt < 6 ? f->attempt - 1 : 5;
        int64_t wait_ms = AGAIN_MIN_MS << doubled;
        loop_timer(f->c.loop, &f->again, wait_ms < AGAIN_MAX_MS ? wait_ms : AGAIN_MAX_MS,
                   on_retry_due, f);
    }
    f->c.on_posted(f->c.arg, &told);
}

static void on_exchange_done(void *arg, const struct http_result *r)
{
    struct poster *f = arg;
    f->exchange = NULL;
    poster_report(f, r);
}

static void post_now(struct poster *f)
{
    f->attempt++;
    f->started_us = clock_mono_us();
    buf_reset(&f->headers);
    request_put_headers(&f->headers, &f->set, &f->event, f->attempt, clock_wall_ms(),
                        buf_str(&f->body));
    struct http_post p = {.url = &f->c.url,
                          .headers = buf_str(&f->headers),
                          .body = buf_str(&f->body),
                          .timeout_ms = TIMEOUT_MS};
    enum err err = f->headers.err;
    if (err == OK)
        err = http_client_post(f->http, &p, on_exchange_done, f, &f->exchange);
    if (err != OK) { /* out of memory or descriptors: as if nobody had answered */
        struct http_result none = {.err = ERR_UNREACHABLE, .detail = err_text(err)};
        poster_report(f, &none);
    }
}

static void on_post_due(struct timer *t)
{
    post_now(t->arg);
}

enum err poster_post(struct poster *f, struct str payload)
{
    struct str id, call_id = {0};
    json_free(f->doc);
    f->doc = NULL;
    f->attempt = 0;
    buf_reset(&f->body);
    enum err err = json_parse(payload, &f->doc, NULL, 0);
    if (err == OK && !json_str(json_get(f->doc, "id"), &id))
        err = ERR_SYNTAX;
    if (err != OK)
        return err;
    (void)json_str(json_get(f->doc, "call_id"), &call_id);
    f->event = (struct event){.id = id};
    err = payload_body(payload, f->c.format, call_next_sequence(f, call_id), f->c.sip_headers,
                       &f->body);
    if (err == OK)
        loop_timer(f->c.loop, &f->again, 0, on_post_due, f); /* callbacks come later */
    return err;
}
