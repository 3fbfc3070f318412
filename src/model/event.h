/* Defines an event as an immutable value: one table of kinds, one struct, counted references.
 *
 * The payload is the flat JSON object that receivers get, fields in CONTRACT's order, without
 * `sequence` (which belongs to the delivery) and with every sip_header_x_… (which endpoints ask
 * for). model/payload.h turns it into a body. */
#pragma once
#include "base/buf.h"
#include "base/id.h"

/* id, name, whether endpoints that name no events get it, whether it belongs to a call */
#define EVENT_LIST(X)                                                                              \
    X(INCOMING_CALL, "incoming_call", 1, 1)                                                        \
    X(CALL_ANSWERED, "call_answered", 1, 1)                                                        \
    X(CALL_ENDED, "call_ended", 1, 1)                                                              \
    X(SMS_RECEIVED, "sms_received", 1, 0)                                                          \
    X(CALL_RINGING, "call_ringing", 0, 1)                                                          \
    X(CALL_FORWARD_FAILED, "call_forward_failed", 0, 1)                                            \
    X(CALL_TRANSFERRED, "call_transferred", 0, 1)                                                  \
    X(ENDPOINT_DISABLED, "endpoint_disabled", 0, 0)                                                \
    X(PING, "ping", 0, 0)                                                                          \
    X(ENDPOINT_FAILING, "endpoint_failing", 0, 0)                                                  \
    X(ENDPOINT_RECOVERED, "endpoint_recovered", 0, 0)

enum event_kind { /* stored as numbers: append only */
#define X(id, name, by_default, call) EVENT_##id,
                  EVENT_LIST(X)
#undef X
                      EVENT_KIND_COUNT
};

typedef uint16_t event_mask; /* bit per kind */
#define EVENT_BIT(kind) ((event_mask)(1u << (kind)))
event_mask event_mask_default(void);
const char *event_kind_name(enum event_kind k);
bool event_kind_parse(struct str name, enum event_kind *ret);
bool event_kind_is_call(enum event_kind k);

enum { EVENT_ID_MAX = 64, CALL_ID_MAX = 64, EVENT_PAYLOAD_MAX = 64 * 1024 };

struct event {
    _Atomic int refs;
    enum event_kind kind;
    bool simulated;
    uint64_t account;       /* store number of the account */
    int64_t occurred_at_ms; /* wall */
    int64_t seen_mono_us; /* when this process saw it, for the latency metric; 0 after a restart */
    struct str id;        /* "evt_…", or the ingester's own, 1…64 printable ASCII */
    struct str number;    /* the DID, E.164 */
    struct str peer;      /* caller or SMS sender, as in the payload */
    struct str call_id;   /* "" when it belongs to no call */
    struct str payload;
    char bytes[]; /* where the slices point */
};

/* Makes an event that copies everything from `proto`, except refs and bytes. refs is 1. */
MUST_USE enum err event_new(const struct event *proto, struct event **ret);
const struct event *event_hold(const struct event *e);
void event_drop(const struct event **e); /* NULL-safe; sets *e to NULL */

/* The facts from which a call's events are written. Absent strings are empty. */
enum end_reason {
    END_COMPLETED,
    END_NO_ANSWER,
    END_BUSY,
    END_REJECTED,
    END_CANCELED,
    END_FAILED,
    END_LOST,
};
enum ended_by { ENDED_BY_CALLER, ENDED_BY_CALLEE, ENDED_BY_SYSTEM };
/* Gives the end reason of an unanswered call from its final SIP status: busy, no_answer, rejected,
 * failed. */
enum end_reason end_reason_of_status(int sip_status);
const char *end_reason_name(enum end_reason r);
const char *ended_by_name(enum ended_by b);

struct call_facts {
    uint64_t account;
    struct str call_id, did_number, caller_id, caller_name, trunk;
    char verified; /* 'n' none, 't' trunk, 'A', 'B', 'C' */
    bool simulated;
    const struct str *sip_headers;             /* pairs name, value of X-* headers; may be NULL */
    size_t n_sip_headers;                      /* pairs */
    bool sip_headers_cut;                      /* there was more of them */
    int64_t started_ms, answered_ms, ended_ms; /* of any one clock, for durations; 0: not (yet) */
    struct str destination;                    /* of the target that answered, rang or failed */
    struct str detail; /* why it failed, ended or was lost, in words; absent: the status says it */
    enum end_reason reason;
    enum ended_by by;
    int sip_status;    /* final status of the call, or of the failed target */
    int target_status; /* what the last target that failed said, or stands for it; 0: none failed */
    unsigned ordinal;  /* which call_forward_failed or call_ringing of this call: 0, 1 … */
};

/* Writes the name of an X-* header as the events have it: "x_customer"; `_` replaces each byte that
 * is neither letter nor digit. A name that does not fit is cut. Returns its length. */
size_t sip_header_key(struct str name, char *out, size_t cap);

/* Builds the event of that kind; X-* headers that do not fit are left out, and the event is then
 * marked as `truncated`. Its id is derived from call_id, kind and ordinal, so that the same call
 * gives the same events. `now_ms` is when it occurred. */
MUST_USE enum err event_of_call(enum event_kind kind, const struct call_facts *f, int64_t now_ms,
                                struct event **ret);

/* The facts of a text message that is whole, or that will never be. */
struct sms_facts {
    uint64_t account;
    struct str from, to;             /* as CONTRACT §2 writes them */
    struct str message;              /* UTF-8; cut where the payload would be too long */
    struct str message_id, encoding; /* "gsm7", "ucs2", "latin1", "utf8" … "mixed" */
    struct str link; /* identifies a repeat of the message: link and the carrier's id */
    unsigned parts;
    bool partial, simulated;
    bool truncated;           /* the message goes on, but not in here */
    struct str parts_missing; /* "2,3"; absent: none, or nobody knows */
    struct str raw;        /* hex of the user data, when the text does not say it all; or absent */
    bool raw_truncated;    /* there was more */
    int64_t arrived_at_ms; /* `timestamp`: when its last part came; 0: now */
    uint8_t data_coding;   /* beside raw */
};
MUST_USE enum err event_of_sms(const struct sms_facts *f, int64_t now_ms, struct event **ret);
/* Does the same; message, encoding, parts_missing and raw come from the parts that are there, in
 * the order of their numbers (n ≥ 1). f->parts: how many there should be. */
struct sms_part;
MUST_USE enum err event_of_parts(const struct sms_facts *f, const struct sms_part *const *part,
                                 size_t n, int64_t now_ms, struct event **ret);
/* Build events for one endpoint alone: a test, and the news that it was switched off. */
MUST_USE enum err event_of_ping(uint64_t account, struct str endpoint_id, int64_t now_ms,
                                struct event **ret);
MUST_USE enum err event_of_endpoint_disabled(uint64_t account, struct str endpoint_id,
                                             struct str url, struct str why, int64_t now_ms,
                                             struct event **ret);

/* The news that an endpoint fails, or takes events again. */
struct endpoint_news {
    enum event_kind kind; /* EVENT_ENDPOINT_FAILING, EVENT_ENDPOINT_RECOVERED */
    uint64_t account;
    struct str endpoint, url;
    struct str last_error; /* p NULL: it answered, or there is none */
    int last_status;       /* 0: none */
    int64_t waiting;       /* deliveries */
};
MUST_USE enum err event_of_endpoint_news(const struct endpoint_news *n, int64_t now_ms,
                                         struct event **ret);

#define EVENT_API_VERSION "2026-11-01"
