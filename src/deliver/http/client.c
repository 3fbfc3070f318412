/* client: exchanges: one POST, from the name to the answer. What is under way holds no pointer
 * into its caller; what fails before a byte was answered on a connection that was kept goes once
 * more over a new one, within the same deadline. Thread of the loop. */
#include "deliver/http/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "deliver/http/conn.h"

enum { REQUEST_MAX = 256 * 1024 };

struct http_exchange {
    struct http_client *client;
    struct http_exchange *next, **link;
    http_on_done *on_done;
    void *arg;
    struct url url;
    uint64_t owner;
    struct tls *tls; /* NULL: plain */
    uint64_t tls_n;  /* which certificates; 0: the system's trust and none of ours */
    struct buf request;
    struct lookup *lookup;
    struct resolved at;
    size_t next_address;
    struct http_conn *conn;
    struct timer deadline, fail;
    enum err why; /* of the last address that failed */
    bool again;   /* a kept connection failed us already */
    bool knocks;  /* it is over when the connection is open */
    int64_t sent_mono_us;
    char detail[120];
};

static void connect_next(struct http_exchange *x);

enum err http_client_new(const struct http_client_config *c, struct http_client **ret)
{
    struct http_client *h = calloc(1, sizeof *h);
    struct resolver_config rc = {.servers = c->dns_servers, .ttl_max_ms = NAME_CACHED_MAX_MS};
    struct tls_config tc = {.ca_file = c->ca_file};
    enum err err = h ? OK : ERR_NOMEM;
    if (err != OK)
        return err;
    h->loop = c->loop;
    h->guard = c->guard;
    h->ca_file = c->ca_file;
    if (!(h->idle = map_new()) || !(h->idle_owner = map_new()) || !(h->certified = map_new()))
        err = ERR_NOMEM;
    if (err == OK)
        err = resolver_new(c->loop, &rc, &h->resolver);
    if (err == OK)
        err = tls_new(&tc, &h->tls);
    if (err == OK)
        err = tls_sessions_new(&h->sessions);
    if (err != OK) {
        http_client_free(h);
        return err;
    }
    *ret = h;
    return OK;
}

static void exchange_free(struct http_exchange *x)
{
    timer_stop(&x->deadline);
    timer_stop(&x->fail);
    lookup_cancel(x->lookup);
    if (x->conn)
        pool_close(x->conn);
    buf_fini(&x->request);
    tls_free(x->tls);
    *x->link = x->next;
    if (x->next)
        x->next->link = x->link;
    free(x);
}

void http_client_free(struct http_client *h)
{
    if (!h)
        return;
    while (h->exchanges)
        exchange_free(h->exchanges);
    if (h->idle)
        pool_clear(h);
    map_free(h->idle);
    map_free(h->idle_owner);
    certified_clear(h);
    map_free(h->certified);
    resolver_free(h->resolver);
    tls_sessions_free(h->sessions);
    tls_free(h->tls);
    free(h);
}

void http_cancel(struct http_exchange *x)
{
    if (x)
        exchange_free(x);
}

static void finish(struct http_exchange *x, enum err err)
{
    struct http_conn *c = x->conn;
    struct http_answer *a = c ? c->answer : NULL;
    struct http_result r = {
        .err = err, .retry_after_sec = -1, .sent_mono_us = x->sent_mono_us, .detail = x->detail};
    if (a && (a->in.begun || a->in.complete))
        r.status = a->in.status;
    if (a && err == OK) {
        r.retry_after_sec = response_reader_retry_after_sec(&a->in, clock_wall_ms());
        r.body = str_of_bytes(a->kept, a->kept_n);
    }
    x->on_done(x->arg, &r);
    exchange_free(x);
}

static void say(struct http_exchange *x, const char *what, const struct addr *to, const char *why)
{
    char text[ADDR_TEXT_SIZE];
    addr_print(to, text);
    snprintf(x->detail, sizeof x->detail, "%s %s: %s", what, text, why);
}

static void on_deadline(struct timer *t)
{
    struct http_exchange *x = t->arg;
    const char *doing = x->sent_mono_us ? "no complete answer in time"
                        : x->lookup     ? "the name was not resolved in time"
                                        : "not connected in time";
    snprintf(x->detail, sizeof x->detail, "%s", doing);
    finish(x, ERR_TIMEOUT);
}

static void on_fail(struct timer *t)
{
    struct http_exchange *x = t->arg;
    finish(x, x->why);
}

/* In a turn of its own: on_done never comes before the call that caused it returns. */
static void fail_later(struct http_exchange *x, enum err why)
{
    x->why = why;
    loop_timer(x->client->loop, &x->fail, 0, on_fail, x);
}

