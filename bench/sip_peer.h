/* The carrier's and the agent's side of SIP over UDP, for the benchmarks that make calls: sockets,
 * the few requests and answers that a call needs, and the values of headers we know how the daemon
 * writes. By itself, without the daemon's parser. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>

#include "base/buf.h"

enum { SIP_PACKET_MAX = 4096 };
extern const char sip_sdp[];

struct sockaddr_in sip_at(const char *ip, int port);
/* Nonblocking, with room for bursts; ends the process when the address is not to be had. */
int sip_udp(const char *ip, int port);
void sip_send(int fd, const struct buf *b, const struct sockaddr_in *to);

typedef void sip_on_message(void *arg, struct str message, const struct sockaddr_in *from);
/* All that waits in the socket. A NUL stands behind each message. */
void sip_drain(int fd, sip_on_message *on_message, void *arg);

/* "\r\nCall-ID: " → what follows it on its line; empty when it is not there. */
struct str sip_value(struct str message, const char *start);

struct sip_head { /* of a request of the carrier's call `i` */
    const char *method, *uri, *to;
    const char *caller; /* E.164 */
    const char *branch; /* a CANCEL and a refusal's ACK have their INVITE's; NULL: the method */
    size_t i;
    unsigned cseq;
};
/* All but what belongs to the body. */
void sip_put_head(struct buf *b, const struct sip_head *h);
void sip_put_sdp(struct buf *b); /* its headers, the blank line and itself */
void sip_put_no_body(struct buf *b);
/* Which call of the carrier's a message belongs to, or SIZE_MAX. */
size_t sip_call_of(struct str message);

/* "200 OK" to a request; `contact` is the answerer's, and its tag is "agent". */
void sip_print_answer(struct buf *b, struct str request, const char *status, const char *contact,
                      bool with_sdp);
