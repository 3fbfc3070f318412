/* inbound: answers the requests of carriers. Messages go through the door (hub/messages) and are
 * answered when the door has answered; all other requests are answered at once. Sessions call it;
 * edge's thread.
 *
 * Repeats: a carrier that did not get our answer sends the message again. If the message has the
 * carrier's id, or is one part of several, the store recognizes it. Otherwise a message that equals
 * one that was stored and not answered counts as its repeat (unanswered.h); while the commit of the
 * first is still under way, the carrier is told to try again. An absorbed repeat is not remembered
 * itself: a program that says the same thing in each run, and leaves by a reset, would be absorbed
 * for ever. */
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
enum { /* esm_class, §5.2.12; the message type is in bits 2 to 5 */
       ESM_UDHI = 0x40,
       ESM_TYPE = 0x3C,
       ESM_RECEIPT = 0x04,
       ESM_INTERMEDIATE = 0x20,
};
enum { BEFORE_RESTART_MS = 2000 };

struct pending_message { /* a message on its way to the disk */
    struct pending_message *next, **link;
    handle self, session;
    uint64_t link_n, what; /* what 0: the store recognizes its repeat */
    uint64_t *received;
    enum pdu_command response;
    uint32_t sequence;
};

struct inbound {
    struct inbound_config c;
    const struct book *book;
    uint64_t generation;
    struct pool *pending;
    struct pending_message **bucket; /* by what */
    struct unanswered *unanswered;
    uint8_t key[16];
    struct buf text; /* scratch */
    bool abandoned;  /* freed, except for answers that are still to be opened */
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

/* Hashes the content of a whole message as its event keeps it: `part`, or its text as it was
 * stored. */
static uint64_t content_hash(struct inbound *in, struct str from, struct str to,
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
    const struct pending_message *p = what ? in->bucket[what % BUCKETS] : NULL;
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

static void received_count(uint32_t status, bool repeated)
{
    metric_add(status == ESME_RTHROTTLED  ? METRIC_SMPP_THROTTLED
               : status == ESME_RX_T_APPN ? METRIC_SMPP_FAILED
               : status != ESME_ROK       ? METRIC_SMPP_REFUSED
               : repeated                 ? METRIC_SMPP_REPEATED
                                          : METRIC_SMPP_STORED,
               1);
}

static void pending_drop(struct inbound *in, struct pending_message *p)
{
    *p->link = p->next;
    if (p->next)
        p->next->link = p->link;
    pool_give(in->pending, p->self);
}

static void message_on_taken(void *arg, uint64_t token, enum err err, bool duplicate,
                             struct str message_id)
{
    struct inbound *in = arg;
    struct pending_message *p = pool_at(in->pending, token);
    struct session *s = in->abandoned ? NULL : session_at(in->c.sessions, p->session);
    struct session_answer a = {p->response, p->sequence, status_of(err), message_id};
    received_count(a.status, duplicate);
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

static struct pending_message *pending_new(struct inbound *in, struct session *s,
                                           const struct pdu *p, uint64_t what)
{
    handle h;
    struct pending_message *n = pool_take(in->pending, &h);
    if (!n)
        return NULL;
    struct pending_message **bucket = &in->bucket[what % BUCKETS];
    *n = (struct pending_message){.next = *bucket,
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

/* Gives a message to the door. A message that is refused at once was not tried, and may be sent
 * again in a moment. */
static uint32_t message_take(struct inbound *in, struct session *s, const struct pdu *p,
                             const struct message_in *m)
{
    uint64_t link_n = session_link(s)->n;
    bool known = m->message_id.n || m->part.parts > 1; /* the store recognizes its repeat */
    uint64_t what = known ? 0 : content_hash(in, m->from, m->to, &m->part, (struct str){0});
    if (unanswered_take(in->unanswered, link_n, what, clock_mono_ms())) {
        char id[ID_SIZE];
        id_new("msg", id);
        received_count(ESME_ROK, true);
        session_answer(s, pdu_response_to(p->command), p->sequence, ESME_ROK, str_of(id));
        return ESME_ROK;
    }
    if (is_pending_elsewhere(in, link_n, what))
        return ESME_RTHROTTLED;
    struct pending_message *n = pending_new(in, s, p, what);
    if (!n)
        return ESME_RTHROTTLED;
    enum err err = messages_take(in->c.messages, in->book, m, loop_mailbox(in->c.loop),
                                 message_on_taken, in, n->self);
    if (err == OK) {
        session_hold(s);
        return ESME_ROK;
    }
    pending_drop(in, n);
    return err_is_final(err) ? status_of(err) : ESME_RTHROTTLED;
}

/* ---- from a PDU to a message ---- */

/* Takes the NUL off that some senders count as the end of their text. In GSM 7 bit it is `@`, and
 * data keep all they have. */
static struct str text_without_end(struct str data, enum sms_alphabet a)
{
    if (a == SMS_GSM7 || a == SMS_GSM7_PACKED || a == SMS_BINARY)
        return data;
    size_t n = data.n, unit = a == SMS_UCS2 && n % 2 == 0 ? 2 : 1;
    if (n < unit || data.p[n - 1] || (unit == 2 && data.p[n - 2]))
        return data;
    return str_slice(data, 0, n - unit);
}

/* Reads the text's octets and their coding. */
static uint32_t message_part_read(const struct pdu *p, const struct sms_defaults *d,
                                  struct sms_part *part)
{
    const struct tlv *payload = pdu_tlv(p, TLV_MESSAGE_PAYLOAD);
    if (payload && payload->value.n && p->short_message.n)
        return ESME_ROPTPARNOTALLWD;
    if (!payload && p->command == PDU_DATA_SM)
        return ESME_RMISSINGOPTPARAM;
    *part = (struct sms_part){.coding.alphabet = sms_alphabet_of(p->data_coding, d),
                              .data_coding = p->data_coding,
                              .data = p->short_message.n || !payload ? p->short_message
                                                                     : payload->value,
                              .parts = 1,
                              .number = 1};
    if ((p->esm_class & ESM_UDHI) && sms_header_parse(part) != OK)
        return ESME_RINVMSGLEN;
    part->data = text_without_end(part->data, part->coding.alphabet);
    return ESME_ROK;
}

/* Reads the optional parameters where there was no header (§5.3.2.20…25). */
static void message_tlvs_read(const struct pdu *p, struct sms_part *part)
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

static uint32_t inbound_on_message(struct inbound *in, struct session *s, const struct pdu *p)
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
    uint32_t status = message_part_read(p, &link->set->defaults, &m.part);
    if (status != ESME_ROK)
        return status;
    message_tlvs_read(p, &m.part);
    return message_take(in, s, p, &m);
}

/* ---- requests ---- */

/* Says which carriers may send a request (§2.3), a bit each: those that bound to us as
 * transmitters, and those to which we bound as a receiver. It also gives the status of the answer;
 * 0: it is a message. */
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

/* True for a notice about a message that somebody else sent: there is no text in it. All other
 * types carry the words of a person or a device: 0x08 and 0x10 are acknowledgements that a user
 * wrote, and some libraries (rusmpp) set them on every message. The two types of notices are defined
 * from an SMSC to an ESME only; with submit_sm the same bits mean nothing. */
static bool pdu_is_notice(const struct pdu *p)
{
    unsigned type = p->esm_class & ESM_TYPE;
    return p->command != PDU_SUBMIT_SM && (type == ESM_RECEIPT || type == ESM_INTERMEDIATE);
}

static bool request_is_allowed(const struct session *s, enum pdu_command c)
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
    if (!request_is_allowed(s, p->command)) {
        session_refuse(s, p, ESME_RINVBNDSTS);
        return;
    }
    if (requests[p->command].status != ESME_ROK) {
        session_refuse(s, p, requests[p->command].status);
        return;
    }
    if (pdu_is_notice(p)) {
        metric_add(METRIC_SMPP_RECEIPTS, 1);
        session_refuse(s, p, ESME_ROK);
        return;
    }
    uint32_t status = inbound_on_message(in, s, p);
    if (status == ESME_ROK)
        return;
    received_count(status, false);
    session_refuse(s, p, status);
}

/* ---- the last messages before the start ---- */

struct last_job {
    struct store_job job;
    struct inbound *in;
    int64_t newest_ms;
    unsigned looked;
};

static void last_message_read(struct inbound *in, const struct event *e)
{
    struct json *doc;
    struct str from, to, text;
    if (json_parse(e->payload, &doc, NULL, 0) != OK)
        return;
    if (json_str(json_get(doc, "from"), &from) && json_str(json_get(doc, "to"), &to) &&
        json_str(json_get(doc, "message"), &text))
        on_unanswered(in, UNANSWERED_ANY_LINK, content_hash(in, from, to, NULL, text));
    json_free(doc);
}

static bool last_job_on_done(void *arg, int64_t n, const struct event *e)
{
    struct last_job *j = arg;
    if (!j->newest_ms)
        j->newest_ms = e->occurred_at_ms;
    if (e->occurred_at_ms < j->newest_ms - BEFORE_RESTART_MS)
        return false;
    if (e->kind == EVENT_SMS_RECEIVED)
        last_message_read(j->in, e);
    return ++j->looked < UNANSWERED_MAX;
}

static enum err last_job_run(struct store_job *job, struct db *db)
{
    struct last_job *j = (struct last_job *)job;
    struct event_filter f = {.kind = -1, .state = -1};
    struct list_stop stop;
    j->newest_ms = 0;
    j->looked = 0;
    return event_list(db, &f, last_job_on_done, j, &stop);
}

/* Loads the last messages before the start, since a kill may have come between a commit and its
 * answer. */
static enum err inbound_restore(struct inbound *in)
{
    struct last_job j = {.job.run = last_job_run, .in = in};
    return in->c.store ? store_read_now(in->c.store, &j.job) : OK;
}

/* ---- life ---- */

enum err inbound_new(const struct inbound_config *c, struct inbound **ret)
{
    struct inbound *in = calloc(1, sizeof *in);
    enum err err =
        in ? pool_new(&in->pending, sizeof(struct pending_message), PENDING_MAX) : ERR_NOMEM;
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
        return; /* the last answer frees it, when the loop's mail is opened */
    book_drop(&in->book);
    unanswered_free(in->unanswered);
    pool_free(in->pending);
    free(in->bucket);
    buf_fini(&in->text);
    free(in);
}
