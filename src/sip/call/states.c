/* states: the table of a call's states. call_set_state moves a call by it, and the page of the
 * states in docs/sip.md is printed from it (call_states_print). Nothing but sip/call/calls names
 * it. Edge's thread. */
#include "sip/call/call.h"

#define TO(s)   (1u << CALL_##s)
#define TAKE(i) (1u << INPUT_##i)

/* Whatever rings stops, then the rest of the call. */
static void enter_ending(struct call *c)
{
    call_stop_ringing(c);
    call_enter_ending(c);
}

const struct state_rule call_states[CALL_STATES] = {
    [CALL_RESTORED] = {.name = "RESTORED",
                       .waits_for = "the caller's INVITE, again",
                       .inputs = TAKE(INVITE_AGAIN) | TAKE(CANCEL) | TAKE(END),
                       .next = TO(DECIDING) | TO(ROUTING) | TO(UP) | TO(ENDING) | TO(OVER),
                       .on_time = call_on_not_repeated,
                       .timer = "1.5 s",
                       .at_time = "ends as lost"},
    [CALL_TAKING] = {.name = "TAKING",
                     .waits_for = "the commit of incoming_call",
                     .inputs = TAKE(COMMIT) | TAKE(CANCEL) | TAKE(END),
                     .next = TO(DECIDING) | TO(ROUTING) | TO(ENDING) | TO(OVER)},
    [CALL_DECIDING] = {.name = "DECIDING",
                       .waits_for = "a webhook's answer",
                       .inputs = TAKE(WEBHOOK) | TAKE(CANCEL) | TAKE(END),
                       .next = TO(ROUTING) | TO(ENDING),
                       .on_time = call_next_target,
                       .timer = "the answer's time",
                       .at_time = "the number's own targets"},
    [CALL_ROUTING] = {.name = "ROUTING",
                      .waits_for = "the target's addresses",
                      .inputs = TAKE(CANCEL) | TAKE(END),
                      .next = TO(DECIDING) | TO(RINGING) | TO(ENDING),
                      .on_time = call_on_ring_time,
                      .keeps_time = true,
                      .timer = "the target's ring timeout",
                      .at_time = "the next target"},
    [CALL_RINGING] = {.name = "RINGING",
                      .waits_for = "the target's answer",
                      .inputs = TAKE(TARGET) | TAKE(REQUEST) | TAKE(CANCEL) | TAKE(BYE) | TAKE(END),
                      .next = TO(ROUTING) | TO(ANSWERING) | TO(ENDING),
                      .on_time = call_on_ring_time,
                      .keeps_time = true,
                      .timer = "the rest of it",
                      .at_time = "the next target"},
    [CALL_ANSWERING] = {.name = "ANSWERING",
                        .waits_for = "the commit of call_answered",
                        .inputs = TAKE(COMMIT) | TAKE(REQUEST) | TAKE(BYE) | TAKE(END),
                        .next = TO(UP) | TO(ENDING),
                        .enter = call_route_drop},
    [CALL_UP] = {.name = "UP",
                 .waits_for = "its end",
                 .inputs = TAKE(ACK) | TAKE(REQUEST) | TAKE(REINVITE) | TAKE(BYE) | TAKE(END),
                 .next = TO(ENDING),
                 .enter = call_enter_up,
                 .on_time = call_on_probe_due,
                 .timer = "sip.probe_s of a leg's silence",
                 .at_time = "OPTIONS on that leg"},
    [CALL_ENDING] = {.name = "ENDING",
                     .waits_for = "the commit of call_ended",
                     .inputs = TAKE(COMMIT) | TAKE(ACK),
                     .next = TO(CLOSING) | TO(OVER),
                     .enter = enter_ending},
    [CALL_CLOSING] = {.name = "CLOSING",
                      .waits_for = "a commit that is late, the caller's ACK",
                      .inputs = TAKE(COMMIT) | TAKE(ACK),
                      .next = TO(OVER),
                      .enter = call_enter_closing},
    [CALL_OVER] = {.name = "OVER",
                   .waits_for = "the end of the loop's turn",
                   .enter = call_reap_later},
};

static const char *const input_name[CALL_INPUTS] = {
    [INPUT_COMMIT] = "commit",
    [INPUT_WEBHOOK] = "webhook's answer",
    [INPUT_TARGET] = "target's answer",
    [INPUT_ACK] = "ACK",
    [INPUT_REQUEST] = "request",
    [INPUT_REINVITE] = "re-INVITE",
    [INPUT_CANCEL] = "CANCEL",
    [INPUT_BYE] = "BYE",
    [INPUT_END] = "end",
    [INPUT_INVITE_AGAIN] = "INVITE again",
};

void call_states_print(struct buf *out)
{
    buf_puts(out, "| state | waits for | takes | timer, and what comes then | next |\n"
                  "|---|---|---|---|---|\n");
    for (size_t s = 0; s < CALL_STATES; s++) {
        const struct state_rule *r = &call_states[s];
        const char *sep = "";
        buf_printf(out, "| %s | %s | ", r->name, r->waits_for);
        for (size_t i = 0; i < CALL_INPUTS; i++)
            if (r->inputs >> i & 1) {
                buf_printf(out, "%s%s", sep, input_name[i]);
                sep = ", ";
            }
        buf_puts(out, " | ");
        if (r->on_time)
            buf_printf(out, "%s: %s", r->timer, r->at_time);
        buf_puts(out, " | ");
        sep = "";
        for (size_t i = 0; i < CALL_STATES; i++)
            if (r->next >> i & 1) {
                buf_printf(out, "%s%s", sep, call_states[i].name);
                sep = ", ";
            }
        buf_puts(out, " |\n");
    }
}
