/* exchange: plays the carrier's side, and runs the loop. A call has one timer: for the next step
 * of its scene, for an answer that should come, or, at the end, for forgetting it. The carrier
 * repeats nothing, since no packet is lost between two sockets of one machine with large buffers.
 */
#include "exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "exchange_call.h"

enum {
    FINAL_MAX_MS = 60000, /* from the INVITE or CANCEL to its final response */
    LOST_MAX_MS = 180000, /* until the daemon has noticed that nobody is there */
    FIRST_REPEAT_MS = 500,
    REPEAT_MAX_MS = 16000,  /* the last one, half a minute after the first */
    HANGING_MAX_MS = 40000, /* the answer to a BYE of the agent */
    OPEN_BEFORE_BYE_MS = 200,
    KNOWN_AFTER_MS = 35000, /* repeats of the daemon's may come so long after the end */
    AT_ONCE = 50,           /* begun in one turn */
    TURN_EVENTS = 128
};

static void call_on_due(struct timer *timer);

static void call_due(struct scene_call *c, int64_t in_ms)
{
    timer_set(c->x->wheel, &c->timer, clock_mono_ms() + in_ms, call_on_due, c);
}

/* ---- what the carrier sends ---- */

static void carrier_ask(struct scene_call *c, const char *method, const char *branch_of,
                        unsigned cseq)
{
    char mem[SIP_PACKET_MAX], caller[CALLER_SIZE], number[24], uri[64], to[72];
    struct buf b;
    callbook_print_caller(c->i, caller);
    scene_print_number(scene_of_call(c->i), (unsigned)(c->i % SCENE_NUMBERS), number);
    snprintf(uri, sizeof uri, "sip:%s@127.0.0.1", number);
    snprintf(to, sizeof to, "<%s>", uri);
    buf_wrap(&b, mem, sizeof mem);
    sip_put_caller_head(&b, c->i, caller, method, branch_of, cseq, c->to ? c->to : to,
                        c->target ? c->target : uri);
    if (!strcmp(method, "INVITE"))
        sip_put_sdp(&b);
    else
        sip_put_no_body(&b);
    sip_send(c->x->carrier, &b, &c->x->daemon_at);
}

static void call_begin(struct exchange *x)
{
    size_t i = x->c.book->n;
    struct scene_call *c = i < x->c.book->max ? calloc(1, sizeof *c) : NULL;
    if (!c) {
        fprintf(stderr, "no room for call %zu\n", i);
        exit(1);
    }
    *c = (struct scene_call){.x = x, .i = i, .scene = scene_at(scene_of_call(i)), .cseq = 1};
    x->call[i] = c;
    x->c.book->n = i + 1;
    x->open++;
    c->wait_ms = FIRST_REPEAT_MS;
    call_due(c, c->wait_ms);
    carrier_ask(c, "INVITE", "INVITE", 1);
}

static void text_send(struct exchange *x)
{
    char mem[SIP_PACKET_MAX], from[64], call_id[32], number[16];
    struct text_part part;
    struct buf b;
    struct texts *t = x->c.texts;
    if (t->n == t->max) {
        fprintf(stderr, "no room for text %zu\n", t->n);
        exit(1);
    }
    size_t i = t->n++;
    text_part_print(t, i, 0, &part);
    text_print_from(i, number);
    snprintf(from, sizeof from, "<sip:+%s@127.0.0.2>;tag=m%zu", number, i);
    snprintf(call_id, sizeof call_id, "m%zu@bench", i);
    const struct sip_head h = {.method = "MESSAGE",
                               .uri = "sip:+" EXCHANGE_TEXT_NUMBER "@127.0.0.1",
                               .user = "carrier",
                               .host = "127.0.0.2:7060",
                               .branch = call_id,
                               .from = from,
                               .to = "<sip:+" EXCHANGE_TEXT_NUMBER "@127.0.0.1>",
                               .call_id = call_id,
                               .cseq = 1};
    buf_wrap(&b, mem, sizeof mem);
    sip_put_head(&b, &h);
    buf_printf(&b, "Content-Type: text/plain\r\nContent-Length: %u\r\n\r\n", part.n);
    buf_put(&b, part.data, part.n);
    t->sent_us[i] = clock_mono_us();
    sip_send(x->carrier, &b, &x->daemon_at);
}

/* ---- a call's states ---- */

static void call_over(struct scene_call *c, enum call_told told)
{
    if (c->state == CALL_OVER)
        return;
    c->state = CALL_OVER;
    callbook_tell(c->x->c.book, c->i, told);
    c->x->open--;
    call_due(c, KNOWN_AFTER_MS);
}

static void call_forget(struct scene_call *c)
{
    c->x->open -= c->state != CALL_OVER;
    c->x->call[c->i] = NULL;
    free(c->to);
    free(c->target);
    free(c->agent_from);
    free(c->agent_to);
    free(c->agent_call_id);
    free(c->agent_target);
    free(c);
}

