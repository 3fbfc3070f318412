/* forward: parses and prints a number's ordered targets. The one parser serves PUT …/forward, the
 * stored row, and an endpoint's answer that routes a call. The value is one block of memory. */
#include "model/forward.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/number.h"

static const char *const type_names[] = {
#define X(id, name) name,
    TARGET_TYPE_LIST(X)
#undef X
};
static const char *const when_names[] = {
#define X(id, name) name,
    TARGET_WHEN_LIST(X)
#undef X
};

const char *target_type_name(enum target_type t)
{
    return type_names[t];
}

const char *target_when_name(enum target_when w)
{
    return when_names[w];
}

bool target_type_parse(struct str name, enum target_type *ret)
{
    for (unsigned i = 0; i < TARGET_TYPE_COUNT; i++)
        if (str_eq(name, str_of(type_names[i]))) {
            *ret = (enum target_type)i;
            return true;
        }
    return false;
}

static bool when_parse(struct str name, enum target_when *ret)
{
    for (unsigned i = 0; i < WHEN_COUNT; i++)
        if (str_eq(name, str_of(when_names[i]))) {
            *ret = (enum target_when)i;
            return true;
        }
    return false;
}

static bool is_visible(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] == 0x7F)
            return false;
    return s.n > 0;
}

static bool is_made_of(struct str s, const char *others, bool letters)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], low = (char)(c | 0x20);
        if (!((c >= '0' && c <= '9') || (low >= 'a' && low <= (letters ? 'z' : 'f')) ||
              (c && strchr(others, c))))
            return false;
    }
    return s.n > 0;
}

static bool is_port(struct str s)
{
    uint64_t port;
    return str_to_u64(s, 65535, &port) == OK && port > 0;
}

/* True for host, host:port, [IPv6], [IPv6]:port, or an IPv6 address alone. */
static bool is_host_port(struct str s)
{
    struct str host, port;
    if (s.n && s.p[0] == '[') {
        size_t end = str_find(s, ']');
        port = str_from(s, end < s.n ? end + 1 : s.n);
        return end < s.n && is_made_of(str_slice(s, 1, end - 1), ":.", false) &&
               (port.n == 0 || (port.p[0] == ':' && is_port(str_from(port, 1))));
    }
    if (!str_cut(s, ':', &host, &port))
        return is_made_of(s, "-._", true);
    return str_find(port, ':') < port.n ? is_made_of(s, ":.", false)
                                        : is_made_of(host, "-._", true) && is_port(port);
}

/* True for sip:user@host…: the parts that sip/'s URI parser needs are there; it judges the rest
 * when the call is made. */
static bool is_sip_uri(struct str s)
{
    size_t at = str_starts_nocase(s, STR("sip:")) ? 4 : str_starts_nocase(s, STR("sips:")) ? 5 : 0;
    struct str rest = str_from(s, at), user, host;
    if (!at || !is_visible(s) || memchr(s.p, '<', s.n) || memchr(s.p, '>', s.n) ||
        memchr(s.p, '"', s.n))
        return false;
    if (!str_cut(rest, '@', &user, &host))
        host = rest;
    host = str_slice(host, 0, str_find(host, ';'));
    host = str_slice(host, 0, str_find(host, '?'));
    return is_host_port(host);
}

bool target_has_password(const struct target *t)
{
    struct str scheme, rest, user, host;
    return t->type == TARGET_SIP && str_cut(t->destination, ':', &scheme, &rest) &&
           str_cut(rest, '@', &user, &host) && str_find(user, ':') < user.n;
}

static const char *destination_fault(enum target_type type, struct str d)
{
    if (d.n > DESTINATION_MAX)
        return "at most 512 bytes";
    switch (type) {
    case TARGET_SIP: return is_sip_uri(d) ? NULL : "a SIP URI: sip:user@host or sips:user@host";
    case TARGET_PSTN:
    case TARGET_ACCESS_NUMBER:
        return number_is_e164(d) ? NULL : "an E.164 number: + and 5 to 15 digits";
    case TARGET_EXTENSION:
        return extension_name_is(d) ? NULL : "the name of an extension: letters, digits, - . _ ~ +";
    case TARGET_DIRECT_IP: return is_host_port(d) ? NULL : "host or host:port of a PBX";
    default:
        return is_visible(d) && (str_starts_nocase(d, STR("http://")) ||
                                 str_starts_nocase(d, STR("https://")))
                   ? NULL
                   : "an http or https URL";
    }
}

static bool is_header_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], low = (char)(c | 0x20);
        if (!((low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
              c == '.'))
            return false;
    }
    return s.n <= 64 && (str_starts_nocase(s, STR("x-")) || str_eq_nocase(s, STR("user-to-user")));
}

static bool is_header_value(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7F)
            return false;
    return s.n <= 512 && str_is_utf8(s);
}