static void send_request(struct http_exchange *x)
{
    struct http_conn *c = x->conn;
    c->answer = malloc(sizeof *c->answer);
    if (!c->answer) {
        fail_later(x, ERR_NOMEM);
        return;
    }
    answer_start(c->answer);
    stream_read_at_most(c->stream, HTTP_HEAD_MAX + HTTP_BODY_MAX);
    x->sent_mono_us = clock_mono_us();
    metric_add(c->used ? METRIC_HTTP_REUSES : METRIC_HTTP_CONNECTS, 1);
    enum err err = stream_write(c->stream, buf_str(&x->request));
    if (err != OK)
        fail_later(x, err);
}

static void on_open(struct stream *s, void *arg)
{
    struct http_conn *c = arg;
    c->open = true;
    if (c->exchange->knocks)
        fail_later(c->exchange, OK);
    else
        send_request(c->exchange);
}

static void on_bytes(struct stream *s, void *arg, struct str bytes)
{
    struct http_conn *c = arg;
    struct http_exchange *x = c->exchange;
    size_t rest;
    if (x && x->knocks)
        return;
    if (!x || !c->answer) { /* bytes nobody asked for */
        if (x)
            fail_later(x, ERR_SYNTAX);
        else
            pool_close(c);
        return;
    }
    metric_add(METRIC_HTTP_RECEIVED, (int64_t)bytes.n);
    bool begun = c->answer->in.begun;
    enum err err = answer_feed(c->answer, bytes, &rest);
    if (err != OK) {
        snprintf(x->detail, sizeof x->detail, "%s",
                 err == ERR_TOO_BIG ? "the answer's head is larger than 16 KiB"
                                    : "not an HTTP answer");
        finish(x, err);
        return;
    }
    if (!c->answer->in.complete) {
        if (!begun && c->answer->in.begun) /* the head is there: now for the body alone */
            stream_read_at_most(s, response_reader_body_left(&c->answer->in));
        return;
    }
    if (response_reader_keeps_alive(&c->answer->in) && rest == 0) {
        struct http_answer *a = c->answer;
        struct http_result r = {.status = a->in.status,
                                .retry_after_sec =
                                    response_reader_retry_after_sec(&a->in, clock_wall_ms()),
                                .sent_mono_us = x->sent_mono_us,
                                .body = str_of_bytes(a->kept, a->kept_n),
                                .detail = ""};
        c->answer = NULL; /* the connection goes back before on_done may ask for one */
        x->conn = NULL;
        pool_keep(c);
        x->on_done(x->arg, &r);
        free(a);
        exchange_free(x);
        return;
    }
    finish(x, OK);
}

/* A kept connection that the other side closed meanwhile says nothing about the endpoint. */
static bool try_again(struct http_exchange *x)
{
    struct http_conn *c = x->conn;
    bool unheard = c->used && !x->again && c->answer && !c->answer->in.begun &&
                   c->answer->in.head_bytes == 0 && c->answer->in.interim == 0;
    if (!unheard)
        return false;
    x->again = true;
    x->conn = NULL;
    x->sent_mono_us = 0;
    timer_stop(&x->fail);
    pool_close(c);
    return true;
}

static void resolve(struct http_exchange *x);

static void on_end(struct stream *s, void *arg, enum err why)
{
    struct http_conn *c = arg;
    struct http_exchange *x = c->exchange;
    if (!x) {
        pool_close(c);
        return;
    }
    if (c->answer &&
        (response_reader_end(&c->answer->in) || (why == ERR_TOO_BIG && c->answer->in.begun))) {
        finish(x, OK); /* enough was read to know how it went */
        return;
    }
    if (c->open && try_again(x)) {
        resolve(x);
        return;
    }
    if (why == ERR_CLOSED) /* clean or not, there was no answer */
        why = ERR_RESET;
    const char *tls = stream_tls_error(s);
    struct addr peer = stream_peer(s);
    say(x, c->open ? "connection to" : "connecting to", &peer, *tls ? tls : err_text(why));
    if (c->open) {
        finish(x, why);
        return;
    }
    x->conn = NULL;
    x->why = why;
    pool_close(c);
    connect_next(x);
}

const struct stream_events http_conn_events = {on_open, on_bytes, on_end};

static void key_print(const struct http_exchange *x, char key[KEY_MAX])
{
    snprintf(key, KEY_MAX, "%llu %llu %d %u %s", (unsigned long long)x->owner,
             (unsigned long long)x->tls_n, x->url.https, x->url.port, x->url.host);
}

