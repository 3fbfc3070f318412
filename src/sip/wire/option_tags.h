/* Which extensions both ends of a call may use through us (RFC 3261 §8.2.2.3, §20.37): one may
 * require them, and only these pass in Supported, since another would promise what does not come
 * across. Pure. */
#pragma once
#include "sip/wire/message.h"

bool option_tag_passes(struct str tag); /* no case */
/* Writes one Supported line with the tags of `value` that pass; nothing when none does. */
void option_tags_put_supported(struct buf *b, struct str value);
