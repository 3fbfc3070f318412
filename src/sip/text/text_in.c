/* text_in: a MESSAGE outside of any dialog (RFC 3428): a text to one of our numbers.
 *
 * What can be refused is refused without keeping anything; the rest gets a server transaction,
 * which absorbs what the sender repeats meanwhile, and goes through hub/messages. 202 follows the
 * commit. A repeat that comes after a restart has the same id and is found there: 202 again, no
 * second event. Texts have at most half of the transactions, and TEXTS_MAX wait for their commit at
 * once: calls never want for either. Edge's thread. */
#include "base/log.h"
#include "base/metrics.h"
#include "sip/call/call.h"
#include "sip/text/text_body.h"

enum { TEXTS_MAX = 4096 };

static const char retry_after[] = "Retry-After: 5\r\n";

/* The same text: trunk, Call-ID, From tag, CSeq, as for calls; and what it says, because there are
 * senders who never count and would lose all texts but the first. */
static void derive_message_id(const struct sip_msg *m, const struct book_trunk *t,
                              char out[ID_SIZE])
{
    char cseq[16];
    struct buf b;
    buf_wrap(&b, cseq, sizeof cseq);
    buf_put_u64(&b, m->cseq);
    const struct str part[] = {str_of(t->id), m->call_id, m->from.tag, buf_str(&b), m->body};
    id_derive("sim", part, 5, out);
}

/* What the sender hears when it was not taken. */
static void answer_failed(struct sip_edge *e, struct txn *t, const struct sip_msg *m, enum err err)
{
    bool bad = err_is_final(err);
    metric_add(bad                                   ? METRIC_SIP_TEXTS_REFUSED
               : err == ERR_FULL || err == ERR_NOMEM ? METRIC_SIP_TEXTS_THROTTLED
                                                     : METRIC_SIP_TEXTS_FAILED,
               1);
    if (bad)
        edge_reply_kept(e, t, m,
                        err == ERR_TOO_BIG                    ? 413
                        : err_class(err) == ERR_CLASS_REFUSED ? 400
                                                              : 500,
                        NULL, NULL);
    else
        edge_reply_kept(e, t, m, 503, NULL, retry_after);
}

static void on_taken(void *arg, uint64_t token, enum err err, bool duplicate, struct str message_id)
{
    struct sip_edge *e = arg;
    struct txn *t = txn_at(e->txns, token);
    if (t && txn_request(t, &e->again) == OK) {
        if (err == OK) {
            metric_add(duplicate ? METRIC_SIP_TEXTS_REPEATED : METRIC_SIP_TEXTS_STORED, 1);
            edge_reply_kept(e, t, &e->again, 202, NULL, NULL);
        } else {
            log_sparse(LOG_WARN, 5000, "sip", "a text was not stored: %s", err_text(err));
            answer_failed(e, t, &e->again, err);
        }
    }
    edge_text_over(e);
}

static void take(struct sip_edge *e, const struct sip_msg *m, const struct path *from,
                 struct str raw, const struct message_in *in)
{
    struct txn *t = transactions_admit(e->txns, in->account)
                        ? txn_server_new(e->txns, m, from, raw, true)
                        : NULL;
    if (!t) {
        metric_add(METRIC_SIP_TEXTS_THROTTLED, 1);
        edge_reply(e, m, from, 503, NULL, retry_after);
        return;
    }
    txn_charge(e->txns, t, in->account);
    e->n_texts++;
    enum err err =
        messages_take(e->c.messages, e->book, in, loop_mailbox(e->c.loop), on_taken, e, t->self);
    if (err != OK) {
        answer_failed(e, t, m, err);
        edge_text_over(e);
    }
}

static bool is_crowded(const struct sip_edge *e)
{
    return e->n_texts >= TEXTS_MAX || transactions_count(e->txns) >= e->texts_txns;
}

void text_on_message(struct sip_edge *e, const struct sip_msg *m, const struct path *from,
                     struct str raw, const struct book_trunk *trunk)
{
    char to[NUMBER_SIZE], sender[CALLER_SIZE], id[ID_SIZE];
    const struct book_number *number = NULL;
    struct text_body body;
    struct buf mem = call_scratch(e);
    if (call_refuse_request(e, m, from))
        return;
    if (identity_called(m, trunk->set, to) == OK)
        number = book_number(e->book, str_of(to));
    if (!number || !number->set->sms) {
        metric_add(METRIC_SIP_TEXTS_NOT_OURS, 1);
        edge_reply(e, m, from, 404, NULL, NULL);
        return;
    }
    text_body_read(m, e->c.message_max, &mem, &body);
    if (body.status) {
        metric_add(METRIC_SIP_TEXTS_REFUSED, body.status >= 300);
        edge_reply(e, m, from, body.status, body.reason, body.headers);
        return;
    }
    bool writable = !e->draining && store_is_writable(e->c.store);
    if (!writable || is_crowded(e) || !trunk_admits_text(e, trunk)) {
        metric_add(writable ? METRIC_SIP_TEXTS_THROTTLED : METRIC_SIP_TEXTS_FAILED, 1);
        edge_reply(e, m, from, 503, NULL, retry_after);
        return;
    }
    identity_sender(m, trunk->set, sender);
    derive_message_id(m, trunk, id);
    const struct message_in in = {.account = number->account,
                                  .link = str_of(trunk->id),
                                  .from = str_of(sender),
                                  .to = str_of(to),
                                  .message_id = str_of(id),
                                  .part = body.part};
    take(e, m, from, raw, &in);
}
