/* The keys of the configuration, one table: the parser and its errors, the commented file that
 * `hookswitch config` prints and hookswitch.conf(5) come from it.
 *
 * id, key, type, default, least, most, unit or form, explanation
 *   NUMBER       a whole number from least to most, in that unit
 *   NUMBER_OR_0  0, or such a number
 *   SWITCH       on or off
 *   CHOICE       one of the words, which stand as people list them
 *   TEXT         at most so many bytes, of that form
 *   SECRET       the same; it may come from the file that HOOKSWITCH_…_FILE names */
#pragma once

#define CONFIG_LIST(X)                                                                             \
    X(STORE_URL, "store.url", TEXT, "", 0, 1000, "sqlite:PATH",                                    \
      "the store; empty: sqlite:DATA_DIR/hookswitch.db")                                           \
    X(DATA_DIR, "data_dir", TEXT, "/var/lib/hookswitch", 0, 900, "a directory",                    \
      "where the daemon keeps its files")                                                          \
    X(HTTP_LISTEN, "http.listen", TEXT, "127.0.0.1:8080", 0, 255, "address:port",                  \
      "address of dashboard, API and metrics")                                                     \
    X(HTTP_THREADS, "http.threads", NUMBER, "2", 1, 64, "threads",                                 \
      "threads that take requests to the API")                                                     \
    X(HTTP_RATE_PER_SEC, "http.rate_per_sec", NUMBER, "0", 0, 1000000, "requests a second",        \
      "requests a second of one key, in bursts of twice as many; 0: no limit")                     \
    X(HTTP_CONNECTIONS_PER_ADDRESS, "http.connections_per_address", NUMBER, "3000", 0, 4096,       \
      "connections",                                                                               \
      "most connections of one address, of 4,096 in all; those of http.trusted_proxies do not "    \
      "count; 0: no limit")                                                                        \
    X(HTTP_TRUSTED_PROXIES, "http.trusted_proxies", TEXT, "", 0, 4095, "addresses and CIDRs",      \
      "proxies that say where a request came from")                                                \
    X(HTTP_PROXY_HEADER, "http.proxy_header", TEXT, "X-Forwarded-For", 0, 64,                      \
      "X-Forwarded-For or Forwarded",                                                              \
      "the header in which those proxies say it; they must append to it or set it")                \
    X(HTTP_TOKEN_HOURS, "http.token_hours", NUMBER, "24", 1, 8760, "hours",                        \
      "how long a log-in is good before one must log in again")                                    \
    X(HTTP_STREAMS_MAX, "http.streams_max", NUMBER, "2000", 0, 3000, "streams",                    \
      "event streams at once, over all accounts")                                                  \
    X(HTTP_STREAMS_PER_ACCOUNT, "http.streams_per_account", NUMBER, "1000", 0, 3000, "streams",    \
      "event streams at once of one account")                                                      \
    X(HTTP_STREAM_HEARTBEAT_MS, "http.stream_heartbeat_ms", NUMBER, "15000", 50, 300000,           \
      "milliseconds",                                                                              \
      "how often an event stream with nothing to say shows that it is there; a reader that takes " \
      "nothing for twice as long is cut off")                                                      \
    X(ACCOUNTS_OWN_NUMBERS, "accounts.own_numbers", SWITCH, "off", 0, 0, "",                       \
      "on: an account may create, price and delete any number itself; off: it gets numbers by "    \
      "assignment and gives them back")                                                            \
    X(SIP_LISTEN, "sip.listen", TEXT, "", 0, 1000, "list of transport:address:port",               \
      "where SIP listens, e.g. udp:0.0.0.0:5060,tcp:0.0.0.0:5060; empty: no SIP")                  \
    X(SIP_ADVERTISE, "sip.advertise", TEXT, "", 0, 255,                                            \
      "an address or a name, with a port if need be",                                              \
      "the address that Contact and Via say when the daemon is behind NAT")                        \
    X(SIP_ALLOW, "sip.allow", TEXT, "", 0, 4095, "CIDRs",                                          \
      "networks that accounts' SIP targets may reach besides public addresses; empty: as "         \
      "http_client.allow says; none: nothing besides")                                             \
    X(SIP_MAX_CALLS, "sip.max_calls", NUMBER, "100000", 1, 1000000, "calls",                       \
      "calls at once, over all trunks")                                                            \
    X(SIP_MESSAGE_MAX_BYTES, "sip.message_max_bytes", NUMBER, "16384", 160, 32768, "bytes",        \
      "most bytes in the body of a SIP MESSAGE; a longer one gets 413")                            \
    X(SIP_T1_MS, "sip.t1_ms", NUMBER, "500", 10, 5000, "milliseconds",                             \
      "RFC 3261 timer T1; the other timers scale with it")                                         \
    X(SIP_RING_TIMEOUT_S, "sip.ring_timeout_s", NUMBER, "60", 1, 600, "seconds",                   \
      "how long a target without a ring_timeout_s of its own may ring")                            \
    X(SIP_PROBE_S, "sip.probe_s", NUMBER, "300", 1, 86400, "seconds",                              \
      "a held call with no signalling for so long is asked with OPTIONS whether it is still "      \
      "there")                                                                                     \
    X(SIP_TRACE_BYTES, "sip.trace_bytes", NUMBER_OR_0, "268435456", 1048576, INT64_C(17179869184), \
      "bytes",                                                                                     \
      "disk for the SIP messages of the newest calls, in DATA_DIR/trace; 0: none are kept")        \
    X(SMS_JOIN_TIMEOUT_S, "sms.join_timeout_s", NUMBER, "1800", 1, 43200, "seconds",               \
      "how long a message waits for parts that are missing; then it goes out as partial")          \
    X(SMS_MAX_SETS, "sms.max_sets", NUMBER, "100000", 1, 100000000, "messages",                    \
      "messages of an account that may wait for parts; beyond, the oldest goes out as partial")    \
    X(SMS_MAX_BYTES, "sms.max_bytes", NUMBER, "67108864", 1, INT64_C(1099511627776), "bytes",      \
      "bytes of such parts that an account may have waiting; beyond, the oldest goes out as "      \
      "partial")                                                                                   \
    X(SMPP_LISTEN, "smpp.listen", TEXT, "", 0, 255, "address:port",                                \
      "address for carriers that bind to us; empty: none")                                         \
    X(SMPP_MAX_CONNECTIONS, "smpp.max_connections", NUMBER, "512", 1, 100000, "connections",       \
      "connections of carriers at once; a quarter of them may not have bound yet")                 \
    X(SMPP_BIND_TIMEOUT_MS, "smpp.bind_timeout_ms", NUMBER, "10000", 50, 600000, "milliseconds",   \
      "how long a carrier's connection may be there without a bind")                               \
    X(SMPP_RESPONSE_MS, "smpp.response_ms", NUMBER, "5000", 50, 600000, "milliseconds",            \
      "how long a carrier may take to answer enquire_link, bind and unbind")                       \
    X(SMPP_RECONNECT_MS, "smpp.reconnect_ms", NUMBER, "1000", 10, 600000, "milliseconds",          \
      "first pause before a link is tried again; it doubles to 64 times as much")                  \
    X(SMPP_CA_FILE, "smpp.ca_file", TEXT, "", 0, 1000, "a PEM file",                               \
      "certificates to trust besides the system's, for links over TLS")                            \
    X(INGEST_SMS_FIELDS, "ingest.sms_fields", TEXT, "", 0, 4095,                                   \
      "from=…, to=…, text=…, message_id=…",                                                        \
      "how SMS providers name the fields that they post, e.g. from=msisdn|sender; a field that "   \
      "is not named keeps the common names")                                                       \
    X(HTTP_CLIENT_ALLOW, "http_client.allow", TEXT, "", 0, 4095, "CIDRs",                          \
      "networks that webhooks may reach besides public addresses")                                 \
    X(HTTP_CLIENT_CA_FILE, "http_client.ca_file", TEXT, "", 0, 1000, "a PEM file",                 \
      "certificates to trust besides the system's, for webhooks")                                  \
    X(HTTP_CLIENT_DNS_SERVERS, "http_client.dns_servers", TEXT, "", 0, 1000,                       \
      "list of address:port", "name servers for webhooks; empty: the system's")                    \
    X(DELIVER_COURIERS, "deliver.couriers", NUMBER, "1", 1, 64, "threads", "delivery threads")     \
    X(DELIVER_TIMEOUT_MS, "deliver.timeout_ms", NUMBER, "15000", 1000, 30000, "milliseconds",      \
      "whole exchange of one attempt, for endpoints without a timeout_ms of their own")            \
    X(RETENTION_DAYS, "retention.days", NUMBER, "30", 1, 3650, "days",                             \
      "how long events and ended calls are kept, for accounts without a retention_days of their "  \
      "own")                                                                                       \
    X(SERVE_DRAIN_S, "serve.drain_s", NUMBER, "5", 0, 3600, "seconds",                             \
      "how long SIGTERM waits for calls under way; those that are still up go on after the next "  \
      "start")                                                                                     \
    X(LOG_LEVEL, "log.level", CHOICE, "info", 0, 0, "debug, info, warn or error",                  \
      "the least severe lines that the log has")                                                   \
    X(BOOTSTRAP_ADMIN_KEY, "bootstrap.admin_key", SECRET, "", 0, 255, "text",                      \
      "the first operator key")
