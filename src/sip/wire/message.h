/* Parses SIP messages once, into slices of the buffer they arrived in; nothing is copied or
 * allocated (RFC 3261 §7, §25). The buffer is made parseable in place: folded lines are joined by
 * blanks.
 *
 * The parser accepts and refuses the messages of RFC 4475's list; each has an asserted outcome in
 * tests/unit/sip/test_rfc4475.c. */
#pragma once
#include "sip/wire/uri.h"

/* clang-format off */
#define SIP_METHOD_LIST(X) \
    X(INVITE) X(ACK) X(BYE) X(CANCEL) X(OPTIONS) X(REGISTER) X(PRACK) X(UPDATE) \
    X(INFO) X(REFER) X(NOTIFY) X(SUBSCRIBE) X(MESSAGE) X(PUBLISH)
/* clang-format on */
enum sip_method {
#define X(m) SIP_##m,
    SIP_METHOD_LIST(X)
#undef X
        SIP_METHOD_OTHER
};
const char *sip_method_name(enum sip_method m);
enum sip_method sip_method_of(struct str text); /* case matters, §7.1 */

/* id, name as we write it, compact form or 0, may stand in several lines / comma lists */
/* clang-format off */
#define SIP_HEADER_LIST(X) \
    X(VIA, "Via", 'v', 1) \
    X(FROM, "From", 'f', 0) \
    X(TO, "To", 't', 0) \
    X(CALL_ID, "Call-ID", 'i', 0) \
    X(CSEQ, "CSeq", 0, 0) \
    X(CONTACT, "Contact", 'm', 1) \
    X(MAX_FORWARDS, "Max-Forwards", 0, 0) \
    X(CONTENT_LENGTH, "Content-Length", 'l', 0) \
    X(CONTENT_TYPE, "Content-Type", 'c', 0) \
    X(CONTENT_ENCODING, "Content-Encoding", 'e', 1) \
    X(CONTENT_DISPOSITION, "Content-Disposition", 0, 0) \
    X(MIME_VERSION, "MIME-Version", 0, 0) \
    X(ROUTE, "Route", 0, 1) \
    X(RECORD_ROUTE, "Record-Route", 0, 1) \
    X(REQUIRE, "Require", 0, 1) \
    X(PROXY_REQUIRE, "Proxy-Require", 0, 1) \
    X(SUPPORTED, "Supported", 'k', 1) \
    X(UNSUPPORTED, "Unsupported", 0, 1) \
    X(ALLOW, "Allow", 0, 1) \
    X(ALLOW_EVENTS, "Allow-Events", 'u', 1) \
    X(ACCEPT, "Accept", 0, 1) \
    X(EVENT, "Event", 'o', 0) \
    X(EXPIRES, "Expires", 0, 0) \
    X(RSEQ, "RSeq", 0, 0) \
    X(RACK, "RAck", 0, 0) \
    X(SESSION_EXPIRES, "Session-Expires", 'x', 0) \
    X(MIN_SE, "Min-SE", 0, 0) \
    X(REFER_TO, "Refer-To", 'r', 0) \
    X(REFERRED_BY, "Referred-By", 'b', 0) \
    X(REPLACES, "Replaces", 0, 0) \
    X(REASON, "Reason", 0, 1) \
    X(RETRY_AFTER, "Retry-After", 0, 0) \
    X(WARNING, "Warning", 0, 1) \
    X(SUBJECT, "Subject", 's', 0) \
    X(DATE, "Date", 0, 0) \
    X(PRIVACY, "Privacy", 0, 1) \
    X(P_ASSERTED_IDENTITY, "P-Asserted-Identity", 0, 1) \
    X(P_PREFERRED_IDENTITY, "P-Preferred-Identity", 0, 1) \
    X(REMOTE_PARTY_ID, "Remote-Party-ID", 0, 1) \
    X(P_CALLED_PARTY_ID, "P-Called-Party-ID", 0, 0) \
    X(P_EARLY_MEDIA, "P-Early-Media", 0, 0) \
    X(HISTORY_INFO, "History-Info", 0, 1) \
    X(DIVERSION, "Diversion", 0, 1) \
    X(IDENTITY, "Identity", 'y', 1) \
    X(CALL_INFO, "Call-Info", 0, 1) \
    X(WWW_AUTHENTICATE, "WWW-Authenticate", 0, 0) \
    X(AUTHORIZATION, "Authorization", 0, 0) \
    X(PROXY_AUTHENTICATE, "Proxy-Authenticate", 0, 0) \
    X(PROXY_AUTHORIZATION, "Proxy-Authorization", 0, 0) \
    X(PATH, "Path", 0, 1) \
    X(SERVER, "Server", 0, 0) \
    X(USER_AGENT, "User-Agent", 0, 0) \
    X(TIMESTAMP, "Timestamp", 0, 0)
