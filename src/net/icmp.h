/* Inside net/: what the kernel heard of datagrams that did not arrive (ICMP, RFC 792, RFC 4443). */
#pragma once
#include "net/addr.h"

/* A datagram to `to` came back. `quoted`: its first bytes, as the message quotes them; often none.
 * `error`: ECONNREFUSED (nobody listens), EHOSTUNREACH … Anybody can forge such a message, so what
 * it says must be proven by the quoted bytes. */
typedef void icmp_told(void *arg, const struct addr *to, int error, struct str quoted);

/* Asks for it; false: this kernel does not tell. */
bool icmp_listen(int fd, uint8_t family);
/* Reads what has been heard, at most 64 of them. `told` NULL: it is dropped. */
void icmp_take(int fd, icmp_told *told, void *arg);
