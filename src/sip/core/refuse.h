/* What we cannot serve, whoever is called. Edge's thread. */
#pragma once
#include "sip/core/core.h"

/* A foreign scheme, no hops left, unknown extensions. True when it was refused. */
bool core_refuse_request(struct sip_core *core, const struct sip_msg *m, const struct path *from);
/* Within a call: a method that no dialog has, unknown extensions. */
bool core_refuse_within(struct sip_core *core, const struct sip_msg *m, const struct path *from);
/* The first, and a body that no call has. */
bool core_refuse_message(struct sip_core *core, const struct sip_msg *m, const struct path *from);
