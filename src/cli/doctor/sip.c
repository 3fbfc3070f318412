/* sip: checks whether a router on the way rewrites SIP. Routers with an "application layer
 * gateway" change addresses inside of messages, and break calls. The check sends an OPTIONS to a
 * SIP server over UDP. The answer must carry our own Via, Call-ID and From as we wrote them (RFC
 * 3261 §8.2.6.2), with nothing but `received` and `rport` added. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/id.h"
#include "cli/doctor/doctor.h"
#include "net/addr.h"
#include "sip/wire/print.h"

enum { WAIT_SEC = 2, TRIES = 3 };

struct question {
    char host[256], port[8];
    char branch[64], call_id[ID_SIZE], tag[ID_SIZE];
    struct addr own;
    char text[2048];
    struct buf b;
};

static int probe_socket_open(struct question *q, const char **why)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *list = NULL;
    struct sockaddr_storage sa;
    socklen_t n = sizeof sa;
    struct timeval wait = {.tv_sec = WAIT_SEC};
    int rc = getaddrinfo(q->host, q->port, &hints, &list), fd = -1;
    if (rc != 0) {
        *why = gai_strerror(rc);
        return -1;
    }
    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd < 0 || getsockname(fd, (struct sockaddr *)&sa, &n) != 0 ||
        !addr_from_sockaddr((struct sockaddr *)&sa, &q->own)) {
        *why = strerror(errno);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    return fd;
}

static void options_print(struct question *q)
{
    char own[ADDR_TEXT_SIZE], branch[ID_SIZE];
    addr_print(&q->own, own);
    id_new("b", branch);
    id_new("doctor", q->call_id);
    id_new("t", q->tag);
    snprintf(q->branch, sizeof q->branch, "z9hG4bK%s", branch);
    buf_wrap(&q->b, q->text, sizeof q->text);
    buf_printf(&q->b,
               "OPTIONS sip:%s:%s SIP/2.0\r\n"
               "Via: SIP/2.0/UDP %s;branch=%s;rport\r\n"
               "Max-Forwards: 70\r\nFrom: <sip:doctor@%s>;tag=%s\r\nTo: <sip:%s:%s>\r\n"
               "Call-ID: %s\r\nCSeq: 1 OPTIONS\r\nContact: <sip:doctor@%s>\r\n"
               "Content-Length: 0\r\n\r\n",
               q->host, q->port, own, q->branch, own, q->tag, q->host, q->port, q->call_id, own);
}

/* Names the header that came back changed; NULL: all are as they were. */
static const char *answer_find_change(const struct question *q, const struct sip_msg *m)
{
    char host[ADDR_TEXT_SIZE];
    addr_print_host(&q->own, host);
    if (!str_eq(m->via.host, str_of(host)) || (m->via.port && m->via.port != q->own.port))
        return "the Via";
    if (!str_eq(m->via.branch, str_of(q->branch)))
        return "the branch";
    if (!str_eq(m->call_id, str_of(q->call_id)))
        return "the Call-ID";
    if (!str_eq(m->from.tag, str_of(q->tag)))
        return "the From tag";
    return str_eq(m->from.uri.host, str_of(host)) ? NULL : "the From address";
}

static void options_send(struct doctor *d, struct question *q, int fd)
{
    char answer[8192];
    struct sip_msg m;
    ssize_t n = -1;
    for (int i = 0; i < TRIES && n <= 0; i++)
        if (send(fd, q->b.p, q->b.n, 0) == (ssize_t)q->b.n)
            n = recv(fd, answer, sizeof answer, 0);
    if (n <= 0) {
        doctor_say(d, FINDING_WARN, "sip",
                   "%s:%s does not answer OPTIONS over UDP (%s): is a firewall between, or is this "
                   "address unknown to it?",
                   q->host, q->port, strerror(errno));
        return;
    }
    if (sip_parse(answer, (size_t)n, &m) != OK || m.is_request) {
        doctor_say(d, FINDING_WARN, "sip", "%s:%s answered, but not in SIP", q->host, q->port);
        return;
    }
    const char *changed = answer_find_change(q, &m);
    if (changed)
        doctor_say(d, FINDING_FAIL, "sip-alg",
                   "%s of our message came back changed: a router on the way rewrites SIP; switch "
                   "its SIP ALG off, or use TLS",
                   changed);
    else
        doctor_say(d, FINDING_OK, "sip-alg", "%s:%s answered %d, and nothing on the way changed us",
                   q->host, q->port, m.status);
}

void doctor_sip_alg(struct doctor *d)
{
    struct question q = {.port = "5060"};
    struct str host, port;
    const char *why = "";
    if (!d->sip_peer) {
        if (*config_get(d->config, CONFIG_SIP_LISTEN))
            doctor_say(d, FINDING_OK, "sip-alg",
                       "not looked for: --sip-peer HOST asks your carrier's server");
        return;
    }
    if (!str_cut(str_of(d->sip_peer), ':', &host, &port))
        port = STR("5060");
    if (str_copy(host, q.host, sizeof q.host) != OK ||
        str_copy(port, q.port, sizeof q.port) != OK) {
        doctor_say(d, FINDING_FAIL, "sip", "--sip-peer: HOST or HOST:PORT is needed");
        return;
    }
    int fd = probe_socket_open(&q, &why);
    if (fd < 0) {
        doctor_say(d, FINDING_FAIL, "sip", "%s: %s", d->sip_peer, why);
        return;
    }
    options_print(&q);
    options_send(d, &q, fd);
    close(fd);
}
