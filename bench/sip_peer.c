/* sip_peer: writes and reads SIP as a generator of load needs it. It reads only headers that the
 * daemon writes in the same way each time. Any thread; no state. */
#include "sip_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BATCH = 64, BURST_BYTES = 8 << 20 };

const char sip_sdp[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\n"
                       "m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

struct sockaddr_in sip_at(const char *ip, int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, ip, &a.sin_addr);
    return a;
}

int sip_udp(const char *ip, int port)
{
    struct sockaddr_in a = sip_at(ip, port);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), size = BURST_BYTES;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        perror(ip);
        exit(1);
    }
    return fd;
}

void sip_send(int fd, const struct buf *b, const struct sockaddr_in *to)
{
    while (sendto(fd, b->p, b->n, 0, (const struct sockaddr *)to, sizeof *to) < 0 &&
           errno == EAGAIN)
        ;
}

void sip_drain(int fd, sip_on_message *on_message, void *arg)
{
    static _Thread_local char mem[BATCH][SIP_PACKET_MAX];
    struct mmsghdr msg[BATCH];
    struct iovec iov[BATCH];
    struct sockaddr_in from[BATCH];
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            iov[i] = (struct iovec){mem[i], SIP_PACKET_MAX - 1};
            msg[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &from[i],
                                                  .msg_namelen = sizeof from[i],
                                                  .msg_iov = &iov[i],
                                                  .msg_iovlen = 1}};
        }
        int n = recvmmsg(fd, msg, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++) {
            mem[i][msg[i].msg_len] = '\0';
            on_message(arg, str_of_bytes(mem[i], msg[i].msg_len), &from[i]);
        }
        if (n < BATCH)
            return;
    }
}

struct str sip_value(struct str message, const char *start)
{
    const char *p = memmem(message.p, message.n, start, strlen(start));
    if (!p)
        return (struct str){0};
    struct str rest = str_from(message, (size_t)(p - message.p) + strlen(start));
    return str_slice(rest, 0, str_find(rest, '\r'));
}

void sip_put_head(struct buf *b, const struct sip_head *h)
{
    buf_printf(b,
               "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s;rport\r\n"
               "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n"
               "Contact: <sip:%s@%s>\r\nMax-Forwards: 70\r\n",
               h->method, h->uri, h->host, h->branch, h->from, h->to, h->call_id, h->cseq,
               h->method, h->user, h->host);
}

void sip_put_caller_head(struct buf *b, size_t i, const char *caller, const char *method,
                         const char *branch_of, unsigned cseq, const char *to, const char *uri)
{
    char branch[48], from[96], call_id[32];
    snprintf(branch, sizeof branch, "%zu%s", i, branch_of);
    snprintf(from, sizeof from, "\"Ann Lee\" <sip:%s@127.0.0.2>;tag=t%zu", caller, i);
    snprintf(call_id, sizeof call_id, "b%zu@bench", i);
    const struct sip_head h = {method, uri,     "carrier", "127.0.0.2:7060", branch, from,
                               to,     call_id, cseq};
    sip_put_head(b, &h);
}

void sip_put_sdp(struct buf *b)
{
    buf_printf(b, "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s", strlen(sip_sdp),
               sip_sdp);
}

void sip_put_no_body(struct buf *b)
{
    buf_puts(b, "Content-Length: 0\r\n\r\n");
}

size_t sip_call_of(struct str message)
{
    struct str digits, rest;
    uint64_t i;
    str_cut(sip_value(message, "\r\nCall-ID: b"), '@', &digits, &rest);
    return str_to_u64(digits, SIZE_MAX - 1, &i) == OK ? i : SIZE_MAX;
}

void sip_print_answer(struct buf *b, struct str request, const char *status, const char *contact,
                      bool with_sdp)
{
    static const char *const copied[] = {"Via: ", "From: ", "Call-ID: ", "CSeq: "};
    char name[16];
    buf_printf(b, "SIP/2.0 %s\r\n", status);
    for (size_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "\r\n%s", copied[i]);
        buf_printf(b, "%s%.*s\r\n", copied[i], STR_FMT(sip_value(request, name)));
    }
    struct str to = sip_value(request, "\r\nTo: ");
    buf_printf(b, "To: %.*s%s\r\nContact: <%s>\r\n", STR_FMT(to),
               memmem(to.p, to.n, ";tag=", 5) ? "" : ";tag=agent", contact);
    if (with_sdp)
        sip_put_sdp(b);
    else
        sip_put_no_body(b);
}
