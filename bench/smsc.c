/* smsc: runs one epoll loop over sessions. Each turn reads the PDUs that came, fills each
 * session's window into one buffer and writes it at once. A message under way has a slot, found by
 * its sequence_number. A message that is refused for now (throttled, queue full, temporary) is
 * sent again after a pause. */
#include "smsc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "figures.h"
#include "smpp/pdu.h"

enum {
    SESSIONS_MAX = 64,
    IN_MAX = 2 * PDU_MAX,
    OUT_MAX = 1 << 20,
    SLOTS = 1 << 16, /* by the low bits of the sequence_number */
    AGAIN_MAX = SLOTS,
    ANSWERS_KEPT = 8 << 20,
    PDU_ROOM = 320, /* of one of ours */
    REFUSED_PAUSE_US = 10000,
    BOUND_MAX_US = 60000000,
    ANSWERED_MAX_US = 30000000,
};
struct session {
    int fd;
    bool bound;
    unsigned unanswered;
    size_t in_n, out_n;
    char *in, *out;
};

struct slot { /* a PDU under way */
    bool used;
    uint8_t part;
    size_t text;
    int64_t due_us;
};

struct smsc {
    struct smsc_config c;
    int ep, listener;
    size_t n, turn; /* turn: which session is next */
    struct session session[SESSIONS_MAX];
    uint32_t sequence;
    struct slot *slot;
    struct slot *again; /* a ring of what was refused */
    size_t again_from, again_n;
    int64_t again_at_us;
    const struct smsc_load *load;
    struct smsc_result *r;
    struct slot next; /* the next part to be sent for the first time */
    size_t unanswered, begun;
    int64_t start_us;
};

