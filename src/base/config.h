/* Settings of the program: one table of keys; file, environment and --set fill it; an unknown key
 * is an error that suggests the near one. Immutable after loading; a reload makes a new one. */
#pragma once
#include "base/buf.h"

/* id, key, default, secret?, what it is (printed into the commented example file) */
#define CONFIG_LIST(X)                                                                             \
    X(STORE_URL, "store.url", "", 0, "sqlite:PATH; default sqlite:DATA_DIR/hookswitch.db")         \
    X(DATA_DIR, "data_dir", "/var/lib/hookswitch", 0, "where the daemon keeps its files")          \
    X(HTTP_LISTEN, "http.listen", "127.0.0.1:8080", 0, "address of dashboard, API and metrics")    \
    X(HTTP_THREADS, "http.threads", "2", 0, "threads that take requests to it")                    \
    X(HTTP_RATE_PER_SEC, "http.rate_per_sec", "0", 0,                                              \
      "requests a second of one key, in bursts of twice as many; 0: no limit")                     \
    X(HTTP_CONNECTIONS_PER_ADDRESS, "http.connections_per_address", "3000", 0,                     \
      "of the 4,096 connections; those of http.trusted_proxies do not count; 0: no limit")         \
    X(HTTP_TRUSTED_PROXIES, "http.trusted_proxies", "", 0,                                         \
      "addresses and CIDRs of proxies that say where a request came from")                         \
    X(HTTP_PROXY_HEADER, "http.proxy_header", "X-Forwarded-For", 0,                                \
      "the header they say it in, which they must append to or set: X-Forwarded-For or Forwarded") \
    X(HTTP_TOKEN_HOURS, "http.token_hours", "24", 0,                                               \
      "how long a log-in is good before one must log in again")                                    \
    X(HTTP_STREAMS_MAX, "http.streams_max", "2000", 0, "event streams at once, over all accounts") \
    X(HTTP_STREAMS_PER_ACCOUNT, "http.streams_per_account", "1000", 0,                             \
      "event streams at once of one account")                                                      \
    X(HTTP_STREAM_HEARTBEAT_MS, "http.stream_heartbeat_ms", "15000", 0,                            \
      "how often an event stream with nothing to say shows that it is there; a reader that takes " \
      "nothing for twice as long is cut off")                                                      \
    X(ACCOUNTS_OWN_NUMBERS, "accounts.own_numbers", "off", 0,                                      \
      "on: an account may create, price and delete any number itself; off: it gets numbers by "    \
      "assignment and gives them back")                                                            \
    X(SIP_LISTEN, "sip.listen", "", 0,                                                             \
      "list of transport:address:port, e.g. udp:0.0.0.0:5060,tcp:0.0.0.0:5060; empty: no SIP")     \
    X(SIP_ADVERTISE, "sip.advertise", "", 0, "address put into Contact and Via when behind NAT")   \
    X(SIP_ALLOW, "sip.allow", "", 0,                                                               \
      "CIDRs that accounts' SIP targets may reach besides public addresses; empty: as "            \
      "http_client.allow says; none: nothing besides")                                             \
    X(SIP_MAX_CALLS, "sip.max_calls", "100000", 0, "calls at once, over all trunks")               \
    X(SIP_MESSAGE_MAX_BYTES, "sip.message_max_bytes", "16384", 0,                                  \
      "body of a SIP MESSAGE at most; over it 413")                                                \
    X(SIP_T1_MS, "sip.t1_ms", "500", 0, "RFC 3261 timer T1, in milliseconds")                      \
    X(SIP_RING_TIMEOUT_S, "sip.ring_timeout_s", "60", 0,                                           \
      "how long a target without a ring_timeout_s of its own may ring")                            \
    X(SIP_PROBE_S, "sip.probe_s", "300", 0,                                                        \
      "a held call with no signalling for so long is probed (seconds)")                            \
    X(SIP_TRACE_BYTES, "sip.trace_bytes", "268435456", 0,                                          \
      "disk for the SIP messages of the newest calls, in DATA_DIR/trace; 0: none are kept")        \
    X(SMS_JOIN_TIMEOUT_S, "sms.join_timeout_s", "1800", 0,                                         \
      "how long a message waits for parts that are missing; then it goes out as partial")          \
    X(SMS_MAX_SETS, "sms.max_sets", "100000", 0,                                                   \
      "messages of an account that may wait for parts; beyond, the oldest goes out as partial")    \
    X(SMS_MAX_BYTES, "sms.max_bytes", "67108864", 0,                                               \
      "octets of such parts that an account may have waiting; the same")                           \
    X(SMPP_LISTEN, "smpp.listen", "", 0, "address for carriers that bind to us; empty: none")      \
    X(SMPP_MAX_CONNECTIONS, "smpp.max_connections", "512", 0,                                      \
      "connections of carriers at once; a quarter of them may not have bound yet")                 \
    X(SMPP_BIND_TIMEOUT_MS, "smpp.bind_timeout_ms", "10000", 0,                                    \
      "how long a carrier's connection may be there without a bind")                               \
    X(SMPP_RESPONSE_MS, "smpp.response_ms", "5000", 0,                                             \
      "how long a carrier may take to answer enquire_link, bind and unbind")                       \
    X(SMPP_RECONNECT_MS, "smpp.reconnect_ms", "1000", 0,                                           \
      "first pause before a link is tried again; doubles to 64 times as much")                     \
    X(SMPP_CA_FILE, "smpp.ca_file", "", 0,                                                         \
      "certificates to trust besides the system's, for links over TLS (PEM)")                      \
    X(INGEST_SMS_FIELDS, "ingest.sms_fields", "", 0,                                               \
      "how SMS providers name the fields that they post: from=msisdn|sender, to=..., text=..., "   \
      "message_id=...; what is not named keeps the common names")                                  \
    X(HTTP_CLIENT_ALLOW, "http_client.allow", "", 0,                                               \
      "CIDRs that webhooks may reach besides public addresses")                                    \
    X(HTTP_CLIENT_CA_FILE, "http_client.ca_file", "", 0,                                           \
      "certificates to trust besides the system's (PEM)")                                          \
    X(HTTP_CLIENT_DNS_SERVERS, "http_client.dns_servers", "", 0,                                   \
      "name servers for webhooks, address:port,…; empty: the system's")                            \
    X(DELIVER_COURIERS, "deliver.couriers", "1", 0, "delivery threads")                            \
    X(DELIVER_TIMEOUT_MS, "deliver.timeout_ms", "15000", 0,                                        \
      "whole exchange of one attempt, for endpoints without a timeout_ms of their own")            \
    X(RETENTION_DAYS, "retention.days", "30", 0,                                                   \
      "how long events and ended calls are kept, for accounts without a retention_days of their "  \
      "own")                                                                                       \
    X(LOG_LEVEL, "log.level", "info", 0, "debug, info, warn or error")                             \
    X(BOOTSTRAP_ADMIN_KEY, "bootstrap.admin_key", "", 1, "the first operator key")

enum config_key {
#define X(id, key, def, secret, help) CONFIG_##id,
    CONFIG_LIST(X)
#undef X
        CONFIG_COUNT_
};

struct config;

/* Defaults, then `file` (NULL: none), then the environment, then `sets` ("section.key=value").
 * On error *ret_why (at most `why_cap` bytes with NUL) says which key, what, and the near one. */
MUST_USE enum err config_load(const char *file, char *const *environ_list, const char *const *sets,
                              size_t n_sets, struct config **ret, char *ret_why, size_t why_cap);
void config_free(struct config *c);
const char *config_get(const struct config *c, enum config_key key); /* never NULL */
const char *config_name(enum config_key key);                        /* "http.listen" */
/* ERR_INVALID when it is not a whole number in min…max (checked by main at start). */
MUST_USE enum err config_int(const struct config *c, enum config_key key, int64_t min, int64_t max,
                             int64_t *ret);
/* ERR_INVALID when it is neither `on` nor `off`. */
MUST_USE enum err config_switch(const struct config *c, enum config_key key, bool *ret);
/* The commented example file, with every key and its default. */
void config_print_example(struct buf *out);
