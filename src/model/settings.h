/* Defines the values of the settings documents: accounts, numbers, endpoints, trunks, keys and so
 * on. One parser reads the API's input and the store's rows alike. api/ judges the texts of URLs
 * and CIDR blocks on input, and hub/book when it compiles them. Pure. */
#pragma once
#include "model/event.h"
#include "model/forward.h"
#include "model/number.h"
#include "model/payload.h"
#include "model/retry.h"
#include "model/signature.h"
#include "model/sms.h"

enum { NAME_MAX_BYTES = 128, URL_MAX_BYTES = 2048, ENDPOINT_HEADERS_MAX = 32 };
enum { SOURCES_MAX = 32, SOURCE_SIZE = 48 }; /* CIDR texts */

/* The wrong field of the input ("headers.X-Foo") and what is allowed there. */
struct field_error {
    char field[64];
    char why[320];
};

/* There may be a million numbers and endpoints, so each is one block of memory with its texts
 * behind it. A text that was not given is "", unless its comment says otherwise. To change one, set
 * its members to texts that live until it is printed. */
struct did { /* a number's settings */
    char e164[NUMBER_SIZE];
    bool voice, sms;             /* as its account has them now */
    bool given_voice, given_sms; /* as the operator gave it, for the account that comes next */
    char country[3];             /* ISO 3166 alpha-2, "" unknown */
    const char *label;
    const char *type;                     /* "local", "mobile", "tollfree", "national" */
    const char *monthly_cost, *setup_fee; /* decimal text */
    const struct forward *forward;        /* never NULL; empty when nothing is set */
};

struct endpoint {
    const char *url, *fallback_url;
    event_mask events;
    enum body_format format;
    uint32_t n_numbers, n_headers;
    const char (*numbers)[NUMBER_SIZE]; /* NULL: "*" */
    const char *(*header)[2];           /* name, value */
    const char *secret[2];              /* [0] signs first; [1] the old one of a rotation */
    int64_t secret_old_until_ms;        /* wall */
    int64_t secret_old_until_mono_ms;   /* the same, as the book reads it: no step moves it */
    const struct retry *retry;          /* NULL: retry_default */
    const char *disabled_why;
    const char *ca_pem, *cert_pem, *key_pem; /* NULL: none */
    uint32_t timeout_ms;                     /* 0: the daemon's default */
    uint32_t control_timeout_ms;             /* default 3000 */
    uint32_t concurrency;                    /* lanes at once, default 8 */
    uint32_t rate_per_sec;                   /* 0: no limit */
    bool control, sip_headers, disabled;
};

#define CALLED_FROM_LIST(X)                                                                        \
    X(RURI, "ruri")                                                                                \
    X(PCPID, "p-called-party-id") X(TO, "to") X(HISTORY, "history-info") X(DIVERSION, "diversion")
enum called_from {
#define X(id, name) CALLED_FROM_##id,
    CALLED_FROM_LIST(X)
#undef X
        CALLED_FROM_COUNT
};

struct trunk {
    char name[NAME_MAX_BYTES + 1];
    size_t n_sources;
    char sources[SOURCES_MAX][SOURCE_SIZE];
    char server[256]; /* where outbound calls of this trunk go, "" */
    char username[128], password[128];
    uint32_t max_calls, max_cps; /* 0: no limit */
    struct number_rules rules;
    uint8_t called_from[CALLED_FROM_COUNT], n_called_from; /* order; default ruri, pcpid, to */
    bool trust_identity; /* believe P-Asserted-Identity and verstat; default true */
    bool outbound;       /* pstn targets leave through it */
};

enum smpp_mode { SMPP_CLIENT, SMPP_SERVER }; /* we bind to the carrier, or it binds to us */

struct smpp_link {
    char name[NAME_MAX_BYTES + 1];
    enum smpp_mode mode;
    char host[256];     /* client: where the carrier listens; "" in server mode */
    uint16_t port;      /* default 2775 */
    bool tls;           /* client: TLS 1.2 and up, the host's name verified */
    char system_id[16]; /* SMPP 3.4 §5.2.1 */
    char password[33];  /* §5.2.2 has room for 8; carriers give out longer ones */
    char system_type[13];
    bool transceiver; /* client: bind_transceiver; false: bind_receiver */
    size_t n_sources; /* server: addresses that may bind; 0: any, with the password */
    char sources[SOURCES_MAX][SOURCE_SIZE];
    uint32_t max_binds;      /* server: sessions at once, default 4; client: sessions we open, 1 */
    uint32_t window;         /* messages that may wait for our answer, default 100 */
    uint32_t enquire_link_s; /* default 30 */
    struct sms_defaults defaults;
    struct number_rules rules;
    bool disabled;
};

/* The rights: scopes of keys and roles of users are sets of these. */
enum right {
    RIGHT_READ = 1,
    RIGHT_WRITE = 2,
    RIGHT_INGEST = 4,
    RIGHT_USERS = 8, /* manages the account's users, also those of the same rank */
    RIGHT_OPERATOR = 16,
    RIGHTS_ALL = 31,
};