/* Reads one target, before it is copied into the block. */
static const char *target_read(const struct json *v, struct target *t,
                               struct str header[TARGET_HEADERS_MAX][2], const char **ret_member)
{
    struct str key, text;
    const struct json *m;
    int64_t n;
    bool has_type = false, has_destination = false;
    *t = (struct target){.header = header};
    *ret_member = NULL;
    if (json_kind(v) != JSON_IS_OBJECT)
        return "an object with type and destination";
    for (void *it = NULL; json_next(v, &it, &key, &m);) {
        if (str_eq(key, STR("type"))) {
            *ret_member = "type";
            if (!json_str(m, &text) || !target_type_parse(text, &t->type))
                return "one of sip, pstn, extension, access_number, direct_ip, webhook";
            has_type = true;
        } else if (str_eq(key, STR("destination"))) {
            *ret_member = "destination";
            if (!json_str(m, &t->destination))
                return "a string";
            has_destination = true;
        } else if (str_eq(key, STR("ring_timeout_s"))) {
            *ret_member = "ring_timeout_s";
            if (!json_int(m, &n) || n < 1 || n > RING_TIMEOUT_MAX_S)
                return "a whole number from 1 to 600";
            t->ring_timeout_s = (unsigned)n;
        } else if (str_eq(key, STR("when"))) {
            *ret_member = "when";
            if (!json_str(m, &text) || !when_parse(text, &t->when))
                return "one of always, busy, no_answer, not_registered, failed";
            t->when_said = true;
        } else if (str_eq(key, STR("headers"))) {
            *ret_member = "headers";
            if (json_kind(m) != JSON_IS_OBJECT || json_len(m) > TARGET_HEADERS_MAX)
                return "an object of at most 16 headers";
            struct str name, value;
            const struct json *hv;
            for (void *hit = NULL; json_next(m, &hit, &name, &hv);) {
                if (!is_header_name(name) || !json_str(hv, &value) || !is_header_value(value))
                    return "names that start with X- (or User-to-User), values of one line";
                t->header[t->n_headers][0] = name;
                t->header[t->n_headers++][1] = value;
            }
        } else {
            *ret_member = key.p;
            return "no such field; known: type, destination, ring_timeout_s, when, headers";
        }
    }
    *ret_member = has_type ? "destination" : "type";
    if (!has_type || !has_destination)
        return "needed";
    return destination_fault(t->type, t->destination);
}

static struct str target_move(struct str s, char **at)
{
    struct str copy = {*at, s.n};
    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

static struct forward nowhere; /* shared by all numbers without a target */

static struct forward *forward_block_new(const struct target *t, size_t n)
{
    size_t bytes = 0;
    size_t headers = 0;
    for (size_t i = 0; i < n; i++) {
        bytes += t[i].destination.n;
        headers += t[i].n_headers;
        for (size_t h = 0; h < t[i].n_headers; h++)
            bytes += t[i].header[h][0].n + t[i].header[h][1].n;
    }
    struct forward *f = malloc(sizeof *f + n * sizeof *t + headers * sizeof *t[0].header + bytes);
    if (!f)
        return NULL;
    f->n = n;
    f->target = (struct target *)(void *)(f + 1);
    struct str(*header)[2] = (struct str(*)[2])(void *)(f->target + n);
    char *at = (char *)(header + headers);
    for (size_t i = 0; i < n; i++) {
        struct target *to = &f->target[i];
        *to = t[i];
        to->header = header;
        header += t[i].n_headers;
        to->destination = target_move(t[i].destination, &at);
        for (size_t h = 0; h < t[i].n_headers; h++) {
            to->header[h][0] = target_move(t[i].header[h][0], &at);
            to->header[h][1] = target_move(t[i].header[h][1], &at);
        }
    }
    return f;
}

enum err forward_parse(const struct json *targets, struct forward **ret, char ret_field[64],
                       const char **ret_why)
{
    enum err err = ERR_INVALID;
    size_t n = targets && json_kind(targets) == JSON_IS_ARRAY ? json_len(targets) : TARGETS_MAX + 1;
    struct target *t = NULL;
    struct str(*header)[TARGET_HEADERS_MAX][2] = NULL;
    snprintf(ret_field, 64, "targets");
    *ret_why = "an array of at most 16 targets";
    if (n > TARGETS_MAX)
        return err;
    if (n == 0) {
        *ret = &nowhere;
        return OK;
    }
    t = calloc(n, sizeof *t);
    header = t ? malloc(n * sizeof *header) : NULL;
    for (size_t i = 0; header && i < n; i++) {
        const char *member;
        *ret_why = target_read(json_at(targets, i), &t[i], header[i], &member);
        if (*ret_why) {
            snprintf(ret_field, 64, "targets[%zu]%s%.30s", i, member ? "." : "",
                     member ? member : "");
            goto out;
        }
    }
    *ret = header ? forward_block_new(t, n) : NULL;
    err = *ret ? OK : ERR_NOMEM;
out:
    free(header);
    free(t);
    return err;
}

void forward_free(struct forward *f)
{
    if (f != &nowhere)
        free(f);
}

void forward_print(const struct forward *f, struct buf *out)
{
    struct json_writer w = {out, false};
    json_arr(&w, NULL);
    for (size_t i = 0; i < f->n; i++) {
        const struct target *t = &f->target[i];
        json_obj(&w, NULL);
        json_put_str(&w, "type", str_of(target_type_name(t->type)));
        json_put_str(&w, "destination", t->destination);
        if (t->ring_timeout_s)
            json_put_i64(&w, "ring_timeout_s", t->ring_timeout_s);
        if (t->when_said)
            json_put_str(&w, "when", str_of(target_when_name(t->when)));
        if (t->n_headers) {
            char name[72];
            json_obj(&w, "headers");
            for (size_t h = 0; h < t->n_headers; h++) {
                snprintf(name, sizeof name, "%.*s", STR_FMT(t->header[h][0]));
                json_put_str(&w, name, t->header[h][1]);
            }
            json_end_obj(&w);
        }
        json_end_obj(&w);
    }
    json_end_arr(&w);
}
