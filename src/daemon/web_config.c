/* web_config: the keys http.*, accounts.* and ingest.*, with what each may be. Called by daemon at
 * the start. */
#include "daemon/web_config.h"

#include <stdio.h>

#include "daemon/numbers_config.h"

static const struct config_number heartbeat = {CONFIG_HTTP_STREAM_HEARTBEAT_MS, 50, 300000};

enum err web_config_api(const struct config *c, struct api_config *ret, char *why, size_t cap)
{
    static const struct config_number number[] = {{CONFIG_HTTP_THREADS, 1, 64},
                                                  {CONFIG_HTTP_RATE_PER_SEC, 0, 1000000},
                                                  {CONFIG_HTTP_CONNECTIONS_PER_ADDRESS, 0, 4096},
                                                  {CONFIG_HTTP_TOKEN_HOURS, 1, 8760}};
    int64_t value[4], beat_ms;
    if (config_switch(c, CONFIG_ACCOUNTS_OWN_NUMBERS, &ret->own_numbers) != OK) {
        snprintf(why, cap, "accounts.own_numbers: on or off is needed");
        return ERR_INVALID;
    }
    enum err err = config_numbers(c, number, 4, value, why, cap);
    if (err == OK)
        err = config_numbers(c, &heartbeat, 1, &beat_ms, why, cap);
    if (err != OK)
        return err;
    ret->threads = (unsigned)value[0];
    ret->rate_per_sec = (unsigned)value[1];
    ret->connections_per_address = (unsigned)value[2];
    ret->token_hours = (unsigned)value[3];
    ret->heartbeat_ms = beat_ms;
    ret->trusted_proxies = config_get(c, CONFIG_HTTP_TRUSTED_PROXIES);
    ret->proxy_header = config_get(c, CONFIG_HTTP_PROXY_HEADER);
    ret->listen = config_get(c, CONFIG_HTTP_LISTEN);
    ret->sms_fields = config_get(c, CONFIG_INGEST_SMS_FIELDS);
    return OK;
}

enum err web_config_feed(const struct config *c, struct feed_config *ret, char *why, size_t cap)
{
    static const struct config_number number[] = {{CONFIG_HTTP_STREAMS_MAX, 0, 3000},
                                                  {CONFIG_HTTP_STREAMS_PER_ACCOUNT, 0, 3000}};
    int64_t value[2], beat_ms;
    enum err err = config_numbers(c, number, 2, value, why, cap);
    if (err == OK)
        err = config_numbers(c, &heartbeat, 1, &beat_ms, why, cap);
    if (err != OK)
        return err;
    ret->tick_ms = beat_ms < 8000 ? (beat_ms + 7) / 8 : 1000;
    ret->max = (size_t)value[0];
    ret->max_of_one = (size_t)value[1];
    return OK;
}