static void smsc_die(const char *what)
{
    fprintf(stderr, "smsc: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Appends it to what leaves on that session. */
static void session_put(struct session *x, const struct pdu *p)
{
    struct buf out;
    buf_wrap(&out, x->out + x->out_n, OUT_MAX - x->out_n);
    pdu_print(p, &out);
    if (out.err != OK)
        smsc_die("the other side does not read");
    x->out_n += out.n;
}

/* ---- sessions ---- */

static struct session *session_add(struct smsc *s, int fd)
{
    struct session *x = &s->session[s->n];
    int one = 1;
    if (s->n == SESSIONS_MAX)
        smsc_die("too many sessions");
    *x = (struct session){.fd = fd, .in = malloc(IN_MAX), .out = malloc(OUT_MAX)};
    if (!x->in || !x->out)
        smsc_die("memory");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = x};
    epoll_ctl(s->ep, EPOLL_CTL_ADD, fd, &ev);
    s->n++;
    return x;
}

static void session_flush(struct smsc *s, struct session *x)
{
    ssize_t k = x->out_n ? send(x->fd, x->out, x->out_n, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
    if (k < 0 && errno != EAGAIN)
        smsc_die("a session ended");
    if (k > 0) {
        memmove(x->out, x->out + k, x->out_n - (size_t)k);
        x->out_n -= (size_t)k;
    }
    struct epoll_event ev = {.events = x->out_n ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = x};
    if (k != 0 || x->out_n)
        epoll_ctl(s->ep, EPOLL_CTL_MOD, x->fd, &ev);
}

static void session_bind(struct smsc *s, struct session *x)
{
    const struct pdu bind = {.command = PDU_BIND_TRANSCEIVER,
                             .sequence = ++s->sequence,
                             .system_id = str_of(s->c.system_id),
                             .password = str_of(s->c.password),
                             .interface_version = 0x34};
    session_put(x, &bind);
    session_flush(s, x);
}

static void session_answer(struct session *x, const struct pdu *request)
{
    const struct pdu answer = {.command = pdu_response_to(request->command),
                               .sequence = request->sequence,
                               .system_id = STR("smsc"),
                               .message_id = STR("smsc")};
    session_put(x, &answer);
}

/* ---- what comes ---- */

static void result_count_status(struct smsc_result *r, uint32_t status)
{
    for (size_t i = 0; i < SMSC_STATUSES; i++)
        if (!r->status[i].n || r->status[i].status == status) {
            r->status[i].status = status;
            r->status[i].n++;
            return;
        }
}

static bool status_means_later(uint32_t status)
{
    return status == ESME_RMSGQFUL || status == ESME_RTHROTTLED || status == ESME_RX_T_APPN;
}

static void session_on_response(struct smsc *s, struct session *x, uint32_t status,
                                uint32_t sequence)
{
    struct slot *o = &s->slot[sequence % SLOTS];
    if (!o->used || !s->r)
        return;
    int64_t now = clock_mono_us(), took = now - o->due_us;
    o->used = false;
    x->unanswered--;
    s->unanswered--;
    result_count_status(s->r, status);
    if (status && !status_means_later(status)) {
        fprintf(stderr, "smsc: a message was answered with 0x%08x\n", status);
        exit(1);
    }
    if (status) {
        s->r->refused++;
        s->again[(s->again_from + s->again_n++) % AGAIN_MAX] = *o;
        s->again_at_us = now + REFUSED_PAUSE_US;
        return;
    }
    s->r->sent++;
    texts_acknowledged(s->load->texts, o->text);
    if (s->r->n_answers < ANSWERS_KEPT)
        s->r->answer_us[s->r->n_answers++] = (uint32_t)(took < UINT32_MAX ? took : UINT32_MAX);
}

static void session_on_pdu(struct smsc *s, struct session *x, const struct pdu *p)
{
    switch (p->command) {
    case PDU_BIND_RECEIVER:
    case PDU_BIND_TRANSMITTER:
    case PDU_BIND_TRANSCEIVER:
        x->bound = p->command != PDU_BIND_TRANSMITTER;
        session_answer(x, p);
        break;
    case PDU_ENQUIRE_LINK:
    case PDU_UNBIND:
        x->bound = x->bound && p->command != PDU_UNBIND;
        session_answer(x, p);
        break;
    case PDU_SUBMIT_SM: /* only Kannel does, and waits for it */ session_answer(x, p); break;
    case PDU_BIND_TRANSCEIVER_RESP:
        if (p->status) {
            fprintf(stderr, "smsc: the bind was answered with 0x%08x\n", p->status);
            exit(1);
        }
        x->bound = true;
        break;
    case PDU_SUBMIT_SM_RESP:
    case PDU_DELIVER_SM_RESP: session_on_response(s, x, p->status, p->sequence); break;
    default: break;
    }
}

static void session_on_readable(struct smsc *s, struct session *x)
{
    ssize_t k = recv(x->fd, x->in + x->in_n, IN_MAX - x->in_n, MSG_DONTWAIT);
    if (k < 0 && errno == EAGAIN)
        return;
    if (k <= 0 && !x->unanswered) { /* it went, and left nothing open */
        x->bound = false;
        epoll_ctl(s->ep, EPOLL_CTL_DEL, x->fd, NULL);
        return;
    }
    if (k <= 0)
        smsc_die("a session ended with messages unanswered");
    x->in_n += (size_t)k;
    size_t at = 0, size;
    struct pdu p;
    uint32_t status;
    enum err err;
    while ((err = pdu_size(str_of_bytes(x->in + at, x->in_n - at), &size)) == OK &&
           x->in_n - at >= size) {
        if (pdu_parse(str_of_bytes(x->in + at, size), &p, &status) != OK)
            smsc_die("a PDU that cannot be read");
        session_on_pdu(s, x, &p);
        at += size;
    }
    if (err == ERR_INVALID)
        smsc_die("a PDU of no sane length");
    memmove(x->in, x->in + at, x->in_n - at);
    x->in_n -= at;
}

/* ---- what goes ---- */

static void session_send(struct smsc *s, struct session *x, const struct slot *o)
{
    char from[16], to[16];
    struct text_part part;
    text_part_print(s->load->texts, o->text, o->part, &part);
    text_print_from(o->text, from);
    text_print_to(o->text, to);
    uint32_t sequence = ++s->sequence & 0x7fffffff;
    const struct pdu p = {.command = s->load->submit ? PDU_SUBMIT_SM : PDU_DELIVER_SM,
                          .sequence = sequence,
                          .source = {1, 1, str_of(from)},
                          .destination = {1, 1, str_of(to)},
                          .esm_class = (uint8_t)part.esm_class,
                          .data_coding = (uint8_t)part.data_coding,
                          .short_message = str_of_bytes(part.data, part.n)};
    session_put(x, &p);
    struct slot *slot = &s->slot[sequence % SLOTS];
    if (slot->used)
        smsc_die("a response is missing for very long");
    *slot = *o;
    slot->used = true;
    x->unanswered++;
    s->unanswered++;
}

static struct session *session_with_room(struct smsc *s)
{
    for (size_t i = 0; i < s->n; i++) {
        struct session *x = &s->session[(s->turn + i) % s->n];
        if (x->bound && x->unanswered < s->load->window && OUT_MAX - x->out_n > PDU_ROOM) {
            s->turn = (s->turn + i + 1) % s->n;
            return x;
        }
    }
    return NULL;
}

static int64_t text_next_due_us(const struct smsc *s)
{
    return s->start_us + (int64_t)((double)s->begun * 1e6 / s->load->per_sec);
}

/* Begins a message; its parts follow one another. */
static void text_begin(struct smsc *s, int64_t now_us)
{
    struct texts *t = s->load->texts;
    if (t->n == t->max)
        smsc_die("more messages than there is room for");
    int64_t due = s->load->per_sec > 0 ? text_next_due_us(s) : now_us;
    s->next = (struct slot){.used = true, .text = t->n++, .due_us = due};
    s->r->late += now_us - due > 5000;
    s->begun++;
    t->sent_us[s->next.text] = due;
}

static bool text_may_begin(const struct smsc *s, int64_t now_us)
{
    const struct smsc_load *l = s->load;
    const struct texts *t = l->texts;
    if (now_us - s->start_us >= l->run_us)
        return false;
    if (l->per_sec > 0)
        return text_next_due_us(s) <= now_us;
    return !l->undelivered_max || t->n < t->arrived + l->undelivered_max;
}

static void texts_send_due(struct smsc *s, int64_t now_us)
{
    struct session *x = NULL;
    while (s->again_n && s->again_at_us <= now_us && (x = session_with_room(s))) {
        session_send(s, x, &s->again[s->again_from]);
        s->again_from = (s->again_from + 1) % AGAIN_MAX;
        s->again_n--;
    }
    while ((s->next.used || text_may_begin(s, now_us)) && (x = session_with_room(s))) {
        if (!s->next.used)
            text_begin(s, now_us);
        session_send(s, x, &s->next);
        s->next.used = ++s->next.part < text_parts(s->load->texts, s->next.text);
    }
    for (size_t i = 0; i < s->n; i++)
        if (s->session[i].out_n)
            session_flush(s, &s->session[i]);
}

/* ---- the loop ---- */

void smsc_turn(struct smsc *s, int64_t wait_us)
{
    struct epoll_event got[SESSIONS_MAX + 1];
    wait_us = wait_us < 0 ? 0 : wait_us;
    struct timespec wait = {wait_us / 1000000, wait_us % 1000000 * 1000};
    int n = epoll_pwait2(s->ep, got, SESSIONS_MAX + 1, &wait, NULL);
    for (int i = 0; i < n; i++) {
        struct session *x = got[i].data.ptr;
        if (!x) {
            int fd = accept4(s->listener, NULL, NULL, 0);
            if (fd >= 0)
                session_add(s, fd);
            continue;
        }
        if (got[i].events & ~(unsigned)EPOLLOUT)
            session_on_readable(s, x);
        session_flush(s, x);
    }
}

static int smsc_socket_open(const struct smsc_config *c)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)c->port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (c->connects ? connect(fd, (struct sockaddr *)&a, sizeof a) != 0
                    : bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 64) != 0)
        smsc_die("the SMPP port");
    return fd;
}

