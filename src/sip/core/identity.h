/* Who is called and who calls, as the trunk's INVITE or MESSAGE says (docs/sip.md). Pure. */
#pragma once
#include "model/settings.h"
#include "sip/wire/message.h"

enum { CALLER_SIZE = 64, CALLER_NAME_MAX = 128, SHORT_CODE_MAX = 6 };

/* The called number in E.164: Request-URI, P-Called-Party-ID, To … in the trunk's order.
 * ERR_NOT_FOUND when none of them has one. */
MUST_USE enum err identity_called(const struct sip_msg *invite, const struct trunk *t,
                                  char ret[NUMBER_SIZE]);
struct caller {
    char id[CALLER_SIZE]; /* E.164, "anonymous" or "unknown" */
    struct str name;      /* display name as written; "" */
    char verified;        /* 'n', 't', 'A', 'B', 'C' (see struct call_facts) */
};
/* Who sent a MESSAGE: as a caller, but a short code (up to six bare digits) or an alphanumeric
 * sender stays as it was sent. E.164, what was sent, "anonymous" or "unknown". */
void identity_sender(const struct sip_msg *message, const struct trunk *t, char ret[CALLER_SIZE]);
/* P-Asserted-Identity and Remote-Party-ID when the trunk is trusted, then From; Privacy. */
void identity_caller(const struct sip_msg *invite, const struct trunk *t, struct caller *ret);
