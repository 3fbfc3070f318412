/* inbound: what a carrier asks of us. Messages go through the door (hub/messages) and are answered
 * when it has answered; everything else is answered here and now. Called by sessions; edge's
 * thread.
 *
 * Repeats: a carrier who did not hear our answer sends the message again. With an id of his own in
 * it, or as one part of several, the store knows it. Otherwise a message that is equal to one that
 * was stored and not answered is that repeat (unanswered.h); while that one's commit is still under
 * way, he is told to come again. */
#include "smpp/inbound.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "smpp/party.h"
#include "smpp/unanswered.h"

enum { PENDING_MAX = 262144, BUCKETS = 16384, FROM_MAX = 256 };
enum { ESM_UDHI = 0x40, ESM_TYPE = 0x3C }; /* §5.2.12; a type of 0 is a message of a person */
enum { BEFORE_RESTART_MS = 2000 };

struct pending { /* a message on its way to the disk */
    struct pending *next, **link;
    handle self, session;
    uint64_t link_n, what; /* what 0: the store knows it when it comes again */
    uint64_t *received;
    enum pdu_command response;
    uint32_t sequence;
};

struct inbound {
    struct inbound_config c;
    const struct book *book;
    uint64_t generation;
    struct pool *pending;
    struct pending **bucket; /* by what */
    struct unanswered *unanswered;
    uint8_t key[16];
    struct buf text; /* scratch */
    bool abandoned;  /* freed, but for the answers that are still to be opened */
};

static void book_renew(struct inbound *in)
{
    uint64_t now = books_generation(in->c.books);
    if (in->book && now == in->generation)
        return;
    book_drop(&in->book);
    in->generation = now;
    in->book = book_take(in->c.books);
}

/* ---- the same again? ---- */

/* A whole message by what it says, as its event keeps it: `part`, or its text, as it was stored. */
static uint64_t what_of(struct inbound *in, struct str from, struct str to,
                        const struct sms_part *part, struct str text)
{
    struct buf *b = &in->text;
    bool lossy;
    buf_reset(b);
    buf_put_str(b, from);
    buf_putc(b, '\0');
    buf_put_str(b, to);
    buf_putc(b, '\0');
    if (!part)
        buf_put_str(b, text);
    else if (sms_text(&part, 1, b, &lossy) != OK)
        return 0;
    return b->err == OK ? hash_keyed(buf_str(b), in->key) : 0;
}

static bool is_pending_elsewhere(const struct inbound *in, uint64_t link_n, uint64_t what)
{
    const struct pending *p = what ? in->bucket[what % BUCKETS] : NULL;
    for (; p; p = p->next)
        if (p->what == what && p->link_n == link_n && !session_at(in->c.sessions, p->session))
            return true;
    return false;
}

static void on_unanswered(void *arg, uint64_t link, uint64_t what)
{
    struct inbound *in = arg;
    unanswered_put(in->unanswered, link, what, clock_mono_ms());
}

/* ---- the door ---- */

static uint32_t status_of(enum err err)
{
    switch (err) {
    case OK: return ESME_ROK;
    case ERR_FULL:
    case ERR_STORE_FULL: return ESME_RTHROTTLED;
    default: return err_is_final(err) ? ESME_RX_P_APPN : ESME_RX_T_APPN;
    }
}

static void count(uint32_t status, bool repeated)
{
    metric_add(status == ESME_RTHROTTLED  ? METRIC_SMPP_THROTTLED
               : status == ESME_RX_T_APPN ? METRIC_SMPP_FAILED
               : status != ESME_ROK       ? METRIC_SMPP_REFUSED
               : repeated                 ? METRIC_SMPP_REPEATED
                                          : METRIC_SMPP_STORED,
               1);
}

static void pending_drop(struct inbound *in, struct pending *p)
{
    *p->link = p->next;
    if (p->next)
        p->next->link = p->link;
    pool_give(in->pending, p->self);
}