static void connect_next(struct http_exchange *x)
{
    struct http_client *h = x->client;
    while (x->next_address < x->at.n) {
        const struct addr *to = &x->at.addr[x->next_address++];
        const char *why = "";
        if (url_port_is_bad(to->port)) {
            say(x, "blocked", to, "not a port for the web");
            x->why = ERR_BLOCKED;
            continue;
        }
        if (guard_judge(h->guard, to, &why) != OK) {
            say(x, "blocked", to, why);
            x->why = ERR_BLOCKED;
            continue;
        }
        struct http_conn *c = calloc(1, sizeof *c);
        if (!c) {
            x->why = ERR_NOMEM;
            break;
        }
        *c = (struct http_conn){
            .client = h, .exchange = x, .owner = x->owner, .name_at_ms = x->at.at_ms};
        key_print(x, c->key);
        enum err err = stream_connect(h->loop, to, x->tls, str_of(x->url.host), HTTP_CONNECT_MS,
                                      &http_conn_events, c, &c->stream);
        if (err == OK) {
            stream_read_at_most(c->stream, HTTP_HEAD_MAX + HTTP_BODY_MAX);
            stream_resume(c->stream, h->sessions, str_of(c->key));
            x->conn = c;
            return;
        }
        free(c);
        x->why = err;
        say(x, "connecting to", to, err_text(err));
    }
    fail_later(x, x->why != OK ? x->why : ERR_DNS);
}

static void on_resolved(void *arg, const struct resolved *at)
{
    struct http_exchange *x = arg;
    x->lookup = NULL;
    x->at = *at;
    x->why = at->err;
    if (at->err != OK)
        snprintf(x->detail, sizeof x->detail, "%.80s: %s", x->url.host, err_text(at->err));
    connect_next(x);
}

static void resolve(struct http_exchange *x)
{
    x->next_address = 0;
    if (x->url.host_is_address) {
        x->at = (struct resolved){
            .n = 1, .addr = {x->url.address}, .at_ms = loop_now_ms(x->client->loop)};
        x->at.addr[0].port = x->url.port;
        connect_next(x);
        return;
    }
    enum err err = resolver_host(x->client->resolver, str_of(x->url.host), x->url.port, on_resolved,
                                 x, &x->lookup);
    if (err != OK)
        fail_later(x, err);
}

static enum err request_write(struct http_exchange *x, const struct http_post *p)
{
    struct buf *b = &x->request;
    buf_init(b, REQUEST_MAX);
    buf_puts(b, "POST ");
    buf_puts(b, x->url.target);
    buf_puts(b, " HTTP/1.1\r\nHost: ");
    url_print_authority(&x->url, b);
    buf_puts(b, "\r\n");
    buf_put_str(b, p->headers);
    buf_puts(b, "Content-Length: ");
    buf_put_u64(b, p->body.n);
    buf_puts(b, "\r\n\r\n");
    buf_put_str(b, p->body);
    return b->err;
}

static struct http_exchange *exchange_new(struct http_client *h, const struct url *url,
                                          http_on_done *on_done, void *arg)
{
    struct http_exchange *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->client = h;
    x->on_done = on_done;
    x->arg = arg;
    x->url = *url;
    x->next = h->exchanges;
    x->link = &h->exchanges;
    if (x->next)
        x->next->link = &x->next;
    h->exchanges = x;
    return x;
}

enum err http_client_knock(struct http_client *h, const struct url *url, int64_t timeout_ms,
                           http_on_done *on_done, void *arg, struct http_exchange **ret)
{
    struct http_exchange *x = exchange_new(h, url, on_done, arg);
    if (!x)
        return ERR_NOMEM;
    x->knocks = true;
    loop_timer(h->loop, &x->deadline, timeout_ms, on_deadline, x);
    resolve(x);
    *ret = x;
    return OK;
}

enum err http_client_post(struct http_client *h, const struct http_post *p, http_on_done *on_done,
                          void *arg, struct http_exchange **ret)
{
    char key[KEY_MAX];
    struct http_exchange *x = exchange_new(h, p->url, on_done, arg);
    if (!x)
        return ERR_NOMEM;
    x->owner = p->owner;
    enum err err = request_write(x, p);
    if (err == OK && x->url.https && (p->ca_pem || p->cert_pem))
        err = certified_tls(h, p, &x->tls, &x->tls_n);
    else if (x->url.https)
        x->tls = tls_hold(h->tls);
    if (err != OK) {
        exchange_free(x);
        return err;
    }
    loop_timer(h->loop, &x->deadline, p->timeout_ms, on_deadline, x);
    key_print(x, key);
    x->conn = pool_find(h, key);
    if (x->conn) {
        x->conn->exchange = x;
        send_request(x);
    } else {
        resolve(x);
    }
    *ret = x;
    return OK;
}
