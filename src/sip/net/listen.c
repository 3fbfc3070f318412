/* listen: parses the configured list of SIP's listeners: transport:address:port. Pure. */
#include "sip/net/listen.h"

enum err sip_listen_parse(const char *text, struct sip_listens *ret, const char **ret_why)
{
    struct str rest = str_of(text), one, name;
    ret->n = 0;
    while (rest.n) {
        str_cut(rest, ',', &one, &rest);
        one = str_trim(one);
        if (ret->n == SIP_LISTEN_MAX) {
            *ret_why = "at most 16 addresses";
            return ERR_TOO_BIG;
        }
        struct sip_listen *l = &ret->listen[ret->n];
        if (!str_cut(one, ':', &name, &one) || addr_parse(one, 5060, &l->at) != OK) {
            *ret_why = "a list of transport:address:port is needed, e.g. udp:0.0.0.0:5060";
            return ERR_SYNTAX;
        }
        if (str_eq_nocase(name, STR("udp")))
            l->transport = SIP_UDP;
        else if (str_eq_nocase(name, STR("tcp")))
            l->transport = SIP_TCP;
        else if (str_eq_nocase(name, STR("tls")))
            l->transport = SIP_TLS;
        else {
            *ret_why = "transports are udp, tcp and tls";
            return ERR_INVALID;
        }
        ret->n++;
    }
    return OK;
}
