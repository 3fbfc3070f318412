/* Writes SIP messages. Values from outside go through the put functions here, which drop CR, LF and
 * NUL, so that no header can be smuggled in. */
#pragma once
#include "net/addr.h"
#include "sip/wire/message.h"

void sip_put_request_line(struct buf *b, struct str method, struct str ruri);
void sip_put_status_line(struct buf *b, int status, struct str reason);
void sip_put(struct buf *b, enum sip_header_id id, struct str value);
void sip_put_named(struct buf *b, struct str name, struct str value);
void sip_putf(struct buf *b, enum sip_header_id id, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Writes Content-Length, the blank line and the body. */
void sip_put_body(struct buf *b, struct str body);
/* Writes a name-addr (§25.1): the name, as name_addr_parse gives it, quoted; "" for none. */
void sip_put_name_addr(struct buf *b, struct str display, struct str uri);
const char *sip_reason(int status); /* "Busy Here"; by class when unknown */

/* Writes the start of a response to `req` (§8.2.6.2): status line, all Vias (the top one with
 * received and rport as RFC 3581 §4 wants, from the source address), From, To (with `to_tag` when
 * it has no tag and to_tag is not empty), Call-ID, CSeq, Record-Routes when `record_route`,
 * Timestamp on 100. The caller adds more headers and ends with sip_put_body. */
void sip_put_reply(struct buf *b, const struct sip_msg *req, const struct addr *source, int status,
                   struct str reason, struct str to_tag, bool record_route);
