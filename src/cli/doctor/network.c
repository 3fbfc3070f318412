/* network: checks the ports that the daemon listens on, the names that webhooks need, the
 * certificates that receivers are verified by, and the address that carriers are told. */
#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/client/client.h"
#include "cli/doctor/doctor.h"
#include "net/addr.h"
#include "net/stream.h"
#include "sip/net/listen.h"

static bool port_can_bind(const struct addr *at, int type)
{
    struct sockaddr_storage sa;
    socklen_t n = addr_to_sockaddr(at, &sa);
    int on = 1, fd = socket(sa.ss_family, type | SOCK_CLOEXEC, 0);
    if (type == SOCK_STREAM)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool can = fd >= 0 && bind(fd, (struct sockaddr *)&sa, n) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    errno = why;
    return can;
}

/* A daemon of ours on http.listen explains why the ports are taken. */
static bool daemon_is_running(const struct doctor *d)
{
    char url[ADDR_TEXT_SIZE + 8];
    struct addr at;
    struct client_answer a = {0};
    if (addr_parse(str_of(config_get(d->config, CONFIG_HTTP_LISTEN)), 8080, &at) != OK)
        return false;
    bool any = !memcmp(at.ip, (uint8_t[16]){0}, at.family == 4 ? 4 : 16);
    if (any)
        at.ip[at.family == 4 ? 0 : 15] = at.family == 4 ? 127 : 1;
    if (any && at.family == 4)
        at.ip[3] = 1;
    memcpy(url, "http://", 7);
    addr_print(&at, url + 7);
    struct client c = {.url = url};
    enum err err = client_request(&c, "GET", "/healthz", (struct str){0}, &a);
    buf_fini(&a.body);
    return err == OK && a.status == 200;
}

static void look_at_port(struct doctor *d, const char *key, const struct addr *at, int type,
                         bool running)
{
    char text[ADDR_TEXT_SIZE];
    const char *kind = type == SOCK_STREAM ? "tcp" : "udp";
    addr_print(at, text);
    if (port_can_bind(at, type))
        doctor_say(d, FINDING_OK, "port", "%s %s %s can be listened on", key, kind, text);
    else if (errno == EADDRINUSE && running)
        doctor_say(d, FINDING_OK, "port", "%s %s %s is in use while a hookswitch runs here", key,
                   kind, text);
    else
        doctor_say(d, FINDING_FAIL, "port", "%s %s %s: %s%s", key, kind, text, strerror(errno),
                   errno == EADDRINUSE      ? "; see who has it: ss -lntup"
                   : errno == EACCES        ? "; ports below 1024 need CAP_NET_BIND_SERVICE"
                   : errno == EADDRNOTAVAIL ? "; no interface has this address"
                                            : "");
}

static void look_at_ports(struct doctor *d)
{
    struct addr at;
    struct sip_listens sip = {0};
    const char *why = "";
    bool running = daemon_is_running(d);
    static const struct {
        enum config_key key;
        uint16_t port;
    } plain[] = {{CONFIG_HTTP_LISTEN, 8080}, {CONFIG_SMPP_LISTEN, 2775}};
    for (size_t i = 0; i < 2; i++) {
        const char *text = config_get(d->config, plain[i].key), *name = config_name(plain[i].key);
        if (!*text)
            continue;
        if (addr_parse(str_of(text), plain[i].port, &at) != OK)
            doctor_say(d, FINDING_FAIL, "port", "%s: \"%.100s\" is no address with a port", name,
                       text);
        else if (at.port)
            look_at_port(d, name, &at, SOCK_STREAM, running);
    }
    if (sip_listen_parse(config_get(d->config, CONFIG_SIP_LISTEN), &sip, &why) != OK) {
        doctor_say(d, FINDING_FAIL, "port", "sip.listen: %s", why);
        return;
    }
    for (size_t i = 0; i < sip.n; i++)
        if (sip.listen[i].at.port)
            look_at_port(d, "sip.listen", &sip.listen[i].at,
                         sip.listen[i].transport == SIP_UDP ? SOCK_DGRAM : SOCK_STREAM, running);
}

static void look_at_names(struct doctor *d)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int64_t from = clock_mono_ms();
    int rc = getaddrinfo(d->host, NULL, &hints, &list);
    long long took = (long long)(clock_mono_ms() - from);
    if (rc != 0)
        doctor_say(d, FINDING_WARN, "dns",
                   "%s: %s (%lld ms): webhooks by name cannot leave; look at /etc/resolv.conf",
                   d->host, gai_strerror(rc), took);
    else if (took > 1000)
        doctor_say(d, FINDING_WARN, "dns", "%s took %lld ms: a name server does not answer",
                   d->host, took);
    else
        doctor_say(d, FINDING_OK, "dns", "%s in %lld ms", d->host, took);
    if (list)
        freeaddrinfo(list);
}

static void look_at_certificates(struct doctor *d)
{
    const char *file = config_get(d->config, CONFIG_HTTP_CLIENT_CA_FILE);
    struct tls *tls = NULL;
    struct tls_config c = {.ca_file = *file ? file : NULL};
    enum err err = tls_new(&c, &tls);
    tls_free(tls);
    if (err != OK)
        doctor_say(d, FINDING_FAIL, "tls", "http_client.ca_file: %s: no certificates can be read",
                   file);
    else if (access("/etc/ssl/certs/ca-certificates.crt", R_OK) != 0)
        doctor_say(d, FINDING_WARN, "tls",
                   "the system trusts nobody: https webhooks fail; install ca-certificates");
    else
        doctor_say(d, FINDING_OK, "tls", "certificates to judge receivers by are there");
}

/* Behind NAT carriers need another address than that of the socket. */
static void look_at_address(struct doctor *d)
{
    struct ifaddrs *all = NULL;
    struct addr a;
    bool public = false;
    if (!*config_get(d->config, CONFIG_SIP_LISTEN) || getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *i = all; i; i = i->ifa_next)
    public |= i->ifa_addr && addr_from_sockaddr(i->ifa_addr, &a) && addr_is_public(&a);
    freeifaddrs(all);
    const char *told = config_get(d->config, CONFIG_SIP_ADVERTISE);
    if (*told)
        doctor_say(d, FINDING_OK, "address", "carriers are told %s (sip.advertise)", told);
    else if (public)
        doctor_say(d, FINDING_OK, "address", "this machine has a public address");
    else
        doctor_say(d, FINDING_WARN, "address",
                   "no interface has a public address: carriers outside need sip.advertise set to "
                   "the router's, and its ports forwarded");
}

void doctor_network(struct doctor *d)
{
    look_at_ports(d);
    look_at_names(d);
    look_at_certificates(d);
    look_at_address(d);
}
