/* ask: a question to a target of type webhook: the call's incoming_call as the body, one try, and
 * the answer goes to whoever routes the call. It is not a delivery and leaves no row; the endpoints
 * get theirs as usual. Thread of a courier. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "deliver/courier.h"

struct question {
    struct mail mail;
    struct courier *courier;
    const struct event *event;
    int64_t timeout_ms;
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
    event_drop(&q->event);
    free(q);
}

static void answer(struct question *q, int status, struct str body)
{
    const struct deliver_config *dc = &q->courier->deliver->c;
    if (dc->on_control)
        dc->on_control(dc->control_arg, q->event->call_id, status, body);
    question_free(q);
}

static void on_done(void *arg, const struct http_result *r)
{
    answer(arg, r->err == OK ? r->status : 0, r->body);
}

/* The account's endpoint with this very URL: its format and secret are what the receiver expects.
 */
static const struct book_endpoint *endpoint_of(const struct book *book, const struct question *q)
{
    size_t n;
    const struct book_endpoint *const *all = book_endpoints(book, q->event->account, &n);
    for (size_t i = 0; i < n; i++)
        if (!strcmp(all[i]->set->url, q->url))
            return all[i];
    return NULL;
}

static enum err ask(struct question *q)
{
    struct courier *c = q->courier;
    const struct book *book = book_take(c->deliver->c.books);
    const struct book_endpoint *ep = endpoint_of(book, q);
    struct url url;
    struct buf body, headers;
    buf_init(&body, EVENT_PAYLOAD_MAX * 3);
    buf_init(&headers, 65536);
    enum err err = url_parse(str_of(q->url), &url, NULL);
    if (err == OK)
        err = payload_body(q->event->payload, ep ? ep->set->format : BODY_JSON, 0,
                           ep && ep->set->sip_headers, &body);
    if (ep)
        request_put_headers(&headers, ep, q->event, 1, clock_wall_ms(), buf_str(&body));
    else
        buf_printf(&headers,
                   "Content-Type: application/json\r\nUser-Agent: hookswitch/" HOOKSWITCH_VERSION
                   "\r\nwebhook-id: %.*s\r\nwebhook-attempt: 1\r\n",
                   STR_FMT(q->event->id));
    if (err == OK && (err = headers.err) == OK) {
        struct http_post p = {.url = &url,
                              .headers = buf_str(&headers),
                              .body = buf_str(&body),
                              .timeout_ms = q->timeout_ms,
                              .owner = q->event->account};
        err = http_client_post(c->http, &p, on_done, q, &q->exchange);
    }
    buf_fini(&body);
    buf_fini(&headers);
    book_drop(&book);
    return err;
}

static void on_question(struct mail *m)
{
    struct question *q = (struct question *)m;
    q->next = q->courier->questions;
    q->link = &q->courier->questions;
    if (q->next)
        q->next->link = &q->next;
    q->courier->questions = q;
    if (q->courier->stopping || ask(q) != OK)
        answer(q, 0, (struct str){0});
}

void questions_free(struct courier *c)
{
    while (c->questions) {
        http_cancel(c->questions->exchange);
        question_free(c->questions);
    }
}

enum err deliver_ask(struct deliver *d, const struct event *e, struct str url, int64_t timeout_ms)
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
    loop_post_answer(q->courier->loop, &q->mail);
    return OK;
}
