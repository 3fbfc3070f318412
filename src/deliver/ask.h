/* Puts the questions of calls to URLs that get no delivery (deliver_ask). Inside deliver/. */
#pragma once
#include "deliver/courier.h"

/* deliver_ask. */
MUST_USE enum err question_ask(struct deliver *d, const struct event *e, struct str url,
                               int64_t timeout_ms, uint64_t asked);
void questions_free(struct courier *c);
