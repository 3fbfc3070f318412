/* client: sends one request to the daemon with a fetch on a loop of its own, and waits until it is
 * over. Main thread. */
#include "cli/client/client.h"

#include <stdio.h>
#include <string.h>

#include "base/exit_code.h"
#include "cli/client/fetch.h"

enum { ANSWER_MAX = 64 << 20, HEADERS_MAX = 16384, SILENCE_MS = 30000, TURN_MS = 1000 };

struct answer_wait {
    struct client_answer *answer;
    struct fetch *fetch;
    enum err err;
    bool over;
};

static void on_answer_body(void *arg, struct str bytes)
{
    struct answer_wait *w = arg;
    buf_put_str(&w->answer->body, bytes);
    if (w->answer->body.err != OK)
        fetch_fail(w->fetch, w->answer->body.err);
}

static void on_answer_end(void *arg, enum err why, const char *detail,
                          const struct response_reader *r)
{
    struct answer_wait *w = arg;
    w->err = why;
    w->answer->status = r->status;
    w->over = true;
}

static enum err client_wait(struct loop *l, struct fetch_config *fc, struct answer_wait *w)
{
    fc->loop = l;
    fc->silence_ms = SILENCE_MS;
    fc->on_body = on_answer_body;
    fc->on_end = on_answer_end;
    fc->arg = w;
    enum err err = fetch_start(fc, &w->fetch);
    while (err == OK && !w->over)
        loop_turn(l, TURN_MS);
    fetch_free(w->fetch);
    return err == OK ? w->err : err;
}

enum err client_request(const struct client *c, const char *method, const char *path,
                        struct str body, struct client_answer *ret)
{
    struct url u;
    struct buf headers;
    struct loop *loop = NULL;
    const char *why;
    struct tls_config tc = {.ca_file = c->ca_file};
    struct fetch_config fc = {.url = &u, .method = method, .path = path, .body = body};
    struct answer_wait w = {.answer = ret};
    buf_init(&ret->body, ANSWER_MAX);
    buf_init(&headers, HEADERS_MAX);
    buf_puts(&headers, "Accept: application/json\r\n");
    if (c->key)
        buf_printf(&headers, "Authorization: Bearer %s\r\n", c->key);
    if (body.p)
        buf_puts(&headers, "Content-Type: application/json\r\n");
    fc.headers = buf_str(&headers);
    enum err err = url_parse(str_of(c->url), &u, &why);
    ret->why = err == OK ? NULL : why;
    if (err != OK) /* no server listens on a port that no URL may have */
        err = u.port && url_port_is_bad(u.port) ? ERR_UNREACHABLE : ERR_INVALID;
    if (err == OK)
        err = headers.err;
    if (err == OK && u.https)
        err = tls_new(&tc, &fc.tls);
    if (err == OK)
        err = loop_new(&loop, "client", 16);
    if (err == OK)
        err = client_wait(loop, &fc, &w);
    if (loop)
        loop_free(loop);
    tls_free(fc.tls);
    buf_fini(&headers);
    return err;
}

void client_put_escaped(struct buf *b, const char *s, const char *kept)
{
    for (; *s; s++)
        if ((*s >= '0' && *s <= '9') || ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'z') ||
            strchr(kept, *s))
            buf_putc(b, *s);
        else
            buf_printf(b, "%%%02X", (unsigned char)*s);
}

void client_print_failure(const struct client *c, enum err err, const struct client_answer *a)
{
    if (a->why)
        fprintf(stderr, "hookswitch: --url %s: %s\n", c->url, a->why);
    else
        fprintf(stderr,
                "hookswitch: %s: %s\n  is the daemon running there? (--url or HOOKSWITCH_URL)\n",
                c->url, err_text(err));
}

int client_exit_code(enum err err, int status)
{
    if (err != OK)
        return err == ERR_INVALID ? EXIT_USAGE : EXIT_UNREACHABLE;
    if (status >= 200 && status < 300)
        return 0;
    switch (status) {
    case 401:
    case 403: return EXIT_AUTH;
    case 404: return EXIT_NOT_FOUND;
    case 409:
    case 412: return EXIT_CONFLICT;
    case 400:
    case 405:
    case 413:
    case 422: return EXIT_USAGE;
    default: return 1;
    }
}
