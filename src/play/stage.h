/* The stage of the demo: a daemon on a temporary store, set up over its own API. Only play/demo.c
 * uses it. Thread: the main one. */
#pragma once
#include "base/id.h"
#include "cli/client/client.h"
#include "model/number.h"
#include "model/signature.h"
#include "net/addr.h"

struct config;
struct daemon;

struct stage {
    char dir[256], key[ID_SIZE], url[ADDR_TEXT_SIZE + 8];
    char smpp_password[16];
    struct config *config;
    struct daemon *daemon;
    struct secret secret; /* of the endpoint */
};

extern const char stage_number[NUMBER_SIZE]; /* the number that is called and texted */
extern const char stage_system_id[];         /* of the carrier's SMPP link */

/* Makes the folder (in $TMPDIR or /tmp) and starts the daemon: SIP, SMPP and HTTP on loopback, any
 * ports. Prints a failure to stderr; stage_close is due in any case. */
MUST_USE enum err stage_open(struct stage *s);
/* Makes a trunk, an SMPP link for a carrier that binds, the number, and an endpoint at `hook` with
 * control. */
MUST_USE enum err stage_furnish(struct stage *s, const struct addr *hook);
/* Sets the number's only target. */
MUST_USE enum err stage_forward(struct stage *s, struct str sip_uri);
void stage_close(struct stage *s); /* stops the daemon, removes the store */
