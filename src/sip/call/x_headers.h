/* The X-* headers of an INVITE that go into its events as sip_header_x_… (docs/api.md). Pure. */
#pragma once
#include "sip/wire/privacy.h"

enum {
    X_HEADERS_MAX = 32,        /* names of one call */
    X_HEADER_NAME_MAX = 64,    /* bytes; a longer one is left out */
    X_HEADER_VALUE_MAX = 1024, /* bytes; the rest is cut off */
};

/* Writes "name\nvalue\n…", names as the events have them ("x_customer"). Headers of one name, and
 * of names that become one ("X-A_B", "X-A-B"), are joined by ", ". Headers of our own
 * (X-Hookswitch-*) are nobody's to send. *ret_cut: something was cut off or left out. */
void x_headers_read(const struct sip_msg *m, const struct secrets *hidden, struct buf *out,
                    bool *ret_cut);
