/* edge_config: the keys sip.* and smpp.*, with what each may be. Called by daemon at the start. */
#include "daemon/edge_config.h"

#include <stdio.h>
#include <string.h>

#include "daemon/numbers_config.h"

enum { SMPP_PORT = 2775, RESTORE_GRACE_MS = 32000 };

/* It goes into headers: nothing there may end one. "" is none. */
static bool is_host(const char *s)
{
    return s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:[]")] == 0;
}

enum err edge_config_sip(const struct config *c, struct sip_config *sc, char *why, size_t cap)
{
    static const struct config_number number[] = {{CONFIG_SIP_MAX_CALLS, 1, 1000000},
                                                  {CONFIG_SIP_T1_MS, 10, 5000},
                                                  {CONFIG_SIP_RING_TIMEOUT_S, 1, 600},
                                                  {CONFIG_SIP_PROBE_S, 1, 86400},
                                                  {CONFIG_SIP_MESSAGE_MAX_BYTES, 160, 32768}};
    int64_t value[5];
    const char *fault = NULL;
    enum err err = config_numbers(c, number, 5, value, why, cap);
    if (err != OK)
        return err;
    sc->max_calls = (size_t)value[0];
    sc->t1_ms = value[1];
    sc->ring_timeout_s = (unsigned)value[2];
    sc->probe_ms = value[3] * 1000;
    sc->message_max = (size_t)value[4];
    sc->restore_grace_ms = RESTORE_GRACE_MS;
    err = str_copy(str_of(config_get(c, CONFIG_SIP_ADVERTISE)), sc->listens.advertise,
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
    static const struct config_number number[] = {{CONFIG_SMPP_MAX_CONNECTIONS, 1, 100000},
                                                  {CONFIG_SMPP_BIND_TIMEOUT_MS, 50, 600000},
                                                  {CONFIG_SMPP_RESPONSE_MS, 50, 600000},
                                                  {CONFIG_SMPP_RECONNECT_MS, 10, 600000}};
    int64_t value[4];
    const char *listen = config_get(c, CONFIG_SMPP_LISTEN);
    const char *ca = config_get(c, CONFIG_SMPP_CA_FILE);
    enum err err = config_numbers(c, number, 4, value, why, cap);
    if (err != OK)
        return err;
    sc->max_connections = (size_t)value[0];
    sc->bind_timeout_ms = value[1];
    sc->response_ms = value[2];
    sc->reconnect_ms = value[3];
    sc->ca_file = *ca ? ca : NULL;
    if (*listen && addr_parse(str_of(listen), SMPP_PORT, &sc->listen) != OK) {
        snprintf(why, cap, "smpp.listen: \"%s\" is not an address with a port", listen);
        return ERR_SYNTAX;
    }
    return OK;
}
