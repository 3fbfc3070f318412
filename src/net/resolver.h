/* Looks up names by c-ares on a loop: A and AAAA for HTTP, NAPTR/SRV/A/AAAA for SIP (RFC 3263).
 * Answers are kept for their TTL (1 s … ttl_max_ms, failures 5 s), 4,096 names at the most. A
 * literal address is answered in the same way, after the call has returned. */
#pragma once
#include "net/addr.h"
#include "net/loop.h"

struct resolver;
struct lookup; /* a question under way */

enum { RESOLVED_MAX = 16 };
enum sip_transport_hint { RESOLVE_UDP = 1, RESOLVE_TCP = 2, RESOLVE_TLS = 4 };

struct resolved {
    enum err err;  /* OK, ERR_DNS (no such name, servers failed), ERR_TIMEOUT */
    int64_t at_ms; /* mono: when the servers answered, however long ago */
    size_t n;
    struct addr addr[RESOLVED_MAX];  /* in the order to try */
    uint8_t transport[RESOLVED_MAX]; /* one enum sip_transport_hint each (SIP only) */
};
typedef void resolver_on_answer(void *arg, const struct resolved *r);

struct resolver_config {
    const char *servers; /* "127.0.0.1:5353,…"; NULL or "": the system's */
    int64_t timeout_ms;  /* for one question in all; 0: 5,000 */
    int64_t ttl_max_ms;  /* an answer is kept no longer; 0: 60,000 */
};
MUST_USE enum err resolver_new(struct loop *l, const struct resolver_config *c,
                               struct resolver **ret);
void resolver_free(struct resolver *r);
/* *ret stays valid until on_answer, or lookup_cancel. */
MUST_USE enum err resolver_host(struct resolver *r, struct str host, uint16_t port,
                                resolver_on_answer *on_answer, void *arg, struct lookup **ret);
/* RFC 3263 §4: `port` 0 when the URI has none, `transport` 0 when it has none; `sips` limits to
 * TLS. */
MUST_USE enum err resolver_sip(struct resolver *r, struct str host, uint16_t port, int transport,
                               bool sips, resolver_on_answer *on_answer, void *arg,
                               struct lookup **ret);
void lookup_cancel(struct lookup *l); /* NULL-safe; on_answer is not called then */
