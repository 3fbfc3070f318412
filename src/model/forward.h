/* Parses and prints forward settings: a number's ordered targets (CONTRACT §5). Pure. */
#pragma once
#include "base/json.h"

#define TARGET_TYPE_LIST(X)                                                                        \
    X(SIP, "sip")                                                                                  \
    X(PSTN, "pstn")                                                                                \
    X(EXTENSION, "extension")                                                                      \
    X(ACCESS_NUMBER, "access_number") X(DIRECT_IP, "direct_ip") X(WEBHOOK, "webhook")
enum target_type {
#define X(id, name) TARGET_##id,
    TARGET_TYPE_LIST(X)
#undef X
        TARGET_TYPE_COUNT
};
#define TARGET_WHEN_LIST(X)                                                                        \
    X(ALWAYS, "always")                                                                            \
    X(BUSY, "busy")                                                                                \
    X(NO_ANSWER, "no_answer") X(NOT_REGISTERED, "not_registered") X(FAILED, "failed")
enum target_when {
#define X(id, name) WHEN_##id,
    TARGET_WHEN_LIST(X)
#undef X
        WHEN_COUNT
};
const char *target_type_name(enum target_type t);
bool target_type_parse(struct str name, enum target_type *ret);
const char *target_when_name(enum target_when w);

enum { TARGETS_MAX = 16, TARGET_HEADERS_MAX = 16, DESTINATION_MAX = 512, RING_TIMEOUT_MAX_S = 600 };

struct target {
    enum target_type type;
    enum target_when when;
    bool when_said;          /* `when` was given, if only as `always`: it is shown again */
    unsigned ring_timeout_s; /* 0: the daemon's default */
    struct str destination;  /* slices into forward.bytes */
    size_t n_headers;
    struct str (*header)[2]; /* name, value; no CR, LF, NUL; only X-* and a few; in the block */
};
struct forward { /* immutable */
    size_t n;
    struct target *target; /* in the same block of memory */
};

/* True for sip:user:password@host (RFC 3261 §19.1.1 advises against it, since it shows in events
 * and traces). New settings with a password are refused; numbers that have one go on working. */
bool target_has_password(const struct target *t);
bool extension_name_is(struct str s); /* true for a valid extension name (extension.c) */
/* Parses `targets`, a JSON array. Checks every field and refuses unknown ones; `ret_field` gets the
 * path of the wrong field ("targets[1].destination"), `ret_why` what is allowed there. */
MUST_USE enum err forward_parse(const struct json *targets, struct forward **ret,
                                char ret_field[64], const char **ret_why);
void forward_free(struct forward *f);
void forward_print(const struct forward *f, struct buf *out); /* the JSON array */