struct smsc *smsc_open(const struct smsc_config *c)
{
    struct smsc *s = calloc(1, sizeof *s);
    if (!s || !(s->slot = calloc(SLOTS, sizeof *s->slot)) ||
        !(s->again = calloc(AGAIN_MAX, sizeof *s->again)))
        smsc_die("memory");
    s->c = *c;
    s->ep = epoll_create1(0);
    s->listener = c->connects ? -1 : smsc_socket_open(c);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
    if (s->listener >= 0)
        epoll_ctl(s->ep, EPOLL_CTL_ADD, s->listener, &ev);
    return s;
}

static unsigned sessions_bound(const struct smsc *s)
{
    unsigned n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += s->session[i].bound;
    return n;
}

void smsc_wait_bound(struct smsc *s, unsigned sessions)
{
    int64_t until = clock_mono_us() + BOUND_MAX_US;
    for (unsigned i = 0; s->c.connects && i < sessions; i++)
        session_bind(s, session_add(s, smsc_socket_open(&s->c)));
    while (sessions_bound(s) < sessions) {
        smsc_turn(s, 10000);
        if (clock_mono_us() > until) {
            fprintf(stderr, "smsc: %u of %u sessions are bound\n", sessions_bound(s), sessions);
            exit(1);
        }
    }
}

void smsc_run(struct smsc *s, const struct smsc_load *load, struct smsc_result *ret)
{
    double cpu = cpu_of_this_thread_us();
    *ret = (struct smsc_result){.answer_us = calloc(ANSWERS_KEPT, sizeof(uint32_t))};
    if (!ret->answer_us)
        smsc_die("memory");
    s->load = load;
    s->r = ret;
    s->begun = 0;
    s->start_us = clock_mono_us();
    int64_t now = s->start_us, give_up = now + load->run_us + ANSWERED_MAX_US;
    while (now - s->start_us < load->run_us || s->unanswered || s->again_n || s->next.used) {
        texts_send_due(s, now);
        int64_t wait = load->per_sec > 0 ? text_next_due_us(s) - clock_mono_us() : 1000;
        smsc_turn(s, wait > 1000 || wait < 0 ? 1000 : wait);
        if ((now = clock_mono_us()) > give_up) {
            fprintf(stderr, "smsc: %zu messages are not answered\n", s->unanswered);
            exit(1);
        }
    }
    ret->took_us = now - s->start_us;
    ret->cpu_us = cpu_of_this_thread_us() - cpu;
    sort_u32(ret->answer_us, ret->n_answers);
    s->r = NULL;
}

void smsc_close(struct smsc *s)
{
    for (size_t i = 0; i < s->n; i++) {
        close(s->session[i].fd);
        free(s->session[i].in);
        free(s->session[i].out);
    }
    if (s->listener >= 0)
        close(s->listener);
    close(s->ep);
    free(s->slot);
    free(s->again);
    free(s);
}