static void on_taken(void *arg, uint64_t token, enum err err, bool duplicate, struct str message_id)
{
    struct inbound *in = arg;
    struct pending *p = pool_at(in->pending, token);
    struct session *s = in->abandoned ? NULL : session_at(in->c.sessions, p->session);
    struct session_answer a = {p->response, p->sequence, status_of(err), message_id};
    count(a.status, duplicate);
    if (err != OK)
        log_sparse(LOG_WARN, 10000, "smpp", "a message was not stored: %s", err_text(err));
    if (s && err == OK && !duplicate && p->received)
        ++*p->received;
    if (s)
        session_settle(s, &a, p->what);
    else if (err == OK)
        on_unanswered(in, p->link_n, p->what);
    pending_drop(in, p);
    if (in->abandoned)
        inbound_free(in);
}

static struct pending *pending_new(struct inbound *in, struct session *s, const struct pdu *p,
                                   uint64_t what)
{
    handle h;
    struct pending *n = pool_take(in->pending, &h);
    if (!n)
        return NULL;
    struct pending **bucket = &in->bucket[what % BUCKETS];
    *n = (struct pending){.next = *bucket,
                          .link = bucket,
                          .self = h,
                          .session = session_handle(s),
                          .link_n = session_link(s)->n,
                          .what = what,
                          .received = session_link(s)->received,
                          .response = pdu_response_to(p->command),
                          .sequence = p->sequence};
    if (n->next)
        n->next->link = &n->next;
    *bucket = n;
    return n;
}

/* What is refused at once is a matter of a moment: nothing of it was tried. */
static uint32_t take(struct inbound *in, struct session *s, const struct pdu *p,
                     const struct message_in *m)
{
    uint64_t link_n = session_link(s)->n;
    bool known = m->message_id.n || m->part.parts > 1; /* when it comes again, to the store */
    uint64_t what = known ? 0 : what_of(in, m->from, m->to, &m->part, (struct str){0});
    if (unanswered_take(in->unanswered, link_n, what, clock_mono_ms())) {
        char id[ID_SIZE];
        id_new("msg", id);
        count(ESME_ROK, true);
        session_hold(s); /* this answer may be lost like the one before */
        session_settle(s,
                       &(struct session_answer){pdu_response_to(p->command), p->sequence, ESME_ROK,
                                                str_of(id)},
                       what);
        return ESME_ROK;
    }
    if (is_pending_elsewhere(in, link_n, what))
        return ESME_RTHROTTLED;
    struct pending *n = pending_new(in, s, p, what);
    if (!n)
        return ESME_RTHROTTLED;
    enum err err =
        messages_take(in->c.messages, in->book, m, loop_mailbox(in->c.loop), on_taken, in, n->self);
    if (err == OK) {
        session_hold(s);
        return ESME_ROK;
    }
    pending_drop(in, n);
    return err_is_final(err) ? status_of(err) : ESME_RTHROTTLED;
}

/* ---- from a PDU to a message ---- */

/* The text's octets, and how they are to be read. */
static uint32_t read_part(const struct pdu *p, const struct sms_defaults *d, struct sms_part *part)
{
    const struct tlv *payload = pdu_tlv(p, TLV_MESSAGE_PAYLOAD);
    if (payload && p->short_message.n)
        return ESME_ROPTPARNOTALLWD;
    if (!payload && p->command == PDU_DATA_SM)
        return ESME_RMISSINGOPTPARAM;
    *part = (struct sms_part){.coding.alphabet = sms_alphabet_of(p->data_coding, d),
                              .data_coding = p->data_coding,
                              .data = payload ? payload->value : p->short_message,
                              .parts = 1,
                              .number = 1};
    return (p->esm_class & ESM_UDHI) && sms_header_parse(part) != OK ? ESME_RINVMSGLEN : ESME_ROK;
}

