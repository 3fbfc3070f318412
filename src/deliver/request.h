/* The head of a webhook (CONTRACT: the headers of every POST, Standard Webhooks 1.0). */
#pragma once
#include "hub/book.h"
#include "model/event.h"

/* The lines of a signed request, without Host and Content-Length. Of `ep` its secrets and its
 * setting's format and headers are looked at. */
void request_put_headers(struct buf *b, const struct book_endpoint *ep, const struct event *e,
                         unsigned attempt, int64_t now_ms, struct str body);
