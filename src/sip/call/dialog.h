/* One leg's dialog (RFC 3261 §12): what a request within it is addressed with. Edge's thread. */
#pragma once
#include "sip/txn/blocks.h"
#include "sip/wire/message.h"
#include "sip/wire/token.h"
#include "sip/net/transport.h"

enum { DIALOG_TEXT_MAX = 16384 }; /* bytes of all parts together */

enum dialog_part {
    DIALOG_CALL_ID,
    DIALOG_LOCAL,  /* our From within it, without tag */
    DIALOG_REMOTE, /* our To within it, with the peer's tag */
    DIALOG_TAG,    /* the peer's tag alone */
    DIALOG_TARGET, /* the peer's Contact: our Request-URI */
    DIALOG_ROUTES, /* the route set, "<…>, <…>" */
    DIALOG_HOST,   /* the name that TLS verifies at the path's peer; "": as the target says */
    DIALOG_PARTS
};

struct dialog {
    char *mem; /* NULL: there is none */
    uint16_t end[DIALOG_PARTS];
    char token[TOKEN_SIZE]; /* the leg's own: our tag is this, the leg and the fork */
    char leg;
    uint16_t fork;        /* which of the leg's dialogs this is */
    uint32_t local_cseq;  /* of our last request */
    uint32_t remote_cseq; /* of the peer's last request */
    struct path path;
};

/* Our tag is the leg's token, its letter, and the number of the fork in decimal digits. */
enum { DIALOG_TAG_SIZE = TOKEN_SIZE + 1 + 5 };
void dialog_print_tag(const struct dialog *d, char out[DIALOG_TAG_SIZE]);
/* Reads token, leg and fork into *ret; false when the text is no tag of ours. */
bool dialog_parse_tag(struct str tag, struct dialog *ret);
/* A dialog is its Call-ID and both tags (§12): ours was compared when the call was found. */
bool dialog_is(const struct dialog *d, struct str call_id, struct str peer_tag);
struct str dialog_get(const struct dialog *d, enum dialog_part part);
MUST_USE enum err dialog_set(struct dialog *d, const struct str part[DIALOG_PARTS]);
/* One more of the same leg, with the same parts and the same way there. */
MUST_USE enum err dialog_copy(const struct dialog *of, struct dialog *ret);
void dialog_fini(struct dialog *d);             /* idempotent */
struct str dialog_host(const struct dialog *d); /* the name that TLS verifies at the next hop */
/* From the INVITE that made us the called side: its From, To, Contact and Record-Route (§12.1.1).
 * It is a trunk's, which the operator named: no guard is asked. */
MUST_USE enum err dialog_of_invite(struct dialog *d, const struct sip_msg *invite,
                                   const struct path *from, struct transport *t);
/* From a response that has a To tag to our INVITE (§12.1.2); the Record-Route is reversed. `host`:
 * the name that TLS verified at via->peer. */
MUST_USE enum err dialog_of_response(struct dialog *d, const struct sip_msg *m,
                                     const struct path *via, struct str host, struct transport *t);
/* The 2xx makes the dialog of what was an early one: its route set counts, and its Contact, when it
 * has one (§13.2.2.4). */
MUST_USE enum err dialog_confirm(struct dialog *d, const struct sip_msg *m, const struct path *via,
                                 struct str host, struct transport *t);
/* Target refresh (§12.2.1.2): a Contact in a 2xx to, or a request of, INVITE or UPDATE. */
void dialog_refresh(struct dialog *d, const struct sip_msg *m, struct transport *t);
/* The head of a request within the dialog: line, Via, Route, Max-Forwards, From, To, Call-ID, CSeq,
 * and Contact where the method may change it. Strict routers are served (§12.2.1.1). */
void dialog_put_request(const struct dialog *d, struct transport *t, struct str method,
                        uint32_t cseq, const char *branch, struct buf *b);
void dialog_put_contact(const struct path *path, struct transport *t, struct buf *b);

/* For the store: lines of text, and back, with a path for today's listeners. Rows of earlier
 * versions are read too; those with one token for both legs leave it empty. ERR_UNREACHABLE: none
 * of the listeners can reach the peer; *ret is no dialog then, the text is behind it all the same.
 */
void dialog_print(const struct dialog *d, struct transport *t, struct buf *out);
MUST_USE enum err dialog_parse(struct str *text, struct transport *t, struct dialog *ret);
void dialog_skip(struct str *text); /* the text of one, unread */
