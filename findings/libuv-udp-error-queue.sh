#!/bin/sh
# FINDING: libuv's uv_poll calls a healthy UDP socket a bad descriptor, and stops watching it, as soon as an ICMP message waits in its error queue.
#
# Versions: Debian 12's libuv1-dev 1.44.2-1+deb12u1.
# A good engineer would guess: a UDP socket that asked for IP_RECVERR (Linux, ip(7)) and to which "port unreachable" came is readable or has an error that
#   recvmsg(MSG_ERRQUEUE) tells; uv_poll goes on, as epoll does, which reports EPOLLERR each time until the queue was read.
# Seen: the callback gets status UV_EBADF and no events, once, and the handle is stopped: whatever arrives at the socket afterwards is never told. The socket is
#   as good as before: the queue says ECONNREFUSED, and behind a new uv_poll_start datagrams come.
# Output seen:
#= after ICMP: status EBADF, events 0, active 0
#= a datagram then: not told
#= error queue: Connection refused, for a port that is not ours
#= started again, a datagram: status 0, events 1
# Why it matters: a SIP, RTP or DNS program on libuv that asks why datagrams fail goes deaf at the first closed port of a peer, and the error names the wrong
#   culprit. Read the error queue when the status is UV_EBADF, and start the poll again.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0"); dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
dpkg-query -W -f '${db:Status-Abbrev}' libuv1-dev 2>/dev/null | grep -q ^ii || apt-get install -qq -y --no-install-recommends libuv1-dev=1.44.2-1+deb12u1 >/dev/null || exit 2
v=$(dpkg-query -W -f '${Version}' libuv1-dev); echo "libuv1-dev $v"; test "$v" = 1.44.2-1+deb12u1 || exit 2
cat >try.c <<'E'
#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

static int told;
static void on_poll(uv_poll_t *p, int status, int events)
{
	char bytes[64];
	told++;
	printf(": status %s, events %d", status < 0 ? uv_err_name(status) : "0", events);
	if (events & UV_READABLE)
		recv(*(int *)p->data, bytes, sizeof bytes, MSG_DONTWAIT);
}
static void on_time(uv_timer_t *t) { uv_stop(t->loop); }
static void turn(uv_loop_t *l, uv_timer_t *t)
{
	told = 0;
	uv_timer_start(t, on_time, 300, 0);
	while (!told && uv_run(l, UV_RUN_ONCE) && uv_is_active((uv_handle_t *)t))
		;
	uv_timer_stop(t);
}
static int udp(struct sockaddr_in *at)
{
	socklen_t n = sizeof *at;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	*at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	bind(fd, (struct sockaddr *)at, n);
	getsockname(fd, (struct sockaddr *)at, &n);
	return fd;
}
int main(void)
{
	uv_loop_t *l = uv_default_loop();
	uv_poll_t p;
	uv_timer_t t;
	struct sockaddr_in own, closed;
	int on = 1, fd = udp(&own), other = udp(&closed);
	shutdown(other, SHUT_RDWR);
	uv_fs_t f;
	uv_fs_close(l, &f, other, NULL);
	setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
	uv_poll_init(l, &p, fd);
	uv_timer_init(l, &t);
	p.data = &fd;
	uv_poll_start(&p, UV_READABLE, on_poll);
	printf("after ICMP");
	sendto(fd, "x", 1, 0, (struct sockaddr *)&closed, sizeof closed);
	turn(l, &t);
	printf(", active %d\n", uv_is_active((uv_handle_t *)&p));
	printf("a datagram then");
	sendto(fd, "y", 1, 0, (struct sockaddr *)&own, sizeof own);
	sendto(fd, "y", 1, 0, (struct sockaddr *)&own, sizeof own);
	turn(l, &t);
	printf(told ? "\n" : ": not told\n");
	char bytes[64], control[256];
	struct sockaddr_in to;
	struct iovec iov = {bytes, sizeof bytes};
	struct msghdr h = {&to, sizeof to, &iov, 1, control, sizeof control, 0};
	if (recvmsg(fd, &h, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return 2;
	struct sock_extended_err e;
	memcpy(&e, CMSG_DATA(CMSG_FIRSTHDR(&h)), sizeof e);
	printf("error queue: %s, for %s\n", strerror((int)e.ee_errno), to.sin_port == closed.sin_port ? "a port that is not ours" : "?");
	uv_poll_start(&p, UV_READABLE, on_poll);
	printf("started again, a datagram");
	turn(l, &t);
	printf("\n");
}
E
gcc -w try.c -o try -luv || exit 2
timeout 20 ./try | tee out
sed -n 's/^#= //p' "$me" | diff - out
