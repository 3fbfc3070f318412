/* text_in: a MESSAGE outside of any dialog (RFC 3428): a text to one of our numbers.
 *
 * What can be refused is refused without keeping anything; the rest gets a server transaction,
 * which absorbs what the sender repeats meanwhile, and goes through hub/messages. 202 follows the
 * commit. A repeat that comes after a restart has the same id and is found there: 202 again, no
 * second event. Texts have at most half of the transactions, and TEXTS_MAX wait for their commit at
 * once: calls never want for either. Edge's thread. */
#include "sip/text/text_in.h"

#include "base/log.h"
#include "base/metrics.h"
#include "sip/core/identity.h"
#include "sip/core/limits.h"
#include "sip/core/refuse.h"
#include "sip/core/reply.h"
#include "sip/text/text_body.h"

enum { TEXTS_MAX = 4096 };

static const char retry_after[] = "Retry-After: 5\r\n";

/* The same text: party, Call-ID, From tag, CSeq, as for calls; and what it says, because there are
 * senders who never count and would lose all texts but the first. */
static void derive_message_id(const struct sip_msg *m, const struct party *p, char out[ID_SIZE])
{
    char cseq[16];
    struct buf b;
    buf_wrap(&b, cseq, sizeof cseq);
    buf_put_u64(&b, m->cseq);
    const struct str part[] = {party_id(p), m->call_id, m->from.tag, buf_str(&b), m->body};
    id_derive("sim", part, 5, out);
}

/* What the sender hears when it was not taken. */
static void answer_failed(struct sip_core *core, struct txn *t, const struct sip_msg *m,
                          enum err err)
{
    bool bad = err_is_final(err);
    metric_add(bad                                   ? METRIC_SIP_TEXTS_REFUSED
               : err == ERR_FULL || err == ERR_NOMEM ? METRIC_SIP_TEXTS_THROTTLED
                                                     : METRIC_SIP_TEXTS_FAILED,
               1);
    if (bad)
        core_reply_kept(core, t, m,
                        err == ERR_TOO_BIG                    ? 413
                        : err_class(err) == ERR_CLASS_REFUSED ? 400
                                                              : 500,
                        NULL, NULL);
    else
        core_reply_kept(core, t, m, 503, NULL, retry_after);
}

static void text_over(struct texts *texts)
{
    if (--texts->n == 0)
        texts->on_none(texts->arg);
}

static void on_taken(void *arg, uint64_t token, enum err err, bool duplicate, struct str message_id)
{
    struct texts *texts = arg;
    struct sip_core *core = texts->core;
    struct txn *t = txn_at(core->txns, token);
    if (t && txn_request(t, &core->again) == OK) {
        if (err == OK) {
            metric_add(duplicate ? METRIC_SIP_TEXTS_REPEATED : METRIC_SIP_TEXTS_STORED, 1);
            core_reply_kept(core, t, &core->again, 202, NULL, NULL);
        } else {
            log_sparse(LOG_WARN, 5000, "sip", "a text was not stored: %s", err_text(err));
            answer_failed(core, t, &core->again, err);
        }
    }
    text_over(texts);
}

static void text_take(struct texts *texts, const struct sip_msg *m, const struct path *from,
                      struct str raw, const struct message_in *in)
{
    struct sip_core *core = texts->core;
    struct txn *t = transactions_admit(core->txns, in->account)
                        ? txn_server_new(core->txns, m, from, raw, true)
                        : NULL;
    if (!t) {
        metric_add(METRIC_SIP_TEXTS_THROTTLED, 1);
        core_reply(core, m, from, 503, NULL, retry_after);
        return;
    }
    txn_charge(core->txns, t, in->account);
    texts->n++;
    enum err err = messages_take(core->c.messages, core->book, in, loop_mailbox(core->c.loop),
                                 on_taken, texts, t->self);
    if (err != OK) {
        answer_failed(core, t, m, err);
        text_over(texts);
    }
}

static bool is_crowded(const struct texts *texts)
{
    return texts->n >= TEXTS_MAX || transactions_count(texts->core->txns) >= texts->txns_max;
}

void text_on_message(struct texts *texts, const struct sip_msg *m, const struct path *from,
                     struct str raw, const struct party *party)
{
    struct sip_core *core = texts->core;
    char to[NUMBER_SIZE], sender[CALLER_SIZE], id[ID_SIZE];
    const struct book_number *number = NULL;
    struct text_body body;
    struct buf mem = core_scratch(core);
    if (core_refuse_request(core, m, from))
        return;
    if (identity_called(m, party, to) == OK)
        number = book_number(core->book, str_of(to));
    if (!number || !number->set->sms) {
        metric_add(METRIC_SIP_TEXTS_NOT_OURS, 1);
        core_reply(core, m, from, 404, NULL, NULL);
        return;
    }
    text_body_read(m, core->c.message_max, &mem, &body);
    if (body.status) {
        metric_add(METRIC_SIP_TEXTS_REFUSED, body.status >= 300);
        core_reply(core, m, from, body.status, body.reason, body.headers);
        return;
    }
    bool writable = !core->draining && store_is_writable(core->c.store);
    if (!writable || is_crowded(texts) || !party_admits_text(core, party)) {
        metric_add(writable ? METRIC_SIP_TEXTS_THROTTLED : METRIC_SIP_TEXTS_FAILED, 1);
        core_reply(core, m, from, 503, NULL, retry_after);
        return;
    }
    identity_sender(m, party, sender);
    derive_message_id(m, party, id);
    const struct message_in in = {.account = number->account,
                                  .link = party_id(party),
                                  .from = str_of(sender),
                                  .to = str_of(to),
                                  .message_id = str_of(id),
                                  .part = body.part};
    text_take(texts, m, from, raw, &in);
}