struct api_key {
    char name[NAME_MAX_BYTES + 1];
    char hash[65]; /* hex SHA-256 of the key as shown once */
    bool read, write, ingest, operator_;
    bool all;                 /* `*` was given: read, write, ingest */
    int64_t expires_at_ms;    /* 0: never */
    char created_by[ID_SIZE]; /* "key_…", "user_…", "setup", "operator"; "" unknown */
    uint64_t user;            /* row of the user with whom it ends, and whose role bounds it; 0 */
};
unsigned api_key_rights(const struct api_key *k);

/* The roles, lowest first: support reads; developer also writes and ingests; owner also manages the
 * account's users; operator has all accounts. */
#define ROLE_LIST(X)                                                                               \
    X(SUPPORT, "support") X(DEVELOPER, "developer") X(OWNER, "owner") X(OPERATOR, "operator")
enum role {
#define X(id, name) ROLE_##id,
    ROLE_LIST(X)
#undef X
        ROLE_COUNT
};
const char *role_name(enum role r);
bool role_parse(struct str name, enum role *ret);
unsigned role_rights(enum role r);

enum { PASSWORD_MIN = 8, PASSWORD_MAX = 256 }; /* bytes */

struct user {
    char username[65];               /* as it was written; found by its lower case, user_key */
    char password[PASSWORD_MAX + 1]; /* only in input, never printed; "" when not given */
    char password_hash[129];         /* argon2id; "" in input */
    enum role role;
    char created_by[ID_SIZE]; /* as a key's */
};

enum { EXTENSION_NAME_MAX = 64, EXTENSION_PASSWORD_MIN = 6, EXTENSION_PASSWORD_MAX = 128 };

struct extension {                             /* a SIP account of ours */
    char username[EXTENSION_NAME_MAX + 1];     /* as digest hashes it; found by extension_key */
    char password[EXTENSION_PASSWORD_MAX + 1]; /* "" in input that gives none */
    char label[NAME_MAX_BYTES + 1];
};

struct account {
    char name[NAME_MAX_BYTES + 1];
    uint32_t retention_days;       /* 0: default */
    char balance[24], currency[4]; /* what the DID API tells; "" : "0.00", "USD" */
};

/* Reads an event that another PBX posts: the contract's fields, its own `id` and `call_id` when
 * given. ERR_INVALID with *ret_fault. */
MUST_USE enum err event_of_ingest(uint64_t account, const struct json *doc, int64_t now_ms,
                                  struct event **ret, struct field_error *ret_fault);

/* Parse a stored document or API input. Unknown members, wrong types and wrong values give
 * ERR_INVALID with *ret_fault filled in. Absent members get their defaults. Each value is heap
 * memory of one owner. */
MUST_USE enum err did_parse(const struct json *doc, struct did **ret,
                            struct field_error *ret_fault);
MUST_USE enum err endpoint_parse(const struct json *doc, struct endpoint **ret,
                                 struct field_error *ret_fault);
MUST_USE enum err trunk_parse(const struct json *doc, struct trunk **ret,
                              struct field_error *ret_fault);
MUST_USE enum err api_key_parse(const struct json *doc, struct api_key **ret,
                                struct field_error *ret_fault);
MUST_USE enum err smpp_link_parse(const struct json *doc, struct smpp_link **ret,
                                  struct field_error *ret_fault);
MUST_USE enum err user_parse(const struct json *doc, struct user **ret,
                             struct field_error *ret_fault);
MUST_USE enum err extension_parse(const struct json *doc, struct extension **ret,
                                  struct field_error *ret_fault);
MUST_USE enum err account_parse(const struct json *doc, struct account **ret,
                                struct field_error *ret_fault);
/* Makes the key by which a user is found: the name in lower case (ASCII); "" when it is no valid
 * name. */
void user_key(struct str username, char out[65]);
/* Makes the key by which an extension is found: its username in lower case, unique in the whole
 * system (docs/decisions/extension-names.md); "" when it is no valid name. */
void extension_key(struct str username, char out[EXTENSION_NAME_MAX + 1]);
void extension_password_new(char out[EXTENSION_PASSWORD_MAX + 1]);
/* Print the whole document, secrets too. */
void did_print(const struct did *d, struct buf *out);
void endpoint_print(const struct endpoint *e, struct buf *out);
void trunk_print(const struct trunk *t, struct buf *out);
void api_key_print(const struct api_key *k, struct buf *out);
void smpp_link_print(const struct smpp_link *l, struct buf *out);
void user_print(const struct user *u, struct buf *out);
void extension_print(const struct extension *e, struct buf *out);
void account_print(const struct account *a, struct buf *out);
/* Makes *ret the number as it leaves its account: the account's settings (label, forward) are gone,
 * the operator's stay. It borrows from `d`, and is not freed. */
void did_leave(const struct did *d, struct did *ret);
void did_free(struct did *d); /* all NULL-safe */
void endpoint_free(struct endpoint *e);
void trunk_free(struct trunk *t);
void api_key_free(struct api_key *k);
void smpp_link_free(struct smpp_link *l);
void user_free(struct user *u);           /* wipes it first */
void extension_free(struct extension *e); /* wipes it first */
void account_free(struct account *a);
