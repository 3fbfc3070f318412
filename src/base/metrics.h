/* Lists the counters, gauges and histograms of /metrics (Prometheus text 0.0.4) in one table.
 * Adding to one is one relaxed atomic operation; any thread. */
#pragma once
#include "base/buf.h"

/* id, type, name, labels ("" or `key="value"`), help. Rows of one name stand together; the first
 * has the help text. Types: COUNTER, GAUGE, GAUGE_MS (set in milliseconds, printed in seconds),
 * TIMES and COUNTS (histograms). */
#define METRIC_LIST(X)                                                                             \
    X(SIP_PACKETS_IN, COUNTER, "hookswitch_sip_packets_received_total", "",                        \
      "SIP packets received")                                                                      \
    X(SIP_UNKNOWN_SOURCE, COUNTER, "hookswitch_sip_unknown_source_total", "",                      \
      "SIP packets dropped because no trunk has their source")                                     \
    X(SIP_MALFORMED, COUNTER, "hookswitch_sip_malformed_total", "",                                \
      "Malformed SIP messages from trunks")                                                        \
    X(SIP_RETRANSMITS_IN, COUNTER, "hookswitch_sip_retransmissions_received_total", "",            \
      "Requests that were received again")                                                         \
    X(SIP_RETRANSMITS_OUT, COUNTER, "hookswitch_sip_retransmissions_sent_total", "",               \
      "Messages that were sent again")                                                             \
    X(SIP_TRANSACTIONS, GAUGE, "hookswitch_sip_transactions", "", "SIP transactions under way")    \
    X(SIP_DIALOGS, GAUGE, "hookswitch_sip_dialogs", "", "SIP dialogs of calls, early ones too")    \
    X(SIP_REJECTED_LIMIT, COUNTER, "hookswitch_sip_calls_over_limit_total", "",                    \
      "Calls refused by a trunk's limit or by overload")                                           \
    X(SIP_LOOPS, COUNTER, "hookswitch_sip_loops_total", "",                                        \
      "INVITEs of ours that came back to us, refused with 482")                                    \
    X(SIP_CONNECTIONS_MADE_WAY, COUNTER, "hookswitch_sip_connections_made_way_total", "",          \
      "SIP connections closed because others needed the room")                                     \
    X(SIP_REJECTED_STORE, COUNTER, "hookswitch_sip_calls_store_unavailable_total", "",             \
      "Calls refused because the store could not write")                                           \
    X(SIP_TEXTS_STORED, COUNTER, "hookswitch_sip_messages_total", "outcome=\"stored\"",            \
      "Texts by SIP MESSAGE from trunks by what became of them")                                   \
    X(SIP_TEXTS_REPEATED, COUNTER, "hookswitch_sip_messages_total", "outcome=\"repeated\"", "")    \
    X(SIP_TEXTS_NOT_OURS, COUNTER, "hookswitch_sip_messages_total", "outcome=\"unknown_number\"",  \
      "")                                                                                          \
    X(SIP_TEXTS_REFUSED, COUNTER, "hookswitch_sip_messages_total", "outcome=\"refused\"", "")      \
    X(SIP_TEXTS_THROTTLED, COUNTER, "hookswitch_sip_messages_total", "outcome=\"throttled\"", "")  \
    X(SIP_TEXTS_FAILED, COUNTER, "hookswitch_sip_messages_total", "outcome=\"failed\"", "")        \
    X(SIP_REJECTED_OPEN, COUNTER, "hookswitch_sip_requests_over_limit_total", "",                  \
      "Requests within calls refused because too many were unanswered")                            \
    X(CALLS_STARTED, COUNTER, "hookswitch_calls_started_total", "", "Inbound calls taken")         \
    X(CALLS_ANSWERED, COUNTER, "hookswitch_calls_answered_total", "", "Calls answered")            \
    X(CALLS_LOST, COUNTER, "hookswitch_calls_lost_total", "", "Calls whose end nobody saw")        \
    X(CALLS_ACTIVE, GAUGE, "hookswitch_calls_active", "", "Calls in progress")                     \
    X(LOOKUPS, GAUGE, "hookswitch_lookups", "", "Questions to the DNS under way")                  \
    X(TRACE_KEPT, COUNTER, "hookswitch_trace_messages_total", "outcome=\"kept\"",                  \
      "SIP messages of calls by whether the trace has them")                                       \
    X(TRACE_DROPPED, COUNTER, "hookswitch_trace_messages_total", "outcome=\"dropped\"", "")        \
    X(TRACE_BYTES, COUNTER, "hookswitch_trace_bytes_total", "", "Bytes written to the trace")      \
    X(SMPP_SESSIONS, GAUGE, "hookswitch_smpp_sessions", "", "SMPP connections, bound or not yet")  \
    X(SMPP_STORED, COUNTER, "hookswitch_smpp_messages_total", "outcome=\"stored\"",                \
      "Messages from SMPP carriers by what became of them")                                        \
    X(SMPP_REPEATED, COUNTER, "hookswitch_smpp_messages_total", "outcome=\"repeated\"", "")        \
    X(SMPP_REFUSED, COUNTER, "hookswitch_smpp_messages_total", "outcome=\"refused\"", "")          \
    X(SMPP_THROTTLED, COUNTER, "hookswitch_smpp_messages_total", "outcome=\"throttled\"", "")      \
    X(SMPP_FAILED, COUNTER, "hookswitch_smpp_messages_total", "outcome=\"failed\"", "")            \
    X(SMPP_RECEIPTS, COUNTER, "hookswitch_smpp_receipts_total", "",                                \
      "Delivery receipts and other PDUs of carriers that are no messages of people")               \
    X(SMPP_BINDS_REFUSED, COUNTER, "hookswitch_smpp_binds_refused_total", "",                      \
      "Binds and connections of carriers that were refused")                                       \
    X(SMPP_MALFORMED, COUNTER, "hookswitch_smpp_malformed_total", "", "Malformed SMPP PDUs")       \
    X(SMPP_UNASKED, COUNTER, "hookswitch_smpp_unasked_total", "",                                  \
      "SMPP responses to nothing that we asked")                                                   \
    X(EVENTS_STORED, COUNTER, "hookswitch_events_total", "", "Events stored")                      \
    X(EVENTS_LOST, COUNTER, "hookswitch_events_lost_total", "",                                    \
      "Events of calls that could not be stored as they were, nor later")                          \
    X(EVENTS_DUPLICATE, COUNTER, "hookswitch_events_duplicate_total", "",                          \
      "Events that were there already")                                                            \
    X(DELIVERIES_OK, COUNTER, "hookswitch_delivery_attempts_total", "verdict=\"delivered\"",       \
      "Delivery attempts by verdict")                                                              \
    X(DELIVERIES_RETRY, COUNTER, "hookswitch_delivery_attempts_total", "verdict=\"retry\"", "")    \
    X(DELIVERIES_GIVEN_UP, COUNTER, "hookswitch_delivery_attempts_total", "verdict=\"given_up\"",  \
      "")                                                                                          \
    X(DELIVERIES_BLOCKED, COUNTER, "hookswitch_delivery_attempts_total", "verdict=\"blocked\"",    \
      "")                                                                                          \
    X(LANES_WAITING, GAUGE, "hookswitch_lanes_waiting", "", "Lanes with something to deliver")     \
    X(DELIVERIES_PENDING, GAUGE, "hookswitch_deliveries_pending", "", "Deliveries not yet done")   \
    X(OLDEST_PENDING_AGE, GAUGE_MS, "hookswitch_deliveries_oldest_pending_seconds", "",            \
      "Age of the oldest delivery not yet done")                                                   \
    X(HTTP_CONNECTS, COUNTER, "hookswitch_http_client_connections_total", "reused=\"false\"",      \
      "Requests by whether their connection was there already")                                    \
    X(HTTP_REUSES, COUNTER, "hookswitch_http_client_connections_total", "reused=\"true\"", "")     \
    X(HTTP_RECEIVED, COUNTER, "hookswitch_http_client_received_bytes_total", "",                   \
      "Bytes of answers read from receivers")                                                      \
    X(SHARE_SLOTS, COUNTER, "hookswitch_share_reached_total", "pool=\"delivery_slots\"",           \
      "Times an account had its share of something that all accounts share")                       \
    X(SHARE_EARLY, COUNTER, "hookswitch_share_reached_total", "pool=\"call_questions\"", "")       \
    X(SHARE_CONNECTIONS, COUNTER, "hookswitch_share_reached_total", "pool=\"idle_connections\"",   \
      "")                                                                                          \
    X(SHARE_READS, COUNTER, "hookswitch_share_reached_total", "pool=\"store_reads\"", "")          \
    X(SHARE_HASHES, COUNTER, "hookswitch_share_reached_total", "pool=\"passwords\"", "")           \
    X(EVENT_TO_REQUEST, TIMES, "hookswitch_event_to_request_seconds", "",                          \
      "From the event to its first request")                                                       \
    X(ATTEMPT_TIME, TIMES, "hookswitch_attempt_seconds", "", "One delivery attempt")               \
    X(COMMIT_TIME, TIMES, "hookswitch_store_commit_seconds", "", "One commit of the store")        \
    X(COMMIT_JOBS, COUNTS, "hookswitch_store_batch_jobs", "", "Jobs in one commit")                \
    X(STORE_FAILURES, COUNTER, "hookswitch_store_failures_total", "", "Batches that failed")       \
    X(RECOVERIES_RUNNING, GAUGE, "hookswitch_recoveries_running", "", "Recoveries under way")      \
    X(EVENTS_RECOVERED, COUNTER, "hookswitch_events_recovered_total", "",                          \
      "Events that a recovery sent again")                                                         \
    X(SMS_PARTS, COUNTER, "hookswitch_sms_parts_total", "",                                        \
      "Parts of text messages that were kept until the rest came")                                 \
    X(SMS_PARTS_DUPLICATE, COUNTER, "hookswitch_sms_parts_duplicate_total", "",                    \
      "Parts that were there already")                                                             \
    X(SMS_PARTIAL, COUNTER, "hookswitch_sms_partial_total", "",                                    \
      "Text messages that went out without all of their parts")                                    \
    X(EVENTS_EXPIRED, COUNTER, "hookswitch_events_expired_total", "",                              \
      "Events deleted because their retention was over")                                           \
    X(CALLS_EXPIRED, COUNTER, "hookswitch_calls_expired_total", "",                                \
      "Ended calls deleted because their retention was over")                                      \
    X(EVENTS_ERASED, COUNTER, "hookswitch_events_erased_total", "",                                \
      "Events deleted because their number's data was erased")                                     \
    X(API_CONNECTIONS, GAUGE, "hookswitch_http_connections", "", "Connections to the HTTP server") \
    X(API_IN_HAND, GAUGE, "hookswitch_http_requests_in_hand", "",                                  \
      "Requests that came whole and have no answer yet")                                           \
    X(API_WAIT, TIMES, "hookswitch_http_request_seconds", "",                                      \
      "From a request's last byte to its answer's")                                                \
    X(STREAMS, GAUGE, "hookswitch_streams", "", "Event streams open")                              \
    X(STREAMS_REFUSED, COUNTER, "hookswitch_streams_refused_total", "",                            \
      "Event streams refused because there were too many")                                         \
    X(STREAM_EVENTS, COUNTER, "hookswitch_stream_events_total", "", "Events given to streams")

enum metric {
#define X(id, type, name, labels, help) METRIC_##id,
    METRIC_LIST(X)
#undef X
        METRIC_COUNT_
};

void metric_add(enum metric m, int64_t n);         /* counters; gauges may fall */
void metric_set(enum metric m, int64_t v);         /* gauges */
int64_t metric_get(enum metric m);                 /* counters and gauges */
void metric_observe_us(enum metric m, int64_t us); /* histograms of time */
void metric_observe(enum metric m, int64_t v);     /* histograms of counts */
/* Prints all rows as text. */
void metrics_print(struct buf *out);
