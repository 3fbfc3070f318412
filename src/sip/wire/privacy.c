/* privacy: holds the table of who may see which header, and finds the numbers that custom headers
 * may not have. Called for each message that is passed on, on the edge's thread, and by the trace's
 * reader. */
#include "sip/wire/privacy.h"

#include <string.h>

const struct secrets secrets_unknown = {.unknown = true};

/* ---- the table ---- */

static const uint8_t class_of_id[SIP_H_OTHER] = {
    [SIP_H_VIA] = HEADER_HOP,
    [SIP_H_FROM] = HEADER_HOP,
    [SIP_H_TO] = HEADER_HOP,
    [SIP_H_CALL_ID] = HEADER_HOP,
    [SIP_H_CSEQ] = HEADER_HOP,
    [SIP_H_CONTACT] = HEADER_HOP,
    [SIP_H_MAX_FORWARDS] = HEADER_HOP,
    [SIP_H_CONTENT_LENGTH] = HEADER_HOP,
    [SIP_H_ROUTE] = HEADER_HOP,
    [SIP_H_RECORD_ROUTE] = HEADER_HOP,
    [SIP_H_RACK] = HEADER_HOP,
    [SIP_H_PATH] = HEADER_HOP,
    [SIP_H_PROXY_REQUIRE] = HEADER_HOP,
    [SIP_H_WWW_AUTHENTICATE] = HEADER_HOP,
    [SIP_H_AUTHORIZATION] = HEADER_HOP,
    [SIP_H_PROXY_AUTHENTICATE] = HEADER_HOP,
    [SIP_H_PROXY_AUTHORIZATION] = HEADER_HOP,
    [SIP_H_TIMESTAMP] = HEADER_HOP,
    [SIP_H_REPLACES] = HEADER_HOP,
    [SIP_H_P_ASSERTED_IDENTITY] = HEADER_PERSON,
    [SIP_H_P_PREFERRED_IDENTITY] = HEADER_PERSON,
    [SIP_H_REMOTE_PARTY_ID] = HEADER_PERSON,
    [SIP_H_HISTORY_INFO] = HEADER_PERSON,
    [SIP_H_DIVERSION] = HEADER_PERSON,
    [SIP_H_IDENTITY] = HEADER_PERSON,
    [SIP_H_CALL_INFO] = HEADER_PERSON,
    [SIP_H_REFERRED_BY] = HEADER_PERSON,
    [SIP_H_SUBJECT] = HEADER_PERSON,
    [SIP_H_WARNING] = HEADER_PERSON,
    [SIP_H_SERVER] = HEADER_PERSON,
    [SIP_H_USER_AGENT] = HEADER_PERSON,
    [SIP_H_CONTENT_TYPE] = HEADER_CALL,
    [SIP_H_CONTENT_ENCODING] = HEADER_CALL,
    [SIP_H_CONTENT_DISPOSITION] = HEADER_CALL,
    [SIP_H_MIME_VERSION] = HEADER_CALL,
    [SIP_H_REQUIRE] = HEADER_CALL,
    [SIP_H_SUPPORTED] = HEADER_CALL,
    [SIP_H_UNSUPPORTED] = HEADER_CALL,
    [SIP_H_ALLOW] = HEADER_CALL,
    [SIP_H_ALLOW_EVENTS] = HEADER_CALL,
    [SIP_H_ACCEPT] = HEADER_CALL,
    [SIP_H_EVENT] = HEADER_HOP, /* its id is translated (sip/call/refer) */
    [SIP_H_EXPIRES] = HEADER_CALL,
    [SIP_H_RSEQ] = HEADER_CALL,
    [SIP_H_SESSION_EXPIRES] = HEADER_CALL,
    [SIP_H_MIN_SE] = HEADER_CALL,
    [SIP_H_REFER_TO] = HEADER_HOP, /* may name a dialog: the same */
    [SIP_H_REASON] = HEADER_CALL,
    [SIP_H_RETRY_AFTER] = HEADER_CALL,
    [SIP_H_DATE] = HEADER_CALL,
    [SIP_H_PRIVACY] = HEADER_CALL,
    [SIP_H_P_CALLED_PARTY_ID] = HEADER_CALL,
    [SIP_H_P_EARLY_MEDIA] = HEADER_CALL,
};

