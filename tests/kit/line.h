/* A line: one SIP peer's side of a dialog with the edge, and the messages that the peer sends on
 * it. Carriers and agents are made of lines; only the address tells them apart. Each function that
 * sends ends with edge_kit_turn. */
#pragma once
#include "edge_kit.h"

enum { LINE_TEXT = 600 };
#define LINE_SDP                                                                                   \
    "v=0\r\no=- 1 1 IN IP4 5.0.9.9\r\ns=-\r\nc=IN IP4 5.0.9.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP "   \
    "8\r\n"

struct line {
    struct addr at;
    uint32_t stream; /* 0: UDP */
    char call_id[LINE_TEXT], local[LINE_TEXT], remote[LINE_TEXT], target[LINE_TEXT];
    uint32_t cseq;                 /* of its last request but ACK and CANCEL */
    uint32_t invite_cseq;          /* of its last INVITE */
    char invite_branch[64];        /* the same */
    char invite_target[LINE_TEXT]; /* the Request-URI of its first INVITE */
    unsigned n_branches;
    char name[24]; /* unique: in its branches and tags */
};

struct request {
    const char *method;
    uint32_t cseq;       /* 0: the next */
    const char *branch;  /* NULL: a new one */
    const char *headers; /* whole lines with CRLF; NULL: none */
    const char *body;    /* NULL: none */
};

/* Makes a caller's new line; no message is sent yet. `name` makes Call-ID and tag its own. */
void line_new(struct line *l, const char *at, const char *name, const char *number);
/* Does the same, and sends its INVITE with an offer. */
void line_invite(struct line *l, const char *at, const char *number);
/* Makes the line of the called peer, from an INVITE that the edge sent. */
void line_of_invite(struct line *l, const struct edge_packet *invite, const char *tag);
/* Takes the remote side and its target from a response with a To tag. */
void line_learn(struct line *l, const struct edge_packet *response);

void line_request(struct line *l, const struct request *r);
void line_say(struct line *l, const char *method);            /* the next request, without a body */
void line_ack(struct line *l, uint32_t cseq);                 /* of a 2xx */
void line_ack_failure(struct line *l);                        /* of the INVITE's failure */
void line_cancel(struct line *l);                             /* its last INVITE */
void line_cancel_saying(struct line *l, const char *headers); /* the same; whole lines with CRLF */

/* Answers a request that the edge sent. `tag` NULL: To as it came. 2xx and 18x to an INVITE have a
 * Contact, and a body when given. */
struct response {
    int status;
    const char *tag, *headers, *body;
    bool as_new; /* the tag replaces the one that To came with: the peer lost the dialog */
};
void packet_answer(const struct edge_packet *request, const struct response *r);
/* Answers as usual: `status`, the tag of the line, an answer in a 2xx to INVITE. */
void line_answer(struct line *l, const struct edge_packet *request, int status);
/* The newest to `to` whose method or status is `what`, as edge_kit_last; the test ends when there is
 * none. */
struct edge_packet *packet_last(const char *to, const char *what);
/* Returns the text of the last message that a peer sent, to repeat or spoil it. */
struct str line_last_sent(void);