/* clang-format on */
enum sip_header_id {
#define X(id, name, compact, many) SIP_H_##id,
    SIP_HEADER_LIST(X)
#undef X
        SIP_H_OTHER
};
const char *sip_header_name(enum sip_header_id id);
enum sip_header_id sip_header_of(struct str name); /* no case; compact forms too */

struct sip_header {
    enum sip_header_id id;
    struct str name;  /* as written */
    struct str value; /* trimmed, unfolded */
};

struct via {
    struct str transport; /* "UDP" … as written */
    struct str host;      /* sent-by */
    uint16_t port;        /* 0: none */
    struct str params;    /* raw, after sent-by */
    struct str branch;    /* p == NULL: none */
    bool rport;           /* asked for (RFC 3581) */
};
MUST_USE enum err via_parse(struct str value, struct via *ret);

enum { SIP_HEADERS_MAX = 128, SIP_MESSAGE_MAX = 65535, SIP_CALL_ID_MAX = 255, SIP_TAG_MAX = 255 };

struct sip_msg {
    bool is_request;
    enum sip_method method; /* of a response: CSeq's */
    struct str method_text, ruri_text;
    struct uri ruri; /* requests; scheme URI_OTHER when it is not one of ours (416) */
    int status;      /* responses */
    struct str reason;
    struct str body;
    size_t size; /* bytes of the buffer this message took */
    size_t n_headers;
    struct sip_header header[SIP_HEADERS_MAX];

    /* The headers that every message must have. */
    struct via via; /* the topmost */
    struct name_addr from, to;
    struct str call_id;
    uint32_t cseq;
    enum sip_method cseq_method;
    int max_forwards; /* -1: none */

    /* When sip_parse gives ERR_SYNTAX or ERR_TOO_BIG: */
    int fault_status;  /* what to answer: 400, 505, 413, 416 … */
    const char *fault; /* why, for the reason phrase: "bad CSeq" */
    bool answerable;   /* a request whose Via, From, To, Call-ID and CSeq could be read */
};

/* Parses a datagram: one message, whose Content-Length may be missing or smaller than the bytes
 * that are there (§18.3). */
MUST_USE enum err sip_parse(char *bytes, size_t n, struct sip_msg *ret);
/* The progress in a stream's next message, so that no byte of its head is read twice. Zero before
 * the first. */
struct sip_framing {
    size_t looked; /* bytes in which the head does not end */
    uint64_t size; /* of the whole message; 0: its head is not whole yet */
};
/* Frames a stream. ERR_AGAIN: more bytes are needed (*ret_size: how many in all, 0: unknown); OK:
 * the first *ret_size are a message, and `f` is ready for the next. A message without
 * Content-Length is ERR_SYNTAX (§20.14), a head of more than 512 lines ERR_TOO_BIG, and so
 * is a message of more than SIP_MESSAGE_MAX: then *ret_size is the head's, 0 when it has no end, and
 * f->size the message's, 0 when that is not known. Whatever it returns, leading CRLFs are *ret_skip bytes to drop first. */
MUST_USE enum err sip_frame(struct sip_framing *f, const char *bytes, size_t n, size_t *ret_skip,
                            size_t *ret_size);

/* True when the body has, or may have, a session description (application/sdp, multipart/…, or a
 * body of no type). */
bool sip_has_offer(const struct sip_msg *m);
/* True when whoever does not know the body may do without it (Content-Disposition: …;
 * handling=optional, §20.11). */
bool sip_body_is_optional(const struct sip_msg *m);
/* Gives the i-th header line with that id, or NULL. */
const struct sip_header *sip_header(const struct sip_msg *m, enum sip_header_id id, size_t i);
/* Gives the value of the first one, or an absent str. */
struct str sip_value(const struct sip_msg *m, enum sip_header_id id);
const struct sip_header *sip_header_named(const struct sip_msg *m, struct str name); /* no case */
/* Walks all values over lines and commas: size_t line = 0; struct str rest = {0}; while
 * (sip_next(m, id, &line, &rest, &v)) … */
bool sip_next(const struct sip_msg *m, enum sip_header_id id, size_t *line, struct str *rest,
              struct str *ret_value);
/* True when a comma list header of that id has the token (no case): Require, Supported, Allow. */
bool sip_has_token(const struct sip_msg *m, enum sip_header_id id, struct str token);
