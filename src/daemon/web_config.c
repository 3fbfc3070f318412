/* web_config: reads the keys http.*, accounts.* and ingest.* for the parts that use them. Called
 * by daemon at the start. */
#include "daemon/web_config.h"

void web_config_api(const struct config *c, struct api_config *ret)
{
    ret->own_numbers = config_is_on(c, CONFIG_ACCOUNTS_OWN_NUMBERS);
    ret->threads = (unsigned)config_number(c, CONFIG_HTTP_THREADS);
    ret->rate_per_sec = (unsigned)config_number(c, CONFIG_HTTP_RATE_PER_SEC);
    ret->connections_per_address = (unsigned)config_number(c, CONFIG_HTTP_CONNECTIONS_PER_ADDRESS);
    ret->token_hours = (unsigned)config_number(c, CONFIG_HTTP_TOKEN_HOURS);
    ret->heartbeat_ms = config_number(c, CONFIG_HTTP_STREAM_HEARTBEAT_MS);
    ret->trusted_proxies = config_get(c, CONFIG_HTTP_TRUSTED_PROXIES);
    ret->proxy_header = config_get(c, CONFIG_HTTP_PROXY_HEADER);
    ret->listen = config_get(c, CONFIG_HTTP_LISTEN);
    ret->sms_fields = config_get(c, CONFIG_INGEST_SMS_FIELDS);
}

void web_config_feed(const struct config *c, struct feed_config *ret)
{
    int64_t beat_ms = config_number(c, CONFIG_HTTP_STREAM_HEARTBEAT_MS);
    ret->tick_ms = beat_ms < 8000 ? (beat_ms + 7) / 8 : 1000;
    ret->max = (size_t)config_number(c, CONFIG_HTTP_STREAMS_MAX);
    ret->max_of_one = (size_t)config_number(c, CONFIG_HTTP_STREAMS_PER_ACCOUNT);
}
