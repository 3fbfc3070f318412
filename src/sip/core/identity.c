/* identity: the called and the calling number of an INVITE or a MESSAGE. Carriers put them in many
 * places (RFC 3261, 3325, 7315, 7044, 5806, the Remote-Party-ID draft) and hide them by RFC 3323;
 * the trunk's setting says which to believe. Pure. */
#include "sip/core/identity.h"

#include <stdio.h>
#include <string.h>

#include "sip/wire/privacy.h"

static bool number_of(struct str value, const struct number_rules *r, char ret[NUMBER_SIZE])
{
    struct name_addr na;
    return name_addr_parse(value, &na) == OK && number_parse(uri_number(&na.uri), r, ret) == OK;
}

enum err identity_called(const struct sip_msg *m, const struct party *p, char ret[NUMBER_SIZE])
{
    const struct trunk *t = party_ways(p);
    static const enum sip_header_id header[CALLED_FROM_COUNT] = {
        [CALLED_FROM_PCPID] = SIP_H_P_CALLED_PARTY_ID,
        [CALLED_FROM_TO] = SIP_H_TO,
        [CALLED_FROM_HISTORY] = SIP_H_HISTORY_INFO,
        [CALLED_FROM_DIVERSION] = SIP_H_DIVERSION,
    };
    for (size_t i = 0; i < t->n_called_from; i++) {
        enum called_from from = (enum called_from)t->called_from[i];
        if (from == CALLED_FROM_RURI) {
            if (number_parse(uri_number(&m->ruri), &t->rules, ret) == OK)
                return OK;
            continue;
        }
        size_t line = 0;
        struct str rest = {0}, v;
        while (sip_next(m, header[from], &line, &rest, &v))
            if (number_of(v, &t->rules, ret))
                return OK;
    }
    return ERR_NOT_FOUND;
}

static bool is_anonymous(const struct name_addr *na)
{
    return str_eq_nocase(na->uri.user, STR("anonymous")) ||
           str_eq_nocase(na->uri.host, STR("anonymous.invalid")) ||
           str_eq_nocase(na->uri.user, STR("restricted"));
}

/* STIR: what the carrier says it verified (3GPP TS 24.229 §7.2A.20), with the attestation some put
 * beside it. */
static char attestation(const struct sip_msg *m, const struct name_addr *na)
{
    struct str v;
    const struct sip_header *h;
    bool passed =
        param_find(na->params, STR("verstat"), &v) ||
        param_find(na->uri.params, STR("verstat"), &v) ||
        param_find(str_from(na->uri.user, str_find(na->uri.user, ';')), STR("verstat"), &v);
    if (passed && !str_starts_nocase(v, STR("TN-Validation-Passed")))
        return 'n';
    static const char *const names[] = {"P-Attestation-Indicator", "P-Attestation-Info",
                                        "X-Attestation"};
    for (size_t i = 0; i < 3; i++)
        if ((h = sip_header_named(m, str_of(names[i]))) && h->value.n == 1) {
            char c = (char)(h->value.p[0] & ~0x20);
            if (c >= 'A' && c <= 'C')
                return c;
        }
    if (passed && v.n >= 2 && v.p[v.n - 2] == '-') {
        char c = (char)(v.p[v.n - 1] & ~0x20);
        if (c >= 'A' && c <= 'C')
            return c;
    }
    return 't';
}

/* Takes the next value of a header that says who sent the message. */
static bool sender_next(const struct sip_msg *m, enum sip_header_id id, size_t *line,
                        struct str *rest, struct name_addr *ret)
{
    struct str v;
    while (sip_next(m, id, line, rest, &v))
        if (name_addr_parse(v, ret) == OK &&
            (id != SIP_H_REMOTE_PARTY_ID || remote_party_is_sender(m, ret)))
            return true;
    return false;
}

/* Digits without a `+` that are too few for a number: an extension, a short code. They stay as they
 * are, in any context (RFC 3966 §5.1.5 has 911 in the context of +1, which is no number). */