static const struct {
    struct str name;
    uint8_t class;
} class_of_name[] = {
    {STR("Accept-Encoding"), HEADER_CALL},    {STR("Accept-Language"), HEADER_CALL},
    {STR("Alert-Info"), HEADER_CALL},         {STR("Answer-Mode"), HEADER_CALL},
    {STR("Content-Language"), HEADER_CALL},   {STR("Info-Package"), HEADER_CALL},
    {STR("Max-Breadth"), HEADER_CALL},        {STR("Priority"), HEADER_CALL},
    {STR("Priv-Answer-Mode"), HEADER_CALL},   {STR("Recv-Info"), HEADER_CALL},
    {STR("Refer-Sub"), HEADER_CALL},          {STR("Resource-Priority"), HEADER_CALL},
    {STR("Subscription-State"), HEADER_CALL}, {STR("User-to-User"), HEADER_CUSTOM},
};

enum rule { NEVER, ALWAYS, UNLESS_HIDDEN, WITHOUT_SECRETS };

static const uint8_t rules[HEADER_CLASSES][AUDIENCES] = {
    /*                 the other leg,  events,          trace */
    [HEADER_HOP] = {NEVER, NEVER, ALWAYS}, /* a trace masks the addresses in it */
    [HEADER_PERSON] = {UNLESS_HIDDEN, NEVER, UNLESS_HIDDEN},
    [HEADER_CALL] = {ALWAYS, NEVER, ALWAYS},
    [HEADER_CUSTOM] = {WITHOUT_SECRETS, WITHOUT_SECRETS, WITHOUT_SECRETS},
    [HEADER_OURS] = {NEVER, NEVER, ALWAYS},
    [HEADER_UNKNOWN] = {UNLESS_HIDDEN, NEVER, UNLESS_HIDDEN},
};

enum header_class header_class_of(enum sip_header_id id, struct str name)
{
    if (id != SIP_H_OTHER)
        return (enum header_class)class_of_id[id];
    if (str_starts_nocase(name, STR("X-Hookswitch-")))
        return HEADER_OURS;
    if (str_starts_nocase(name, STR("X-")))
        return HEADER_CUSTOM;
    for (size_t i = 0; i < sizeof class_of_name / sizeof *class_of_name; i++)
        if (str_eq_nocase(name, class_of_name[i].name))
            return (enum header_class)class_of_name[i].class;
    return HEADER_UNKNOWN;
}

/* ---- one value's own privacy ---- */

static bool is_private_token(struct str one)
{
    static const struct str words[] = {STR("id"), STR("user"), STR("header"), STR("full")};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_eq_nocase(str_trim(one), words[i]))
            return true;
    return false;
}

/* True for ";privacy=full" of Diversion and Remote-Party-ID, "?Privacy=history" of History-Info
 * (RFC 5806 §4, RFC 7044 §5). */
static bool is_private_value(struct str value)
{
    struct name_addr na;
    struct str privacy, one, rest;
    if (name_addr_parse(value, &na) != OK)
        return false;
    if (param_find(na.params, STR("privacy"), &privacy) && !str_eq_nocase(privacy, STR("off")))
        return true;
    for (rest = na.uri.headers; rest.n;) {
        str_cut(rest, '&', &one, &rest);
        if (str_starts_nocase(one, STR("Privacy=")) &&
            !str_eq_nocase(str_from(one, 8), STR("none")))
            return true;
    }
    return false;
}

static bool has_private_value(struct str line)
{
    struct str value;
    while (value_next(&line, &value))
        if (is_private_value(value))
            return true;
    return false;
}

bool header_leaves(enum sip_header_id id, struct str name, struct str value, enum audience to,
                   const struct secrets *hidden)
{
    size_t n;
    enum header_class class = header_class_of(id, name);
    switch ((enum rule)rules[class][to]) {
    case NEVER: return false;
    case ALWAYS: return true;
    case UNLESS_HIDDEN:
        return !hidden &&
               !((id == SIP_H_DIVERSION || id == SIP_H_HISTORY_INFO) && has_private_value(value));
    default:
        return !hidden || (!hidden->unknown && secrets_find(hidden, value, &n) == value.n &&
                           secrets_find(hidden, name, &n) == name.n);
    }
}

