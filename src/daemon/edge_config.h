/* What the configuration says about the carriers' edges, SIP and SMPP, as they take it. Pure. */
#pragma once
#include "daemon/config.h"
#include "sip/edge.h"
#include "smpp/edge.h"

/* Fill in what has a key; the rest is the caller's. ret_why for people when a value is not allowed.
 */
MUST_USE enum err edge_config_sip(const struct config *c, struct sip_config *ret, char *ret_why,
                                  size_t why_cap);
MUST_USE enum err edge_config_smpp(const struct config *c, struct smpp_config *ret, char *ret_why,
                                   size_t why_cap);
