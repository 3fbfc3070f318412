/* icmp: reads the error queue of a UDP socket (ip(7), IP_RECVERR). Thread of the socket. */
#include "net/icmp.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { ROUNDS = 64, QUOTED_MAX = 1500, CONTROL_MAX = 256 };

bool icmp_listen(int fd, uint8_t family)
{
    int on = 1;
    return family == 6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on) == 0
                       : setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on) == 0;
}

/* The error of an ICMP message; 0: it is none, or says only that a packet was too large, which the
 * kernel deals with. */
static int icmp_error(struct msghdr *h)
{
    struct sock_extended_err e;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
        bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
        if (!v4 && !v6)
            continue;
        memcpy(&e, CMSG_DATA(c), sizeof e);
        bool heard = e.ee_origin == SO_EE_ORIGIN_ICMP || e.ee_origin == SO_EE_ORIGIN_ICMP6;
        return heard && e.ee_errno != EMSGSIZE ? (int)e.ee_errno : 0;
    }
    return 0;
}

void icmp_take(int fd, icmp_told *told, void *arg)
{
    char quoted[QUOTED_MAX];
    char control[CONTROL_MAX] __attribute__((aligned(8)));
    for (int i = 0; i < ROUNDS; i++) {
        struct sockaddr_storage name;
        struct iovec iov = {quoted, sizeof quoted};
        struct msghdr h = {.msg_name = &name,
                           .msg_namelen = sizeof name,
                           .msg_iov = &iov,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof control};
        ssize_t n = recvmsg(fd, &h, MSG_ERRQUEUE | MSG_DONTWAIT);
        if (n < 0)
            return;
        struct addr to;
        int error = icmp_error(&h);
        if (error && told && addr_from_sockaddr((const struct sockaddr *)&name, &to))
            told(arg, &to, error, str_of_bytes(quoted, (size_t)n));
    }
}
