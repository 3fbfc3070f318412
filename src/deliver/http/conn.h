/* A connection of the HTTP client, the answer that is read from it, and the pool of idle
 * connections. Inside deliver/http/. */
#pragma once
#include "base/map.h"
#include "deliver/http/client.h"
#include "net/http/response_reader.h"
#include "net/stream.h"

/* An answer of the DNS holds for a minute in all: at most half of it in the resolver's cache, and
 * the rest in the connections made with it, whose age counts from that answer. So each name is
 * judged again within 60 s, however its last use and its TTL fall together. */
enum {
    NAME_AGE_MAX_MS = 60000,
    NAME_CACHED_MAX_MS = 30000,
    CONN_IDLE_MAX_MS = 30000,
    IDLE_PER_KEY = 256, /* as many lanes as an endpoint may have at once */
    IDLE_MAX = 2048,    /* shared out by owner */
    IDLE_FIRST = 16,    /* that an owner may keep, whatever the others keep */
    INTERIM_MAX = 8
};

struct http_answer { /* as far as it has come */
    struct response_reader in;
    uint16_t kept_n;
    char kept[HTTP_BODY_KEPT];
};
void answer_start(struct http_answer *a);
/* Feeds it. A fault of framing behind a status line that came whole completes the answer: that line
 * says how it went, and the connection carries nothing more. Else as response_reader_feed. */
MUST_USE enum err answer_feed(struct http_answer *a, struct str bytes, size_t *ret_rest);

enum { KEY_MAX = 300 };
struct http_conn {
    struct http_client *client;
    struct http_exchange *exchange; /* NULL: idle */
    uint64_t owner;
    struct stream *stream;
    bool open, used;    /* used: it has carried an exchange before this one */
    int64_t name_at_ms; /* mono: when its address was learned */
    char key[KEY_MAX];  /* whose, with which certificates, where: shared by nobody else */
    struct http_conn *next_idle;
    struct timer idle;
    struct http_answer *answer; /* while an exchange is on it */
};
struct idle_list {
    struct http_conn *first;
    size_t n;
    char key[KEY_MAX];
};

struct idle_owner { /* how many an owner has of the idle ones */
    uint64_t owner;
    size_t n;
};

struct http_client {
    struct loop *loop;
    const struct guard *guard;
    struct resolver *resolver;
    const char *ca_file;
    struct tls *tls;               /* of those without certificates of their own */
    struct tls_sessions *sessions; /* by the keys of connections */
    struct map *certified;         /* tls.c's, by endpoint */
    struct client_certificate *certified_newest, *certified_oldest;
    uint64_t certified_made;
    struct map *idle;       /* struct idle_list by key */
    struct map *idle_owner; /* struct idle_owner by owner */
    size_t n_idle;
    struct http_exchange *exchanges; /* all, for free */
};
struct http_conn *pool_find(struct http_client *h, const char *key);
void pool_keep(struct http_conn *c);  /* idle from now, or closed when the pool is full */
void pool_close(struct http_conn *c); /* idle or not */
void pool_clear(struct http_client *h);
/* Gives an endpoint's certificates, counted for the caller; *ret_n is no other endpoint's. */
MUST_USE enum err certified_tls(struct http_client *h, const struct http_post *p, struct tls **ret,
                                uint64_t *ret_n);
void certified_clear(struct http_client *h);
/* client.c's side of a connection */
extern const struct stream_events http_conn_events;
