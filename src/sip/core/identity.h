/* Who is called and who calls, as the party's INVITE or MESSAGE says (docs/sip.md). Pure. */
#pragma once
#include "sip/core/party.h"
#include "sip/wire/message.h"

enum { CALLER_SIZE = 64, CALLER_NAME_MAX = 512, SHORT_CODE_MAX = 6 };

/* The called number in E.164: Request-URI, P-Called-Party-ID, To … in the party's order.
 * ERR_NOT_FOUND when none of them has one. */
MUST_USE enum err identity_called(const struct sip_msg *invite, const struct party *p,
                                  char ret[NUMBER_SIZE]);
struct caller {
    char id[CALLER_SIZE]; /* E.164, up to six bare digits as sent, "anonymous" or "unknown" */
    struct str name;      /* display name as written; "" */
    char verified;        /* 'n', 't', 'A', 'B', 'C' (see struct call_facts) */
};
/* Who sent a MESSAGE: as a caller, but a short code (up to six bare digits) or an alphanumeric
 * sender stays as it was sent. E.164, what was sent, "anonymous" or "unknown". */
void identity_sender(const struct sip_msg *message, const struct party *p, char ret[CALLER_SIZE]);
/* P-Asserted-Identity and Remote-Party-ID when the party is trusted, then From; Privacy. */
void identity_caller(const struct sip_msg *invite, const struct party *p, struct caller *ret);
