/* edge_around: takes the steps of the surroundings of the edge: connections, name servers,
 * webhooks. */
#include <string.h>

#include "edge_world.h"

void step_streams(void)
{
    struct still_stream s[16];
    struct addr edge, carrier;
    size_t n = still_streams(s, 16);
    unsigned what = pick(8);
    if (addr_parse(STR(EDGE), 0, &edge) != OK || addr_parse(STR(CARRIER), 0, &carrier) != OK)
        return;
    if (what < 2) {
        if (n < 8) {
            carrier.port = (uint16_t)(30000 + world.n_names++);
            say_words("the carrier connects: stream %u", still_accept(&edge, &carrier));
        }
    } else if (n) {
        const struct still_stream *one = &s[pick((unsigned)n)];
        bool opens = what < 6 && !one->open;
        static const enum err why[] = {ERR_CLOSED, ERR_RESET, ERR_UNREACHABLE, ERR_TLS};
        say_words("stream %u %s", one->id,
                  opens       ? "is open"
                  : what == 7 ? "ends"
                              : "is left alone");
        if (opens)
            still_stream_open(one->id);
        else if (what == 7)
            still_stream_end(one->id, why[pick(4)]);
    }
    edge_kit_turn();
}

void names_resolve(const struct still_lookup *k, unsigned what)
{
    static const char *const at[] = {AGENT_1, AGENT_2, AGENT_3};
    static const enum err errs[] = {ERR_DNS, ERR_TIMEOUT};
    struct resolved r = {0};
    if (what >= 12)
        r.err = errs[what % 2];
    for (unsigned i = 0; what < 12 && i <= what % 3; i++) {
        if (addr_parse(str_of(at[(what + i) % 3]), 5060, &r.addr[i]) != OK)
            return;
        r.transport[i] = what / 4 == 1 && i ? RESOLVE_TCP : RESOLVE_UDP;
        r.n++;
    }
    say_words("%s is %s, %zu addresses", k->host, err_text(r.err), r.n);
    still_answer(k->id, &r);
    edge_kit_turn();
}

void step_names(void)
{
    struct still_lookup k[16];
    size_t n = still_lookups(k, 16);
    if (!n)
        return;
    const struct still_lookup *one = &k[pick((unsigned)n)];
    names_resolve(one, pick(16));
}

void step_webhook(void)
{
    static const char *const body[] = {
        "OK",
        "{\"action\":\"default\"}",
        "{\"action\":\"reject\",\"sip_status\":486}",
        "{\"action\":\"forward\",\"targets\":[{\"type\":\"sip\",\"destination\":"
        "\"sip:w@5.0.2.2\",\"ring_timeout_s\":7}]}",
        "{\"action\":\"forward\",\"targets\":[{\"type\":\"access_number\",\"destination\":"
        "\"+447911120010\"},{\"type\":\"sip\",\"destination\":\"sip:w@agents.example\"}]}",
        "{\"action\":\"forward\",\"targets\":[{\"type\":\"webhook\",\"destination\":"
        "\"https://b.example/more\"},{\"type\":\"sip\",\"destination\":\"sips:w@5.0.2.3\"}]}",
        "{\"action\":\"forward\",\"targets\":[]}",
        "{\"action\":",
    };
    size_t n = edge_kit_questions();
    if (!n)
        return;
    struct question *q = edge_kit_question(pick_recent(n));
    unsigned which = pick(8), how = pick(8);
    say_words("the webhook %s of %s says %.40s%s", q->url[0] ? q->url : "of an endpoint",
              q->call_id, body[which], q->answered ? " (again)" : "");
    q->answered = q->answered && how; /* one in eight may be told twice */
    edge_kit_reply(q, how == 7 ? 500 : how == 6 ? 0 : 200, body[which]);
}