/* What the optional parameters say where no header did (§5.3.2.20…25). */
static void read_tlvs(const struct pdu *p, struct sms_part *part)
{
    uint32_t reference, parts, number, port;
    if (part->parts < 2 && pdu_tlv_number(p, TLV_SAR_MSG_REF_NUM, &reference) &&
        pdu_tlv_number(p, TLV_SAR_TOTAL_SEGMENTS, &parts) &&
        pdu_tlv_number(p, TLV_SAR_SEGMENT_SEQNUM, &number) && parts > 1 && parts <= SMS_PARTS_MAX &&
        number >= 1 && number <= parts) {
        part->reference = reference & 0xFFFF;
        part->parts = parts;
        part->number = number;
        part->wide = true;
    }
    if (!part->port_from && pdu_tlv_number(p, TLV_SOURCE_PORT, &port))
        part->port_from = (uint16_t)port;
    if (!part->port_to && pdu_tlv_number(p, TLV_DESTINATION_PORT, &port))
        part->port_to = (uint16_t)port;
}

static uint32_t on_message(struct inbound *in, struct session *s, const struct pdu *p)
{
    char from_mem[FROM_MAX], to[NUMBER_SIZE];
    struct buf from;
    const struct tlv *id = pdu_tlv(p, TLV_RECEIPTED_MESSAGE_ID);
    book_renew(in);
    const struct book_smpp_link *link = book_smpp_link(in->book, session_link(s)->n);
    if (!link)
        return ESME_RX_T_APPN;
    const struct book_number *n =
        party_destination(in->book, &p->destination, &link->set->rules, to);
    if (!n)
        return ESME_RINVDSTADR;
    buf_wrap(&from, from_mem, sizeof from_mem);
    party_print_source(&p->source, &link->set->rules, &from);
    struct message_in m = {
        .account = n->account, .link = str_of(link->id), .from = buf_str(&from), .to = str_of(to)};
    if (id)
        m.message_id = str_slice(id->value, 0, str_find(id->value, '\0'));
    uint32_t status = read_part(p, &link->set->defaults, &m.part);
    if (status != ESME_ROK)
        return status;
    read_tlvs(p, &m.part);
    return take(in, s, p, &m);
}

/* ---- requests ---- */

/* Who may ask that of us (§2.3): a carrier who bound as a transmitter, one to whom we bound as a
 * receiver, a bit each; the answer when he may. 0: it is a message. */
enum { FROM_THEIRS = 1, FROM_OURS = 2 };
static const struct {
    uint8_t from;
    uint32_t status;
} requests[PDU_COMMAND_COUNT] = {
    [PDU_DELIVER_SM] = {FROM_THEIRS | FROM_OURS, ESME_ROK},
    [PDU_DATA_SM] = {FROM_THEIRS | FROM_OURS, ESME_ROK},
    [PDU_SUBMIT_SM] = {FROM_THEIRS, ESME_ROK},
    [PDU_SUBMIT_MULTI] = {FROM_THEIRS, ESME_RSUBMITFAIL},
    [PDU_QUERY_SM] = {FROM_THEIRS, ESME_RQUERYFAIL},
    [PDU_CANCEL_SM] = {FROM_THEIRS, ESME_RCANCELFAIL},
    [PDU_REPLACE_SM] = {FROM_THEIRS, ESME_RREPLACEFAIL},
    [PDU_BIND_RECEIVER] = {FROM_THEIRS | FROM_OURS, ESME_RALYBND},
    [PDU_BIND_TRANSMITTER] = {FROM_THEIRS | FROM_OURS, ESME_RALYBND},
    [PDU_BIND_TRANSCEIVER] = {FROM_THEIRS | FROM_OURS, ESME_RALYBND},
};

static bool may_ask(const struct session *s, enum pdu_command c)
{
    enum session_state state = session_state(s);
    if (requests[c].status == ESME_RALYBND)
        return true;
    if (session_they_bound(s))
        return (requests[c].from & FROM_THEIRS) && state != SESSION_BOUND_RX;
    return (requests[c].from & FROM_OURS) && state != SESSION_BOUND_TX;
}

