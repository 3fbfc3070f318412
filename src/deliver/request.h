/* Writes the head of a webhook: the headers that every POST has (Standard Webhooks 1.0). */
#pragma once
#include "model/event.h"
#include "model/settings.h"

/* Writes the lines of a signed request, without Host and Content-Length. It uses the secrets, the
 * format and the headers of `ep`. */
void request_put_headers(struct buf *b, const struct endpoint *ep, const struct event *e,
                         unsigned attempt, int64_t now_ms, struct str body);
