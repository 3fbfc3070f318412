/* What a MESSAGE holds: a text, something that is taken and says nothing, or something we refuse.
 * Pure. */
#pragma once
#include "model/sms.h"
#include "sip/wire/message.h"

struct text_body {
    int status;           /* 0: `part` is a text; 200: taken, no event comes of it; else refused */
    const char *reason;   /* of a refusal; NULL: the status' own */
    const char *headers;  /* that the refusal must have, each with CRLF; NULL: none */
    struct sms_part part; /* whole; data points into the message or into `mem` */
};

/* `max`: bytes of body that are taken. `mem`: where a text whose bytes must be turned is written.
 */
void text_body_read(const struct sip_msg *m, size_t max, struct buf *mem, struct text_body *ret);
