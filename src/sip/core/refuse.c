/* refuse: answers requests that cannot be served, whoever is called: a scheme that is not ours, no
 * hops left, a method that no dialog has, extensions that we do not carry, a body that no call has.
 * Edge's thread. */
#include "sip/core/refuse.h"

#include "sip/core/reply.h"
#include "sip/wire/methods.h"
#include "sip/wire/option_tags.h"

enum { UNSUPPORTED_MAX = 300 };

static bool body_is_unknown(const struct sip_msg *m)
{
    struct str coding = sip_value(m, SIP_H_CONTENT_ENCODING);
    if (m->body.n == 0 || sip_body_is_optional(m))
        return false;
    if (coding.n && !str_eq_nocase(coding, STR("identity")))
        return true;
    return !sip_has_offer(m);
}

static bool refuse_extensions(struct sip_core *core, const struct sip_msg *m,
                              const struct path *from)
{
    char header[UNSUPPORTED_MAX];
    struct buf b;
    buf_wrap(&b, header, sizeof header - 1);
    if (!option_tags_put_unsupported(&b, m))
        return false;
    header[b.n] = '\0';
    core_reply(core, m, from, 420, NULL, b.err == OK ? header : NULL);
    return true;
}

/* A From without tag is RFC 2543's: let in (RFC 4475 §3.3.16). */
bool core_refuse_request(struct sip_core *core, const struct sip_msg *m, const struct path *from)
{
    if (m->ruri.scheme == URI_OTHER)
        core_reply(core, m, from, 416, NULL, NULL);
    else if (m->max_forwards == 0)
        core_reply(core, m, from, 483, NULL, NULL);
    else
        return refuse_extensions(core, m, from);
    return true;
}

bool core_refuse_within(struct sip_core *core, const struct sip_msg *m, const struct path *from)
{
    if (method_is_of_dialogs(m->method))
        return refuse_extensions(core, m, from);
    core_reply(core, m, from, 405, NULL, NULL);
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