bool remote_party_is_sender(const struct sip_msg *m, const struct name_addr *id)
{
    struct str party;
    return !param_find(id->params, STR("party"), &party) ||
           str_eq_nocase(party, m->is_request ? STR("calling") : STR("called"));
}

bool privacy_is_wanted(const struct sip_msg *m)
{
    size_t line = 0;
    struct str rest = {0}, v, one;
    struct name_addr na;
    while (sip_next(m, SIP_H_PRIVACY, &line, &rest, &v))
        for (bool more = true; more;) { /* "id;critical" (RFC 3323 §4.2) */
            more = str_cut(v, ';', &one, &v);
            if (is_private_token(one))
                return true;
        }
    line = 0;
    rest = (struct str){0};
    while (sip_next(m, SIP_H_REMOTE_PARTY_ID, &line, &rest, &v))
        if (is_private_value(v) && name_addr_parse(v, &na) == OK && remote_party_is_sender(m, &na))
            return true;
    return false;
}

/* ---- the numbers ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* True for a character that people write between the digits of a number. */
static bool is_separator(char c)
{
    return c == ' ' || c == '-' || c == '.' || c == '(' || c == ')' || c == '/';
}

/* Adds the last digits of a number; fewer than four are no secret. */
static void number_add(struct secrets *s, struct str user)
{
    char digits[SECRET_DIGITS + 1] = "";
    size_t n = 0;
    str_cut(user, ';', &user, &(struct str){0});
    for (size_t i = user.n; i-- && n < SECRET_DIGITS;)
        if (is_digit(user.p[i]))
            digits[SECRET_DIGITS - ++n] = user.p[i];
        else if (!is_separator(user.p[i]) && user.p[i] != '+')
            return; /* a name */
    memmove(digits, digits + SECRET_DIGITS - n, n);
    digits[n] = '\0';
    for (size_t i = 0; i < s->n; i++)
        if (!strcmp(s->digits[i], digits))
            return;
    if (n >= 4 && s->n < SECRETS_MAX)
        memcpy(s->digits[s->n++], digits, sizeof digits);
}

void secrets_add(struct secrets *s, struct str value)
{
    struct str one;
    struct name_addr na;
    while (value_next(&value, &one))
        if (name_addr_parse(one, &na) == OK && na.uri.scheme != URI_OTHER)
            number_add(s, na.uri.user);
}

void secrets_read(const struct sip_msg *m, struct secrets *ret)
{
    static const enum sip_header_id says[] = {SIP_H_P_ASSERTED_IDENTITY, SIP_H_REMOTE_PARTY_ID,
                                              SIP_H_P_PREFERRED_IDENTITY, SIP_H_CONTACT};
    struct name_addr na;
    if (m->is_request)
        number_add(ret, m->from.uri.user);
    for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
        size_t line = 0;
        struct str rest = {0}, v;
        while (sip_next(m, says[i], &line, &rest, &v))
            if (name_addr_parse(v, &na) == OK && na.uri.scheme != URI_OTHER &&
                (says[i] != SIP_H_REMOTE_PARTY_ID || remote_party_is_sender(m, &na)))
                number_add(ret, na.uri.user);
    }
}

/* Gives how many bytes of `text` from `at` on are those digits, with separators between them; 0:
 * none. */
static size_t digits_match(struct str text, size_t at, const char *digits)
{
    size_t i = at;
    for (; *digits && i < text.n; i++)
        if (text.p[i] == *digits)
            digits++;
        else if (i == at || !is_separator(text.p[i]))
            return 0;
    return *digits ? 0 : i - at;
}

size_t secrets_find(const struct secrets *s, struct str text, size_t *ret_n)
{
    for (size_t at = 0; s->n && at < text.n; at++)
        for (size_t i = 0; is_digit(text.p[at]) && i < s->n; i++)
            if ((*ret_n = digits_match(text, at, s->digits[i])))
                return at;
    return text.n;
}
