/* Which methods come across from one leg to the other: Allow on either leg names these alone, since
 * another would promise what we refuse (RFC 3261 §20.5). SUBSCRIBE is none of them: within a call only
 * the asker of a REFER refreshes its subscription by it, and needs no Allow for that. Pure. */
#pragma once
#include "sip/wire/message.h"

bool method_passes(enum sip_method method);
/* False for a method that no dialog has: REGISTER (RFC 3261 §10.2) and PUBLISH (RFC 3903 §4). */
bool method_is_of_dialogs(enum sip_method method);
/* Writes one Allow line with the methods of `value` that pass; nothing when none does. */
void methods_put_allow(struct buf *b, struct str value);
void methods_put_all(struct buf *b); /* the same with each of them: our own Allow */
