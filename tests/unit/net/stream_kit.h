/* What the tests of streams share: a real loop over loopback, one side of a stream that notes what
 * it hears, and a plain socket or another stream on the other side. */
#pragma once
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "base/clock.h"
#include "net/stream.h"

extern struct loop *loop;
extern int listening;  /* a plain socket that listens; -1: closed */
extern struct addr at; /* there */

int stream_kit_begin(void **state);
int stream_kit_end(void **state);

struct side { /* of a stream */
    struct stream *s;
    struct buf got;
    unsigned opened, sent, eofs, ends;
    enum err why;
    char reason[256]; /* of the end */
    bool close_on_bytes, close_on_open, close_on_end;
};
extern const struct stream_events side_events;      /* arg: struct side */
extern const struct stream_events side_half_events; /* the same, with on_eof */
struct side side_new(void);
void side_end(struct side *x); /* closes its stream */
void side_write(struct side *x, struct str bytes);
void side_assert_got(struct side *x, const char *text);

enum { PATIENCE_MS = 20000 };
#define UNTIL(condition)                                                                           \
    for (int64_t give_up_ms = clock_mono_ms() + PATIENCE_MS; !(condition);) {                      \
        if (clock_mono_ms() > give_up_ms)                                                          \
            fail_msg("waited in vain for %s", #condition);                                         \
        loop_turn(loop, 10);                                                                       \
    }
/* Turns in which nothing is expected to happen. */
void idle(void);
