/* kit_posts: implements deliver/http/client.h without a network: keeps each POST until the test
 * answers it. */
#include <stdlib.h>

#include "base/clock.h"
#include "deliver_kit_own.h"

enum { POSTS_MAX = 1 << 16 };

struct http_client {
    int unused;
};
struct http_exchange {
    http_on_done *on_done;
    void *arg;
    struct kit_post *post;
    struct kit_knock *knock; /* instead of a post */
};

static struct kit_knock knocks[POSTS_MAX];
static size_t n_knocks;

static struct kit_post posts[POSTS_MAX];
static size_t n_posts;

enum err http_client_new(const struct http_client_config *c, struct http_client **ret)
{
    *ret = calloc(1, sizeof **ret);
    return *ret ? OK : ERR_NOMEM;
}

void http_client_free(struct http_client *h)
{
    free(h);
}

static struct str post_header(struct str headers, const char *name)
{
    struct str line, key;
    while (str_cut(headers, '\n', &line, &headers))
        if (str_cut(line, ':', &key, &line) && str_eq(key, str_of(name)))
            return str_trim(line);
    return STR("");
}

enum err http_client_post(struct http_client *h, const struct http_post *p, http_on_done *on_done,
                          void *arg, struct http_exchange **ret)
{
    struct http_exchange *x = calloc(1, sizeof *x);
    uint64_t attempt = 0;
    assert_non_null(x);
    assert_true(n_posts < POSTS_MAX);
    struct kit_post *k = &posts[n_posts++];
    *k = (struct kit_post){
        .endpoint = p->endpoint, .at_ms = clock_mono_ms(), .open = true, .exchange = x};
    assert_ok(str_copy(post_header(p->headers, "webhook-id"), k->id, sizeof k->id));
    assert_ok(str_to_u64(post_header(p->headers, "webhook-attempt"), 1000, &attempt));
    k->attempt = (unsigned)attempt;
    snprintf(k->url, sizeof k->url, "%.60s%.64s", p->url->host, p->url->target);
    *x = (struct http_exchange){on_done, arg, k, NULL};
    *ret = x;
    return OK;
}

enum err http_client_knock(struct http_client *h, const struct url *url, int64_t timeout_ms,
                           http_on_done *on_done, void *arg, struct http_exchange **ret)
{
    struct http_exchange *x = calloc(1, sizeof *x);
    assert_non_null(x);
    assert_true(n_knocks < POSTS_MAX);
    struct kit_knock *k = &knocks[n_knocks++];
    *k = (struct kit_knock){clock_mono_ms(), true, x};
    *x = (struct http_exchange){on_done, arg, NULL, k};
    *ret = x;
    return OK;
}

void http_cancel(struct http_exchange *x)
{
    if (x)
        *(x->post ? &x->post->open : &x->knock->open) = false;
    free(x);
}

size_t http_client_idle(const struct http_client *h)
{
    return 0;
}

/* ---- for the test ---- */

void kit_posts_reset(void)
{
    n_posts = n_knocks = 0;
}

size_t post_count(void)
{
    return n_posts;
}

size_t post_count_open(void)
{
    size_t n = 0;
    for (size_t i = 0; i < n_posts; i++)
        n += posts[i].open;
    return n;
}

struct kit_post *post_at(size_t i)
{
    assert_true(i < n_posts);
    return &posts[i];
}

struct kit_post *post_open(uint64_t endpoint, const char *id)
{
    for (size_t i = n_posts; i-- > 0;)
        if (posts[i].open && posts[i].endpoint == endpoint && !strcmp(posts[i].id, id))
            return &posts[i];
    return NULL;
}

struct kit_post *post_last_open(void)
{
    for (size_t i = n_posts; i-- > 0;)
        if (posts[i].open)
            return &posts[i];
    return NULL;
}

static void post_end(struct kit_post *p, enum err err, int status, const char *body,
                     const char *detail)
{
    assert_non_null(p);
    assert_true(p->open);
    struct http_exchange *x = p->exchange;
    const struct http_result r = {.err = err,
                                  .status = status,
                                  .retry_after_sec = -1,
                                  .sent_mono_us = clock_mono_us(),
                                  .body = str_of(body),
                                  .detail = detail};
    p->open = false;
    x->on_done(x->arg, &r);
    free(x);
    deliver_kit_turn();
}

size_t knock_count(void)
{
    return n_knocks;
}

struct kit_knock *knock_last_open(void)
{
    return n_knocks && knocks[n_knocks - 1].open ? &knocks[n_knocks - 1] : NULL;
}

void knock_end(struct kit_knock *k, enum err err)
{
    assert_non_null(k);
    struct http_exchange *x = k->exchange;
    const struct http_result r = {.err = err, .retry_after_sec = -1, .detail = ""};
    k->open = false;
    x->on_done(x->arg, &r);
    free(x);
    deliver_kit_turn();
}

void post_reply_body(struct kit_post *p, int status, const char *body)
{
    post_end(p, status ? OK : ERR_UNREACHABLE, status, body, status ? "" : "refused");
}

void post_reply(struct kit_post *p, int status)
{
    post_reply_body(p, status, "");
}

void post_fail_with(struct kit_post *p, enum err err)
{
    post_end(p, err, 0, "", err_text(err));
}
