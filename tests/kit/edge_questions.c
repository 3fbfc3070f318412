/* edge_questions: keeps the questions of the edge to the webhooks that decide about calls until
 * the test answers them. */
#include <string.h>

#include "edge_kit_own.h"

static struct question questions[QUESTIONS_MAX];
static size_t n_questions;

void kit_questions_reset(void)
{
    n_questions = 0;
}

void kit_questions_drop(void)
{
    for (size_t i = 0; i < n_questions; i++)
        questions[i].answered = true;
}

static enum err question_keep(const struct event *incoming, struct str url, uint64_t mark)
{
    if (n_questions == QUESTIONS_MAX)
        return ERR_FULL;
    struct question *q = &questions[n_questions];
    *q = (struct question){.mark = mark};
    kit_must(str_copy(incoming->call_id, q->call_id, sizeof q->call_id) == OK, "a long call id");
    if (str_copy(url, q->url, sizeof q->url) != OK)
        return ERR_TOO_BIG;
    n_questions++;
    return OK;
}

enum err kit_on_early(void *arg, const struct event *incoming, uint64_t endpoint, unsigned sequence)
{
    kit_must(sequence == 1, "an incoming_call is not the call's first event");
    return question_keep(incoming, (struct str){0}, endpoint);
}

enum err kit_on_ask(void *arg, const struct event *incoming, struct str url, int64_t timeout_ms,
                    uint64_t asked)
{
    return question_keep(incoming, url, asked);
}

size_t edge_kit_questions(void)
{
    return n_questions;
}

struct question *edge_kit_question(size_t i)
{
    return &questions[i];
}

void edge_kit_reply(struct question *q, int status, const char *body)
{
    if (!q->answered && edge_kit.edge)
        sip_edge_control(edge_kit.edge, str_of(q->call_id), q->mark, status, str_of(body));
    q->answered = true;
    edge_kit_turn();
}
