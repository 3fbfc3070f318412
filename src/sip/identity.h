/* Who is called and who calls, as the trunk's INVITE says (docs/sip.md). Pure. */
#pragma once
#include "model/settings.h"
#include "sip/message.h"

enum { CALLER_SIZE = 64, CALLER_NAME_MAX = 128 };

/* The called number in E.164: Request-URI, P-Called-Party-ID, To … in the trunk's order.
 * ERR_NOT_FOUND when none of them has one. */
MUST_USE enum err identity_called(const struct sip_msg *invite, const struct trunk *t,
                                  char ret[NUMBER_SIZE]);
struct caller {
    char id[CALLER_SIZE]; /* E.164, "anonymous" or "unknown" */
    struct str name;      /* display name as written; "" */
    char verified;        /* 'n', 't', 'A', 'B', 'C' (see struct call_facts) */
};
/* P-Asserted-Identity and Remote-Party-ID when the trunk is trusted, then From; Privacy. */
void identity_caller(const struct sip_msg *invite, const struct trunk *t, struct caller *ret);
