/* Which extensions both ends of a call may use through us (RFC 3261 §8.2.2.3, §20.37): one may
 * require them, and only these pass in Supported and Require, since another would promise what does
 * not come across. Pure. */
#pragma once
#include "sip/wire/message.h"

bool option_tag_passes(struct str tag); /* no case */
/* Writes one line of that header with the tags of `value` that pass; nothing when none does. */
void option_tags_put(struct buf *b, enum sip_header_id id, struct str value);
/* Writes one Unsupported line with the tags that a request requires, of us or of proxies, and that do
 * not pass; nothing, and false, when all do. */
bool option_tags_put_unsupported(struct buf *b, const struct sip_msg *m);
