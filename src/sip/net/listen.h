/* Defines where SIP listens, and the address that peers are told. */
#pragma once
#include "net/addr.h"

enum { SIP_LISTEN_MAX = 16 };
enum sip_transport { SIP_UDP, SIP_TCP, SIP_TLS };
struct sip_listen {
    enum sip_transport transport;
    struct addr at;
};
struct sip_listens {
    size_t n;
    struct sip_listen listen[SIP_LISTEN_MAX];
    char advertise[256]; /* what Via and Contact say; "": the socket's own address */
};
/* "udp:0.0.0.0:5060,tcp:…" into ret->listen; ret_why for people. Pure. */
MUST_USE enum err sip_listen_parse(const char *text, struct sip_listens *ret, const char **ret_why);
