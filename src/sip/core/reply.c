/* reply: answers requests, and sends what no transaction repeats. Calls, texts and the edge stand
 * above it. Edge's thread. */
#include "sip/core/reply.h"

#include "base/map.h"
#include "sip/wire/methods.h"
#include "sip/wire/print.h"
#include "sip/wire/token.h"

void core_trace(struct sip_core *core, const struct trace_id *call, char leg,
                const struct path *from, struct str raw)
{
    core->at_hand = (struct trace_label){*call, leg};
    trace_put(core->trace, &core->at_hand, false, from, raw);
}

void core_send(struct sip_core *core, const struct trace_id *call, char leg, struct path *path,
               struct str host, struct str bytes)
{
    const struct trace_label whose = {*call, leg};
    if (transport_send(core->transport, path, host, bytes) == OK)
        trace_put(core->trace, &whose, true, path, bytes);
}

void core_reply_tagged(struct sip_core *core, const struct sip_msg *m, const struct path *to,
                       int status, struct str tag, const char *reason, const char *more)
{
    struct buf b = core_scratch_reply(core);
    struct path path = txn_reply_path(m, to);
    if (m->method == SIP_ACK || !m->answerable)
        return;
    sip_put_reply(&b, m, &to->peer, status, str_of(reason), tag, false);
    if (status == 405 || status == 501 || (status == 200 && m->method == SIP_OPTIONS))
        methods_put_all(&b);
    buf_puts(&b, more ? more : "");
    sip_put_body(&b, (struct str){0});
    if (b.err == OK)
        core_send(core, &core->at_hand.call, core->at_hand.leg, &path, (struct str){0},
                  buf_str(&b));
}

void core_reply(struct sip_core *core, const struct sip_msg *m, const struct path *to, int status,
                const char *reason, const char *more)
{
    char tag[TOKEN_SIZE];
    /* Stateless: the same request must get the same tag (RFC 3261 §8.2.7). */
    uint64_t hash = hash64(m->via.branch.n ? m->via.branch : m->call_id);
    token_print(hash, hash64(m->call_id), tag);
    core_reply_tagged(core, m, to, status, str_of(tag), reason, more);
}

void core_reply_kept(struct sip_core *core, struct txn *t, const struct sip_msg *m, int status,
                     const char *reason, const char *more)
{
    struct buf b = core_scratch_reply(core);
    char tag[TOKEN_SIZE];
    token_print(t->self, hash64(m->call_id), tag);
    sip_put_reply(&b, m, &t->path.peer, status, str_of(reason),
                  status > 100 ? str_of(tag) : STR(""), false);
    buf_puts(&b, more ? more : "");
    sip_put_body(&b, (struct str){0});
    if (b.err == OK)
        txn_answer(core->txns, t, status, buf_str(&b));
}
