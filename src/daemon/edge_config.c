/* edge_config: reads the keys sip.* and smpp.* and checks their values. Called by daemon at the
 * start. */
#include "daemon/edge_config.h"

#include <stdio.h>
#include <string.h>

enum { SMPP_PORT = 2775, RESTORE_GRACE_MS = 1500 };

/* The value goes into headers, so it may hold nothing that ends one. "" is none. */
static bool is_host(const char *s)
{
    return s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:[]")] == 0;
}

enum err edge_config_sip(const struct config *c, struct sip_config *sc, char *why, size_t cap)
{
    const char *fault = NULL;
    sc->max_calls = (size_t)config_number(c, CONFIG_SIP_MAX_CALLS);
    sc->t1_ms = config_number(c, CONFIG_SIP_T1_MS);
    sc->ring_timeout_s = (unsigned)config_number(c, CONFIG_SIP_RING_TIMEOUT_S);
    sc->probe_ms = config_number(c, CONFIG_SIP_PROBE_S) * 1000;
    sc->message_max = (size_t)config_number(c, CONFIG_SIP_MESSAGE_MAX_BYTES);
    sc->restore_grace_ms = RESTORE_GRACE_MS;
    enum err err = str_copy(str_of(config_get(c, CONFIG_SIP_ADVERTISE)), sc->listens.advertise,
                            sizeof sc->listens.advertise);
    if (err != OK || !is_host(sc->listens.advertise)) {
        snprintf(why, cap, "sip.advertise: an address or a name is needed, with a port if need be");
        return ERR_INVALID;
    }
    err = sip_listen_parse(config_get(c, CONFIG_SIP_LISTEN), &sc->listens, &fault);
    if (err != OK)
        snprintf(why, cap, "sip.listen: %s", fault);
    return err;
}

enum err edge_config_smpp(const struct config *c, struct smpp_config *sc, char *why, size_t cap)
{
    const char *listen = config_get(c, CONFIG_SMPP_LISTEN);
    const char *ca = config_get(c, CONFIG_SMPP_CA_FILE);
    sc->max_connections = (size_t)config_number(c, CONFIG_SMPP_MAX_CONNECTIONS);
    sc->bind_timeout_ms = config_number(c, CONFIG_SMPP_BIND_TIMEOUT_MS);
    sc->response_ms = config_number(c, CONFIG_SMPP_RESPONSE_MS);
    sc->reconnect_ms = config_number(c, CONFIG_SMPP_RECONNECT_MS);
    sc->ca_file = *ca ? ca : NULL;
    if (*listen && addr_parse(str_of(listen), SMPP_PORT, &sc->listen) != OK) {
        snprintf(why, cap, "smpp.listen: \"%s\" is not an address with a port", listen);
        return ERR_SYNTAX;
    }
    return OK;
}