static void call_hang_up(struct scene_call *c)
{
    c->state = CALL_HANGING;
    c->wait_ms = FIRST_REPEAT_MS;
    call_due(c, c->scene->agent_hangs_up ? HANGING_MAX_MS : c->wait_ms);
    if (c->scene->agent_hangs_up)
        agent_ask(c, "BYE");
    else
        carrier_ask(c, "BYE", "BYE", ++c->cseq);
}

/* No answer came to the INVITE or the BYE. Returns false when that is enough. */
static bool call_repeats(struct scene_call *c)
{
    bool bye = c->state == CALL_HANGING;
    if (c->wait_ms >= REPEAT_MAX_MS || (bye && c->scene->agent_hangs_up))
        return false;
    c->wait_ms *= 2;
    call_due(c, c->wait_ms);
    carrier_ask(c, bye ? "BYE" : "INVITE", bye ? "BYE" : "INVITE", bye ? c->cseq : 1);
    return true;
}

/* Takes the next step of the scene. */
static void call_on_due(struct timer *timer)
{
    struct scene_call *c = timer->arg;
    const struct scene *scene = c->scene;
    switch (c->state) {
    case CALL_SENT:
        if (!c->heard && call_repeats(c))
            break;
        if (!c->heard)
            callbook_tell(c->x->c.book, c->i, TOLD_REFUSED); /* by silence */
        if (!c->heard || !scene->cancel_ms) {
            call_forget(c); /* without a final response: the book has it as open */
            return;
        }
        c->state = CALL_CANCELED;
        call_due(c, FINAL_MAX_MS);
        carrier_ask(c, "CANCEL", "INVITE", 1);
        break;
    case CALL_UP:
        if (!scene->open_request) {
            call_hang_up(c);
            break;
        }
        c->state = CALL_OPENED;
        call_due(c, OPEN_BEFORE_BYE_MS);
        if (scene->agent_opens)
            agent_ask(c, scene->open_request);
        else
            carrier_ask(c, scene->open_request, "open", ++c->cseq);
        break;
    case CALL_OPENED: call_hang_up(c); break;
    case CALL_HANGING:
        if (call_repeats(c))
            break;
        call_forget(c);
        break;
    case CALL_CANCELED:
    case CALL_OVER: call_forget(c); break;
    }
}

/* ---- what comes to the carrier ---- */

static void call_on_answered(struct scene_call *c, struct str m)
{
    struct str target, rest;
    callbook_tell(c->x->c.book, c->i, TOLD_ANSWERED);
    if (!c->to) {
        str_cut(sip_value(m, "\r\nContact: <"), '>', &target, &rest);
        c->to = str_dup(sip_value(m, "\r\nTo: "));
        c->target = str_dup(target);
    }
    carrier_ask(c, "ACK", "ACK", 1);
    if (c->state == CALL_CANCELED) {
        call_hang_up(c);
    } else if (c->state == CALL_SENT) {
        c->state = CALL_UP;
        if (c->scene->agent == VANISHES)
            call_due(c, LOST_MAX_MS);
        else
            call_due(c, c->scene->hold_ms ? rand() % c->scene->hold_ms : 0);
    }
}

static bool status_means_no_call(int status)
{
    return status == 503 || status == 404 || status == 482;
}

static void carrier_on_answer(struct scene_call *c, struct str m, int status)
{
    struct str cseq = sip_value(m, "\r\nCSeq: ");
    bool first = str_eq(cseq, STR("1 INVITE"));
    if (first && !c->heard && c->state == CALL_SENT) {
        c->heard = true;
        call_due(c, c->scene->cancel_ms ? c->scene->cancel_ms : FINAL_MAX_MS);
    }
    if (first && status > 100 && !status_means_no_call(status))
        callbook_tell(c->x->c.book, c->i, TOLD_TAKEN);
    if (first && status / 100 == 2) {
        call_on_answered(c, m);
    } else if (first && status >= 300) {
        struct str to = sip_value(m, "\r\nTo: ");
        char *before = c->to;
        c->to = str_dup(to); /* of this refusal alone */
        carrier_ask(c, "ACK", "INVITE", 1);
        free(c->to);
        c->to = before;
        call_over(c, status_means_no_call(status) ? TOLD_REFUSED : TOLD_OVER);
    } else if (status >= 200 && memmem(cseq.p, cseq.n, " BYE", 4)) {
        call_over(c, TOLD_OVER);
    } else if (status >= 300 && !first && memmem(cseq.p, cseq.n, " INVITE", 7)) {
        carrier_ask(c, "ACK", "open", 2);
    }
}

static void carrier_answer(struct exchange *x, struct str m, const char *status,
                           const struct sockaddr_in *to)
{
    char mem[SIP_PACKET_MAX];
    struct buf b;
    buf_wrap(&b, mem, sizeof mem);
    sip_print_answer(&b, m, status, "sip:carrier@127.0.0.2:7060", false);
    sip_send(x->carrier, &b, to);
}

