/* privacy: which legs of a call withhold who they are, from the first message that says so to
 * the call's end, and what passes of their messages. Edge's thread. */
#include <stdlib.h>
#include <string.h>

#include "sip/call/call.h"
#include "sip/wire/relayed.h"

void leg_withhold(struct leg *leg, const struct sip_msg *m)
{
    leg->withheld = true;
    if (leg->name != 'a' || !m)
        return;
    if (!leg->secrets)
        leg->secrets = calloc(1, sizeof *leg->secrets); /* without memory they count as unknown */
    if (leg->secrets)
        secrets_read(m, leg->secrets);
}

const struct secrets *leg_hidden(const struct leg *leg)
{
    if (!leg->withheld)
        return NULL;
    return leg->secrets ? leg->secrets : &secrets_unknown;
}

void leg_put_parting(struct leg *leg, struct buf *b, const struct sip_msg *m)
{
    if (privacy_is_wanted(m))
        leg_withhold(leg, m);
    relayed_put_parting(b, m, leg_hidden(leg));
}

void leg_put_relayed(struct leg *leg, struct buf *b, const struct sip_msg *m)
{
    if (privacy_is_wanted(m))
        leg_withhold(leg, m);
    relayed_put(b, m, leg_hidden(leg));
}
