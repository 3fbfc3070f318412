/* asker: runs a closed loop. A connection that has its answer sends the next request at once. */
#include "asker.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "figures.h"
#include "line.h"

enum { ANSWERS_KEPT = 4 << 20, CONNECTIONS_MAX = 4096, TURN_EVENTS = 256, TURN_MS = 100 };

struct asker_line { /* a connection and its question */
    struct line line;
    size_t k;
    int64_t sent_us;
};

struct asker {
    const struct asker_config *c;
    struct asker_answer *r;
    int ep;
    int64_t start_us;
    size_t begun, under_way;
};

static void path_ask_next(struct asker *a, struct asker_line *m, int64_t now_us)
{
    bool over = (a->c->count && a->begun >= a->c->count) ||
                (a->c->run_us && now_us - a->start_us >= a->c->run_us);
    if (over)
        return;
    m->k = a->begun++;
    buf_reset(&m->line.request);
    a->c->print(a->c->arg, m->k, &m->line.request);
    m->sent_us = now_us;
    a->under_way++;
    line_send(&m->line, m);
}

static void path_on_answer(struct asker *a, struct asker_line *m, int status)
{
    const struct asker_config *c = a->c;
    int64_t now = clock_mono_us(), took = now - m->sent_us;
    if (status == 503 || status == 507) {
        a->r->again++;
        line_send(&m->line, m);
        return;
    }
    if (status != c->status) {
        fprintf(stderr, "%.*s\n%.*s\n", STR_FMT(buf_str(&m->line.request)),
                STR_FMT(buf_str(&m->line.answer)));
        exit(1);
    }
    a->r->n++;
    if (a->r->n_answers < ANSWERS_KEPT)
        a->r->answer_us[a->r->n_answers++] = (uint32_t)(took < UINT32_MAX ? took : UINT32_MAX);
    if (c->on_answer)
        c->on_answer(c->arg, m->k, status, line_body(&m->line));
    a->under_way--;
    path_ask_next(a, m, now);
}

static void asker_turn(struct asker *a)
{
    struct epoll_event got[TURN_EVENTS];
    int n = epoll_wait(a->ep, got, TURN_EVENTS, TURN_MS);
    for (int i = 0; i < n; i++) {
        struct asker_line *m = got[i].data.ptr;
        int status = line_turn(&m->line, got[i].events, m);
        if (status)
            path_on_answer(a, m, status);
    }
}

void ask(const struct asker_config *c, struct asker_answer *ret)
{
    struct asker a = {.c = c, .r = ret, .ep = epoll_create1(0)};
    struct asker_line *mouths = calloc(c->connections, sizeof *mouths);
    *ret = (struct asker_answer){.answer_us = calloc(ANSWERS_KEPT, sizeof(uint32_t))};
    if (!mouths || !ret->answer_us || c->connections > CONNECTIONS_MAX) {
        fprintf(stderr, "too many connections\n");
        exit(1);
    }
    for (unsigned i = 0; i < c->connections; i++)
        line_open(&mouths[i].line, c->port, a.ep, &mouths[i]);
    double cpu = cpu_of_this_thread_us();
    a.start_us = clock_mono_us();
    for (unsigned i = 0; i < c->connections; i++)
        path_ask_next(&a, &mouths[i], a.start_us);
    while (a.under_way)
        asker_turn(&a);
    ret->took_us = clock_mono_us() - a.start_us;
    ret->cpu_us = cpu_of_this_thread_us() - cpu;
    sort_u32(ret->answer_us, ret->n_answers);
    for (unsigned i = 0; i < c->connections; i++)
        line_close(&mouths[i].line);
    free(mouths);
    close(a.ep);
}

double asked_per_sec(const struct asker_answer *a)
{
    return (double)a->n * 1e6 / (double)a->took_us;
}

double asked_ms(const struct asker_answer *a, double q)
{
    return quantile(a->answer_us, a->n_answers, q) / 1e3;
}
