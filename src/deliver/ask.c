/* ask: asks a target of type webhook, with the call's incoming_call as the body and one attempt.
 * The answer goes to the part that routes the call. A question is no delivery and leaves no row;
 * the endpoints get their deliveries as usual. When the account has an endpoint of this URL, its
 * secret, format and fallback are used; the first URL then gets half of the time. Thread of a
 * courier. */
#include "deliver/ask.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "deliver/post.h"
#include "deliver/request.h"
#include "deliver/tenant.h"

struct question {
    struct mail mail;
    struct courier *courier;
    struct tenant *tenant; /* that it is counted for; NULL: not yet */
    const struct event *event;
    uint64_t asked; /* the asker's own mark */
    int64_t timeout_ms, since_ms;
    bool fallback; /* the second URL is asked */
    struct http_exchange *exchange;
    struct question *next, **link;
    char url[URL_MAX_BYTES + 1];
};

static void question_free(struct question *q)
{
    if (q->link) {
        *q->link = q->next;
        if (q->next)
            q->next->link = q->link;
    }
    if (q->tenant) {
        q->tenant->questions--;
        q->courier->n_questions--;
    }
    event_drop(&q->event);
    free(q);
}

static void answer(struct question *q, int status, struct str body)
{
    const struct deliver_config *dc = &q->courier->deliver->c;
    if (dc->on_control)
        dc->on_control(dc->control_arg, q->event->call_id, q->asked, status, body);
    question_free(q);
}

/* Finds the number's endpoint with this very URL, whose format and secret the receiver expects. */
static const struct book_endpoint *question_endpoint(const struct book *book,
                                                     const struct question *q)
{
    struct book_watchers w = book_watchers(book, q->event->account, q->event->number);
    const struct book_endpoint *ep;
    while ((ep = book_watcher_next(&w)) && strcmp(ep->set->url, q->url) != 0)
        ;
    return ep;
}

static void on_done(void *arg, const struct http_result *r);

static enum err post(struct question *q, const struct book_endpoint *ep)
{
    struct courier *c = q->courier;
    int64_t left = q->timeout_ms - (loop_now_ms(c->loop) - q->since_ms);
    struct url url;
    struct buf body, headers;
    buf_init(&body, EVENT_PAYLOAD_MAX * 3);
    buf_init(&headers, 65536);
    bool two = ep && *ep->set->fallback_url;
    const char *to = two && q->fallback ? ep->set->fallback_url : q->url;
    enum err err = left > 0 ? url_parse(str_of(to), &url, NULL) : ERR_TIMEOUT;
    if (err == OK)
        err = payload_body(q->event->payload, ep ? ep->set->format : BODY_JSON, 0,
                           ep && ep->set->sip_headers, &body);
    if (ep)
        request_put_headers(&headers, ep->set, q->event, 1, clock_wall_ms(), buf_str(&body));
    else
        buf_printf(&headers,
                   "Content-Type: application/json\r\nUser-Agent: hookswitch/" HOOKSWITCH_VERSION
                   "\r\nwebhook-id: %.*s\r\nwebhook-attempt: 1\r\n",
                   STR_FMT(q->event->id));
    if (err == OK && (err = headers.err) == OK) {
        struct http_post p = {.url = &url,
                              .headers = buf_str(&headers),
                              .body = buf_str(&body),
                              .timeout_ms = two && !q->fallback ? post_first_of_two_ms(left) : left,
                              .owner = q->event->account,
                              .endpoint = ep ? ep->n : 0,
                              .ca_pem = ep ? ep->set->ca_pem : NULL,
                              .cert_pem = ep ? ep->set->cert_pem : NULL,
                              .key_pem = ep ? ep->set->key_pem : NULL};
        err = http_client_post(c->http, &p, on_done, q, &q->exchange);
    }
    buf_fini(&body);
    buf_fini(&headers);
    return err;
}

static enum err ask(struct question *q)
{
    const struct book *book = courier_book(q->courier);
    const struct book_endpoint *ep = question_endpoint(book, q);
    enum err err = q->fallback && !(ep && *ep->set->fallback_url) ? ERR_UNREACHABLE : post(q, ep);
    return err;
}

static void on_done(void *arg, const struct http_result *r)
{
    struct question *q = arg;
    q->exchange = NULL;
    if (!q->fallback && post_was_unreached(r)) {
        q->fallback = true;
        if (ask(q) == OK)
            return;
    }
    answer(q, r->err == OK ? r->status : 0, r->body);
}

/* Counts the question in its account's share. False: the account has its share of questions under
 * way, perhaps since its receivers hang, and the call goes on at once. */
static bool question_count(struct question *q)
{
    struct courier *c = q->courier;
    struct tenant *n = tenant_of(c, q->event->account);
    if (!n || !share_allows(&questions_share, n->questions, c->n_questions)) {
        metric_add(METRIC_SHARE_EARLY, n != NULL);
        return false;
    }
    n->questions++;
    c->n_questions++;
    q->tenant = n;
    return true;
}

static void on_question(struct mail *m)
{
    struct question *q = (struct question *)m;
    q->next = q->courier->questions;
    q->link = &q->courier->questions;
    if (q->next)
        q->next->link = &q->next;
    q->courier->questions = q;
    q->since_ms = loop_now_ms(q->courier->loop);
    if (q->courier->stopping || !question_count(q) || ask(q) != OK)
        answer(q, 0, (struct str){0});
}

void questions_free(struct courier *c)
{
    while (c->questions) {
        http_cancel(c->questions->exchange);
        question_free(c->questions);
    }
}

enum err question_ask(struct deliver *d, const struct event *e, struct str url, int64_t timeout_ms,
                      uint64_t asked)
{
    struct question *q = calloc(1, sizeof *q);
    if (!q)
        return ERR_NOMEM;
    enum err err = str_copy(url, q->url, sizeof q->url);
    if (err != OK) {
        free(q);
        return err;
    }
    q->mail.open = on_question;
    q->courier = &d->courier[hash64(e->call_id) % d->n];
    q->event = event_hold(e);
    q->timeout_ms = timeout_ms;
    q->asked = asked;
    loop_post_answer(q->courier->loop, &q->mail);
    return OK;
}
