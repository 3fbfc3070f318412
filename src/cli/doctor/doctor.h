/* `hookswitch doctor`: finds what on this machine would keep the daemon from its promises, before
 * it happens. Reads the configuration of the daemon; changes nothing. */
#pragma once
#include <stdbool.h>

#include "daemon/config.h"

int doctor_run(int argc, char **argv); /* exit code: 0, or 1 when something FAILs */

/* Inside cli/doctor: findings, and the checks that make them. */
enum finding { FINDING_OK, FINDING_WARN, FINDING_FAIL };
struct doctor {
    const struct config *config;
    const char *sip_peer; /* host[:port] of a SIP server to ask, NULL: none */
    const char *host;     /* a name to resolve */
    bool json;
    unsigned count[3];
};
/* `what` is one word. The rest says the finding and, for WARN and FAIL, the remedy. */
void doctor_say(struct doctor *d, enum finding f, const char *what, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void doctor_disk(struct doctor *d);
void doctor_network(struct doctor *d);
void doctor_sip_alg(struct doctor *d);
void doctor_reach(struct doctor *d);
