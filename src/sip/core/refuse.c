/* refuse: answers requests that cannot be served, whoever is called: a scheme that is not ours, no
 * hops left, extensions that we do not carry, a body that no call has. Edge's thread. */
#include "sip/core/refuse.h"

#include "sip/core/reply.h"
#include "sip/wire/option_tags.h"

static bool requires_unknown(const struct sip_msg *m, struct buf *ret_list)
{
    static const enum sip_header_id id[] = {SIP_H_REQUIRE, SIP_H_PROXY_REQUIRE};
    for (size_t i = 0; i < 2; i++) {
        size_t line = 0;
        struct str rest = {0}, v;
        while (sip_next(m, id[i], &line, &rest, &v))
            if (!option_tag_passes(v))
                buf_printf(ret_list, "%s%.*s", ret_list->n ? ", " : "",
                           STR_FMT(str_slice(v, 0, 64)));
    }
    return ret_list->n > 0;
}

static bool body_is_unknown(const struct sip_msg *m)
{
    struct str type = sip_value(m, SIP_H_CONTENT_TYPE),
               coding = sip_value(m, SIP_H_CONTENT_ENCODING);
    if (m->body.n == 0)
        return false;
    if (coding.n && !str_eq_nocase(coding, STR("identity")))
        return true;
    return type.n && !str_starts_nocase(type, STR("application/sdp")) &&
           !str_starts_nocase(type, STR("multipart/"));
}

bool core_refuse_request(struct sip_core *core, const struct sip_msg *m, const struct path *from)
{
    char list[512], header[600];
    struct buf b, h;
    buf_wrap(&b, list, sizeof list);
    if (m->ruri.scheme == URI_OTHER) {
        core_reply(core, m, from, 416, NULL, NULL);
    } else if (m->max_forwards == 0) {
        core_reply(core, m, from, 483, NULL, NULL);
    } else if (requires_unknown(m, &b)) {
        buf_wrap(&h, header, sizeof header);
        buf_printf(&h, "Unsupported: %.*s\r\n", STR_FMT(buf_str(&b)));
        buf_putc(&h, '\0');
        core_reply(core, m, from, 420, NULL, h.err == OK ? header : NULL);
    } else {
        return false; /* a From without tag is RFC 2543's: let in (RFC 4475 §3.3.16) */
    }
    return true;
}

bool core_refuse_message(struct sip_core *core, const struct sip_msg *m, const struct path *from)
{
    if (core_refuse_request(core, m, from))
        return true;
    if (!body_is_unknown(m))
        return false;
    core_reply(core, m, from, 415, NULL,
               "Accept: application/sdp, multipart/mixed\r\nAccept-Encoding: identity\r\n");
    return true;
}