void inbound_on_request(void *arg, struct session *s, const struct pdu *p)
{
    struct inbound *in = arg;
    if (pdu_response_to(p->command) == PDU_GENERIC_NACK) { /* alert_notification, outbind */
        metric_add(METRIC_SMPP_RECEIPTS, 1);
        return;
    }
    if (!may_ask(s, p->command)) {
        session_refuse(s, p, ESME_RINVBNDSTS);
        return;
    }
    if (requests[p->command].status != ESME_ROK) {
        session_refuse(s, p, requests[p->command].status);
        return;
    }
    if (p->esm_class & ESM_TYPE) {
        metric_add(METRIC_SMPP_RECEIPTS, 1);
        session_refuse(s, p, ESME_ROK);
        return;
    }
    uint32_t status = on_message(in, s, p);
    if (status == ESME_ROK)
        return;
    count(status, false);
    session_refuse(s, p, status);
}

/* ---- the last messages before the start ---- */

struct last_job {
    struct store_job job;
    struct inbound *in;
    int64_t newest_ms;
    unsigned looked;
};

static void read_last(struct inbound *in, const struct event *e)
{
    struct json *doc;
    struct str from, to, text;
    if (json_parse(e->payload, &doc, NULL, 0) != OK)
        return;
    if (json_str(json_get(doc, "from"), &from) && json_str(json_get(doc, "to"), &to) &&
        json_str(json_get(doc, "message"), &text))
        on_unanswered(in, UNANSWERED_ANY_LINK, what_of(in, from, to, NULL, text));
    json_free(doc);
}

static bool on_last(void *arg, int64_t n, const struct event *e)
{
    struct last_job *j = arg;
    if (!j->newest_ms)
        j->newest_ms = e->occurred_at_ms;
    if (e->occurred_at_ms < j->newest_ms - BEFORE_RESTART_MS)
        return false;
    if (e->kind == EVENT_SMS_RECEIVED)
        read_last(j->in, e);
    return ++j->looked < UNANSWERED_MAX;
}

static enum err last_run(struct store_job *job, struct db *db)
{
    struct last_job *j = (struct last_job *)job;
    struct event_filter f = {.kind = -1, .state = -1};
    struct list_stop stop;
    j->newest_ms = 0;
    j->looked = 0;
    return event_list(db, &f, on_last, j, &stop);
}

/* A kill may have come between a commit and its answer. */
static enum err inbound_restore(struct inbound *in)
{
    struct last_job j = {.job.run = last_run, .in = in};
    return in->c.store ? store_read_now(in->c.store, &j.job) : OK;
}

/* ---- life ---- */

enum err inbound_new(const struct inbound_config *c, struct inbound **ret)
{
    struct inbound *in = calloc(1, sizeof *in);
    enum err err = in ? pool_new(&in->pending, sizeof(struct pending), PENDING_MAX) : ERR_NOMEM;
    if (err != OK) {
        free(in);
        return err;
    }
    in->c = *c;
    buf_init(&in->text, SMS_TEXT_MAX * 4);
    crypto_random(in->key, sizeof in->key);
    in->bucket = calloc(BUCKETS, sizeof *in->bucket);
    err = in->bucket ? unanswered_new(&in->unanswered) : ERR_NOMEM;
    if (err == OK)
        err = inbound_restore(in);
    if (err != OK) {
        inbound_free(in);
        return err;
    }
    sessions_unanswered_to(c->sessions, on_unanswered, in);
    *ret = in;
    return OK;
}

void inbound_free(struct inbound *in)
{
    if (!in)
        return;
    in->abandoned = true;
    if (in->pending && pool_count(in->pending))
        return; /* the last answer does it, when the loop's mail is opened */
    book_drop(&in->book);
    unanswered_free(in->unanswered);
    pool_free(in->pending);
    free(in->bucket);
    buf_fini(&in->text);
    free(in);
}
