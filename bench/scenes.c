/* scenes: has the table of scenes and makes the settings that they need. Pure but for scenes_make.
 */
#include "scenes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tenants.h"

static const struct scene table[] = {
    {"talk", 30, BY_ADDRESS, ANSWERS, 0, 5000, NULL, false, false},
    {"talk over TCP", 4, BY_TCP, ANSWERS, 0, 5000, NULL, false, false},
    {"the agent hangs up", 10, BY_ADDRESS, ANSWERS, 0, 5000, NULL, false, true},
    {"canceled", 6, BY_ADDRESS, RINGS, 900, 0, NULL, false, false},
    {"180 after CANCEL", 3, BY_ADDRESS, RINGS_ON, 700, 0, NULL, false, false},
    {"200 after CANCEL", 3, BY_ADDRESS, ANSWERS_LATE, 500, 0, NULL, false, false},
    {"busy", 4, BY_ADDRESS, REFUSES, 0, 0, NULL, false, false},
    {"silent", 4, BY_ADDRESS, KEEPS_SILENT, 0, 0, NULL, false, false},
    {"silent, canceled", 3, BY_ADDRESS, KEEPS_SILENT, 700, 0, NULL, false, false},
    {"rings for too long", 2, BY_ADDRESS, RINGS, 0, 0, NULL, false, false},
    {"slow name", 3, BY_SLOW_NAME, ANSWERS, 0, 2000, NULL, false, false},
    {"slow name, canceled", 2, BY_SLOW_NAME, RINGS, 1200, 0, NULL, false, false},
    {"no name", 2, BY_NO_NAME, ANSWERS, 0, 2000, NULL, false, false},
    {"no name, canceled", 2, BY_NO_NAME, ANSWERS, 700, 0, NULL, false, false},
    {"nobody at TCP", 2, BY_NOBODY, ANSWERS, 0, 0, NULL, false, false},
    {"TCP closed at INVITE", 2, BY_TCP, CLOSES, 0, 0, NULL, false, false},
    {"TCP closed in the call", 2, BY_TCP, CLOSES_LATER, 0, 2000, NULL, false, false},
    {"INFO open", 3, BY_ADDRESS, ANSWERS, 0, 1000, "INFO", false, false},
    {"UPDATE open", 3, BY_ADDRESS, ANSWERS, 0, 1000, "UPDATE", false, false},
    {"re-INVITE open", 3, BY_ADDRESS, ANSWERS, 0, 1000, "INVITE", false, false},
    {"MESSAGE open", 1, BY_ADDRESS, ANSWERS, 0, 1000, "MESSAGE", false, false},
    {"NOTIFY open, over TCP", 1, BY_TCP, ANSWERS, 0, 1000, "NOTIFY", false, false},
    {"the agent's re-INVITE open", 2, BY_ADDRESS, ANSWERS, 0, 1000, "INVITE", true, false},
    {"the agent's INFO open", 2, BY_ADDRESS, ANSWERS, 0, 1000, "INFO", true, true},
    {"the webhook says nothing", 2, BY_WEBHOOK, ANSWERS, 0, 2000, NULL, false, false},
    {"the webhook says nothing, canceled", 2, BY_WEBHOOK, ANSWERS, 700, 0, NULL, false, false},
    {"both are gone", 1, BY_ADDRESS, VANISHES, 0, 0, NULL, false, false},
};
enum { RING_S = 2, SLOW_RING_S = 1, AGENT_AT_NOBODY = 7999 };

size_t scenes_count(void)
{
    return sizeof table / sizeof *table;
}

const struct scene *scene_at(size_t s)
{
    return &table[s];
}

size_t scene_of_call(size_t call)
{
    unsigned sum = 0;
    for (size_t s = 0; s < scenes_count(); s++)
        sum += table[s].share;
    unsigned at = (unsigned)((call * 2654435761u >> 7) % sum);
    size_t s = 0;
    while (at >= table[s].share)
        at -= table[s++].share;
    return s;
}

