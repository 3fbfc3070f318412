/* A UDP socket on the loop: it receives in batches with recvmmsg, and sends in batches with
 * sendmmsg at the end of the loop's turn. Thread of the loop. */
#pragma once
#include "net/icmp.h"
#include "net/loop.h"

struct datagram;

struct packet {
    struct addr from;
    struct str bytes;  /* valid during the call; the byte after it is writable and NUL */
    int64_t waited_ms; /* time it lay in the socket (SO_TIMESTAMPNS); 0: unknown */
};

typedef void datagram_on_batch(void *arg, const struct packet *p, size_t n);

/* Binds; asks for 4 MiB socket buffers. */
MUST_USE enum err datagram_open(struct loop *l, const struct addr *at, datagram_on_batch *on_batch,
                                void *arg, struct datagram **ret);
/* Tells what ICMP messages say of datagrams sent from here, with the `arg` of datagram_open. */
void datagram_on_icmp(struct datagram *d, icmp_told *told);
void datagram_close(struct datagram *d);
struct addr datagram_local(const struct datagram *d); /* with the real port */
/* Copies the bytes (at most 65,507) into the outgoing batch. ERR_FULL when 4,096 wait already; to
 * the protocol that is a lost packet, which its timer repeats. */
MUST_USE enum err datagram_send(struct datagram *d, const struct addr *to, struct str bytes);