static void carrier_on_request(struct exchange *x, struct scene_call *c, struct str m,
                               const struct sockaddr_in *from)
{
    bool gone = c && c->scene->agent == VANISHES;
    if (c && str_starts(m, STR("BYE")))
        call_over(c, TOLD_OVER);
    if (gone || str_starts(m, STR("ACK")) || str_starts(m, STR("CANCEL")))
        return;
    if (str_starts(m, STR("INVITE")))
        carrier_answer(x, m, "100 Trying", from); /* and nothing more: it stays open */
    else if (!c || !c->scene->agent_opens || str_starts(m, STR("BYE")))
        carrier_answer(x, m, "200 OK", from);
}

static void text_on_answer(struct exchange *x, struct str digits, int status)
{
    uint64_t i;
    if (status == 202 && str_to_u64(digits, x->c.texts->n - 1, &i) == OK &&
        !x->c.texts->parts_taken[i])
        texts_acknowledged(x->c.texts, i);
}

static void exchange_on_message(void *arg, struct str m, const struct sockaddr_in *from)
{
    struct exchange *x = arg;
    size_t i = sip_call_of(m);
    bool response = str_starts(m, STR("SIP/2.0 "));
    struct str text, rest;
    str_cut(sip_value(m, "\r\nCall-ID: m"), '@', &text, &rest);
    struct scene_call *c = i < x->c.book->n ? x->call[i] : NULL;
    if (response && text.n && x->c.texts->n)
        text_on_answer(x, text, atoi(m.p + 8));
    else if (response && c)
        carrier_on_answer(c, m, atoi(m.p + 8));
    else if (!response)
        carrier_on_request(x, c, m, from);
}

/* ---- the loop ---- */

static void begin_those_due(struct exchange *x, int64_t now_us)
{
    double sec = (double)(now_us - x->start_us) / 1e6;
    for (int k = 0; k < AT_ONCE && (double)x->c.book->n < sec * x->c.calls_per_sec; k++)
        call_begin(x);
    for (int k = 0; k < AT_ONCE && (double)x->c.texts->n < sec * x->c.texts_per_sec; k++)
        text_send(x);
}

static void *exchange_run(void *arg)
{
    struct exchange *x = arg;
    struct epoll_event got[TURN_EVENTS];
    pthread_setname_np(pthread_self(), "exchange");
    while (!x->stop) {
        int n = epoll_wait(x->ep, got, TURN_EVENTS, 2);
        for (int i = 0; i < n; i++) {
            void *who = got[i].data.ptr;
            if (who == &x->carrier)
                sip_drain(x->carrier, exchange_on_message, x);
            else if (who == &x->agent)
                agent_on_datagrams(x);
            else if (who == &x->listener)
                agent_accept(x);
            else if (((struct agent_connection *)who)->fd >= 0)
                agent_on_connection(x, who);
        }
        wheel_advance(x->wheel, clock_mono_ms());
        if (!x->quiet)
            begin_those_due(x, clock_mono_us());
        else if (!x->open)
            agent_leave(x);
    }
    return NULL;
}

static void exchange_watch(struct exchange *x, int *fd)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = fd};
    epoll_ctl(x->ep, EPOLL_CTL_ADD, *fd, &ev);
}

struct exchange *exchange_start(const struct exchange_config *c)
{
    struct exchange *x = calloc(1, sizeof *x);
    if (!x || !(x->call = calloc(c->book->max, sizeof(struct scene_call *))) ||
        !(x->wheel = wheel_new(clock_mono_ms()))) {
        fprintf(stderr, "no memory for the exchange\n");
        exit(1);
    }
    x->c = *c;
    x->ep = epoll_create1(0);
    x->daemon_at = sip_at("127.0.0.1", c->sip);
    x->carrier = sip_udp("127.0.0.2", 7060);
    agent_open(x);
    exchange_watch(x, &x->carrier);
    exchange_watch(x, &x->agent);
    exchange_watch(x, &x->listener);
    x->start_us = clock_mono_us();
    if (pthread_create(&x->thread, NULL, exchange_run, x) != 0) {
        perror("the exchange's thread");
        exit(1);
    }
    return x;
}

void exchange_quiet(struct exchange *x)
{
    x->quiet = true;
}

size_t exchange_calls_open(const struct exchange *x)
{
    return x->open;
}

void exchange_stop(struct exchange *x)
{
    x->stop = true;
    pthread_join(x->thread, NULL);
    for (size_t i = 0; i < x->c.book->n; i++)
        if (x->call[i])
            call_forget(x->call[i]);
    agent_close(x);
    close(x->carrier);
    close(x->ep);
    wheel_free(x->wheel);
    free(x->call);
    free(x);
}
