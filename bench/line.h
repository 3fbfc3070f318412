/* A keep-alive connection to an HTTP server on this machine, with one request under way at a time.
 * Nonblocking, in the epoll of its owner. A fault of the connection ends the process, since no
 * figure after it would mean anything. */
#pragma once
#include "base/buf.h"

struct line {
    int fd, ep;
    struct buf request;   /* the caller's to write, whole; then line_send */
    struct buf answer;    /* head and body as they came */
    size_t written, body; /* body: where it begins in the answer */
    bool wants_room;      /* the kernel took a part of the request */
};

/* epoll returns `who`. */
void line_open(struct line *l, int port, int ep, void *who);
void line_close(struct line *l);
void line_send(struct line *l, void *who);
/* Handles an event of epoll. Returns the status when the answer is whole, 0 before. */
int line_turn(struct line *l, unsigned events, void *who);
struct str line_body(const struct line *l);