void scene_print_number(size_t s, unsigned k, char out[24])
{
    snprintf(out, 24, "+4479222%03zu%02u", s % 1000, k % 100);
}

size_t scene_of_user(struct str text)
{
    uint64_t s;
    const char *p = memmem(text.p, text.n, "sip:s", 5);
    struct str digits = p ? str_slice(text, (size_t)(p - text.p) + 5, 2) : (struct str){0};
    return digits.n == 2 && str_to_u64(digits, scenes_count() - 1, &s) == OK ? s : SIZE_MAX;
}

static void put_target(struct buf *b, const char *type, const char *destination, int ring_s)
{
    buf_printf(b, "{\"type\":\"%s\",\"destination\":\"%s\",\"ring_timeout_s\":%d}", type,
               destination, ring_s);
}

static void put_targets(struct buf *b, size_t s, unsigned k, int agent, int hook, bool names)
{
    char first[96], direct[96];
    enum scene_reach reach = table[s].reach;
    if (!names && (reach == BY_SLOW_NAME || reach == BY_NO_NAME))
        reach = BY_ADDRESS;
    snprintf(direct, sizeof direct, "sip:s%02zu@127.0.0.3:%d%s", s,
             reach == BY_NOBODY ? AGENT_AT_NOBODY : agent,
             reach == BY_TCP || reach == BY_NOBODY ? ";transport=tcp" : "");
    buf_puts(b, "{\"targets\":[");
    if (reach == BY_SLOW_NAME || reach == BY_NO_NAME) {
        snprintf(first, sizeof first, "sip:s%02zu@%s%u.example.com:%d", s,
                 reach == BY_SLOW_NAME ? "slow" : "never", k, agent);
        put_target(b, "sip", first, reach == BY_SLOW_NAME ? SLOW_RING_S : RING_S);
    } else if (reach == BY_WEBHOOK) {
        snprintf(first, sizeof first, "http://127.0.0.1:%d/never", hook);
        buf_printf(b, "{\"type\":\"webhook\",\"destination\":\"%s\"}", first);
    }
    if (reach != BY_NO_NAME) {
        buf_puts(b, reach == BY_SLOW_NAME || reach == BY_WEBHOOK ? "," : "");
        put_target(b, "sip", direct, RING_S);
    }
    buf_puts(b, "]}");
}

static void put_forward(int http, const char *key, const char *number, const struct buf *targets)
{
    char path[64], text[1024];
    struct buf answer;
    buf_init(&answer, 65536);
    snprintf(path, sizeof path, "/v1/numbers/%s/forward", number);
    (void)!str_copy(buf_str(targets), text, sizeof text);
    int status = api_call(http, "PUT", path, key, text, &answer);
    if (status != 200) {
        fprintf(stderr, "PUT %s %s: %d %.*s\n", path, text, status, STR_FMT(buf_str(&answer)));
        exit(1);
    }
    buf_fini(&answer);
}

void scenes_make(int http, const char *key, int agent, int hook, unsigned endpoint, bool names)
{
    char mem[1024], number[24];
    struct buf body;
    for (size_t s = 0; s < scenes_count(); s++)
        for (unsigned k = 0; k < SCENE_NUMBERS; k++) {
            scene_print_number(s, k, number);
            buf_wrap(&body, mem, sizeof mem);
            buf_printf(&body, "{\"number\":\"%s\"}", number);
            api_create(http, key, "/v1/numbers", &body, NULL);
            buf_wrap(&body, mem, sizeof mem);
            put_targets(&body, s, k, agent, hook, names);
            put_forward(http, key, number, &body);
        }
    buf_wrap(&body, mem, sizeof mem);
    buf_printf(&body,
               "{\"url\":\"http://127.0.1.1:%d/h/%u\",\"concurrency\":64,\"events\":"
               "[\"incoming_call\",\"call_answered\",\"call_ended\"]}",
               hook, endpoint);
    api_create(http, key, "/v1/endpoints", &body, NULL);
}
