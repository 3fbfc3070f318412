/* privacy: which legs of a call withhold who they are, from the first message that says so to
 * the call's end, and what passes of their messages. Edge's thread. */
#include <stdlib.h>
#include <string.h>

#include "sip/call/call.h"
#include "sip/wire/relayed.h"

static uint8_t bit_of(char leg)
{
    return leg == 'a' ? 1 : 2;
}

void call_withhold(struct call *c, char leg, const struct sip_msg *m)
{
    c->withheld |= bit_of(leg);
    if (leg != 'a' || !m)
        return;
    if (!c->secrets)
        c->secrets = calloc(1, sizeof *c->secrets); /* without memory they count as unknown */
    if (c->secrets)
        secrets_read(m, c->secrets);
}

const struct secrets *call_hidden(const struct call *c, char leg)
{
    if (!(c->withheld & bit_of(leg)))
        return NULL;
    return leg == 'a' && c->secrets ? c->secrets : &secrets_unknown;
}

void call_put_relayed(struct call *c, char leg, struct buf *b, const struct sip_msg *m)
{
    if (privacy_is_wanted(m))
        call_withhold(c, leg, m);
    relayed_put(b, m, call_hidden(c, leg));
}
