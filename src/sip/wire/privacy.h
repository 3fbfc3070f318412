/* Decides what others may learn of a party that withholds its identity (RFC 3323, RFC 3325 §7,
 * docs/sip.md). One table says which header of its messages may go to whom; relays, events and
 * traces all ask here. Pure. */
#pragma once
#include "sip/wire/message.h"

enum audience {
    TO_OTHER_LEG, /* the other side of the call */
    TO_EVENTS,    /* sip_header_x_… */
    TO_TRACE,     /* whoever reads the call's trace */
    AUDIENCES
};

/* The party's numbers, by their last digits. No custom header may have them, in whatever form they
 * are written. */
enum { SECRETS_MAX = 6, SECRET_DIGITS = 8 };
struct secrets {
    bool unknown; /* the numbers are not at hand: no custom header leaves */
    uint8_t n;
    char digits[SECRETS_MAX][SECRET_DIGITS + 1];
};
extern const struct secrets secrets_unknown;

/* True when the sender withholds its identity: Privacy: id, user, header; a Remote-Party-ID with
 * privacy. */
bool privacy_is_wanted(const struct sip_msg *m);
/* True when a Remote-Party-ID is about the sender of `m`, not about the other side or a third:
 * party=calling in a request, called in a response, or not said (draft-ietf-sip-privacy-04). */
bool remote_party_is_sender(const struct sip_msg *m, const struct name_addr *id);
/* Adds the numbers in the sender's addresses. */
void secrets_read(const struct sip_msg *m, struct secrets *ret);
/* Adds those of one header's value: From, Contact, P-Asserted-Identity … */
void secrets_add(struct secrets *s, struct str value);
/* Finds the next place in `text` that has one of the numbers: *ret_n bytes at the index; text.n:
 * none. */
size_t secrets_find(const struct secrets *s, struct str text, size_t *ret_n);

enum header_class {
    HEADER_HOP = 1, /* belongs to one hop or one dialog, or is written anew */
    HEADER_PERSON,  /* says who somebody is, or may */
    HEADER_CALL,    /* what the other side must know for the call to work */
    HEADER_CUSTOM,  /* X-*, User-to-User: whatever the sender wants to say */
    HEADER_OURS,    /* X-Hookswitch-*: the daemon's own, believed from nobody */
    HEADER_UNKNOWN,
    HEADER_CLASSES
};
enum header_class header_class_of(enum sip_header_id id, struct str name);
/* True when the header may leave. `hidden` is NULL when its sender withholds nothing. */
bool header_leaves(enum sip_header_id id, struct str name, struct str value, enum audience to,
                   const struct secrets *hidden);
