/* Reads the daemon's event stream over TCP or TLS. When the connection is lost it connects again
 * with a growing wait and at the place where it was, so that no event is missed or comes twice.
 * Thread of its loop. */
#pragma once
#include "base/buf.h"
#include "net/loop.h"
#include "net/url.h"

struct stream_client;

enum stream_news {
    STREAM_CONNECTED,
    STREAM_LOST,    /* connects again in `again_ms` */
    STREAM_REFUSED, /* the daemon refused for good: status, and its words in `text` */
};
struct stream_client_config {
    struct loop *loop;
    struct url url;      /* where the API is */
    const char *key;     /* NULL: none */
    const char *path;    /* "/v1/events/stream?…" */
    const char *last_id; /* "": from now on */
    const char *ca_file; /* NULL: the system's certificates */
    void (*on_news)(void *arg, enum stream_news news, int status, int64_t again_ms,
                    struct str text);
    void (*on_event)(void *arg, struct str event, struct str id, struct str data);
    void *arg;
};
/* Strings of the config are borrowed until close; callbacks come later. */
MUST_USE enum err stream_client_open(const struct stream_client_config *c,
                                     struct stream_client **ret);
void stream_client_close(struct stream_client *s); /* not inside its callbacks; NULL-safe */
/* Stops reading, for a caller that cannot take more. */
void stream_client_pause(struct stream_client *s, bool pause);
