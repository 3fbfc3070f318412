/* tls_session: keeps sessions that a client may resume, which saves most of a handshake. The
 * caller's key names owner, certificates, host and port, so that no session is used for another. A
 * resumed handshake shows no certificate, so a session and its successors end ten minutes after the
 * certificate was last seen, whatever lifetime the server gives.
 *
 * When it is full, the least recently used session is dropped. One loop. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "net/tls_openssl.h"

enum { SESSIONS_MAX = 1024, VERIFIED_MAX_MS = 600000 };

struct session_entry {
    char *key;
    SSL_SESSION *session;
    int64_t verified_ms;
    struct session_entry *newer, *older;
};

struct tls_sessions {
    struct map *by_key;
    struct session_entry *newest, *oldest;
};

enum err tls_sessions_new(struct tls_sessions **ret)
{
    struct tls_sessions *s = calloc(1, sizeof *s);
    if (!s || !(s->by_key = map_new())) {
        free(s);
        return ERR_NOMEM;
    }
    *ret = s;
    return OK;
}

static void session_unlink(struct tls_sessions *s, struct session_entry *k)
{
    *(k->newer ? &k->newer->older : &s->newest) = k->older;
    *(k->older ? &k->older->newer : &s->oldest) = k->newer;
}

static void session_link_newest(struct tls_sessions *s, struct session_entry *k)
{
    k->newer = NULL;
    k->older = s->newest;
    *(s->newest ? &s->newest->newer : &s->oldest) = k;
    s->newest = k;
}

static void session_drop(struct tls_sessions *s, struct session_entry *k)
{
    session_unlink(s, k);
    map_remove(s->by_key, str_of(k->key));
    SSL_SESSION_free(k->session);
    free(k->key);
    free(k);
}

void tls_sessions_free(struct tls_sessions *s)
{
    if (!s)
        return;
    while (s->newest)
        session_drop(s, s->newest);
    map_free(s->by_key);
    free(s);
}

SSL_SESSION *tls_sessions_get(struct tls_sessions *s, struct str key, int64_t *ret_verified_ms)
{
    struct session_entry *k = map_get(s->by_key, key);
    if (!k)
        return NULL;
    if (clock_mono_ms() - k->verified_ms > VERIFIED_MAX_MS ||
        !SSL_SESSION_is_resumable(k->session)) {
        session_drop(s, k);
        return NULL;
    }
    session_unlink(s, k);
    session_link_newest(s, k);
    *ret_verified_ms = k->verified_ms;
    return k->session;
}

bool tls_sessions_put(struct tls_sessions *s, struct str key, SSL_SESSION *session,
                      int64_t verified_ms)
{
    tls_sessions_drop(s, key);
    struct session_entry *k = calloc(1, sizeof *k);
    if (!k || !(k->key = str_dup(key)) || map_put(s->by_key, str_of(k->key), k, NULL) != OK) {
        if (k)
            free(k->key);
        free(k);
        return false;
    }
    k->session = session;
    k->verified_ms = verified_ms;
    session_link_newest(s, k);
    if (map_count(s->by_key) > SESSIONS_MAX)
        session_drop(s, s->oldest);
    return true;
}

void tls_sessions_drop(struct tls_sessions *s, struct str key)
{
    struct session_entry *k = map_get(s->by_key, key);
    if (k)
        session_drop(s, k);
}
