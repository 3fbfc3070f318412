/* post: the body in the endpoint's format, the signature over exactly those bytes, the exchange,
 * the fallback, and what came of it. Callers: attempt.c, early.c. Thread of the courier.
 *
 * Where a call waits for the answer and there is a fallback, the first URL gets half of the call's
 * time, so that the second can still decide (CONTRACT §3). Otherwise an exchange has its own whole
 * timeout, whatever the call does meanwhile: it is a delivery all the same. */
#include "deliver/post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "deliver/request.h"

enum { HEADERS_MAX = 64 * 1024 };

static enum err exchange_start(struct post *p);

struct post *post_new(struct courier *c, uint64_t endpoint, unsigned sequence, unsigned attempt)
{
    struct post *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->courier = c;
    p->endpoint = endpoint;
    p->sequence = sequence;
    p->attempt = attempt;
    p->started_wall_ms = clock_wall_ms();
    p->started_us = clock_mono_us();
    return p;
}

void post_free(struct post *p)
{
    if (!p)
        return;
    http_cancel(p->exchange);
    event_drop(&p->event);
    free(p->body);
    free(p);
}

static void end(struct post *p)
{
    p->done = true;
    p->outcome.duration_ms = (clock_mono_us() - p->started_us) / 1000;
    metric_observe_us(METRIC_ATTEMPT_TIME, clock_mono_us() - p->started_us);
}

void post_fail(struct post *p, enum err err, const char *detail)
{
    p->outcome = (struct outcome){.err = err, .retry_after_sec = -1};
    snprintf(p->outcome.detail, sizeof p->outcome.detail, "%s", detail);
    end(p);
}

bool post_was_unreached(const struct http_result *r)
{
    return r->status == 0 && (r->err == ERR_UNREACHABLE || r->err == ERR_DNS ||
                              r->err == ERR_TIMEOUT || r->err == ERR_TLS || r->err == ERR_RESET);
}

int64_t post_first_of_two_ms(int64_t control_ms)
{
    return control_ms / 2;
}

static bool has_fallback(const struct post *p)
{
    const struct book *book = courier_book(p->courier);
    const struct book_endpoint *ep = book_endpoint(book, p->endpoint);
    return ep && *ep->set->fallback_url;
}

static void tell(const struct post *p, const struct http_result *r)
{
    const struct deliver_config *dc = &p->courier->deliver->c;
    if (p->tell && dc->on_control)
        dc->on_control(dc->control_arg, p->event->call_id, p->endpoint,
                       r->err == OK ? r->status : 0, r->body);
}

/* The store holds text: what is no UTF-8 is shown as ? */
static void keep_body(struct post *p, struct str body)
{
    if (!body.n || !(p->body = malloc(body.n)))
        return;
    for (size_t i = 0, k; i < body.n; i += k ? k : 1) {
        k = str_utf8_at(body, i);
        bool keep = k && (unsigned char)body.p[i];
        for (size_t n = 0; n < (k ? k : 1); n++)
            p->body[p->body_n++] = keep ? body.p[i + n] : '?';
    }
}

static void on_exchange_done(void *arg, const struct http_result *r)
{
    struct post *p = arg;
    p->exchange = NULL;
    if (p->attempt == 1 && p->event->seen_mono_us && r->sent_mono_us)
        metric_observe_us(METRIC_EVENT_TO_REQUEST, r->sent_mono_us - p->event->seen_mono_us);
    if (!p->fallback && post_was_unreached(r) && has_fallback(p)) {
        p->fallback = true;
        if (exchange_start(p) == OK)
            return;
    }
    tell(p, r);
    p->unreached = r->err == ERR_UNREACHABLE || r->err == ERR_DNS ||
                   (r->err == ERR_TIMEOUT && !r->sent_mono_us);
    p->outcome =
        (struct outcome){.status = r->status, .err = r->err, .retry_after_sec = r->retry_after_sec};
    snprintf(p->outcome.detail, sizeof p->outcome.detail, "%s", r->detail);
    keep_body(p, r->body);
    end(p);
    p->on_done(p->arg);
}

/* Both URLs together have the endpoint's one timeout: the first gets half of it where there is a
 * second, or half of what the caller waits if that is less; the second gets what is left. */
static int64_t timeout_ms(const struct post *p, const struct book_endpoint *ep)
{
    int64_t all = ep->set->timeout_ms ? ep->set->timeout_ms : p->courier->deliver->c.timeout_ms;
    int64_t left = all - (clock_mono_us() - p->started_us) / 1000;
    int64_t hurry = p->tell ? post_first_of_two_ms(ep->set->control_timeout_ms) : all;
    if (p->fallback)
        return left > 0 ? left : 1;
    if (!*ep->set->fallback_url)
        return all;
    return hurry < all / 2 ? hurry : all / 2;
}

static enum err send_request(struct post *p, const struct book_endpoint *ep)
{
    struct courier *c = p->courier;
    struct buf body, headers;
    struct url url;
    buf_init(&body, EVENT_PAYLOAD_MAX * 3);
    buf_init(&headers, HEADERS_MAX);
    enum err err =
        url_parse(str_of(p->fallback ? ep->set->fallback_url : ep->set->url), &url, NULL);
    if (err == OK)
        err = payload_body(p->event->payload, ep->set->format, p->sequence, ep->set->sip_headers,
                           &body);
    p->unfit = err_is_final(err);
    if (err == OK)
        request_put_headers(&headers, ep->set, p->event, p->attempt, p->started_wall_ms,
                            buf_str(&body));
    if (err == OK && (err = body.err) == OK && (err = headers.err) == OK) {
        struct http_post hp = {.url = &url,
                               .headers = buf_str(&headers),
                               .body = buf_str(&body),
                               .timeout_ms = timeout_ms(p, ep),
                               .owner = ep->account,
                               .endpoint = ep->n,
                               .ca_pem = ep->set->ca_pem,
                               .cert_pem = ep->set->cert_pem,
                               .key_pem = ep->set->key_pem};
        err = http_client_post(c->http, &hp, on_exchange_done, p, &p->exchange);
    }
    buf_fini(&body);
    buf_fini(&headers);
    return err;
}

static enum err exchange_start(struct post *p)
{
    const struct book *book = courier_book(p->courier);
    const struct book_endpoint *ep = book_endpoint(book, p->endpoint);
    enum err err = ep ? send_request(p, ep) : ERR_NOT_FOUND;
    return err;
}

enum err post_start(struct post *p)
{
    enum err err = exchange_start(p);
    if (err != OK)
        post_fail(p, err, err == ERR_NOT_FOUND ? "the endpoint was deleted" : err_text(err));
    return err;
}
