/* The carrier's and the agent's side of SIP over UDP, for the benchmarks that make calls: sockets,
 * the few requests and answers that a call needs, and the values of headers in the form that the
 * daemon writes. It does without the daemon's parser. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>

#include "base/buf.h"

enum { SIP_PACKET_MAX = 4096 };
extern const char sip_sdp[];

struct sockaddr_in sip_at(const char *ip, int port);
/* Opens a nonblocking socket with room for bursts; ends the process when the address is taken. */
int sip_udp(const char *ip, int port);
void sip_send(int fd, const struct buf *b, const struct sockaddr_in *to);

typedef void sip_on_message(void *arg, struct str message, const struct sockaddr_in *from);
/* Reads all messages that wait in the socket. A NUL stands behind each. */
void sip_drain(int fd, sip_on_message *on_message, void *arg);

/* Returns the rest of the line behind a text like "\r\nCall-ID: "; empty when it is missing. */
struct str sip_value(struct str message, const char *start);

struct sip_head { /* of a request */
    const char *method, *uri;
    const char *user, *host; /* the sender's own: user and address:port of Via and Contact */
    const char *branch;      /* what stands behind z9hG4bK */
    const char *from, *to;   /* with their tags */
    const char *call_id;
    unsigned cseq;
};
/* Prints all headers but those of the body. */
void sip_put_head(struct buf *b, const struct sip_head *h);
void sip_put_sdp(struct buf *b); /* the headers of the body, the blank line and the body */
void sip_put_no_body(struct buf *b);

/* The carrier's call number i: its Call-ID says the number, and its From the caller and the tag. A
 * CANCEL and the ACK of a refusal have their INVITE's `branch_of`; all others their own method. */
void sip_put_caller_head(struct buf *b, size_t i, const char *caller, const char *method,
                         const char *branch_of, unsigned cseq, const char *to, const char *uri);
size_t sip_call_of(struct str message); /* by its Call-ID; SIZE_MAX: none of the carrier's */

/* "200 OK" to a request; `contact` is the answerer's, and its tag is "agent". */
void sip_print_answer(struct buf *b, struct str request, const char *status, const char *contact,
                      bool with_sdp);
