/* tls: the certificates of endpoints that have their own, made ready once and kept: the least
 * recently used of 256 makes room. Made anew when the texts change; each making has a number of its
 * own, which is part of a connection's key, so that what was connected under other certificates is
 * not used again. Thread of the loop. */
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "deliver/http/conn.h"

enum { CERTIFIED_MAX = 256, TEXTS = 3 };

struct client_certificate {
    uint64_t endpoint;
    char *text[TEXTS]; /* as they were when tls was made */
    struct tls *tls;
    uint64_t n; /* which making */
    struct client_certificate *newer, *older;
};

static void leave(struct http_client *h, struct client_certificate *c)
{
    *(c->newer ? &c->newer->older : &h->certified_newest) = c->older;
    *(c->older ? &c->older->newer : &h->certified_oldest) = c->newer;
}

static void enter(struct http_client *h, struct client_certificate *c)
{
    c->newer = NULL;
    c->older = h->certified_newest;
    *(c->older ? &c->older->newer : &h->certified_oldest) = c;
    h->certified_newest = c;
}

static void drop(struct http_client *h, struct client_certificate *c)
{
    leave(h, c);
    map_remove(h->certified, str_of_u64(&c->endpoint));
    for (size_t i = 0; i < TEXTS; i++) {
        if (c->text[i])
            crypto_wipe(c->text[i], strlen(c->text[i]));
        free(c->text[i]);
    }
    tls_free(c->tls);
    free(c);
}

static bool same(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static enum err make(struct http_client *h, const struct http_post *p,
                     struct client_certificate **ret)
{
    const char *const text[TEXTS] = {p->ca_pem, p->cert_pem, p->key_pem};
    struct tls_config tc = {.ca_file = p->ca_pem ? NULL : h->ca_file,
                            .ca_pem = str_of(p->ca_pem),
                            .cert_pem = str_of(p->cert_pem),
                            .key_pem = str_of(p->key_pem)};
    struct client_certificate *c = calloc(1, sizeof *c);
    bool ok = c != NULL;
    if (!ok)
        return ERR_NOMEM;
    c->endpoint = p->endpoint;
    enter(h, c);
    for (size_t i = 0; i < TEXTS; i++)
        ok &= !text[i] || (c->text[i] = str_dup(str_of(text[i]))) != NULL;
    enum err err = ok ? tls_new(&tc, &c->tls) : ERR_NOMEM;
    if (err == OK)
        err = map_put(h->certified, str_of_u64(&c->endpoint), c, NULL);
    if (err != OK) {
        drop(h, c);
        return err;
    }
    c->n = ++h->certified_made;
    if (map_count(h->certified) > CERTIFIED_MAX)
        drop(h, h->certified_oldest);
    *ret = c;
    return OK;
}

enum err certified_tls(struct http_client *h, const struct http_post *p, struct tls **ret,
                       uint64_t *ret_n)
{
    struct client_certificate *c = map_get(h->certified, str_of_u64(&p->endpoint));
    if (c && !(same(c->text[0], p->ca_pem) && same(c->text[1], p->cert_pem) &&
               same(c->text[2], p->key_pem))) {
        drop(h, c);
        c = NULL;
    }
    if (c) {
        leave(h, c);
        enter(h, c);
    } else {
        enum err err = make(h, p, &c);
        if (err != OK)
            return err;
    }
    *ret = tls_hold(c->tls);
    *ret_n = c->n;
    return OK;
}

void certified_clear(struct http_client *h)
{
    while (h->certified_newest)
        drop(h, h->certified_newest);
}
