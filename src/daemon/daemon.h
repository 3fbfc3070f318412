/* Builds the parts of the daemon, wires them, runs them and stops them. Used by `serve` and
 * `demo`; no other file knows all parts. */
#pragma once
#include "daemon/config.h"
#include "net/addr.h"

struct daemon;

/* Starts everything that the configuration names. ret_why says for people why it failed. */
MUST_USE enum err daemon_start(const struct config *c, struct daemon **ret, char *ret_why,
                               size_t why_cap);
/* Refuses new calls and messages, and lets those under way go on for at most `drain_ms`; then ends
 * all threads and closes the store. Below 0: nothing is waited for. NULL-safe. */
void daemon_stop(struct daemon *d, int64_t drain_ms);
/* Takes from `now` the keys that may change while it runs: the allow lists, the
 * API's rate and its proxies. Main thread. */
void daemon_reload(struct daemon *d, const struct config *now);
struct addr daemon_http(const struct daemon *d);
const char *daemon_setup_token(const struct daemon *d); /* "": there is an operator already */
struct addr daemon_sip(const struct daemon *d, size_t listen); /* family 0 when there is none */
struct addr daemon_smpp(const struct daemon *d);               /* the same */

/* `hookswitch serve`: runs until SIGTERM or SIGINT; the process's exit code. */
int serve_run(int argc, char **argv);