static bool is_short_code(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n >= 1 && s.n <= SHORT_CODE_MAX;
}

static bool caller_of(const struct sip_msg *m, enum sip_header_id id, const struct number_rules *r,
                      struct caller *ret, bool trusted, bool *ret_private)
{
    size_t line = 0;
    struct str rest = {0}, privacy, digits, params;
    struct name_addr na;
    char number[NUMBER_SIZE];
    bool any = false;
    while (sender_next(m, id, &line, &rest, &na)) {
        any = true;
        if (is_anonymous(&na) ||
            (id == SIP_H_REMOTE_PARTY_ID && param_find(na.params, STR("privacy"), &privacy) &&
             !str_eq_nocase(privacy, STR("off"))))
            *ret_private = true;
        if (na.display.n && !ret->name.n)
            ret->name = na.display;
        if (trusted)
            ret->verified = attestation(m, &na);
        str_cut(uri_number(&na.uri), ';', &digits, &params);
        if (is_short_code(digits))
            snprintf(ret->id, sizeof ret->id, "%.*s", STR_FMT(digits));
        else if (number_parse(uri_number(&na.uri), r, number) == OK)
            snprintf(ret->id, sizeof ret->id, "%s", number);
        else
            continue;
        return true;
    }
    return any && *ret_private;
}

void identity_caller(const struct sip_msg *m, const struct party *p, struct caller *ret)
{
    const struct trunk *t = party_ways(p);
    bool hidden = privacy_is_wanted(m);
    *ret = (struct caller){.id = "unknown", .name = STR(""), .verified = 'n'};
    bool found = t->trust_identity &&
                 (caller_of(m, SIP_H_P_ASSERTED_IDENTITY, &t->rules, ret, true, &hidden) ||
                  caller_of(m, SIP_H_REMOTE_PARTY_ID, &t->rules, ret, true, &hidden));
    bool from_hidden = false;
    if (!found)
        caller_of(m, SIP_H_FROM, &t->rules, ret, false, &from_hidden);
    if (!ret->name.n && !is_anonymous(&m->from))
        ret->name = m->from.display;
    if (hidden || from_hidden || (!found && is_anonymous(&m->from))) {
        snprintf(ret->id, sizeof ret->id, "anonymous");
        ret->name = STR("");
    }
}

/* The user part of the first address that has one, of what the trunk may be believed. */
static struct str sender_user(const struct sip_msg *m, const struct trunk *t)
{
    static const enum sip_header_id id[] = {SIP_H_P_ASSERTED_IDENTITY, SIP_H_REMOTE_PARTY_ID};
    struct name_addr na;
    struct str user = {0}, params;
    for (size_t i = 0; t->trust_identity && i < 2 && !user.n; i++) {
        size_t line = 0;
        struct str rest = {0};
        while (!user.n && sender_next(m, id[i], &line, &rest, &na))
            user = uri_number(&na.uri);
    }
    str_cut(user.n ? user : uri_number(&m->from.uri), ';', &user, &params);
    return user;
}

/* Escapes undone: UTF-8 without control bytes, or nothing. */
static bool as_sent(struct str user, char ret[CALLER_SIZE])
{
    struct buf b;
    buf_wrap(&b, ret, CALLER_SIZE - 1);
    if (uri_unescape(user, &b) != OK || b.n == 0 || !str_is_utf8(buf_str(&b)))
        return false;
    for (size_t i = 0; i < b.n; i++)
        if ((unsigned char)ret[i] < ' ' || ret[i] == 0x7f)
            return false;
    ret[b.n] = '\0';
    return true;
}

void identity_sender(const struct sip_msg *m, const struct party *p, char ret[CALLER_SIZE])
{
    struct caller c;
    char sent[CALLER_SIZE];
    struct str user = sender_user(m, party_ways(p));
    identity_caller(m, p, &c);
    bool named = !strcmp(c.id, "unknown") && as_sent(user, sent);
    snprintf(ret, CALLER_SIZE, "%s", named ? sent : c.id);
}
