/* A blocking HTTP client for the commands: one request to the daemon's API, over TCP or TLS. */
#pragma once
#include "base/buf.h"

struct client {
    const char *url;     /* "http://127.0.0.1:8080"; its path is ignored */
    const char *key;     /* NULL: none */
    const char *ca_file; /* certificates to trust besides the system's; NULL: none */
};
struct client_answer {
    int status;
    struct buf body;
    const char *why; /* what is wrong with the URL; NULL: nothing */
};
/* `body` absent: none. ERR_INVALID: URL, key or certificates are unusable; ERR_UNREACHABLE,
 * ERR_DNS, ERR_TIMEOUT, ERR_TLS, ERR_SYNTAX … The caller ends ret->body. */
MUST_USE enum err client_request(const struct client *c, const char *method, const char *path,
                                 struct str body, struct client_answer *ret);
/* Escapes text for a path or a query: all but letters, digits and `kept` become %XX. */
void client_put_escaped(struct buf *b, const char *s, const char *kept);
/* Prints on standard error that there was no answer, and why. */
void client_print_failure(const struct client *c, enum err err, const struct client_answer *a);
/* The exit code for an answer: 0 for 2xx. */
int client_exit_code(enum err err, int status);
